import { logIndex, type ReplicaId } from '../base/ids.ts';
import { STALL_REMEMBERED_TICKS } from '../base/limits.ts';
import { askInTurn } from './election.ts';
import { dropReads } from './reads.ts';
import { becomeFollower } from './roles.ts';
import { type State, votersNow } from './state.ts';
import { step } from './step.ts';
import { tick } from './tick.ts';
import { stepDown } from './transfer.ts';

/** What the shell notices of the world, and the core cannot. */

/** The connection to `peer` broke. A hint: it may still be alive. */
export function peerLost(s: State, peer: ReplicaId): void {
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
  if (deferred !== undefined) step(s, deferred);
  askInTurn(s, 0, (voter) => voter !== peer);
}

/**
 * This replica was just started, and messages reach it. If there is a leader it is about to be heard; where all were started
 * anew there is none, and nobody waits out a time-out for it.
 */
export function started(s: State): void {
  // Who may have promised a lease in its former life keeps to it, and then to a time-out drawn at random.
  if (s.options.leaseMs > 0) return;
  askInTurn(s, votersNow(s).length === 1 ? 0 : LISTENING_BEATS, () => true);
}

/** Heartbeats until a leader has found the way to a replica that was just started. */
const LISTENING_BEATS = 2;

/** The process stood still for so many ticks; what came in meanwhile is yet to be heard. */
export function stalled(s: State, ticks: number): void {
  rememberStall(s, ticks);
  if (s.role.role === 'leader') {
    // Others may lead by now: what was confirmed before says nothing any more.
    s.role.leaseAfter = s.now;
    if (ticks * 2 >= s.options.electionTicksMin) stepDown(s);
    return;
  }
  // Whoever stands still from one tick to the next hears in between what has come: to such a one this is a tick.
  if (s.age === s.stalledAt) tick(s);
  else {
    // Silence that was not listened to is no silence.
    const patience = s.options.heartbeatTicks * 2;
    s.electionElapsed = Math.min(s.electionElapsed, Math.max(0, s.electionTimeout - patience));
  }
  s.stalledAt = s.age;
}

/** No more than sets it behind all who are steady: somebody has to lead, even where everybody stands still at times. */
function rememberStall(s: State, ticks: number): void {
  const { electionTicksMin, electionTicksMax } = s.options;
  // So long a process was stopped by somebody, and its loop is no slower for it.
  if (ticks > electionTicksMin) return;
  const before = s.age < s.stallForgottenAt ? s.stallTicks : 0;
  s.stallTicks = Math.min(Math.max(before, ticks), electionTicksMax - electionTicksMin);
  s.stallForgottenAt = s.age + STALL_REMEMBERED_TICKS;
}

/** This replica is going to be stopped, or is not any more. */
export function rest(s: State, on: boolean): void {
  if (s.resting === on) return;
  s.resting = on;
  if (on) stepDown(s);
}

/** What the disk holds is in doubt, or is so no more. */
export function mute(s: State, on: boolean): void {
  if (s.muted === on) return;
  s.muted = on;
  if (!on) return;
  dropReads(s);
  if (s.role.role !== 'follower') becomeFollower(s, s.term, undefined);
  s.out.sendAfterSync = [];
}
