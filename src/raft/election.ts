import { type ReplicaId, term } from '../base/ids.ts';
import { isVoterOf } from './configuration.ts';
import { ballotOf } from './quorum.ts';
import {
  becomeCandidate,
  becomeFollower,
  becomeLeader,
  becomePreCandidate,
  resetElectionTimer,
} from './roles.ts';
import {
  type Campaigner,
  configurationNow,
  mayCampaign,
  priorityOf,
  type State,
  votersNow,
} from './state.ts';
import type { VoteReply, VoteRequest } from './types.ts';

/** Begins with the question whether an election could be won; goes on to the election if so. */
export function preCampaign(s: State): void {
  if (s.role.role === 'leader' || !mayCampaign(s) || isBound(s)) return;
  const campaigner = becomePreCandidate(s);
  ask(s, campaigner);
  decide(s, campaigner);
}

/**
 * Asks whether an election could be won, after so many heartbeats and one more for each of these voters that is to ask before
 * this one: the first is not split by the next.
 */
export function askInTurn(s: State, beats: number, includes: (voter: ReplicaId) => boolean): void {
  if (!mayCampaign(s)) return;
  const rank = votersNow(s)
    .filter(includes)
    .sort((a, b) => priorityOf(s, b) - priorityOf(s, a))
    .indexOf(s.id);
  if (rank < 0) return;
  const wait = (beats + rank) * s.options.heartbeatTicks;
  if (wait === 0) preCampaign(s);
  else s.electionTimeout = Math.min(s.electionTimeout, s.electionElapsed + wait);
}

/** Starts an election. With `transfer`, by the leader's own order. */
export function campaign(s: State, transfer: boolean): void {
  if (!mayCampaign(s)) return;
  const campaigner = becomeCandidate(s, transfer);
  s.out.sendAfterSync.push({
    type: 'vote-reply',
    from: s.id,
    to: s.id,
    term: s.term,
    pre: false,
    granted: true,
  });
  ask(s, campaigner);
}

/** Sends the request to every voter that has not answered; repeated while the campaign lasts, for lost messages. */
export function ask(s: State, campaigner: Campaigner): void {
  const pre = campaigner.role === 'pre-candidate';
  for (const voter of votersNow(s)) {
    if (voter === s.id || campaigner.votes.has(voter)) continue;
    const request: VoteRequest = {
      type: 'vote-request',
      from: s.id,
      to: voter,
      term: pre ? term(s.term + 1) : s.term,
      pre,
      last: { index: s.log.last.index, term: s.log.last.term },
      transfer: campaigner.transfer,
    };
    // A candidate's term and its vote for itself are durable before anyone hears of them (Figure 2).
    (pre ? s.out.send : s.out.sendAfterSync).push(request);
  }
}

/**
 * Whether a request must be left unanswered because a leader was heard not long ago (leader stickiness, thesis §4.2.3):
 * a replica that lost only its own connection cannot depose a leader that the others follow.
 */
export function protectsLeader(s: State, m: VoteRequest): boolean {
  if (isOrdered(s, m)) return false;
  if (s.role.role === 'leader' || isBound(s)) return true;
  if (s.role.role !== 'follower' || s.role.leader === undefined) return false;
  // A leader does not campaign: who was the leader, and asks for a later term, is no longer.
  if (s.role.leader === m.from) return false;
  if (s.role.leaderSuspected || s.electionElapsed >= s.options.electionTicksMin) return false;
  if (m.pre) s.role.deferred = m;
  return true;
}

/** Whether its leader told who asks to do so; a member that was removed since has no order. */
const isOrdered = (s: State, m: VoteRequest): boolean =>
  m.transfer && isVoterOf(configurationNow(s), m.from);

/**
 * With leases, whoever heard a leader not long ago keeps to it, whatever else it learns: the leader counts on that. Who was
 * started not long ago may have heard one before.
 */
const isBound = (s: State): boolean =>
  s.options.leaseMs > 0 && s.sinceLeader < s.options.electionTicksMin;

/** §5.2, §5.4.1. The term has been looked at: `m.term` equals ours, or is ahead and this is a pre-vote. */
export function onVoteRequest(s: State, m: VoteRequest): void {
  const knowsLeader = s.role.role === 'follower' && s.role.leader !== undefined;
  // The term may have been heard of in an answer, not from who asks: what was promised of a lease holds in it too.
  const isKept = isBound(s) && !isOrdered(s, m);
  const free =
    m.term > s.term || s.vote === m.from || (s.vote === undefined && !knowsLeader && !isKept);
  const isUpToDate = s.log.isUpToDate(m.last);
  const granted = free && !s.abstaining && isUpToDate;
  const reply: VoteReply = {
    type: 'vote-reply',
    from: s.id,
    to: m.from,
    // A granted pre-vote answers in the term it was asked for; a refusal tells a candidate that is behind our term.
    term: granted ? m.term : s.term,
    pre: m.pre,
    granted,
  };
  if (granted && !m.pre) {
    if (s.vote === undefined) {
      s.vote = m.from;
      s.out.hardStateChanged = true;
    }
    resetElectionTimer(s);
  }
  s.out.sendAfterSync.push(reply);
  const isLed = m.term === s.term && knowsLeader;
  // Who asks cannot win, and this replica may: waiting out a time-out would win nothing but time without a leader.
  if (!isUpToDate && !isLed && s.role.role === 'follower')
    askInTurn(s, 1, (voter) => voter !== m.from);
}

export function onVoteReply(s: State, m: VoteReply): void {
  const campaigner = s.role;
  if (campaigner.role !== (m.pre ? 'pre-candidate' : 'candidate')) return;
  if (m.granted && m.term !== (m.pre ? s.term + 1 : s.term)) return;
  // The first answer stands: a repeated request may be answered twice.
  if (!campaigner.votes.has(m.from)) campaigner.votes.set(m.from, m.granted);
  decide(s, campaigner);
}

/** Acts on the ballot as it stands; of all who answered, it counts the voters. */
function decide(s: State, campaigner: Campaigner): void {
  const result = ballotOf(configurationNow(s), campaigner.votes);
  if (result === 'won') {
    if (campaigner.role === 'pre-candidate') campaign(s, false);
    else becomeLeader(s);
  } else if (result === 'lost') {
    becomeFollower(s, s.term, undefined);
  }
}
