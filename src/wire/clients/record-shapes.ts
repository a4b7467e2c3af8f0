import {
  BODY_ITEMS_MAX,
  INCIDENT_ALERTS_MAX,
  INCIDENT_ENTRIES_MAX,
  INHIBITION_CONDITIONS_MAX,
  MATCHER_VALUES_MAX,
  MATCHERS_MAX,
  POLICY_REPEATS_MAX,
  POLICY_STEPS_MAX,
  REVIEW_ACTIONS_MAX,
  SECONDS_MAX,
  SESSION_WINDOW_MAX,
  SILENCES_MAX,
  STEP_TARGETS_MAX,
  WINDOWS_MAX,
} from '../../base/limits.ts';
import type { ListedAlert } from '../../statemachine/alert-api.ts';
import type {
  Incident,
  IncidentEntry,
  IncidentId,
  IncidentReview,
} from '../../statemachine/beside/incidents.ts';
import type { Inhibition, KeptInhibition } from '../../statemachine/beside/inhibition.ts';
import type {
  Notification,
  NotificationId,
  NotificationState,
} from '../../statemachine/beside/notifications.ts';
import type { EscalationPolicy, EscalationStep } from '../../statemachine/beside/policies.ts';
import type { RecordKind, RecordTypes } from '../../statemachine/beside/records-beside.ts';
import type { KeptSession, SessionId } from '../../statemachine/beside/sessions.ts';
import type { Source } from '../../statemachine/beside/sources.ts';
import type {
  Badges,
  MaintenanceWindow,
  Matcher,
  MatcherField,
  Silence,
  SilenceId,
  WindowId,
} from '../../statemachine/beside/suppression.ts';
import { asFields, refuse, type Unchecked } from '../check.ts';
import { ACTIVATION_MAX, parseAlertId, parseRevision } from '../commands/parse-parts.ts';
import {
  type Check,
  count,
  flag,
  instant,
  listOf,
  must,
  name,
  ofShape,
  oneOf,
  orUndefined,
  prose,
  type Shape,
  whole,
} from '../commands/shape.ts';
import { PRIORITIES } from '../commands/words.ts';
import { parseAlert } from './parse-answers.ts';
import { idOf } from './record-ids.ts';
import { keptRule } from './rule-shapes.ts';
import { schedule } from './schedule-shapes.ts';
import { sweepOf } from './sweep-shape.ts';
import { tally } from './tally-shape.ts';
import { bed, device, patient } from './ward-shapes.ts';

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

export const notificationId: Check<NotificationId> = idOf('N', 'a notification id');
export const silenceId: Check<SilenceId> = idOf('S', 'a silence id');
export const windowId: Check<WindowId> = idOf('M', 'a maintenance window id');
export const sessionId: Check<SessionId> = idOf('X', 'a session id');
export const incidentId: Check<IncidentId> = idOf('C', 'an incident id');

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

export const MATCHER_FIELDS: readonly MatcherField[] = [
  'alert',
  'patient',
  'bed',
  'device',
  'unit',
  'condition',
  'kind',
  'priority',
];

export const matcher: Check<Matcher> = ofShape<Matcher>({
  field: must(oneOf(MATCHER_FIELDS)),
  values: must(listOf(name, 1, MATCHER_VALUES_MAX)),
});

const ended = { endedAt: orUndefined(instant), endedBy: orUndefined(name) };

const silence: Check<Silence> = ofShape<Silence>({
  id: must(silenceId),
  version: must(count),
  matchers: must(listOf(matcher, 1, MATCHERS_MAX)),
  createdAt: must(instant),
  revision: must(parseRevision),
  until: must(instant),
  dueAt: orUndefined(instant),
  untilCleared: must(flag),
  reason: must(prose),
  by: must(name),
  ...ended,
});

const window: Check<MaintenanceWindow> = ofShape<MaintenanceWindow>({
  id: must(windowId),
  version: must(count),
  unit: orUndefined(name),
  bed: orUndefined(name),
  device: orUndefined(name),
  startAt: must(instant),
  endAt: must(instant),
  reason: must(prose),
  by: must(name),
  ...ended,
});

const conditions = must(listOf(name, 1, INHIBITION_CONDITIONS_MAX));
export const inhibitionShape: Shape<Inhibition> = { sources: conditions, targets: conditions };

const inhibition: Check<KeptInhibition> = ofShape<KeptInhibition>({
  id: must(name),
  version: must(count),
  ...inhibitionShape,
  by: must(name),
  changedAt: must(instant),
});

const SOURCE_STATES: readonly Source['state'][] = ['live', 'lost', 'retired'];

const source: Check<Source> = ofShape<Source>({
  id: must(name),
  number: must(count),
  version: must(count),
  state: must(oneOf(SOURCE_STATES)),
  leaseSeconds: must(whole(1, SECONDS_MAX)),
  priority: must(oneOf(PRIORITIES)),
  seenAt: must(instant),
  dueAt: orUndefined(instant),
  comparedTo: orUndefined(count),
});

const entry: Check<IncidentEntry> = ofShape<IncidentEntry>({
  at: must(instant),
  by: must(name),
  text: must(prose),
});

export const review: Check<IncidentReview> = ofShape<IncidentReview>({
  rootCause: must(prose),
  actions: must(listOf(prose, 0, REVIEW_ACTIONS_MAX)),
});

const incident: Check<Incident> = ofShape<Incident>({
  id: must(incidentId),
  version: must(count),
  title: must(prose),
  severity: must(oneOf(PRIORITIES)),
  commander: orUndefined(name),
  alerts: must(listOf(parseAlertId, 0, INCIDENT_ALERTS_MAX)),
  timeline: must(listOf(entry, 0, INCIDENT_ENTRIES_MAX)),
  review: orUndefined(review),
  openedAt: must(instant),
  closedAt: orUndefined(instant),
});

const session: Check<KeptSession> = ofShape<KeptSession>({
  id: must(sessionId),
  version: must(count),
  by: must(name),
  leaseSeconds: must(whole(1, SECONDS_MAX)),
  window: must(whole(1, SESSION_WINDOW_MAX)),
  floor: must(count),
  doubtUntil: must(count),
  openedAt: must(instant),
  seenAt: must(instant),
  dueAt: must(instant),
});

type RecordChecks = { readonly [K in RecordKind]: Check<RecordTypes[K]> };

/** The records in registries, by kind. */
export const RECORD_CHECKS: RecordChecks = {
  silence,
  window,
  source,
  incident,
  rule: keptRule,
  schedule,
  session,
  inhibition,
  tally,
  bed,
  patient,
  device,
  sweep: sweepOf(silence, window, ofShape<Inhibition>(inhibitionShape)),
};

const badges: Check<Badges> = ofShape<Badges>({
  silencedBy: must(listOf(silenceId, 0, SILENCES_MAX)),
  inhibitedBy: must(listOf(parseAlertId, 0, BODY_ITEMS_MAX)),
  maintenanceBy: must(listOf(windowId, 0, WINDOWS_MAX)),
});

/** An alert as a list shows it. @throws TocsinError BODY_MALFORMED naming the field */
export function parseListed(value: unknown): ListedAlert {
  const alert = parseAlert(value);
  const { badges: told } = asFields('answer', 'alert', value, undefined) as Unchecked<ListedAlert>;
  return told === undefined ? alert : { ...alert, badges: badges('answer', 'badges', told) };
}
