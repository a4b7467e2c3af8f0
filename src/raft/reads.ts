import { assert } from '../base/assert.ts';
import { lower } from '../base/ids.ts';
import { reachedBy } from './quorum.ts';
import { configurationNow, type Leader, type State, votersNow } from './state.ts';

/**
 * Linearizable reads without a log entry (ReadIndex, thesis §6.4): note the commit index, let a quorum confirm that
 * this replica still leads, answer once the index is applied. One round of heartbeats confirms all reads that came
 * before it; rounds are numbered within a reign, so that an old answer can never confirm a new read.
 */

/** Takes a read in, or drops it if this replica does not lead or too many wait. */
export function startRead(s: State, context: number): void {
  const role = s.role;
  const leads = role.role === 'leader';
  if (!leads || role.readsNew.length + role.readsPending.length >= s.options.readsPendingMax) {
    s.out.readsDropped.push(context);
    return;
  }
  role.readsNew.push(context);
}

/** Gives the waiting reads their index and their round. Called once per Ready, so a round serves a whole turn. */
export function openRound(s: State, leader: Leader): void {
  // Until an entry of this reign is committed, the commit index may be behind what was acknowledged before (§6.4).
  if (leader.readsNew.length === 0 || s.log.committed < leader.firstIndex) return;
  leader.round += 1;
  for (const context of leader.readsNew)
    leader.readsPending.push({ context, index: s.log.committed, round: leader.round });
  leader.readsNew.length = 0;
  for (const voter of votersNow(s)) if (voter !== s.id) sendHeartbeat(s, leader, voter);
  confirmReads(s, leader);
}

export function sendHeartbeat(s: State, leader: Leader, to: State['id']): void {
  const progress = leader.progress.get(to);
  assert(progress !== undefined, () => `no progress for ${to}`);
  const commit = lower(progress.match, s.log.committed);
  progress.commitTold = commit;
  s.out.send.push({ type: 'heartbeat', from: s.id, to, term: s.term, commit, round: leader.round });
}

/** Releases the reads whose round a quorum has confirmed; the leader confirms its own. */
export function confirmReads(s: State, leader: Leader): void {
  const confirmed = reachedBy(configurationNow(s), (voter) =>
    voter === s.id ? leader.round : (leader.progress.get(voter)?.round ?? 0),
  );
  let count = 0;
  for (const read of leader.readsPending) {
    if (read.round > confirmed) break;
    s.out.reads.push({ context: read.context, index: read.index });
    count += 1;
  }
  leader.readsPending.splice(0, count);
}

/** This replica stops leading: what waits here can no longer be answered here. */
export function dropReads(s: State): void {
  if (s.role.role !== 'leader') return;
  for (const read of s.role.readsPending) s.out.readsDropped.push(read.context);
  for (const context of s.role.readsNew) s.out.readsDropped.push(context);
}
