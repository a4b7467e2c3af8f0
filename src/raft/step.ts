import { assert } from '../base/assert.ts';
import { logIndex, term } from '../base/ids.ts';
import { TERM_JUMP_MAX } from '../base/limits.ts';
import { isMemberOf } from './configuration.ts';
import { onVoteReply, onVoteRequest, protectsLeader } from './election.ts';
import { onReadIndex, onReadIndexReply } from './reads.ts';
import { onAppendReply, onAppendRequest, onHeartbeat, onHeartbeatReply } from './replication.ts';
import { becomeFollower, resetElectionTimer } from './roles.ts';
import { onSnapshotOffer } from './snapshots.ts';
import { configurationNow, type State } from './state.ts';
import { campaignByOrder, giveUpOn, tryTransfer } from './transfer.ts';
import type { AppendReply, AppendRequest, Heartbeat, Message, SnapshotOffer } from './types.ts';

/** A message for this replica has arrived: sorted by term, then by type. */
export function step(s: State, m: Message): void {
  assert(m.to === s.id, 'a message for % reached %', m.to, s.id);
  // Questions of strangers are answered: a replica may not know of its newest peers yet (thesis §4.1). Their answers
  // count for nothing, and do not disturb.
  if (isReply(m) && !counts(s, m)) return;
  // No cluster holds so many elections; following such a term would leave no terms to campaign in.
  if (m.term - s.term > TERM_JUMP_MAX) return;
  if (s.muted) {
    if (isOfLeader(m) && m.term >= s.term) hearLeader(s, m);
    return;
  }
  if (m.term > s.term && !takeTerm(s, m)) return;
  if (m.term < s.term) answerOldTerm(s, m);
  else dispatch(s, m);
}

/** Whether an answer is of a member, or of one just removed that is still being told so. */
function counts(s: State, m: Message): boolean {
  if (m.from === s.id || isMemberOf(configurationNow(s), m.from)) return true;
  return m.term === s.term && s.role.role === 'leader' && s.role.progress.has(m.from);
}

/** Everything of this term, and pre-votes of the next. */
function dispatch(s: State, m: Message): void {
  switch (m.type) {
    case 'vote-request':
      onVoteRequest(s, m);
      return;
    case 'vote-reply':
      onVoteReply(s, m);
      return;
    case 'append-request':
      hearLeader(s, m);
      onAppendRequest(s, m);
      return;
    case 'heartbeat':
      hearLeader(s, m);
      onHeartbeat(s, m);
      return;
    case 'snapshot-offer':
      hearLeader(s, m);
      onSnapshotOffer(s, m);
      return;
    case 'append-reply':
      if (s.role.role === 'leader' && onAppendReply(s, s.role, m)) tryTransfer(s);
      return;
    case 'heartbeat-reply':
      if (s.role.role !== 'leader') return;
      onHeartbeatReply(s, s.role, m);
      if (m.declines === true) giveUpOn(s, s.role, m.from);
      return;
    case 'timeout-now':
      campaignByOrder(s, m);
      return;
    case 'read-index':
      onReadIndex(s, m);
      return;
    case 'read-index-reply':
      onReadIndexReply(s, m);
      return;
  }
}

/** A message from a later term. False if it is to be left unanswered, term and all. */
function takeTerm(s: State, m: Message): boolean {
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
  becomeFollower(s, m.term, isOfLeader(m) ? m.from : undefined);
  return true;
}

/** The sender lives in the past: tell it, where silence could leave it stuck there. */
function answerOldTerm(s: State, m: Message): void {
  const envelope = { from: s.id, to: m.from, term: s.term };
  const nowhere = { index: logIndex(0), term: term(0) };
  if (isOfLeader(m)) s.out.send.push({ type: 'append-reply', ...envelope, ...refusal(nowhere) });
  else if (m.type === 'vote-request' && m.pre)
    s.out.send.push({ type: 'vote-reply', ...envelope, pre: true, granted: false });
}

const refusal = (at: AppendReply['hint']): Pick<AppendReply, 'accepted' | 'index' | 'hint'> => ({
  accepted: false,
  index: at.index,
  hint: at,
});

/** The leader of this term, or of a later one, speaks: whoever campaigned in it has lost (§5.2). */
function hearLeader(s: State, m: OfLeader): void {
  s.sinceLeader = 0;
  if (m.term > s.term) {
    becomeFollower(s, m.term, m.from);
    return;
  }
  assert(s.role.role !== 'leader', 'two leaders in term %: % and %', s.term, s.id, m.from);
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

type OfLeader = AppendRequest | Heartbeat | SnapshotOffer;

/** Whether only the leader of its term can have sent it. */
const isOfLeader = (m: Message): m is OfLeader =>
  m.type === 'append-request' || m.type === 'heartbeat' || m.type === 'snapshot-offer';

const isReply = (m: Message): boolean =>
  m.type === 'append-reply' || m.type === 'heartbeat-reply' || m.type === 'vote-reply';
