import type { ReplicaId } from '../base/ids.ts';
import {
  HANDOVER_PAUSE_TIMEOUTS,
  HANDOVER_PAUSE_TIMEOUTS_MAX,
  HANDOVER_PROVEN_TIMEOUTS,
} from '../base/limits.ts';
import { type Follower, priorityOf, type State, votersNow } from './state.ts';

/**
 * Whoever is preferred is tried as leader. One that does not take the lead, or does not hold on to it, is left alone: for longer
 * each time, until it has led for long or is preferred otherwise.
 */

/** What is remembered of one that did not hold on to the lead. */
export interface LeftAlone {
  /** What it was preferred by. */
  readonly priority: number;
  /** The age of this replica when that was seen. */
  readonly since: number;
  /** In ticks. */
  readonly pause: number;
}

const shortest = (s: State): number => s.options.electionTicksMax * HANDOVER_PAUSE_TIMEOUTS;
const longest = (s: State): number => s.options.electionTicksMax * HANDOVER_PAUSE_TIMEOUTS_MAX;

/** The lead is being handed to `to`, by preference. */
export function beginTrial(s: State, to: ReplicaId): void {
  s.trial = { to, priority: priorityOf(s, to) };
}

/** Whoever was tried did not take the lead, or this replica has it again. */
export function failTrial(s: State): void {
  if (s.trial === undefined) return;
  const { to, priority } = s.trial;
  s.trial = undefined;
  const before = s.leftAlone.get(to);
  const isAgain = before !== undefined && before.priority === priority;
  const pause = isAgain ? Math.min(before.pause * 2, longest(s)) : shortest(s);
  const voters = votersNow(s);
  for (const id of s.leftAlone.keys()) if (!voters.includes(id)) s.leftAlone.delete(id);
  s.leftAlone.set(to, { priority, since: s.age, pause });
}

/** A tick of one that follows: a leader that has been followed for long is trusted again. */
export function passTrial(s: State, { leader, since }: Follower): void {
  if (leader === undefined) return;
  if (s.age - since < s.options.electionTicksMax * HANDOVER_PROVEN_TIMEOUTS) return;
  s.leftAlone.delete(leader);
  if (s.trial?.to === leader) s.trial = undefined;
}

/** Whether it is too early to try that one again. A leader that rests is to go: it does not wait for longer each time. */
export function isLeftAlone(s: State, id: ReplicaId): boolean {
  const left = s.leftAlone.get(id);
  if (left === undefined || left.priority !== priorityOf(s, id)) return false;
  return s.age - left.since < (s.resting ? shortest(s) : left.pause);
}
