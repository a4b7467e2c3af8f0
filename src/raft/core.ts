import { assert } from '../base/assert.ts';
import { logIndex, type ReplicaId, type Term, term } from '../base/ids.ts';
import { TERM_JUMP_MAX } from '../base/limits.ts';
import type { Prng } from '../base/prng.ts';
import {
  ask,
  campaign,
  onVoteReply,
  onVoteRequest,
  preCampaign,
  protectsLeader,
} from './election.ts';
import { RaftLog, type TermRun } from './log.ts';
import { DEFAULT_OPTIONS, type RaftOptions } from './options.ts';
import { majorityOf } from './quorum.ts';
import { openRound, sendHeartbeat, startRead } from './reads.ts';
import {
  appendOwn,
  finishTransfer,
  onAppendReply,
  onAppendRequest,
  onHeartbeat,
  onHeartbeatReply,
  pushAppend,
  replicateAll,
} from './replication.ts';
import { becomeFollower, resetElectionTimer } from './roles.ts';
import { emptyOutbox, type Leader, type State } from './state.ts';
import type {
  AppendRequest,
  Entry,
  EntryId,
  HardState,
  Heartbeat,
  Message,
  Payload,
  ProposeResult,
  Ready,
  Standing,
  TimeoutNow,
} from './types.ts';

/** What a core starts from: its identity, and what its disk remembers. */
export interface RaftInit {
  readonly id: ReplicaId;
  readonly voters: readonly ReplicaId[];
  readonly prng: Prng;
  /** Makes the empty entry with which each reign begins. */
  readonly noop: () => Payload;
  readonly hardState: HardState;
  /** The newest entries, from the commit hint or before it to the last. */
  readonly tail: readonly Entry[];
  readonly terms: readonly TermRun[];
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
    const voters = [...init.voters].sort((a, b) => a - b);
    assert(new Set(voters).size === voters.length, 'a voter is named twice');
    this.#s = {
      id: init.id,
      voters,
      options,
      prng: init.prng,
      noop: init.noop,
      log: new RaftLog(init.tail, init.terms, init.hardState.commit),
      term: init.hardState.term,
      vote: init.hardState.vote,
      role: { role: 'follower', leader: undefined, leaderSuspected: false, deferred: undefined },
      electionElapsed: 0,
      electionTimeout: 0,
      out: emptyOutbox(),
    };
    assert(this.#s.log.last.term <= this.#s.term, 'the log is ahead of the hard state');
    resetElectionTimer(this.#s);
    this.#committedTold = 0;
  }

  get standing(): Standing {
    const { role, term: ownTerm, id } = this.#s;
    const leader = role.role === 'leader' ? id : role.role === 'follower' ? role.leader : undefined;
    const transferring = role.role === 'leader' && role.transferTo !== undefined;
    return { role: role.role, term: ownTerm, leader, transferring };
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
    return { term: this.#s.term, vote: this.#s.vote, commit: this.#s.log.committed };
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

  /** One unit of time has passed. */
  tick(): void {
    const s = this.#s;
    s.electionElapsed += 1;
    if (s.role.role === 'leader') {
      this.#tickLeader(s.role);
      return;
    }
    if (s.electionElapsed >= s.electionTimeout) {
      preCampaign(s);
      return;
    }
    if (s.role.role === 'follower') return;
    if (s.electionElapsed % s.options.heartbeatTicks === 0) ask(s, s.role);
  }

  /** A message for this replica has arrived. Messages of unknown senders are ignored. */
  step(m: Message): void {
    const s = this.#s;
    assert(m.to === s.id, `a message for ${m.to} reached ${s.id}`);
    if (!s.voters.includes(m.from)) return;
    // No cluster holds so many elections; following such a term would leave no terms to campaign in.
    if (m.term - s.term > TERM_JUMP_MAX) return;
    if (m.term > s.term && !this.#takeTerm(m)) return;
    if (m.term < s.term) {
      this.#answerOldTerm(m);
      return;
    }
    switch (m.type) {
      case 'vote-request':
        onVoteRequest(s, m);
        return;
      case 'vote-reply':
        onVoteReply(s, m);
        return;
      case 'append-request':
        this.#hearLeader(m);
        onAppendRequest(s, m);
        return;
      case 'heartbeat':
        this.#hearLeader(m);
        onHeartbeat(s, m);
        return;
      case 'append-reply':
        if (s.role.role === 'leader') onAppendReply(s, s.role, m);
        return;
      case 'heartbeat-reply':
        if (s.role.role === 'leader') onHeartbeatReply(s, s.role, m);
        return;
      case 'timeout-now':
        this.#campaignByOrder(m);
        return;
    }
  }

  /** Appends one entry if this replica leads. Nothing is promised until its index is committed in the same term. */
  propose(payload: Payload): ProposeResult {
    const s = this.#s;
    if (s.role.role !== 'leader') return { ok: false, reason: 'not-leader' };
    if (s.role.transferTo !== undefined) return { ok: false, reason: 'transferring' };
    const bytes = s.role.uncommittedBytes + payload.byteLength;
    if (s.role.uncommittedBytes > 0 && bytes > s.options.uncommittedBytesMax)
      return { ok: false, reason: 'overloaded' };
    return { ok: true, id: appendOwn(s, s.role, payload) };
  }

  /** Begins a linearizable read; `context` comes back in `Ready.reads` or `Ready.readsDropped`. */
  read(context: number): void {
    startRead(this.#s, context);
  }

  /** Asks the leader to hand over to `to`. False if this replica does not lead or `to` cannot take over. */
  transfer(to: ReplicaId): boolean {
    const s = this.#s;
    if (s.role.role !== 'leader' || to === s.id || !s.role.progress.has(to)) return false;
    s.role.transferTo = to;
    s.role.transferElapsed = 0;
    finishTransfer(s, s.role);
    return true;
  }

  /** Starts an election now (an operator's or a test's wish); pre-vote and stickiness still hold. */
  campaign(): void {
    preCampaign(this.#s);
  }

  /** The connection to `peer` broke. A hint: it may still be alive. */
  peerLost(peer: ReplicaId): void {
    const s = this.#s;
    if (s.role.role === 'leader') {
      const progress = s.role.progress.get(peer);
      // What was under way may be lost: find out where the peer stands before more is sent.
      if (progress?.state === 'replicate') progress.becomeProbe(logIndex(progress.match + 1));
      if (progress !== undefined) progress.probing = false;
      return;
    }
    if (s.role.role !== 'follower' || s.role.leader !== peer || s.role.leaderSuspected) return;
    const deferred = s.role.deferred;
    s.role.leaderSuspected = true;
    s.role.deferred = undefined;
    if (deferred !== undefined) this.step(deferred);
    // All who lost the leader ask, but one after another, so that the first is not split by the next.
    const rank = s.voters.filter((voter) => voter !== peer).indexOf(s.id);
    if (rank === 0) preCampaign(s);
    else {
      const turn = s.electionElapsed + rank * s.options.heartbeatTicks;
      s.electionTimeout = Math.min(s.electionTimeout, turn);
    }
  }

  /** The entries a `Ready.logReads` asked for. An empty list gives up until the peer is heard again. */
  entriesRead(peer: ReplicaId, entries: readonly Entry[]): void {
    const s = this.#s;
    if (s.role.role !== 'leader') return;
    const progress = s.role.progress.get(peer);
    if (progress === undefined || !progress.readPending) return;
    progress.readPending = false;
    // A read is bounded in bytes alone; what does not fit the append is read again.
    const fitting = entries.slice(0, s.options.appendEntriesMax);
    const first = fitting[0];
    const last = fitting.at(-1);
    if (first === undefined || last === undefined) {
      // Asked again at once, the shell would give up at once, for ever.
      progress.becomeProbe(progress.next);
      progress.probing = true;
      return;
    }
    // The peer's place, or the log itself, may have moved meanwhile.
    if (progress.paused || first.index !== progress.next) return;
    if (!s.log.holds(first) || !s.log.holds(last)) return;
    pushAppend(s, peer, progress, fitting);
  }

  /** Everything up to `index` is both applied and durable here: what is older may leave memory. */
  release(index: number): void {
    this.#s.log.evict(index, this.#s.options.logMemoryBytesMax);
  }

  /** What the inputs so far have made necessary, or undefined if nothing. */
  takeReady(): Ready | undefined {
    const s = this.#s;
    if (s.role.role === 'leader') {
      openRound(s, s.role);
      replicateAll(s, s.role);
    }
    const out = s.out;
    const committed = s.log.committed;
    if (committed === this.#committedTold && isEmpty(out)) return undefined;
    this.#committedTold = committed;
    s.out = emptyOutbox();
    const writes = out.hardStateChanged || out.append.length > 0 || out.truncateFrom !== undefined;
    return {
      send: out.send,
      truncateFrom: out.truncateFrom,
      append: out.append,
      // The commit hint rides along with whatever is written anyway; it is never a reason to write.
      hardState: writes ? this.hardState : undefined,
      sendAfterSync: out.sendAfterSync,
      committed,
      reads: out.reads,
      readsDropped: out.readsDropped,
      logReads: out.logReads,
    };
  }

  #tickLeader(leader: Leader): void {
    const s = this.#s;
    leader.heartbeatElapsed += 1;
    if (leader.transferTo !== undefined) {
      leader.transferElapsed += 1;
      if (leader.transferElapsed >= s.options.electionTicksMin) leader.transferTo = undefined;
    }
    if (s.electionElapsed >= s.options.electionTicksMin) {
      s.electionElapsed = 0;
      if (!hearsQuorum(s, leader)) {
        becomeFollower(s, s.term, undefined);
        return;
      }
    }
    if (leader.heartbeatElapsed >= s.options.heartbeatTicks) {
      leader.heartbeatElapsed = 0;
      for (const [voter, progress] of leader.progress) {
        progress.retryDue = true;
        if (voter !== s.id) sendHeartbeat(s, leader, voter);
      }
    }
  }

  /** A message from a later term. False if it is to be left unanswered, term and all. */
  #takeTerm(m: Message): boolean {
    const s = this.#s;
    if (m.type === 'vote-request') {
      if (protectsLeader(s, m)) return false;
      if (m.pre) {
        onVoteRequest(s, m);
        return false;
      }
    }
    if (m.type === 'vote-reply' && m.pre && m.granted) {
      onVoteReply(s, m);
      return false;
    }
    const leads = m.type === 'append-request' || m.type === 'heartbeat';
    becomeFollower(s, m.term, leads ? m.from : undefined);
    return true;
  }

  /** The sender lives in the past: tell it, where silence could leave it stuck there. */
  #answerOldTerm(m: Message): void {
    const s = this.#s;
    if (m.type === 'append-request' || m.type === 'heartbeat') {
      s.out.send.push({
        type: 'append-reply',
        from: s.id,
        to: m.from,
        term: s.term,
        accepted: false,
        index: logIndex(0),
        hint: { index: logIndex(0), term: term(0) },
      });
    } else if (m.type === 'vote-request' && m.pre) {
      s.out.send.push({
        type: 'vote-reply',
        from: s.id,
        to: m.from,
        term: s.term,
        pre: true,
        granted: false,
      });
    }
  }

  /** The leader of this term speaks: whoever campaigned in it has lost (§5.2). */
  #hearLeader(m: AppendRequest | Heartbeat): void {
    const s = this.#s;
    assert(s.role.role !== 'leader', `two leaders in term ${s.term}: ${s.id} and ${m.from}`);
    if (s.role.role !== 'follower' || s.role.leader !== m.from) {
      if (s.role.role === 'follower' && s.role.leader !== undefined)
        assert(false, `two leaders in term ${s.term}: ${s.role.leader} and ${m.from}`);
      becomeFollower(s, s.term, m.from);
      return;
    }
    s.role.leaderSuspected = false;
    s.role.deferred = undefined;
    resetElectionTimer(s);
  }

  #campaignByOrder(m: TimeoutNow): void {
    const s = this.#s;
    if (s.role.role !== 'follower' || s.role.leader !== m.from) return;
    if (!s.log.holds(m.last)) return;
    campaign(s, true);
  }
}

function hearsQuorum(s: State, leader: Leader): boolean {
  let heard = 0;
  for (const [voter, progress] of leader.progress) {
    if (progress.active || voter === s.id) heard += 1;
    progress.active = false;
  }
  return heard >= majorityOf(s.voters.length);
}

const isEmpty = (out: State['out']): boolean =>
  out.send.length === 0 &&
  out.sendAfterSync.length === 0 &&
  out.append.length === 0 &&
  out.truncateFrom === undefined &&
  !out.hardStateChanged &&
  out.reads.length === 0 &&
  out.readsDropped.length === 0 &&
  out.logReads.length === 0;
