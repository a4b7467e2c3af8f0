import { assert } from '../base/assert.ts';
import {
  type LogIndex,
  logIndex,
  type Millis,
  type ReplicaId,
  type Term,
  term,
} from '../base/ids.ts';
import type { Prng } from '../base/prng.ts';
import { appendOwn } from './append.ts';
import type { Plan, Target } from './change.ts';
import {
  type Configuration,
  type ConfigurationAt,
  Configurations,
  configurationOf,
  type SnapshotPoint,
} from './configuration.ts';
import { preCampaign } from './election.ts';
import { Freshness } from './freshness.ts';
import { mute, peerLost, rest, stalled, started } from './hints.ts';
import { RaftLog, type TermRun } from './log.ts';
import { type ChangeResult, change, plan, restate } from './membership.ts';
import { DEFAULT_OPTIONS, type RaftOptions } from './options.ts';
import { type PeerView, peersOf } from './peers.ts';
import { askReads, knownAsLeader, leaseIndex, openRound, startRead } from './reads.ts';
import { entriesRead, replicateAll } from './replication.ts';
import { resetElectionTimer } from './roles.ts';
import { compact, restore } from './snapshots.ts';
import { configurationNow, emptyOutbox, followerOf, type State } from './state.ts';
import { step } from './step.ts';
import { tick } from './tick.ts';
import { stepDown, transfer } from './transfer.ts';
import type {
  Entry,
  EntryId,
  HardState,
  Message,
  Payload,
  ProposeResult,
  Ready,
  Standing,
} from './types.ts';

/** What a core starts from: its identity, and what its disk remembers. */
export interface RaftInit {
  readonly id: ReplicaId;
  /** Of the cluster when it was formatted: in force until a snapshot or an entry says otherwise. */
  readonly voters: readonly ReplicaId[];
  readonly prng: Prng;
  /** Makes the empty entry with which each reign begins. */
  readonly noop: () => Payload;
  /** Makes the entry with which a change of voters ends. */
  readonly leaveJoint: (configuration: Configuration) => Payload;
  readonly hardState: HardState;
  /** The newest entries, from the commit hint or before it to the last. */
  readonly tail: readonly Entry[];
  readonly terms: readonly TermRun[];
  /** What the log begins after; undefined = the log is whole. */
  readonly snapshot?: SnapshotPoint | undefined;
  /** Every configuration entry of the log, in order. */
  readonly configurations?: readonly ConfigurationAt[] | undefined;
  /**
   * The newest vote, or the newest entries, may have been lost from the disk. This replica then neither votes nor campaigns
   * until its log goes up to an entry of a leader of a later term than it knows of: an older vote could make it vote twice
   * in a term, a shorter log elect a leader who lacks what it once acknowledged.
   */
  readonly abstain?: boolean | undefined;
  readonly options?: Partial<RaftOptions>;
}

/**
 * Raft (Ongaro and Ousterhout, 2014; "§" cites that paper, "thesis" Ongaro's) with pre-vote, check-quorum, leader
 * stickiness, pipelined replication and ReadIndex. Pure: it reads no clock, does no I/O, never awaits. Inputs are method
 * calls; what they make necessary is collected and handed out by `takeReady`.
 */
export class RaftCore {
  readonly #s: State;
  #committedTold: number;

  constructor(init: RaftInit) {
    const options = { ...DEFAULT_OPTIONS, ...init.options };
    assert(options.heartbeatTicks * 3 < options.electionTicksMin, 'elections before heartbeats');
    assert(options.electionTicksMin < options.electionTicksMax, 'election time-outs all alike');
    assert(new Set(init.voters).size === init.voters.length, 'a voter is named twice');
    const nowhere = { index: logIndex(0), term: term(0) };
    const base = init.snapshot ?? { ...nowhere, configuration: configurationOf(init.voters) };
    const committed = logIndex(Math.max(init.hardState.commit, base.index));
    this.#s = {
      id: init.id,
      options,
      prng: init.prng,
      noop: init.noop,
      leaveJoint: init.leaveJoint,
      log: new RaftLog(init.tail, init.terms, committed, base),
      configurations: new Configurations(base, init.configurations ?? []),
      abstaining: init.abstain === true || init.hardState.abstain === true,
      doubtedTerm: init.hardState.term,
      muted: false,
      resting: false,
      term: init.hardState.term,
      vote: init.hardState.vote,
      role: followerOf(undefined, 0),
      now: 0,
      life: 0,
      sequence: 0,
      age: 0,
      stalledAt: Number.NEGATIVE_INFINITY,
      stallTicks: 0,
      stallForgottenAt: 0,
      freshness: new Freshness(),
      priorities: new Map(),
      trial: undefined,
      leftAlone: new Map(),
      sinceLeader: 0,
      electionElapsed: 0,
      electionTimeout: 0,
      out: emptyOutbox(),
    };
    assert(this.#s.log.last.term <= this.#s.term, 'the log is ahead of the hard state');
    for (const { index, payload } of init.tail)
      if (payload.configuration !== undefined)
        assert(this.#s.configurations.at(index).index === index, `entry ${index}: not listed`);
    resetElectionTimer(this.#s);
    // Begins anywhere: two lives of a replica must not take each other's answers for their own.
    this.#s.life = init.prng.uint32() * 2 ** 20;
    this.#s.sequence = this.#s.life;
    this.#committedTold = base.index;
  }

  /** Everything it remembers: for tests that compare states. Not to be changed. */
  get state(): Readonly<State> {
    return this.#s;
  }
  get standing(): Standing {
    const { role, term: ownTerm, id } = this.#s;
    const leader = role.role === 'leader' ? id : role.role === 'follower' ? role.leader : undefined;
    const transferring = role.role === 'leader' && role.transferTo !== undefined;
    return { role: role.role, term: ownTerm, leader, transferring };
  }
  /** Who leads, if that was heard of late: who may not campaign, a learner, goes on following one that was silent for long. */
  get heard(): ReplicaId | undefined {
    const { leader } = this.standing;
    const { id, sinceLeader, options } = this.#s;
    return leader === id || sinceLeader < options.electionTicksMin ? leader : undefined;
  }
  get last(): EntryId {
    return this.#s.log.last;
  }
  get committed(): number {
    return this.#s.log.committed;
  }
  get firstInMemory(): number {
    return this.#s.log.firstInMemory;
  }
  get hardState(): HardState {
    const { term: ownTerm, vote, log, abstaining } = this.#s;
    const hardState = { term: ownTerm, vote, commit: log.committed };
    return abstaining ? { ...hardState, abstain: true } : hardState;
  }
  /** Who takes part: the newest configuration of the log, committed or not. Connect to all of its members. */
  get configuration(): Configuration {
    return configurationNow(this.#s);
  }
  /** What held right after the entry at `index`: what a snapshot up to there must carry. */
  configurationAt(index: number): Configuration {
    return this.#s.configurations.at(index).configuration;
  }
  /** The entry that the log begins after. */
  get base(): EntryId {
    return this.#s.log.base;
  }
  /** What was handed out before it was muted and has not left yet is not to leave. */
  get muted(): boolean {
    return this.#s.muted;
  }
  /** Muted, or waiting to hear of a later term because a vote may be lost. */
  get silenced(): boolean {
    return this.#s.muted || this.#s.abstaining;
  }

  /** The entry at `index` if memory holds it; everything from the commit index on is held. */
  entryAt(index: number): Entry | undefined {
    return this.#s.log.entryAt(index);
  }
  termAt(index: number): Term | undefined {
    return this.#s.log.termAt(index);
  }

  /** For metrics and tests: how far a peer is, as the leader knows it. */
  matchOf(peer: ReplicaId): number | undefined {
    return this.#s.role.role === 'leader' ? this.#s.role.progress.get(peer)?.match : undefined;
  }

  /** One unit of time has passed; `now` as for `takeReady`. */
  tick(now?: Millis): void {
    this.#look(now);
    tick(this.#s);
  }

  /**
   * The process stood still for so many ticks. A leader trusts no lease from before and, if that was long, steps down;
   * a follower listens first before it takes the leader for silent. Pauses that follow each other are time that passes.
   * Whoever stood still waits longer for a while before it campaigns.
   */
  stalled(ticks: number): void {
    stalled(this.#s, ticks);
  }

  /** A message for this replica has arrived. */
  step(m: Message): void {
    step(this.#s, m);
  }

  /** Appends one entry if this replica leads. Nothing is promised until its index is committed in the same term. */
  propose(payload: Payload): ProposeResult {
    const s = this.#s;
    assert(payload.configuration === undefined, 'who takes part is changed by `change`');
    if (s.role.role !== 'leader') return { ok: false, reason: 'not-leader' };
    if (s.role.transferTo !== undefined) return { ok: false, reason: 'transferring' };
    const { uncommittedBytes } = s.log;
    const bytes = uncommittedBytes + payload.byteLength;
    if (uncommittedBytes > 0 && bytes > s.options.uncommittedBytesMax)
      return { ok: false, reason: 'overloaded' };
    return { ok: true, id: appendOwn(s, payload) };
  }

  /**
   * Begins a change of who takes part (§6). `payload.configuration` is what `plan` answered; the change ends by itself,
   * with an entry of `RaftInit.leaveJoint`. One at a time; in force from the moment it is appended.
   */
  change(payload: Payload): ChangeResult {
    return change(this.#s, payload);
  }

  /** Appends the configuration in force anew; what else the payload says of the members is not the core's. */
  restate(payload: Payload): ChangeResult {
    return restate(this.#s, payload);
  }

  /** What a change would do to the quorum, and whether it can be done now; undefined if this replica does not lead. */
  plan(target: Target): Plan | undefined {
    const s = this.#s;
    return s.role.role === 'leader' ? plan(s, s.role, target) : undefined;
  }

  /** What the leader knows of the others, in order of id; undefined if this replica does not lead. */
  get peers(): readonly PeerView[] | undefined {
    return peersOf(this.#s);
  }

  /** Prefers some as leaders: the higher, the sooner. Only delays elections, and hands over to who is fit to lead. */
  prefer(priorities: ReadonlyMap<ReplicaId, number>): void {
    this.#s.priorities = priorities;
  }

  /**
   * What a read must see if this replica is sure at `now` that nobody else leads (`RaftOptions.leaseMs`); else undefined:
   * use `read`. To be asked again, with the time then, when the answer is built: the process may have stood still.
   */
  lease(now: Millis): LogIndex | undefined {
    return leaseIndex(this.#s, now);
  }

  /**
   * By this replica's own clock, the moment as of which a state that holds everything up to `applied` is complete: for
   * reads that may be somewhat old. As a quorum confirmed it to the leader; undefined = not known.
   */
  freshAt(applied: number): Millis | undefined {
    const s = this.#s;
    const led = s.role.role === 'leader' ? knownAsLeader(s, s.role) : undefined;
    const at = led !== undefined && applied >= led.index ? led.at : s.freshness.of(applied);
    return at as Millis | undefined;
  }

  /** Somebody is yet to be told what is committed: `takeReady` again, `RaftOptions.commitNoticeMs` from now. */
  get owesCommit(): boolean {
    return this.#s.role.role === 'leader' && this.#s.role.untoldSince !== undefined;
  }

  /** Begins a linearizable read; `context` comes back in `Ready.reads` or `Ready.readsDropped`. */
  read(context: number): void {
    startRead(this.#s, context);
  }

  /** Asks the leader to hand over to `to`. False if this replica does not lead or `to` cannot take over. */
  transfer(to: ReplicaId): boolean {
    return transfer(this.#s, to);
  }

  /** Gives up leading, handing over first if somebody can take over. A follower after an election time-out at the latest. */
  stepDown(): void {
    stepDown(this.#s);
  }

  /**
   * Muted, a replica listens and says nothing: it gives no vote and acknowledges nothing, for what its disk holds is in
   * doubt. It knows who leads, and takes no entries.
   */
  mute(on: boolean): void {
    mute(this.#s, on);
  }

  /** At rest, a replica votes and acknowledges, but leads only when nobody else has for long. A leader hands over. */
  rest(on: boolean): void {
    rest(this.#s, on);
  }
  get resting(): boolean {
    return this.#s.resting;
  }

  /** The shell has fetched a snapshot and verified it. False if it brings nothing new; else the next Ready installs it. */
  restore(point: SnapshotPoint): boolean {
    return restore(this.#s, point);
  }

  /** A durable snapshot stands for everything up to `index`, which is committed; the disk may now forget it. */
  compact(index: number): void {
    compact(this.#s, logIndex(index));
  }

  /** Starts an election now (an operator's or a test's wish); pre-vote and stickiness still hold. */
  campaign(): void {
    preCampaign(this.#s);
  }

  /** Messages reach this replica from now on. Where no leader is heard soon, it asks for votes without waiting out a time-out. */
  started(): void {
    started(this.#s);
  }

  /** The connection to `peer` broke. A hint: it may still be alive. `isThere`: whether there is a connection to that one. */
  peerLost(peer: ReplicaId, isThere: (voter: ReplicaId) => boolean = () => true): void {
    peerLost(this.#s, peer, isThere);
  }

  /** The entries a `Ready.logReads` asked for. An empty list gives up until the peer is heard again. */
  entriesRead(peer: ReplicaId, entries: readonly Entry[]): void {
    entriesRead(this.#s, peer, entries);
  }

  /** Everything up to `index` is both applied and durable here: what is older may leave memory. */
  release(index: number): void {
    this.#s.log.evict(index, this.#s.options.logMemoryBytesMax);
  }

  /** What the inputs so far have made necessary, or undefined if nothing. `now` is a monotonic clock's; the core has none. */
  takeReady(now?: Millis): Ready | undefined {
    const s = this.#s;
    this.#look(now);
    if (s.role.role === 'leader') {
      openRound(s, s.role);
      replicateAll(s, s.role);
    } else if (s.role.role === 'follower') askReads(s, s.role);
    const out = s.out;
    const committed = s.log.committed;
    if (committed === this.#committedTold && isEmpty(out)) return undefined;
    this.#committedTold = committed;
    s.out = emptyOutbox();
    const writes = out.hardStateChanged || out.append.length > 0 || out.truncateFrom !== undefined;
    return {
      send: out.send,
      snapshot: out.snapshot,
      truncateFrom: out.truncateFrom,
      append: out.append,
      // The commit hint rides along with whatever is written anyway; it is never a reason to write.
      hardState: writes ? this.hardState : undefined,
      sendAfterSync: out.sendAfterSync,
      committed,
      reads: out.reads,
      readsDropped: out.readsDropped,
      logReads: out.logReads,
      snapshotOffer: out.snapshotOffer,
    };
  }

  #look(now: Millis | undefined): void {
    if (now === undefined) return;
    const whole = Math.floor(now);
    assert(whole >= this.#s.now, 'the clock went back from % to %', this.#s.now, now);
    this.#s.now = whole;
  }
}

const isEmpty = (out: State['out']): boolean =>
  out.send.length === 0 &&
  out.sendAfterSync.length === 0 &&
  out.append.length === 0 &&
  out.truncateFrom === undefined &&
  out.snapshotOffer === undefined &&
  !out.hardStateChanged &&
  out.reads.length === 0 &&
  out.readsDropped.length === 0 &&
  out.logReads.length === 0;
