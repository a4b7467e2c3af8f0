import { logIndex, type ReplicaId } from '../base/ids.ts';
import { LISTEN_HEARTBEATS, STALL_REMEMBERED_TICKS } from '../base/limits.ts';
import { askInTurn } from './election.ts';
import { dropReads } from './reads.ts';
import { becomeFollower } from './roles.ts';
import { type State, votersNow } from './state.ts';
import { step } from './step.ts';
import { tick } from './tick.ts';
import { stepDown } from './transfer.ts';

/** What the shell notices of the world, and the core cannot. */

/** The connection to `peer` broke. A hint: it may still be alive. Who is not there as well does not ask before this one. */
export function peerLost(s: State, peer: ReplicaId, isThere: (voter: ReplicaId) => boolean): void {
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
  askInTurn(s, 0, (voter) => voter === s.id || (voter !== peer && isThere(voter)));
}

/**
 * This replica was just started, and messages reach it. If there is a leader it is about to be heard; where all were started
 * anew there is none, and nobody waits out a time-out for it.
 */
export function started(s: State): void {
  // Who may have promised a lease in its former life keeps to it, and then to a time-out drawn at random.
  if (s.options.leaseMs > 0) return;
  askInTurn(s, votersNow(s).length === 1 ? 0 : LISTEN_HEARTBEATS, () => true);
}

/** The process stood still for so many ticks; what came in meanwhile is yet to be heard. */
export function stalled(s: State, ticks: number): void {
  rememberStall(s, ticks);
  const patience = s.options.heartbeatTicks * 2;
  const again = s.age - s.stalledAt < patience;
  // Others may lead by now: what was confirmed before says nothing any more.
  if (s.role.role === 'leader') s.role.leaseAfter = s.now;
  // Silence that was not listened to is no silence.
  else if (!again)
    s.electionElapsed = Math.min(s.electionElapsed, Math.max(0, s.electionTimeout - patience));
  // Whoever stands still again and again hears in between what has come: to such a one time passes.
  if (again) tick(s, timeOf(s, ticks));
  s.stalledAt = s.age;
  if (ticks * 2 >= s.options.electionTicksMin) stepDown(s);
}

/**
 * To a leader, no more than a third of a time-out: what a peer answers to the heartbeat sent after one pause is heard after the
 * next at the latest, before its silence counts. To others a tick, for whoever stands still should not campaign first.
 */
const timeOf = (s: State, ticks: number): number =>
  s.role.role === 'leader' ? Math.min(ticks, Math.floor(s.options.electionTicksMin / 3)) : 1;

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
