import {
  POLICY_REPEATS_MAX,
  POLICY_STEPS_MAX,
  SECONDS_MAX,
  STEP_TARGETS_MAX,
} from '../base/limits.ts';
import type {
  Notification,
  NotificationId,
  NotificationState,
} from '../statemachine/notifications.ts';
import type { EscalationPolicy, EscalationStep } from '../statemachine/policies.ts';
import { refuse } from './check.ts';
import { ACTIVATION_MAX, parseAlertId } from './parse-parts.ts';
import {
  type Check,
  count,
  instant,
  listOf,
  must,
  name,
  ofShape,
  oneOf,
  orUndefined,
  prose,
  whole,
} from './shape.ts';
import { PRIORITIES } from './words.ts';

/** The records beside the alerts, by description: as commands bring them, as snapshots and answers hold them. */

/** `user:anna`, `webhook:pager`: a kind that a sender knows, and a name. */
const target: Check<string> = (origin, field, value) => {
  const text = name(origin, field, value);
  if (!/^[a-z]+:./.test(text)) refuse(origin, field, 'must be a kind and a name, as user:anna');
  return text;
};

export const step: Check<EscalationStep> = ofShape<EscalationStep>({
  targets: must(listOf(target, 0, STEP_TARGETS_MAX)),
  delaySeconds: must(whole(1, SECONDS_MAX)),
});

/** `N` and a positive number in its only spelling. */
export const notificationId: Check<NotificationId> = (origin, field, value) => {
  const number = typeof value === 'string' ? Number(value.slice(1)) : 0;
  const isId = Number.isSafeInteger(number) && number >= 1 && `N${number}` === value;
  if (!isId) refuse(origin, field, 'must be a notification id such as N12');
  return `N${number}`;
};

export const policy: Check<EscalationPolicy> = ofShape<EscalationPolicy>({
  id: must(name),
  version: must(count),
  steps: must(listOf(step, 1, POLICY_STEPS_MAX)),
  repeat: must(whole(0, POLICY_REPEATS_MAX)),
  minPriority: must(oneOf(PRIORITIES)),
  confirmSeconds: must(whole(1, SECONDS_MAX)),
});

const NOTIFICATION_STATES: readonly NotificationState[] = [
  'queued',
  'sent',
  'confirmed',
  'accepted',
  'rejected',
  'failed',
  'expired',
  'cancelled',
];

export const notification: Check<Notification> = ofShape<Notification>({
  id: must(notificationId),
  version: must(count),
  alert: must(parseAlertId),
  activation: must(whole(1, ACTIVATION_MAX)),
  loop: must(count),
  step: must(count),
  target: must(target),
  state: must(oneOf(NOTIFICATION_STATES)),
  createdAt: must(instant),
  changedAt: must(instant),
  dueAt: orUndefined(instant),
  to: orUndefined(name),
  detail: orUndefined(prose),
});
