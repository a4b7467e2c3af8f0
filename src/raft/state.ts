import type { LogIndex, ReplicaId, Term } from '../base/ids.ts';
import { REST_TIMEOUTS } from '../base/limits.ts';
import type { Prng } from '../base/prng.ts';
import { type Configuration, type Configurations, isVoterOf, votersOf } from './configuration.ts';
import type { Freshness } from './freshness.ts';
import type { RaftLog } from './log.ts';
import type { RaftOptions } from './options.ts';
import type { Progress } from './progress.ts';
import type { LeftAlone } from './trials.ts';
import type {
  Entry,
  LogRead,
  Message,
  Payload,
  ReadState,
  SnapshotInstall,
  SnapshotOffer,
  VoteRequest,
} from './types.ts';

/** A role owns its fields; roles.ts holds the transitions. */
export interface Follower {
  readonly role: 'follower';
  /** Whom this replica follows; undefined until somebody of this term is heard. */
  leader: ReplicaId | undefined;
  /**
   * The connection to the leader broke: it no longer protects its reign. Says nothing about whether it still leads, so
   * it only allows questions that it would otherwise forbid.
   */
  leaderSuspected: boolean;
  /** A pre-vote request refused only because the leader was believed alive; answered if that turns out wrong. */
  deferred: VoteRequest | undefined;
  /** This replica's age when it began to follow. */
  readonly since: number;
  /** Reads that the leader has not been asked about, and those it has, in order of their questions. */
  readonly readsNew: number[];
  readonly readsAsked: { readonly context: number; readonly sequence: number }[];
}

/** Of somebody, or of nobody known. */
export const followerOf = (leader: ReplicaId | undefined, since: number): Follower => ({
  role: 'follower',
  leader,
  since,
  leaderSuspected: false,
  deferred: undefined,
  readsNew: [],
  readsAsked: [],
});

/** A read at the leader, of its own shell or of a follower. */
export interface PendingRead {
  /** The shell's context, or the sequence of the follower's question. */
  readonly context: number;
  readonly from: ReplicaId;
  index: LogIndex;
  round: number;
}

export interface Campaigner {
  readonly role: 'pre-candidate' | 'candidate';
  readonly votes: Map<ReplicaId, boolean>;
  readonly transfer: boolean;
}

export interface Leader {
  readonly role: 'leader';
  /** By member, this replica included; those just removed, until they are told. */
  readonly progress: Map<ReplicaId, Progress>;
  /** First entry of this reign: nothing below it is committed by counting (§5.4.2), no read served before it commits (§6.4). */
  readonly firstIndex: LogIndex;
  /** Where the log ended at the newest heartbeats, the one of LAG_ROUNDS_MAX heartbeats before the newest first. */
  readonly ends: LogIndex[];
  /** The leader's clock when it committed the first of what somebody has not been told is committed. */
  untoldSince: number | undefined;
  heartbeatElapsed: number;
  /** Of this reign. */
  ticks: number;
  /** The tick of the newest change of who takes part. */
  changedAt: number;
  /** Reads not yet in a round, then those waiting for a quorum to confirm their round. */
  readonly readsNew: PendingRead[];
  readonly readsPending: PendingRead[];
  round: number;
  /** The leader's clock when it began the newest round. */
  roundAt: number;
  /** The leader's clock when it sent the newest heartbeat that a quorum has answered. */
  quorumAt: number;
  /** A peer was ordered to campaign: the others may vote for it although they hear this leader. */
  ordered: boolean;
  /** No lease from heartbeats sent until then: the process may have stood still. */
  leaseAfter: number;
  /** Ticks since the own disk last made progress, while something waits for it. */
  diskWaits: number;
  diskMatch: number;
  /** The tick from which on the leadership may be handed to a preferred peer. */
  handOverFrom: number;
  transferTo: ReplicaId | undefined;
  transferElapsed: number;
  /** Wants to lead no more: what is left of the reign is for handing over. */
  resigning: boolean;
}

export type RoleState = Follower | Campaigner | Leader;

/** What a step leaves for the shell; `takeReady` empties it. */
export interface Outbox {
  send: Message[];
  sendAfterSync: Message[];
  snapshot: SnapshotInstall | undefined;
  truncateFrom: LogIndex | undefined;
  append: Entry[];
  hardStateChanged: boolean;
  reads: ReadState[];
  readsDropped: number[];
  logReads: LogRead[];
  snapshotOffer: SnapshotOffer | undefined;
}

export const emptyOutbox = (): Outbox => ({
  send: [],
  sendAfterSync: [],
  snapshot: undefined,
  truncateFrom: undefined,
  append: [],
  hardStateChanged: false,
  reads: [],
  readsDropped: [],
  logReads: [],
  snapshotOffer: undefined,
});

/** Everything the core remembers. The modules of this folder are functions over it; `RaftCore` is the only owner. */
export interface State {
  readonly id: ReplicaId;
  readonly options: RaftOptions;
  readonly prng: Prng;
  readonly noop: () => Payload;
  readonly leaveJoint: (configuration: Configuration) => Payload;
  readonly log: RaftLog;
  readonly configurations: Configurations;
  /**
   * A vote, or entries that were acknowledged, may have been forgotten: no vote is given, and none asked for, until this
   * log goes up to an entry of a leader of a later term than `doubtedTerm`.
   */
  abstaining: boolean;
  doubtedTerm: Term;
  /** Something here is not to be relied on: no promise is given, and none taken back, until the shell says otherwise. */
  muted: boolean;
  /** It is going to be stopped: others lead rather than this one. */
  resting: boolean;
  term: Term;
  vote: ReplicaId | undefined;
  role: RoleState;
  /** The monotonic clock, in whole milliseconds, as it was told last; 0 = never. */
  now: number;
  /** Numbers of questions and beats: of this life of the replica are those above `life`, up to `sequence`. */
  life: number;
  sequence: number;
  /** Ticks since this replica was started. */
  age: number;
  /** Its age when it last stood still; long ago = never. */
  stalledAt: number;
  /** How long it stood still at most of late, bounded: by so much longer it waits before it campaigns. */
  stallTicks: number;
  /** Its age from which on that is forgotten. */
  stallForgottenAt: number;
  readonly freshness: Freshness;
  /** Who is preferred as leader: the higher, the sooner. Those not named have 0. */
  priorities: ReadonlyMap<ReplicaId, number>;
  /** Whom this replica handed the lead to because it is preferred, by what priority; until it has proved itself, or failed. */
  trial: { readonly to: ReplicaId; readonly priority: number } | undefined;
  /** Voters that did not hold on to the lead. */
  readonly leftAlone: Map<ReplicaId, LeftAlone>;
  /** Ticks since any leader was heard, or since the start: for so long this replica keeps a promise it may have made. */
  sinceLeader: number;
  /** Ticks since a leader was heard, a vote was given, or the last quorum check. */
  electionElapsed: number;
  electionTimeout: number;
  out: Outbox;
}

/** What holds now: the newest configuration of the log, committed or not. */
export const configurationNow = (s: State): Configuration => s.configurations.current;

/** Everyone whose vote counts, in order of id. */
export const votersNow = (s: State): readonly ReplicaId[] => votersOf(s.configurations.current);

/**
 * Whether this replica may ask for votes. One that rests does when nobody has led for long: rather this one than none. As a voter, also one whose removal is not committed, or nobody may be left to lead. */
export const mayCampaign = (s: State): boolean =>
  !s.abstaining &&
  !s.muted &&
  !(s.resting && s.sinceLeader < s.options.electionTicksMax * REST_TIMEOUTS) &&
  (isVoterOf(s.configurations.current, s.id) ||
    isVoterOf(s.configurations.at(s.log.committed).configuration, s.id));

/** Whoever rests comes after all others. */
export const priorityOf = (s: State, id: ReplicaId): number =>
  s.resting && id === s.id ? -1 : (s.priorities.get(id) ?? 0);
