import fc from 'fast-check';
import { unixMillis } from '../../src/base/ids.ts';
import type { NotificationId } from '../../src/statemachine/beside/notifications.ts';
import type { Coverage } from '../../src/statemachine/beside/schedule.ts';
import type { RecordCommand } from '../../src/statemachine/commands.ts';
import type { ReferenceModel } from './reference-model.ts';
import { type WardDeed, wardDeed } from './ward-stories.ts';

/** What is done about the records beside the alerts, as stories draw it. */

type Said<T> = T extends unknown ? Omit<T, 'actor' | 'observedAt'> : never;
type Exactly<T extends RecordCommand['type']> = Said<Extract<RecordCommand, { type: T }>>;

export type RecordDeed =
  | Exactly<'set-rule' | 'remove-rule' | 'remove-inhibition' | 'restore-inhibitions'>
  | (Omit<Exactly<'set-inhibition'>, 'expectedVersion'> & { back?: number })
  | Exactly<'set-policy' | 'remove-policy' | 'silence' | 'heartbeat' | 'retire-source'>
  | { type: 'report'; back: number; outcome: 'sent' | 'confirmed' | 'failed'; to?: string }
  | { type: 'unsilence' | 'end-window'; back: number }
  | { type: 'open-window'; bed?: string; device?: string; afterMs: number; forMs: number }
  | { type: 'open-incident'; alerts: number[] }
  | { type: 'set-schedule'; id: string; shifts: ShiftDrawn[]; back?: number }
  | { type: 'extend-schedule'; id: string; shifts: ShiftDrawn[]; stale: boolean }
  | Exactly<'remove-schedule' | 'open-session'>
  | { type: 'end-session'; back: number }
  | WardDeed
  | { type: 'keep-session'; back: number; more: number }
  | ({
      type: 'change-incident';
      back: number;
      add?: number[];
      remove?: number[];
      stale: boolean;
    } & Pick<Exactly<'change-incident'>, 'severity' | 'commander' | 'note' | 'review' | 'close'>);

/** So long after the last one, or after the present, and for so long. */
interface ShiftDrawn {
  user: string;
  afterMs: number;
  forMs: number;
}

export const actor: fc.Arbitrary<string> = fc.constantFrom(
  'nurse-1',
  'nurse-2',
  'nurse-3',
  'nurse-4',
  'monitor-7',
);
const type = <T extends RecordDeed['type']>(name: T): fc.Arbitrary<T> => fc.constant(name);
const priority = fc.constantFrom(
  'none' as const,
  'low' as const,
  'medium' as const,
  'high' as const,
);
const back = fc.nat(3);

const target = fc.constantFrom(
  'user:nurse-1',
  'user:nurse-2',
  'role:charge',
  'webhook:pager',
  'schedule:icu',
  'schedule:ward',
);
const step = fc.record({
  targets: fc.uniqueArray(target, { maxLength: 2 }),
  delaySeconds: fc.constantFrom(1, 2, 5, 30),
});
const policyId = fc.constantFrom('default', 'default', 'default', 'icu', 'ward', 'other');
const setPolicy = fc.record({
  type: type('set-policy'),
  id: policyId,
  steps: fc.array(step, { minLength: 1, maxLength: 3 }),
  repeat: fc.nat(2),
  minPriority: priority,
  confirmSeconds: fc.constantFrom(1, 3, 60),
});

const matcher = fc.oneof(
  fc.record({ field: fc.constant('bed' as const), values: fc.constant(['1', '2']) }),
  fc.record({ field: fc.constant('alert' as const), values: fc.constant(['A1', 'A2']) }),
  fc.record({ field: fc.constant('device' as const), values: fc.constant(['m1']) }),
  fc.record({
    field: fc.constant('condition' as const),
    values: fc.constant(['HR:HI', 'PROBE:OFF']),
  }),
  fc.record({ field: fc.constant('unit' as const), values: fc.constant(['icu-1']) }),
  fc.record({
    field: fc.constant('priority' as const),
    values: fc.constant(['high', 'low', 'none']),
  }),
  fc.record({ field: fc.constant('kind' as const), values: fc.constant(['physiological']) }),
);
const silence = fc
  .record(
    {
      type: type('silence'),
      matchers: fc.array(matcher, { minLength: 1, maxLength: 2 }),
      seconds: fc.constantFrom(1, 5, 899, 3_600, 86_400),
      untilCleared: fc.constant(true),
      reason: fc.constant('noisy'),
    },
    { requiredKeys: ['type', 'matchers', 'seconds', 'reason'] },
  )
  .map((one) => one as Exactly<'silence'>);

const inhibitionId = fc.constantFrom('spo2-off', 'ecg-off', 'other');
const setInhibition = fc
  .record(
    {
      type: type('set-inhibition'),
      id: inhibitionId,
      sources: fc.constantFrom(['ECG:TEC'], ['PROBE:OFF', 'HR:HI'], ['nothing']),
      targets: fc.constantFrom(['HR:', 'SPO2:'], ['SPO2:LO'], ['PROBE:'], ['HR']),
      back: fc.nat(1),
    },
    { requiredKeys: ['type', 'id', 'sources', 'targets'] },
  )
  .map((one) => one as RecordDeed & { type: 'set-inhibition' });

const heartbeat = fc
  .record(
    {
      type: type('heartbeat'),
      source: fc.constantFrom('m1', 'm2'),
      leaseSeconds: fc.constantFrom(1, 3, 60),
      priority,
      present: fc.subarray(['phys:p1:m1:HR:HI', 'phys:p1:m1:SPO2:LO', 'a']),
    },
    { requiredKeys: ['type', 'source', 'leaseSeconds'] },
  )
  .map((one) => one as Exactly<'heartbeat'>);

const openWindow = fc
  .record(
    {
      type: type('open-window'),
      bed: fc.constantFrom('1', '2'),
      device: fc.constantFrom('m1', 'm2'),
      afterMs: fc.constantFrom(-1_000, 0, 0, 2_000),
      forMs: fc.constantFrom(-1, 500, 3_000, 60_000),
    },
    { requiredKeys: ['type', 'afterMs', 'forMs'] },
  )
  .map((one) => one as RecordDeed & { type: 'open-window' });

const changeIncident = fc
  .record(
    {
      type: type('change-incident'),
      back,
      add: fc.array(back, { minLength: 1, maxLength: 2 }),
      remove: fc.array(back, { minLength: 1, maxLength: 2 }),
      stale: fc.boolean(),
      severity: priority,
      commander: actor,
      note: fc.constant('called the registrar'),
      review: fc.constant({ rootCause: 'loose electrode', actions: ['check electrodes'] }),
      close: fc.constant(true),
    },
    { requiredKeys: ['type', 'back', 'stale'] },
  )
  .map((one) => one as RecordDeed & { type: 'change-incident' });

const ruleId = fc.constantFrom('fast', 'slow', 'other');
/** Its fields stand as commands and snapshots are read: the digest of a rule is that of its text. */
const limitRule = fc.record({
  list: fc.constant('rules' as const),
  id: ruleId,
  priority: fc.constant('high' as const),
  metric: fc.constant('HR' as const),
  startAfter: fc.constant(3),
  endAfter: fc.constant(3),
  side: fc.constantFrom('HI' as const, 'LO' as const),
  limit: fc.constantFrom(40, 120, 301),
});
const profile = fc.record({
  list: fc.constant('profiles' as const),
  name: fc.constantFrom('cardiac', 'athletes'),
  limits: fc.constantFrom({}, { fast: 150 }),
  patients: fc.subarray(['p1', 'p2']),
});
const setRule = fc.record({ type: type('set-rule'), rule: fc.oneof(limitRule, profile) });

const report = fc
  .record(
    {
      type: type('report'),
      back: fc.nat(4),
      outcome: fc.constantFrom('sent' as const, 'confirmed' as const, 'failed' as const),
      to: actor,
    },
    { requiredKeys: ['type', 'back', 'outcome'] },
  )
  .map((one) => one as RecordDeed & { type: 'report' });

const shifts = fc.array(
  fc.record({
    user: fc.constantFrom('nurse-1', 'nurse-2'),
    afterMs: fc.constantFrom(-1_000, 0, 0, 0, 2_000),
    forMs: fc.constantFrom(0, 1_000, 5_000, 60_000),
  }),
  { maxLength: 3 },
);
const scheduleId = fc.constantFrom('icu', 'icu', 'ward');
const setSchedule = fc
  .record(
    { type: type('set-schedule'), id: scheduleId, shifts, back: fc.nat(2) },
    { requiredKeys: ['type', 'id', 'shifts'] },
  )
  .map((one) => one as RecordDeed & { type: 'set-schedule' });
const extendSchedule = fc.record({
  type: type('extend-schedule'),
  id: scheduleId,
  shifts,
  stale: fc.boolean(),
});

const openSession = fc.record({
  type: type('open-session'),
  leaseSeconds: fc.constantFrom(1, 5, 60),
  window: fc.integer({ min: 1, max: 4 }),
});

/** The shifts that were drawn, from a second ago on. */
function covered(drawn: readonly ShiftDrawn[], now: number): Coverage {
  const from = unixMillis(Math.max(0, now - 1_000));
  let end: number = from;
  const placed = drawn.map(({ user, afterMs, forMs }) => {
    const begins = Math.max(0, end + afterMs);
    end = begins + forMs;
    return { user, from: unixMillis(begins), until: unixMillis(end) };
  });
  return { from, until: unixMillis(Math.max(end, from) + 1_000), shifts: placed };
}

export const recordDeed: fc.Arbitrary<RecordDeed> = fc.oneof(
  { weight: 4, arbitrary: setPolicy },
  { weight: 1, arbitrary: fc.record({ type: type('remove-policy'), id: policyId }) },
  { weight: 6, arbitrary: report },
  { weight: 4, arbitrary: setRule },
  {
    weight: 1,
    arbitrary: fc.record({
      type: type('remove-rule'),
      id: fc.constantFrom('fast', 'slow', 'cardiac'),
    }),
  },
  { weight: 4, arbitrary: silence },
  { weight: 1, arbitrary: fc.record({ type: type('unsilence'), back }) },
  { weight: 2, arbitrary: setInhibition },
  {
    weight: 1,
    arbitrary: fc.record({ type: type('remove-inhibition'), id: inhibitionId }),
  },
  { weight: 1, arbitrary: fc.record({ type: type('restore-inhibitions') }) },
  { weight: 2, arbitrary: openWindow },
  { weight: 1, arbitrary: fc.record({ type: type('end-window'), back }) },
  { weight: 5, arbitrary: heartbeat },
  {
    weight: 1,
    arbitrary: fc.record({ type: type('retire-source'), source: fc.constantFrom('m1', 'm2') }),
  },
  {
    weight: 2,
    arbitrary: fc.record({ type: type('open-incident'), alerts: fc.array(back, { maxLength: 3 }) }),
  },
  { weight: 3, arbitrary: changeIncident },
  { weight: 4, arbitrary: setSchedule },
  { weight: 2, arbitrary: extendSchedule },
  { weight: 1, arbitrary: fc.record({ type: type('remove-schedule'), id: scheduleId }) },
  { weight: 2, arbitrary: openSession },
  { weight: 8, arbitrary: wardDeed },
  { weight: 1, arbitrary: fc.record({ type: type('end-session'), back }) },
  {
    weight: 2,
    arbitrary: fc.record({
      type: type('keep-session'),
      back,
      more: fc.integer({ min: -1, max: 4 }),
    }),
  },
);

/** The command of a deed, as the model stands. */
export function recordCommand(deed: RecordDeed, by: string, model: ReferenceModel): RecordCommand {
  const asked = { actor: by, observedAt: unixMillis(6) };
  const alertAt = (place: number) => model.events.at(-1 - place)?.alert.id ?? 'A9999';
  switch (deed.type) {
    case 'report': {
      const { back: place, outcome, to } = deed;
      const notification: NotificationId = model.notifications.at(-1 - place)?.id ?? 'N9999';
      return {
        type: 'report',
        notification,
        outcome,
        ...(to === undefined ? {} : { to }),
        ...asked,
      };
    }
    case 'unsilence':
      return { type: deed.type, id: model.silences.at(-1 - deed.back)?.id ?? 'S9999', ...asked };
    case 'end-window':
      return { type: deed.type, id: model.windows.at(-1 - deed.back)?.id ?? 'M9999', ...asked };
    case 'open-window': {
      const { afterMs, forMs, ...rest } = deed;
      const startAt = Math.max(0, model.time + afterMs);
      const endAt = unixMillis(Math.max(0, startAt + forMs));
      return { ...rest, startAt: unixMillis(startAt), endAt, reason: 'calibration', ...asked };
    }
    case 'set-inhibition': {
      const { back: place, ...rest } = deed;
      const version = model.inhibitions.find(({ id }) => id === deed.id)?.version ?? 0;
      const guard = place === undefined ? {} : { expectedVersion: Math.max(0, version - place) };
      return { ...rest, ...guard, ...asked };
    }
    case 'open-incident':
      return {
        type: deed.type,
        title: 'Power failure',
        severity: 'high',
        alerts: deed.alerts.map(alertAt),
        ...asked,
      };
    case 'change-incident': {
      const { back: place, add, remove, stale, ...rest } = deed;
      const one = model.incidents.at(-1 - place);
      return {
        ...rest,
        id: one?.id ?? 'C9999',
        ...(stale ? { expectedVersion: (one?.version ?? 1) - 1 } : {}),
        ...(add === undefined ? {} : { add: add.map(alertAt) }),
        ...(remove === undefined ? {} : { remove: remove.map(alertAt) }),
        ...asked,
      };
    }
    case 'end-session':
    case 'keep-session':
    case 'set-schedule':
    case 'extend-schedule':
      return dutyCommand(deed, by, model);
    default:
      return { ...deed, ...asked };
  }
}

/** The same of sessions and schedules. */
function dutyCommand(
  deed: Extract<
    RecordDeed,
    { type: 'end-session' | 'keep-session' | 'set-schedule' | 'extend-schedule' }
  >,
  by: string,
  model: ReferenceModel,
): RecordCommand {
  const asked = { actor: by, observedAt: unixMillis(6) };
  switch (deed.type) {
    case 'end-session':
      return { type: deed.type, id: model.sessions.at(-1 - deed.back)?.id ?? 'X9999', ...asked };
    case 'keep-session': {
      const one = model.sessions.at(-1 - deed.back);
      const floor = Math.max(0, (one?.floor ?? 0) + deed.more);
      return { type: deed.type, id: one?.id ?? 'X9999', floor, ...asked };
    }
    case 'set-schedule': {
      const { back: place, shifts: drawn, ...rest } = deed;
      const before = model.schedules.find(({ id }) => id === deed.id);
      return {
        ...rest,
        ...(place === undefined
          ? {}
          : { expectedVersion: Math.max(0, (before?.version ?? 0) - place) }),
        timeZone: 'Europe/Berlin',
        layers: [],
        overrides: [],
        ...covered(drawn, model.time),
        ...asked,
      };
    }
    case 'extend-schedule': {
      const { stale, shifts: drawn, ...rest } = deed;
      const version = model.schedules.find(({ id }) => id === deed.id)?.version ?? 0;
      const expectedVersion = stale ? version + 1 : version;
      return { ...rest, expectedVersion, ...covered(drawn, model.time), ...asked };
    }
  }
}
