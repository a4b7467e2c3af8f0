import fc from 'fast-check';
import type { KeptRule } from '../../src/base/rules/listed-rules.ts';
import { METRIC_NAMES } from '../../src/base/rules/metrics.ts';
import type { Notification } from '../../src/statemachine/beside/notifications.ts';
import type { EscalationPolicy } from '../../src/statemachine/beside/policies.ts';
import type { AnyRecord } from '../../src/statemachine/beside/records-beside.ts';
import type {
  Acknowledgement,
  EscalationState,
  Responsibility,
} from '../../src/statemachine/types.ts';
import type { RareCommand } from '../../src/wire/commands/command-shapes.ts';
import { PRIORITIES } from '../../src/wire/commands/words.ts';
import {
  activation,
  alertId,
  aRevision,
  count,
  dedupKey,
  finite,
  type Gen,
  name,
  offered,
  orUndefined,
  record,
  ref,
  subject,
  text,
  when,
  whole,
} from './basic-arbitraries.ts';

import {
  bed,
  coverageFields,
  device,
  inhibition,
  patient,
  place,
  schedule,
  scheduleFields,
  tally,
} from './house-arbitraries.ts';
import { sweepOf } from './sweep-arbitraries.ts';

/** Commands and records that are rare, the borders of their ranges among them. */

const seconds: Gen<number> = whole(1, 86_400);
const reason: Gen<string> = text.filter((one) => one.trim() !== '');
export const target: Gen<string> = name
  .filter((one) => one.length <= 100)
  .map((one) => `user:${one}`);
const priority = fc.constantFrom(...PRIORITIES);

export const acknowledgement: Gen<Acknowledgement> = record<Acknowledgement>(
  { by: name, at: when, activation },
  { note: text },
);
const steps = fc.array(
  record({ targets: fc.array(target, { maxLength: 10 }), delaySeconds: seconds }, {}),
  { minLength: 1, maxLength: 20 },
);
const policyFields = {
  id: name,
  steps,
  repeat: whole(0, 9),
  minPriority: priority,
  confirmSeconds: seconds,
};
export const notificationId: Gen<string> = whole(1, Number.MAX_SAFE_INTEGER).map(
  (number) => `N${number}`,
);

const idOf = (letter: string): Gen<string> =>
  whole(1, Number.MAX_SAFE_INTEGER).map((number) => `${letter}${number}`);
const matcher = record(
  {
    field: fc.constantFrom('alert', 'patient', 'bed', 'device', 'unit', 'condition', 'kind'),
    values: fc.array(name, { minLength: 1, maxLength: 4 }),
  },
  {},
);
const review = record({ rootCause: text, actions: fc.array(text, { maxLength: 3 }) }, {});

type Fields = Record<string, Gen<unknown>>;

const ruleName = fc.stringMatching(/^[A-Za-z0-9][A-Za-z0-9_.-]{0,20}$/);
const listed = (list: string, kind: string | undefined, must: Fields, may: Fields = {}) =>
  record(
    {
      list: fc.constant(list),
      ...(kind === undefined ? {} : { kind: fc.constant(kind) }),
      id: ruleName,
      priority: fc.constantFrom('high', 'medium', 'low'),
      ...must,
    },
    { text: reason, ...may },
  );
const side = fc.constantFrom('HI', 'LO');
const sampled = {
  metric: fc.constantFrom(...METRIC_NAMES),
  startAfter: finite,
  endAfter: finite,
};
const scored = {
  limit: finite,
  startAfterSeconds: finite,
  endAfterSeconds: finite,
  validMinutes: finite,
};
const scale = fc.constantFrom(1, 2);
/** Of each list and kind; figures may be senseless, which the machine refuses and the bytes do not. */
const listedRule = fc.oneof(
  listed(
    'rules',
    undefined,
    { ...sampled, side, limit: finite },
    { hysteresis: finite, instance: ruleName, latching: fc.boolean() },
  ),
  listed('missing', undefined, sampled),
  listed('trends', 'stuck', sampled),
  listed('trends', 'rate', { ...sampled, side, perMinute: finite, overSeconds: finite }),
  listed('trends', 'zscore', { ...sampled, limit: finite }),
  listed('trends', 'ewma', { ...sampled, weight: finite, limit: finite }),
  listed('trends', 'cusum', { ...sampled, slack: finite, limit: finite }),
  listed('trends', 'slope', {
    ...sampled,
    side,
    limit: finite,
    withinMinutes: finite,
    points: finite,
  }),
  listed('scores', 'news2', scored, { singleLimit: finite, scale, instance: ruleName }),
  listed('scores', 'qsofa', scored),
  listed('scores', 'early-warning', { ...scored, windowMinutes: finite, scoresMin: finite }),
  record(
    {
      list: fc.constant('profiles'),
      name: ruleName,
      limits: fc.dictionary(ruleName, finite, { maxKeys: 5 }),
      patients: fc.array(name, { maxLength: 5 }),
    },
    { scale },
  ),
);

const about = { target: ref };
const isTrue = fc.constant(true);

/** What each command has, beside who asks and when: what it must have, and what it may have. */
const FIELDS: {
  readonly [T in Exclude<RareCommand['type'], 'transaction'>]: readonly [Fields, Fields];
} = {
  unacknowledge: [{ ...about, reason }, {}],
  accept: [about, {}],
  reject: [about, { reason: text }],
  pause: [{ ...about, seconds }, {}],
  resume: [about, {}],
  escalate: [{ ...about, reason }, {}],
  resolve: [
    { ...about, reason },
    { force: isTrue, confirmedBy: name },
  ],
  transfer: [{ ...about, subject }, { policy: name }],
  discharge: [about, { reason }],
  void: [{ ...about, reason }, { confirmedBy: name }],
  merge: [
    { ...about, raisedAt: when, acknowledgements: fc.array(acknowledgement, { maxLength: 16 }) },
    {},
  ],
  'set-policy': [policyFields, {}],
  'remove-policy': [{ id: name }, {}],
  report: [
    {
      notification: notificationId,
      outcome: fc.constantFrom('sent', 'confirmed', 'failed'),
    },
    { to: name, detail: text },
  ],
  silence: [
    { matchers: fc.array(matcher, { minLength: 1, maxLength: 8 }), seconds, reason },
    { untilCleared: isTrue },
  ],
  unsilence: [{ id: idOf('S') }, {}],
  'open-window': [
    { startAt: when, endAt: when, reason },
    { unit: name, bed: name, device: name },
  ],
  'end-window': [{ id: idOf('M') }, {}],
  heartbeat: [
    { source: name, leaseSeconds: seconds },
    { priority, present: fc.array(dedupKey, { maxLength: 4 }) },
  ],
  'retire-source': [{ source: name }, {}],
  'open-incident': [
    { title: reason, severity: priority, alerts: fc.array(alertId, { maxLength: 4 }) },
    { commander: name },
  ],
  'set-rule': [{ rule: listedRule }, {}],
  'remove-rule': [{ id: name }, {}],
  'set-schedule': [{ id: name, ...scheduleFields, ...coverageFields }, { expectedVersion: count }],
  'extend-schedule': [{ id: name, expectedVersion: count, ...coverageFields }, {}],
  'remove-schedule': [{ id: name }, {}],
  'set-inhibition': [
    {
      id: name,
      sources: fc.array(name, { minLength: 1, maxLength: 3 }),
      targets: fc.array(name, { minLength: 1, maxLength: 3 }),
    },
    { expectedVersion: count },
  ],
  'remove-inhibition': [{ id: name }, {}],
  'restore-inhibitions': [{}, {}],
  'open-session': [{ leaseSeconds: seconds, window: whole(1, 4_096) }, {}],
  'keep-session': [{ id: idOf('X'), floor: count }, {}],
  'end-session': [{ id: idOf('X') }, {}],
  'set-bed': [place, {}],
  'remove-bed': [place, {}],
  'admit-patient': [{ patient: name, ...place }, {}],
  'move-patient': [
    { patient: name, ...place, devices: fc.array(name, { maxLength: 3 }) },
    { policy: name },
  ],
  'discharge-patient': [{ patient: name }, { reason }],
  'attach-device': [{ device: name, ...place }, { model: name }],
  'detach-device': [{ device: name }, {}],
  'remove-device': [{ device: name }, {}],
  'change-incident': [
    { id: idOf('C') },
    {
      expectedVersion: count,
      severity: priority,
      commander: name,
      add: fc.array(alertId, { minLength: 1, maxLength: 4 }),
      remove: fc.array(alertId, { minLength: 1, maxLength: 4 }),
      note: reason,
      review,
      close: isTrue,
    },
  ],
};

export const rareCommand: Gen<RareCommand> = fc.oneof(
  ...Object.entries(FIELDS).map(([type, [required, optional]]) =>
    record<RareCommand>(
      { type: fc.constant(type), actor: name, observedAt: when, ...required },
      'target' in required ? { expectedRevision: aRevision, ...optional } : optional,
    ),
  ),
);

export const escalation: Gen<EscalationState> = record<EscalationState>(
  {
    policy: name,
    version: count,
    loop: count,
    step: count,
    dueAt: orUndefined(when),
    exhausted: fc.boolean(),
  },
  {},
);

export const responsibility: Gen<Responsibility> = fc.oneof(
  record<Responsibility>(
    { state: fc.constant('offered'), to: fc.array(offered, { maxLength: 10 }), at: when },
    {},
  ),
  record<Responsibility>(
    { state: fc.constantFrom('accepted', 'rejected'), by: name, at: when },
    {},
  ),
);

export const policy: Gen<EscalationPolicy> = record<EscalationPolicy>(
  { version: count, ...policyFields },
  {},
);

export const notification: Gen<Notification> = record<Notification>(
  {
    id: notificationId,
    version: count,
    alert: alertId,
    activation,
    loop: count,
    step: count,
    target,
    state: fc.constantFrom('queued', 'sent', 'confirmed', 'failed', 'expired', 'cancelled'),
    createdAt: when,
    changedAt: when,
    dueAt: orUndefined(when),
    to: orUndefined(name),
    detail: orUndefined(text),
  },
  {},
);

const ended = { endedAt: orUndefined(when), endedBy: orUndefined(name) };

const silence = record(
  {
    id: idOf('S'),
    version: count,
    matchers: fc.array(matcher, { minLength: 1, maxLength: 3 }),
    createdAt: when,
    revision: aRevision,
    until: when,
    untilCleared: fc.boolean(),
    reason: text,
    by: name,
    ...ended,
  },
  {},
);
const window = record(
  {
    id: idOf('M'),
    version: count,
    unit: orUndefined(name),
    bed: orUndefined(name),
    device: orUndefined(name),
    startAt: when,
    endAt: when,
    reason: text,
    by: name,
    ...ended,
  },
  {},
);
const source = record(
  {
    id: name,
    number: count,
    version: count,
    state: fc.constantFrom('live', 'lost', 'retired'),
    leaseSeconds: seconds,
    priority,
    seenAt: when,
    dueAt: orUndefined(when),
    comparedTo: orUndefined(count),
  },
  {},
);
const incident = record(
  {
    id: idOf('C'),
    version: count,
    title: text,
    severity: priority,
    commander: orUndefined(name),
    alerts: fc.array(alertId, { maxLength: 3 }),
    timeline: fc.array(record({ at: when, by: name, text }, {}), { maxLength: 3 }),
    review: orUndefined(review),
    openedAt: when,
    closedAt: orUndefined(when),
  },
  {},
);

const rule: Gen<KeptRule> = record<KeptRule>(
  { id: ruleName, version: count, rule: listedRule },
  {},
);

const session = record(
  {
    id: idOf('X'),
    version: count,
    by: name,
    leaseSeconds: seconds,
    window: whole(1, 4_096),
    floor: count,
    doubtUntil: count,
    openedAt: when,
    seenAt: when,
    dueAt: when,
  },
  {},
);

/** A record of a registry, with its kind. */
export const anyRecord: Gen<AnyRecord> = fc.oneof(
  ...Object.entries({
    silence,
    window,
    source,
    incident,
    rule,
    schedule,
    session,
    inhibition,
    tally,
    bed,
    patient,
    device,
    sweep: sweepOf(silence, window),
  }).map(([type, one]) => record<AnyRecord>({ type: fc.constant(type), record: one }, {})),
);
