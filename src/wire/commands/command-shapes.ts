import {
  INCIDENT_ALERTS_MAX,
  INCIDENT_CHANGED_ALERTS_MAX,
  MATCHERS_MAX,
  MERGED_ACKNOWLEDGEMENTS_MAX,
  MOVED_DEVICES_MAX,
  POLICY_REPEATS_MAX,
  POLICY_STEPS_MAX,
  PRESENT_KEYS_MAX,
  SECONDS_MAX,
  SESSION_WINDOW_MAX,
  TRANSACTION_COMMANDS_MAX,
  TRANSACTION_GUARDS_MAX,
} from '../../base/limits.ts';
import type { ReportCommand } from '../../statemachine/beside/notifications.ts';
import type { CareCommand } from '../../statemachine/care-commands.ts';
import type { Command } from '../../statemachine/commands.ts';
import type {
  AlertGuard,
  Guard,
  PartCommand,
  RecordGuard,
} from '../../statemachine/transaction.ts';
import type { Acknowledgement, AlertRef, ConditionCommand } from '../../statemachine/types.ts';
import { asDedupKey, asFields, asOneOf, refuse, type Unchecked } from '../check.ts';
import {
  incidentId,
  inhibitionShape,
  matcher,
  notificationId,
  review,
  sessionId,
  silenceId,
  step,
  windowId,
} from '../clients/record-shapes.ts';
import { listedRule } from '../clients/rule-shapes.ts';
import { coverageShape, scheduleShape } from '../clients/schedule-shapes.ts';
import { placeShape } from '../clients/ward-shapes.ts';
import { parseCondition } from './parse-condition.ts';
import {
  ACTIVATION_MAX,
  parseAlertId,
  parseRef,
  parseRevision,
  parseSubject,
} from './parse-parts.ts';
import {
  type Check,
  count,
  instant,
  listOf,
  mark,
  may,
  must,
  name,
  ofShape,
  oneOf,
  prose,
  reason,
  type Shape,
  whole,
} from './shape.ts';
import { PRIORITIES, STATES } from './words.ts';

/** The commands that are rare, by description. Their bodies have the names of the API. */

export type RareCommand = Exclude<Command, ConditionCommand>;

type Body<T> = Omit<T, 'type' | 'observedAt'>;

const ref: Check<AlertRef> = (_, field, value) => parseRef(value, field);

const guards = {
  actor: must(name),
  expectedRevision: may(parseRevision),
};
const targeted = { ...guards, target: must(ref) } as const;

const acknowledgement: Check<Acknowledgement> = ofShape<Acknowledgement>({
  by: must(name),
  at: must(instant),
  activation: must(whole(1, ACTIVATION_MAX)),
  note: may(prose),
});

const OUTCOMES: readonly ReportCommand['outcome'][] = ['sent', 'confirmed', 'failed'];

/** Which kinds are about an alert, beside the three that are not rare: the compiler sees to it that none is left out. */
const CARE: Readonly<Record<CareCommand['type'], true>> = {
  unacknowledge: true,
  accept: true,
  reject: true,
  pause: true,
  resume: true,
  escalate: true,
  resolve: true,
  transfer: true,
  discharge: true,
  void: true,
  merge: true,
};

export const isCareType = (type: string): type is CareCommand['type'] => Object.hasOwn(CARE, type);

/** Which kinds may be parts of a transaction: the compiler sees to it that none is left out. */
const PARTS: Readonly<Record<PartCommand['type'], true>> = {
  raise: true,
  clear: true,
  acknowledge: true,
  ...CARE,
  'set-bed': true,
  'remove-bed': true,
  'admit-patient': true,
  'move-patient': true,
  'discharge-patient': true,
  'attach-device': true,
  'detach-device': true,
  'remove-device': true,
};
const PART_TYPES = Object.keys(PARTS) as readonly PartCommand['type'][];

/** A command about an alert, a bed, a patient or a device, whole, as a part of another one. */
const partCommand: Check<PartCommand> = (_origin, field, value) => {
  const fields = asFields('request', field, value, undefined);
  const type = asOneOf('request', 'type', fields['type'], PART_TYPES);
  if (!isRare(type)) return parseCondition(type, fields);
  return parseRareCommand(type, fields) as PartCommand;
};

const alertGuard: Check<AlertGuard> = ofShape<AlertGuard>({
  target: must(ref),
  revision: may(parseRevision),
  state: may(oneOf(STATES)),
});
const RECORDS: readonly RecordGuard['record'][] = ['bed', 'patient', 'device'];
const recordGuard: Check<RecordGuard> = ofShape<RecordGuard>({
  record: must(oneOf(RECORDS)),
  id: must(name),
  version: must(count),
});
const guard: Check<Guard> = (origin, field, value) => {
  const isOfRecord = asFields(origin, field, value, undefined)['record'] !== undefined;
  return (isOfRecord ? recordGuard : alertGuard)(origin, field, value);
};

type Shapes = {
  readonly [T in RareCommand['type']]: Shape<Body<Extract<RareCommand, { readonly type: T }>>>;
};

const SHAPES: Shapes = {
  unacknowledge: { ...targeted, reason: must(reason) },
  accept: targeted,
  reject: { ...targeted, reason: may(prose) },
  pause: { ...targeted, seconds: must(whole(1, SECONDS_MAX)) },
  resume: targeted,
  escalate: { ...targeted, reason: must(reason) },
  resolve: { ...targeted, reason: must(reason), force: may(mark), confirmedBy: may(name) },
  transfer: {
    ...targeted,
    subject: must((origin, _, value) => parseSubject(origin, value)),
    policy: may(name),
  },
  discharge: { ...targeted, reason: may(reason) },
  void: { ...targeted, reason: must(reason), confirmedBy: may(name) },
  merge: {
    ...targeted,
    raisedAt: must(instant),
    acknowledgements: must(listOf(acknowledgement, 0, MERGED_ACKNOWLEDGEMENTS_MAX)),
  },
  'set-policy': {
    actor: must(name),
    id: must(name),
    steps: must(listOf(step, 1, POLICY_STEPS_MAX)),
    repeat: must(whole(0, POLICY_REPEATS_MAX)),
    minPriority: must(oneOf(PRIORITIES)),
    confirmSeconds: must(whole(1, SECONDS_MAX)),
  },
  'remove-policy': { actor: must(name), id: must(name) },
  report: {
    actor: must(name),
    notification: must(notificationId),
    outcome: must(oneOf(OUTCOMES)),
    to: may(name),
    detail: may(prose),
  },
  silence: {
    actor: must(name),
    matchers: must(listOf(matcher, 1, MATCHERS_MAX)),
    seconds: must(whole(1, SECONDS_MAX)),
    untilCleared: may(mark),
    reason: must(reason),
  },
  unsilence: { actor: must(name), id: must(silenceId) },
  'open-window': {
    actor: must(name),
    unit: may(name),
    bed: may(name),
    device: may(name),
    startAt: must(instant),
    endAt: must(instant),
    reason: must(reason),
  },
  'end-window': { actor: must(name), id: must(windowId) },
  'set-inhibition': {
    actor: must(name),
    id: must(name),
    expectedVersion: may(count),
    ...inhibitionShape,
  },
  'remove-inhibition': { actor: must(name), id: must(name) },
  'restore-inhibitions': { actor: must(name) },
  heartbeat: {
    actor: must(name),
    source: must(name),
    leaseSeconds: must(whole(1, SECONDS_MAX)),
    priority: may(oneOf(PRIORITIES)),
    present: may(listOf(asDedupKey, 0, PRESENT_KEYS_MAX)),
  },
  'retire-source': { actor: must(name), source: must(name) },
  'open-incident': {
    actor: must(name),
    title: must(reason),
    severity: must(oneOf(PRIORITIES)),
    commander: may(name),
    alerts: must(listOf(parseAlertId, 0, INCIDENT_ALERTS_MAX)),
  },
  'change-incident': {
    actor: must(name),
    id: must(incidentId),
    expectedVersion: may(count),
    severity: may(oneOf(PRIORITIES)),
    commander: may(name),
    add: may(listOf(parseAlertId, 1, INCIDENT_CHANGED_ALERTS_MAX)),
    remove: may(listOf(parseAlertId, 1, INCIDENT_CHANGED_ALERTS_MAX)),
    note: may(reason),
    review: may(review),
    close: may(mark),
  },
  'set-rule': { actor: must(name), rule: must(listedRule) },
  'remove-rule': { actor: must(name), id: must(name) },
  'set-schedule': {
    actor: must(name),
    id: must(name),
    expectedVersion: may(count),
    ...scheduleShape,
    ...coverageShape,
  },
  'extend-schedule': {
    actor: must(name),
    id: must(name),
    expectedVersion: must(count),
    ...coverageShape,
  },
  'remove-schedule': { actor: must(name), id: must(name) },
  'open-session': {
    actor: must(name),
    leaseSeconds: must(whole(1, SECONDS_MAX)),
    window: must(whole(1, SESSION_WINDOW_MAX)),
  },
  'keep-session': { actor: must(name), id: must(sessionId), floor: must(count) },
  'end-session': { actor: must(name), id: must(sessionId) },
  'set-bed': { actor: must(name), ...placeShape },
  'remove-bed': { actor: must(name), ...placeShape },
  'admit-patient': { actor: must(name), patient: must(name), ...placeShape },
  'move-patient': {
    actor: must(name),
    patient: must(name),
    ...placeShape,
    devices: must(listOf(name, 0, MOVED_DEVICES_MAX)),
    policy: may(name),
  },
  'discharge-patient': { actor: must(name), patient: must(name), reason: may(reason) },
  'attach-device': { actor: must(name), device: must(name), ...placeShape, model: may(name) },
  'detach-device': { actor: must(name), device: must(name) },
  'remove-device': { actor: must(name), device: must(name) },
  transaction: {
    actor: must(name),
    guards: must(listOf(guard, 0, TRANSACTION_GUARDS_MAX)),
    commands: must(listOf(partCommand, 1, TRANSACTION_COMMANDS_MAX)),
  },
};

export const RARE_TYPES: readonly RareCommand['type'][] = Object.keys(
  SHAPES,
) as RareCommand['type'][];

const CHECKS: Readonly<Record<string, Check<Body<RareCommand>>>> = Object.fromEntries(
  Object.entries(SHAPES).map(([type, shape]) => [
    type,
    ofShape(shape as unknown as Shape<Body<RareCommand>>),
  ]),
);

/** The three that are not are nearly all, and told apart without a look into a table. */
export const isRare = (type: Command['type']): type is RareCommand['type'] =>
  type !== 'raise' && type !== 'clear' && type !== 'acknowledge' && type in CHECKS;

/**
 * What a rare command says, in the order in which it is written.
 * @throws TocsinError BAD_REQUEST naming the field
 */
export function parseRareBody(type: RareCommand['type'], value: unknown): Body<RareCommand> {
  const check = CHECKS[type];
  if (check === undefined) refuse('request', 'type', `${type} is not a command`);
  return check('request', type, value);
}

/** The same of a command in the form of the API, which also says its type and when it was observed. */
export function parseRareCommand(
  type: RareCommand['type'],
  value: Unchecked<RareCommand>,
): Command {
  const { type: said, observedAt, ...body } = value;
  if (said !== undefined && said !== type) refuse('request', 'type', `must be ${type}`);
  const when = instant('request', 'observedAt', observedAt);
  return { type, ...parseRareBody(type, body), observedAt: when } as Command;
}
