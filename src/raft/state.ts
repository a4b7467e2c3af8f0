import type { LogIndex, ReplicaId, Term } from '../base/ids.ts';
import type { Prng } from '../base/prng.ts';
import type { RaftLog } from './log.ts';
import type { RaftOptions } from './options.ts';
import type { Progress } from './progress.ts';
import type { Entry, LogRead, Message, Payload, ReadState, VoteRequest } from './types.ts';

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
}

export interface Campaigner {
  readonly role: 'pre-candidate' | 'candidate';
  readonly votes: Map<ReplicaId, boolean>;
  readonly transfer: boolean;
}

export interface Leader {
  readonly role: 'leader';
  /** By voter, this replica included, in order of id. */
  readonly progress: ReadonlyMap<ReplicaId, Progress>;
  /** First entry of this reign: nothing below it is committed by counting (§5.4.2), no read served before it commits (§6.4). */
  readonly firstIndex: LogIndex;
  uncommittedBytes: number;
  heartbeatElapsed: number;
  /** Reads not yet in a round, then those waiting for a quorum to confirm their round. */
  readonly readsNew: number[];
  readonly readsPending: {
    readonly context: number;
    readonly index: LogIndex;
    readonly round: number;
  }[];
  round: number;
  transferTo: ReplicaId | undefined;
  transferElapsed: number;
}

export type RoleState = Follower | Campaigner | Leader;

/** What a step leaves for the shell; `takeReady` empties it. */
export interface Outbox {
  send: Message[];
  sendAfterSync: Message[];
  truncateFrom: LogIndex | undefined;
  append: Entry[];
  hardStateChanged: boolean;
  reads: ReadState[];
  readsDropped: number[];
  logReads: LogRead[];
}

export const emptyOutbox = (): Outbox => ({
  send: [],
  sendAfterSync: [],
  truncateFrom: undefined,
  append: [],
  hardStateChanged: false,
  reads: [],
  readsDropped: [],
  logReads: [],
});

/** Everything the core remembers. The modules of this folder are functions over it; `RaftCore` is the only owner. */
export interface State {
  readonly id: ReplicaId;
  /** In order of id, so that what goes out is in the same order on every run. */
  readonly voters: readonly ReplicaId[];
  readonly options: RaftOptions;
  readonly prng: Prng;
  readonly noop: () => Payload;
  readonly log: RaftLog;
  term: Term;
  vote: ReplicaId | undefined;
  role: RoleState;
  /** Ticks since a leader was heard, a vote was given, or the last quorum check. */
  electionElapsed: number;
  electionTimeout: number;
  out: Outbox;
}

/** Whether this replica is counted and may campaign. */
export const isVoter = (s: State): boolean => s.voters.includes(s.id);
