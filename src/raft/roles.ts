import { assert } from '../base/assert.ts';
import { logIndex, type ReplicaId, type Term, term } from '../base/ids.ts';
import { appendOwn } from './append.ts';
import { membersOf } from './configuration.ts';
import { endsFrom, newProgress } from './peers.ts';
import type { Progress } from './progress.ts';
import { dropReads, knownAsLeader, noteQuorum } from './reads.ts';
import {
  type Campaigner,
  configurationNow,
  followerOf,
  type Leader,
  priorityOf,
  type State,
  votersNow,
} from './state.ts';
import { failTrial } from './trials.ts';

/**
 * The transitions between roles (Figure 4, with pre-vote):
 *
 *   follower ──► pre-candidate ──► candidate ──► leader
 *       ▲             │                │            │
 *       └─────────────┴────────────────┴────────────┘   a higher term, a leader, or no quorum
 */

export function becomeFollower(s: State, newTerm: Term, leader: ReplicaId | undefined): void {
  assert(newTerm >= s.term, `term fell from ${s.term} to ${newTerm}`);
  assert(leader !== s.id, 'a replica cannot follow itself');
  const known = s.role.role === 'leader' ? knownAsLeader(s, s.role) : undefined;
  if (known !== undefined) s.freshness.note(known);
  dropReads(s);
  if (newTerm > s.term) {
    s.term = newTerm;
    s.vote = undefined;
    s.out.hardStateChanged = true;
  }
  s.role = followerOf(leader, s.age);
  resetElectionTimer(s);
}

/** Asks whether an election could be won, without disturbing anyone: the term stays (thesis §9.6). */
export function becomePreCandidate(s: State): Campaigner {
  assert(s.role.role !== 'leader', 'a leader does not campaign');
  dropReads(s);
  const campaigner: Campaigner = {
    role: 'pre-candidate',
    votes: new Map([[s.id, true]]),
    transfer: false,
  };
  s.role = campaigner;
  resetElectionTimer(s);
  return campaigner;
}

/** Starts a term and votes for itself; the own vote counts when it is durable, like any other (§5.2). */
export function becomeCandidate(s: State, transfer: boolean): Campaigner {
  assert(s.role.role !== 'leader', 'a leader does not campaign');
  dropReads(s);
  s.term = term(s.term + 1);
  s.vote = s.id;
  s.out.hardStateChanged = true;
  const campaigner: Campaigner = { role: 'candidate', votes: new Map(), transfer };
  s.role = campaigner;
  resetElectionTimer(s);
  return campaigner;
}

export function becomeLeader(s: State): void {
  assert(s.role.role === 'candidate', `a ${s.role.role} cannot become leader`);
  const next = logIndex(s.log.last.index + 1);
  const progress = new Map<ReplicaId, Progress>();
  for (const member of membersOf(configurationNow(s))) progress.set(member, newProgress(s, next));
  const leader: Leader = {
    role: 'leader',
    progress,
    firstIndex: next,
    ends: endsFrom(next),
    untoldSince: undefined,
    heartbeatElapsed: 0,
    ticks: 0,
    changedAt: 0,
    readsNew: [],
    readsPending: [],
    round: 0,
    roundAt: 0,
    quorumAt: 0,
    ordered: false,
    leaseAfter: 0,
    diskWaits: 0,
    diskMatch: 0,
    handOverFrom: s.options.electionTicksMax,
    transferTo: undefined,
    transferElapsed: 0,
    resigning: false,
  };
  s.role = leader;
  failTrial(s);
  noteQuorum(s, leader);
  resetElectionTimer(s);
  // Commits what earlier terms left behind, which counting alone may not (§5.4.2, §8).
  appendOwn(s, s.noop());
}

/** A fresh random time-out, so that split votes are rare and end soon (§5.2). */
export function resetElectionTimer(s: State): void {
  const { electionTicksMin, electionTicksMax } = s.options;
  s.electionElapsed = 0;
  s.electionTimeout = s.prng.between(electionTicksMin, electionTicksMax);
  if (yields(s)) s.electionTimeout += electionTicksMax - electionTicksMin;
  // What seems silent to one that stands still now and then may be its own deafness, and it would lead badly.
  if (s.age < s.stallForgottenAt) s.electionTimeout += s.stallTicks;
}

/**
 * Whether a preferred voter is given the time to campaign first; once only, for it may be down. The leader whose silence
 * is waited out is none of them.
 */
function yields(s: State): boolean {
  const { role } = s;
  if (role.role !== 'follower' || (s.priorities.size === 0 && !s.resting)) return false;
  const own = priorityOf(s, s.id);
  return votersNow(s).some((voter) => voter !== role.leader && priorityOf(s, voter) > own);
}
