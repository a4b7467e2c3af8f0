import { describe, expect, test } from 'vitest';
import { logIndex, unixMillis } from '../../src/base/ids.ts';
import { NAME_CHARS_MAX, SCHEDULE_GAP_AHEAD_MS } from '../../src/base/limits.ts';
import type { EscalationStep, PolicyCommand } from '../../src/statemachine/beside/policies.ts';
import type { SetScheduleCommand, Shift } from '../../src/statemachine/beside/schedule.ts';
import { gapKey, nobodyKey } from '../../src/statemachine/beside/schedules.ts';
import { MachineRestorer } from '../../src/statemachine/snapshot/restore.ts';
import { parseAlert } from '../../src/wire/clients/parse-answers.ts';
import { Bench, raise } from './commands.ts';

const asked = { actor: 'admin', observedAt: unixMillis(1) };
const FOR_EVER = unixMillis(1_000_000_000_000);
const [target, nobody] = [{ dedupKey: raise().dedupKey }, { dedupKey: nobodyKey('icu') }];

const policy = (...steps: EscalationStep[]): PolicyCommand => ({
  type: 'set-policy',
  id: 'default',
  steps,
  repeat: 1,
  minPriority: 'low',
  confirmSeconds: 3_600,
  ...asked,
});

const schedule = (...shifts: Shift[]): SetScheduleCommand => ({
  type: 'set-schedule',
  id: 'icu',
  timeZone: 'Europe/Berlin',
  layers: [],
  overrides: [],
  from: unixMillis(0),
  until: FOR_EVER,
  shifts,
  ...asked,
});

const until = (end: number): SetScheduleCommand => ({
  ...schedule(shift('anna', 0, end)),
  until: unixMillis(end),
});

const shift = (user: string, from: number, until: number): Shift => ({
  user,
  from: unixMillis(from),
  until: unixMillis(until),
});

const told = ({ machine }: Bench): string[] =>
  machine.records('notification').records.map((one) => `${one.target} ${one.to ?? '-'}`);

test('a step tells who is on call when it is due, not who was when the alert was raised', () => {
  const bench = new Bench();
  const step = { targets: ['schedule:icu'], delaySeconds: 10 };
  bench.do(policy(step, step));
  bench.do(schedule(shift('anna', 0, 5_000), shift('ben', 5_000, 60_000)));
  bench.done(raise());
  bench.at(14_000);
  expect(told(bench)).toEqual(['schedule:icu anna', 'schedule:icu ben']);
  expect(bench.machine.get(target)?.responsibility).toMatchObject({ to: ['user:ben'] });
});

test('at the instant of a handoff it is the next one', () => {
  const bench = new Bench();
  bench.do(policy({ targets: ['schedule:icu'], delaySeconds: 10 }));
  bench.do(schedule(shift('anna', 0, 3_000), shift('ben', 3_000, 60_000)));
  bench.done(raise());
  expect(bench.machine.time).toBe(3_000);
  expect(told(bench)).toEqual(['schedule:icu ben']);
});

test('a person to whom two targets lead is told once', () => {
  const bench = new Bench();
  bench.do(policy({ targets: ['user:anna', 'schedule:icu', 'role:charge'], delaySeconds: 10 }));
  bench.do(schedule(shift('anna', 0, 60_000)));
  bench.done(raise());
  expect(told(bench)).toEqual(['user:anna -', 'role:charge -']);
});

test('where nobody is on call the next step follows at once, and an alert says so until somebody is', () => {
  const bench = new Bench();
  bench.do(
    policy(
      { targets: ['schedule:icu'], delaySeconds: 600 },
      { targets: ['user:head'], delaySeconds: 10 },
    ),
  );
  bench.do(schedule(shift('anna', 30_000, 60_000)));
  bench.done(raise());
  expect(told(bench)).toEqual(['user:head -']);
  expect(bench.machine.get(nobody)).toMatchObject({
    condition: 'SCHEDULE:NOBODY',
    kind: 'technical',
  });
  bench.do(schedule(shift('anna', 0, 60_000)));
  expect(bench.machine.get(nobody)).toBeUndefined();
});

test('a schedule that is not there is nobody, and a whole loop in vain is waited for', () => {
  const bench = new Bench();
  bench.do(policy({ targets: ['schedule:icu'], delaySeconds: 20 }));
  bench.done(raise());
  expect(told(bench)).toEqual([]);
  expect(bench.machine.get(nobody)?.presence).toBe('present');
  bench.do(schedule(shift('anna', 0, 60_000)));
  bench.at(23_000);
  expect(told(bench)).toEqual(['schedule:icu anna']);
});

test('shifts worked out from another version are not taken', () => {
  const bench = new Bench();
  bench.do(schedule());
  const { version = 0 } = bench.machine.records('schedule').records[0] ?? {};
  const more = { from: unixMillis(0), until: FOR_EVER, shifts: [shift('ben', 0, 60_000)] };
  const extend = { type: 'extend-schedule', id: 'icu', ...more, ...asked } as const;
  expect(bench.do({ ...extend, expectedVersion: version - 1 })).toMatchObject({
    code: 'REVISION_MISMATCH',
  });
  expect(bench.do({ ...extend, expectedVersion: version })).toMatchObject({ effect: 'kept' });
  expect(bench.machine.records('schedule').records[0]?.shifts).toEqual(more.shifts);
});

describe('a time for which nobody is on call', () => {
  const HOUR = 3_600_000;
  const gap = { dedupKey: gapKey('icu') };
  const from = 30 * HOUR;

  /** A schedule with a gap of two hours that begins after thirty. */
  function withGap(): Bench {
    const bench = new Bench();
    bench.do(schedule(shift('anna', 0, from), shift('ben', from + 2 * HOUR, FOR_EVER)));
    return bench;
  }

  test('is announced a day before it begins, and that is over when it is', () => {
    const bench = withGap();
    bench.at(from - SCHEDULE_GAP_AHEAD_MS - 1);
    expect(bench.machine.get(gap)).toBeUndefined();
    expect(bench.machine.nextDue).toBe(from - SCHEDULE_GAP_AHEAD_MS);
    bench.at(from - SCHEDULE_GAP_AHEAD_MS);
    expect(bench.machine.get(gap)).toMatchObject({
      kind: 'technical',
      condition: 'SCHEDULE:GAP',
      text: 'Nobody is on call by the schedule icu in 24 h, for 2 h',
    });
    bench.at(from + 2 * HOUR - 1);
    expect(bench.machine.get(gap)?.presence).toBe('present');
    bench.at(from + 2 * HOUR);
    expect(bench.machine.get(gap)).toBeUndefined();
  });

  test('is announced no longer once somebody takes it', () => {
    const bench = withGap();
    bench.at(from - HOUR);
    expect(bench.machine.get(gap)?.presence).toBe('present');
    bench.do(schedule(shift('anna', 0, FOR_EVER)));
    expect(bench.machine.get(gap)).toBeUndefined();
    bench.at(from + HOUR);
    expect(bench.machine.get(gap)).toBeUndefined();
  });

  test('nor of a schedule that was removed', () => {
    const bench = withGap();
    bench.at(from - HOUR);
    bench.do({ type: 'remove-schedule', id: 'icu', ...asked });
    expect(bench.machine.get(gap)).toBeUndefined();
    expect(bench.machine.nextDue).toBe(Number.POSITIVE_INFINITY);
  });

  test('is the end of what was worked out too, if nobody goes on in time', () => {
    const bench = new Bench();
    bench.do(until(50 * HOUR));
    bench.at(26 * HOUR);
    expect(bench.machine.get(gap)?.text).toBe('Nobody is on call by the schedule icu in 24 h');
  });

  test('is announced by a machine that a snapshot was taken of', () => {
    const restorer = new MachineRestorer();
    for (const item of withGap().machine.capture().items()) restorer.add(item);
    const machine = restorer.finish();
    expect(machine.nextDue).toBe(from - SCHEDULE_GAP_AHEAD_MS);
    const time = unixMillis(from - HOUR);
    machine.apply({ index: logIndex(9), time, submissions: [] }, { replies: [], events: [] });
    expect(machine.get(gap)?.text).toMatch(/in 1 h, for 2 h$/);
  });
});

test('an alert that is offered to somebody on call with the longest name goes on, packed or not, and clients read it', () => {
  const user = 'u'.repeat(NAME_CHARS_MAX);
  const bench = new Bench();
  bench.do(policy({ targets: ['schedule:icu'], delaySeconds: 10 }));
  bench.do(schedule(shift(user, 0, FOR_EVER)));
  bench.done(raise());
  bench.at(14_000);
  // So that the first one is packed.
  bench.done(raise({ dedupKey: 'other', condition: 'X' }));
  bench.done(raise({ dedupKey: 'third', condition: 'X' }));
  const alert = bench.alert(bench.done(raise()));
  expect(alert.responsibility).toMatchObject({ state: 'offered', to: [`user:${user}`] });
  expect(parseAlert(JSON.parse(JSON.stringify(alert)))).toMatchObject({ id: alert.id });
});
