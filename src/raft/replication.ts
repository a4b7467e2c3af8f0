import { assert } from '../base/assert.ts';
import { type LogIndex, logIndex, lower, type ReplicaId } from '../base/ids.ts';
import { accepted, takeEntry } from './append.ts';
import { settleChange } from './membership.ts';
import type { Progress } from './progress.ts';
import { reachedBy } from './quorum.ts';
import { confirmReads, noteQuorum, sendHeartbeat } from './reads.ts';
import { configurationNow, type Leader, type State } from './state.ts';
import type {
  AppendReply,
  AppendRequest,
  Entry,
  EntryId,
  Heartbeat,
  HeartbeatReply,
} from './types.ts';

// ── the leader's side ──

/**
 * Sends each peer what it lacks, as far as its window allows. Called once per Ready: what came in one turn leaves together.
 * Who has everything and yet does not know what is committed is told, once that has waited long enough for an append.
 */
export function replicateAll(s: State, leader: Leader): void {
  const untoldSince = leader.untoldSince ?? s.now;
  const isDue = s.now - untoldSince >= s.options.commitNoticeMs;
  leader.untoldSince = undefined;
  for (const [peer, progress] of leader.progress) {
    if (peer === s.id) continue;
    while (!progress.paused && progress.next <= s.log.last.index) sendAppend(s, peer, progress);
    if (lower(progress.match, s.log.committed) <= progress.commitTold) continue;
    if (isDue) sendHeartbeat(s, leader, peer);
    else leader.untoldSince = untoldSince;
  }
}

/** Sends one append from `progress.next`, or what must come first: then the peer has to wait. */
function sendAppend(s: State, peer: ReplicaId, progress: Progress): void {
  if (offersSnapshot(s, peer, progress)) return;
  const { appendEntriesMax, appendBytesMax } = s.options;
  const entries = s.log.slice(progress.next, appendEntriesMax, appendBytesMax);
  if (entries === undefined) {
    progress.readPending = true;
    s.out.logReads.push({ peer, from: progress.next, bytesMax: appendBytesMax });
    return;
  }
  pushAppend(s, peer, progress, entries);
}

/** Whether the peer lacks what the log no longer holds; if so, offers it a snapshot. */
function offersSnapshot(s: State, peer: ReplicaId, progress: Progress): boolean {
  const { index, term } = s.log.base;
  if (progress.next > index) return false;
  progress.becomeSnapshot(index);
  const last = { index, term };
  s.out.send.push({ type: 'snapshot-offer', from: s.id, to: peer, term: s.term, last });
  return true;
}

/** What a `Ready.logReads` asked for has come from the disk. */
export function entriesRead(s: State, peer: ReplicaId, entries: readonly Entry[]): void {
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
  // The peer's place, or either end of the log, may have moved meanwhile.
  if (first.index !== progress.next || first.index <= s.log.base.index) return;
  if (!s.log.holds(last)) return;
  pushAppend(s, peer, progress, fitting);
}

function pushAppend(
  s: State,
  peer: ReplicaId,
  progress: Progress,
  entries: readonly Entry[],
): void {
  const prevIndex = logIndex(progress.next - 1);
  const prevTerm = s.log.termAt(prevIndex);
  assert(prevTerm !== undefined, 'next % of peer % is past the log', progress.next, peer);
  const last = entries.at(-1)?.index ?? prevIndex;
  s.out.send.push({
    type: 'append-request',
    from: s.id,
    to: peer,
    term: s.term,
    prev: { index: prevIndex, term: prevTerm },
    entries,
    commit: s.log.committed,
  });
  const told = lower(last, s.log.committed);
  if (progress.state === 'replicate' && told > progress.commitTold) progress.commitTold = told;
  if (entries.length === 0) return;
  let bytes = 0;
  for (const entry of entries) bytes += entry.payload.byteLength;
  progress.sent(last, bytes);
}

/** True if a peer is now known to hold more than before. */
export function onAppendReply(s: State, leader: Leader, m: AppendReply): boolean {
  const progress = leader.progress.get(m.from);
  if (progress === undefined) return false; // no member, or no longer
  progress.heardAt = leader.ticks;
  if (!m.accepted) {
    onRefusal(s, progress, m);
    return false;
  }
  if (m.index > s.log.last.index) return false; // not an answer to anything this leader sent
  const news = progress.accept(m.index);
  if (news) commitByCounting(s, leader);
  return news;
}

/** Goes back to where the logs may agree. A late refusal, which an acceptance has overtaken, means nothing. */
function onRefusal(s: State, progress: Progress, m: AppendReply): void {
  if (m.index > s.log.last.index) return;
  if (m.reverted === true) {
    progress.revert(logIndex(s.log.lastAtOrBelow(m.hint.index, m.hint.term).index));
    return;
  }
  if (m.index <= progress.match) return;
  if (progress.state === 'snapshot') return;
  if (progress.state === 'probe' && m.index !== progress.next - 1) return;
  const agree = s.log.lastAtOrBelow(m.hint.index, m.hint.term).index;
  const back = Math.min(agree + 1, m.index);
  progress.becomeProbe(logIndex(Math.max(back, progress.match + 1)));
}

/** Commits what a quorum holds durably, but by counting only entries of this term (§5.4.2, Figure 8). */
function commitByCounting(s: State, leader: Leader): void {
  const reached = reachedBy(configurationNow(s), (voter) => leader.progress.get(voter)?.match ?? 0);
  if (reached <= s.log.committed || s.log.termAt(reached) !== s.term) return;
  s.log.commitTo(logIndex(reached));
  settleChange(s, leader);
}

export function onHeartbeatReply(s: State, leader: Leader, m: HeartbeatReply): void {
  const progress = leader.progress.get(m.from);
  if (progress === undefined) return;
  progress.heardAt = leader.ticks;
  progress.declines = m.declines === true;
  noteBeat(s, leader, progress, m);
  if (m.round > progress.round && m.round <= leader.round) {
    progress.round = m.round;
    confirmReads(s, leader);
  }
  if (!progress.retryDue) return;
  progress.retryDue = false;
  progress.probing = false;
  if (progress.match === s.log.last.index) return;
  // A lost append, with nothing after it, would otherwise never be missed. Probes and offers are repeated by themselves.
  const nothingFollows = progress.window.full || progress.next > s.log.last.index;
  if (nothingFollows && !offersSnapshot(s, m.from, progress)) pushAppend(s, m.from, progress, []);
}

/** The peer has answered a heartbeat of that time; its beat waits for a later one to be answered by a quorum. */
function noteBeat(s: State, leader: Leader, progress: Progress, m: HeartbeatReply): void {
  if (progress.beat === 0) {
    progress.beat = m.beat;
    progress.beatAt = s.now;
  }
  if (m.stamp <= progress.confirmedAt || m.stamp > s.now) return;
  progress.confirmedAt = m.stamp;
  noteQuorum(s, leader);
}

// ── the follower's side ──

export function onAppendRequest(s: State, m: AppendRequest): void {
  const { log, out } = s;
  if (m.prev.index < log.committed) {
    // An old append, overtaken: what is committed matches, by leader completeness (§5.4.3).
    endDoubt(s, m.from, log.committed);
    out.sendAfterSync.push(accepted(s, m.from, log.committed));
    return;
  }
  if (!log.holds(m.prev)) {
    refuse(s, m.from, m.prev);
    return;
  }
  takeEntries(s, m.entries);
  const lastNew = logIndex(m.prev.index + m.entries.length);
  // Beyond `lastNew` this log may still differ from the leader's, whatever the leader has committed (§5.3).
  const commit = lower(m.commit, lastNew);
  if (commit > log.committed) log.commitTo(commit);
  endDoubt(s, m.from, lastNew);
  out.sendAfterSync.push(accepted(s, m.from, lastNew));
}

/**
 * A leader names no more than was acknowledged to it from here, in this very term, and that is never cut: what is not here
 * was lost from the disk, an old copy of it perhaps, and votes with it. With nothing to send, the leader would not find out.
 */
function beginDoubt(s: State, m: Heartbeat): void {
  if (!s.abstaining) s.out.hardStateChanged = true;
  s.abstaining = true;
  // Of this term, though it was in doubt before: until the log has all of that, nothing in it says how much is still missing.
  s.doubtedTerm = s.term;
  refuse(s, m.from, { index: m.commit, term: m.term });
}

/**
 * Whatever vote was forgotten, it cannot hurt any more: a later term has its leader, and this replica is for it. Nor can
 * entries that were forgotten: who was elected without this replica's vote holds all that was committed before, and this
 * log is the same up to an entry of that leader's own.
 */
function endDoubt(s: State, leader: ReplicaId, index: LogIndex): void {
  if (!s.abstaining || s.term <= s.doubtedTerm || s.log.termAt(index) !== s.term) return;
  s.abstaining = false;
  s.vote ??= leader;
  s.out.hardStateChanged = true;
}

/** Skips what is here already and cuts only from a real conflict on: a late duplicate must not shorten the log (§5.3). */
function takeEntries(s: State, entries: readonly Entry[]): void {
  const first = entries.findIndex((entry) => !s.log.holds(entry));
  if (first < 0) return;
  const conflict = entries[first] as Entry;
  if (conflict.index <= s.log.last.index) {
    s.log.truncate(conflict.index);
    s.configurations.truncate(conflict.index);
    s.out.append = s.out.append.filter((entry) => entry.index < conflict.index);
    s.out.truncateFrom = lower(s.out.truncateFrom ?? conflict.index, conflict.index);
  }
  for (let at = first; at < entries.length; at += 1) takeEntry(s, entries[at] as Entry);
}

/**
 * That entry is not here; if it may have been once, the leader is told so, when the doubt is on the disk: from then on
 * it names less in its heartbeats, and a next life that remembers nothing would find nothing to doubt.
 */
function refuse(s: State, leader: ReplicaId, { index, term }: EntryId): void {
  const out = s.abstaining ? s.out.sendAfterSync : s.out.send;
  out.push({
    type: 'append-reply',
    from: s.id,
    to: leader,
    term: s.term,
    accepted: false,
    index,
    hint: s.log.lastAtOrBelow(index, term),
    ...(s.abstaining ? { reverted: true } : {}),
  });
}

export function onHeartbeat(s: State, m: Heartbeat): void {
  if (m.commit > s.log.last.index) beginDoubt(s, m);
  else if (m.commit > s.log.committed) s.log.commitTo(m.commit);
  if (m.echo > 0) s.freshness.confirm(m.echo, m.reached);
  s.out.send.push({
    type: 'heartbeat-reply',
    from: s.id,
    to: m.from,
    term: s.term,
    round: m.round,
    stamp: m.stamp,
    beat: s.freshness.beat(s),
    declines: s.resting || s.abstaining ? true : undefined,
  });
}
