import { assert } from '../base/assert.ts';
import { type LogIndex, logIndex, lower } from '../base/ids.ts';
import { isMemberOf } from './configuration.ts';
import type { Known } from './freshness.ts';
import { reachedBy } from './quorum.ts';
import {
  configurationNow,
  type Follower,
  type Leader,
  type PendingRead,
  type State,
  votersNow,
} from './state.ts';
import type { Heartbeat, ReadIndex, ReadIndexReply } from './types.ts';

/**
 * Linearizable reads without a log entry (ReadIndex, thesis §6.4): note the commit index, let a quorum confirm that
 * this replica still leads, answer once the index is applied. One round of heartbeats confirms all reads that came
 * before it; rounds are numbered within a reign, so that an old answer can never confirm a new read. A follower asks its
 * leader for the index.
 */

/** Takes a read in, or drops it if nobody is known who could confirm it, or too many wait. */
export function startRead(s: State, context: number): void {
  const role = s.role;
  const max = s.options.readsPendingMax;
  if (role.role === 'leader' && role.readsNew.length + role.readsPending.length < max)
    role.readsNew.push({ context, from: s.id, index: logIndex(0), round: 0 });
  else if (
    role.role === 'follower' &&
    role.leader !== undefined &&
    !s.muted &&
    role.readsNew.length + role.readsAsked.length < max
  )
    role.readsNew.push(context);
  else s.out.readsDropped.push(context);
}

// ── the leader's side ──

/**
 * Gives the waiting reads their index and their round. One round at a time: what comes meanwhile is the next, so that many
 * reads cost few rounds. If its messages are lost, the next does not wait for the heartbeats that would make up for them.
 */
export function openRound(s: State, leader: Leader): void {
  // Until an entry of this reign is committed, the commit index may be behind what was acknowledged before (§6.4).
  if (leader.readsNew.length === 0 || s.log.committed < leader.firstIndex) return;
  const isWaiting = leader.readsPending.length > 0;
  if (isWaiting && s.now - leader.roundAt < s.options.readRoundMs) return;
  leader.roundAt = s.now;
  leader.round += 1;
  for (const read of leader.readsNew) {
    read.index = s.log.committed;
    read.round = leader.round;
    leader.readsPending.push(read);
  }
  leader.readsNew.length = 0;
  for (const voter of votersNow(s)) if (voter !== s.id) sendHeartbeat(s, leader, voter);
  confirmReads(s, leader);
}

export function sendHeartbeat(s: State, leader: Leader, to: State['id']): void {
  const progress = leader.progress.get(to);
  assert(progress !== undefined, 'no progress for %', to);
  const { committed } = s.log;
  const commit = lower(progress.match, committed);
  progress.commitTold = commit;
  // Strictly later: within one reading of the clock, what came first is not known.
  const echoes =
    progress.beatAt < leader.quorumAt && progress.beat > 0 && committed >= leader.firstIndex;
  const heartbeat: Heartbeat = {
    type: 'heartbeat',
    from: s.id,
    to,
    term: s.term,
    commit,
    round: leader.round,
    stamp: s.now,
    echo: echoes ? progress.beat : 0,
    reached: echoes ? committed : logIndex(0),
  };
  s.out.send.push(heartbeat);
  if (echoes) progress.beat = 0;
}

/** Releases the reads whose round a quorum has confirmed; the leader confirms its own. */
export function confirmReads(s: State, leader: Leader): void {
  const confirmed = reachedBy(configurationNow(s), (voter) =>
    voter === s.id ? leader.round : (leader.progress.get(voter)?.round ?? 0),
  );
  let count = 0;
  for (const read of leader.readsPending) {
    if (read.round > confirmed) break;
    if (read.from === s.id) s.out.reads.push({ context: read.context, index: read.index });
    else answer(s, read, true);
    count += 1;
  }
  leader.readsPending.splice(0, count);
}

/** A follower wants to know how far a read must see. */
export function onReadIndex(s: State, m: ReadIndex): void {
  if (!isMemberOf(configurationNow(s), m.from)) return;
  const read: PendingRead = { context: m.sequence, from: m.from, index: logIndex(0), round: 0 };
  const role = s.role;
  const takes =
    role.role === 'leader' &&
    role.readsNew.length + role.readsPending.length < s.options.readsPendingMax;
  if (takes) role.readsNew.push(read);
  else answer(s, read, false);
}

function answer(s: State, read: PendingRead, accepted: boolean): void {
  s.out.send.push({
    type: 'read-index-reply',
    from: s.id,
    to: read.from,
    term: s.term,
    sequence: read.context,
    accepted,
    index: read.index,
  });
}

// ── the follower's side ──

/** Asks the leader about the reads that came in. Called once per Ready: one question serves a whole turn. */
export function askReads(s: State, follower: Follower): void {
  if (follower.readsNew.length === 0) return;
  s.sequence += 1;
  for (const context of follower.readsNew)
    follower.readsAsked.push({ context, sequence: s.sequence });
  follower.readsNew.length = 0;
  sendQuestion(s, follower);
}

/** Asks again what was not answered yet: the answer to a later question serves those before it too. */
export function repeatQuestion(s: State, follower: Follower): void {
  if (follower.readsAsked.length === 0) return;
  s.sequence += 1;
  sendQuestion(s, follower);
}

function sendQuestion(s: State, follower: Follower): void {
  const { leader: to } = follower;
  assert(to !== undefined, 'a read waits for a leader, and none is known');
  s.out.send.push({ type: 'read-index', from: s.id, to, term: s.term, sequence: s.sequence });
}

export function onReadIndexReply(s: State, m: ReadIndexReply): void {
  if (s.role.role !== 'follower' || s.role.leader !== m.from) return;
  // Asked before the last restart: it says nothing of what was asked since.
  if (m.sequence <= s.life || m.sequence > s.sequence) return;
  let count = 0;
  for (const { context, sequence } of s.role.readsAsked) {
    if (sequence > m.sequence) break;
    if (m.accepted) s.out.reads.push({ context, index: m.index });
    else s.out.readsDropped.push(context);
    count += 1;
  }
  s.role.readsAsked.splice(0, count);
}

/** This replica's role ends: what waits here can no longer be answered here. */
export function dropReads(s: State): void {
  const role = s.role;
  if (role.role === 'leader') {
    for (const read of [...role.readsPending, ...role.readsNew])
      if (read.from === s.id) s.out.readsDropped.push(read.context);
      else answer(s, read, false);
    role.readsPending.length = 0;
    role.readsNew.length = 0;
  } else if (role.role === 'follower') {
    for (const { context } of role.readsAsked) s.out.readsDropped.push(context);
    for (const context of role.readsNew) s.out.readsDropped.push(context);
    role.readsAsked.length = 0;
    role.readsNew.length = 0;
  }
}

// ── leases ──

/** What the leader's clock showed when it sent the newest heartbeat that a quorum has answered. */
export function noteQuorum(s: State, leader: Leader): void {
  leader.quorumAt = reachedBy(configurationNow(s), (voter) =>
    voter === s.id ? Number.POSITIVE_INFINITY : (leader.progress.get(voter)?.confirmedAt ?? 0),
  );
}

/**
 * The index that a read must see if this replica is sure, at `now`, that nobody else leads: a quorum answered a heartbeat
 * so lately that it will not elect another yet. Measured from when the heartbeat was sent. Never while handing over, nor
 * after a successor was ordered to campaign: the others vote for it at once, whenever the order arrives.
 */
export function leaseIndex(s: State, now: number): LogIndex | undefined {
  const leader = s.role;
  if (leader.role !== 'leader' || s.log.committed < leader.firstIndex) return undefined;
  if (leader.transferTo !== undefined || leader.resigning || leader.ordered) return undefined;
  if (leader.quorumAt <= leader.leaseAfter) return undefined;
  return now < leader.quorumAt + s.options.leaseMs ? s.log.committed : undefined;
}

/** How fresh the leader's own state is; undefined before an own commit, or if no quorum has answered it yet. */
export function knownAsLeader(s: State, leader: Leader): Known | undefined {
  const at = Math.min(leader.quorumAt, s.now);
  if (s.log.committed < leader.firstIndex || at === 0) return undefined;
  return { at, index: s.log.committed };
}
