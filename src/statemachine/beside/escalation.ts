import type { UnixMillis } from '../../base/ids.ts';
import { RANK, type Transition } from '../alerts/transitions.ts';
import { secondsAfter } from '../timers.ts';
import type { Alert, ConditionCommand, EscalationState, Priority } from '../types.ts';
import type { EscalationPolicy } from './policies.ts';

/** From the first step of a policy, which is due at once if the priority asks for it. */
export function started(
  policy: EscalationPolicy,
  priority: Priority,
  time: UnixMillis,
): EscalationState {
  const { id, version, minPriority } = policy;
  const dueAt = RANK[priority] >= RANK[minPriority] ? time : undefined;
  return { policy: id, version, loop: 0, step: 0, dueAt, exhausted: false };
}

/**
 * From the first step of another policy. Rounds that were gone through count: a step of a loop is carried out once in an
 * activation, whichever policy it is of.
 */
export function rerouted(
  { escalation, acknowledged, priority }: Alert,
  policy: EscalationPolicy,
  time: UnixMillis,
): EscalationState {
  const first = started(policy, priority, time);
  const begun = escalation === undefined || escalation.step === 0 ? 0 : 1;
  const loop = (escalation?.loop ?? 0) + begun;
  return { ...first, loop, dueAt: acknowledged ? undefined : first.dueAt };
}

/** Somebody takes care, or nobody has to any more. */
export const stopped = (state: EscalationState | undefined): EscalationState | undefined =>
  state?.dueAt === undefined ? state : { ...state, dueAt: undefined };

/**
 * Goes on where it was stopped: the step carried out last waits its time again. When all loops are over, one more
 * begins, under a number of its own: a step of a loop is carried out once in an activation.
 */
export function resumed(
  state: EscalationState,
  policy: EscalationPolicy,
  priority: Priority,
  time: UnixMillis,
): EscalationState {
  const first = started(policy, priority, time);
  if (state.exhausted) return { ...first, loop: state.loop + 1 };
  if (state.step === 0) return { ...first, loop: state.loop };
  return { ...state, dueAt: secondsAfter(time, waitOf(state, policy)) };
}

/**
 * Where an open alert goes on when its condition turns: with a new activation from the first step, and where it was stopped
 * when it has to be looked at again; undefined = it stays where it is.
 */
export function turned(
  { escalation, acknowledged, priority }: Alert,
  command: ConditionCommand,
  { annunciates, to }: Transition,
  policy: EscalationPolicy,
  time: UnixMillis,
): EscalationState | undefined {
  if (command.type === 'raise' && annunciates) return started(policy, command.priority, time);
  const isHeld = command.type === 'clear' && acknowledged && to !== 'RESOLVED';
  return isHeld && escalation ? resumed(escalation, policy, priority, time) : undefined;
}

/** What comes next when a step is due: a step, or the end. */
export type Next =
  | {
      readonly does: 'notify';
      readonly targets: readonly string[];
      readonly after: EscalationState;
    }
  | { readonly does: 'exhaust'; readonly after: EscalationState };

/** `isAsked`: somebody wants the next step now, and gets another loop when all are over. */
export function nextOf(
  state: EscalationState,
  policy: EscalationPolicy,
  time: UnixMillis,
  isAsked: boolean,
): Next {
  const isOver = state.step >= policy.steps.length;
  if (isOver && !isAsked && state.loop >= policy.repeat)
    return { does: 'exhaust', after: { ...state, dueAt: undefined, exhausted: true } };
  const step = isOver ? 0 : state.step;
  const { targets, delaySeconds } = policy.steps[step] ?? { targets: [], delaySeconds: 1 };
  return {
    does: 'notify',
    targets,
    after: {
      ...state,
      loop: isOver ? state.loop + 1 : state.loop,
      step: step + 1,
      dueAt: secondsAfter(time, delaySeconds),
      exhausted: false,
    },
  };
}

/** Seconds that the step carried out last waits for an answer. */
export const waitOf = (state: EscalationState, policy: EscalationPolicy): number =>
  policy.steps[state.step - 1]?.delaySeconds ?? 1;

/** An alert that somebody should see to. */
const isWaiting = (alert: Alert): boolean => !alert.acknowledged && alert.resolution === undefined;

/** Whether what was done to have an alert answered is over: somebody saw to it, it ended, or it begins anew. */
export const isSettled = (before: Alert, after: Alert): boolean =>
  (isWaiting(before) && !isWaiting(after)) ||
  (before.resolution === undefined && after.resolution !== undefined) ||
  before.activation !== after.activation ||
  before.escalation?.version !== after.escalation?.version ||
  (before.escalation?.exhausted === true && after.escalation?.exhausted !== true);
