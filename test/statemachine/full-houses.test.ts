import { describe, expect, test } from 'vitest';
import { unixMillis } from '../../src/base/ids.ts';
import {
  FOLLOWERS_MAX,
  INCIDENTS_MAX,
  SCHEDULES_MAX,
  SILENCES_MAX,
  SOURCES_MAX,
  WINDOWS_MAX,
} from '../../src/base/limits.ts';
import type { Command } from '../../src/statemachine/commands.ts';
import type { PartCommand, TransactionCommand } from '../../src/statemachine/transaction.ts';
import { acknowledge, Bench, clear, raise } from './commands.ts';

const asked = { actor: 'charge', observedAt: unixMillis(1) };
const together = (...commands: readonly PartCommand[]): TransactionCommand => ({
  type: 'transaction',
  guards: [],
  commands,
  ...asked,
});

const coverage = { from: unixMillis(1), until: unixMillis(9e12), shifts: [] };
const schedule = { timeZone: 'UTC', layers: [], overrides: [], ...coverage };

describe('a registry that is full refuses one more, and takes what makes room', () => {
  test.each<[string, number, (n: number) => Command, Command]>([
    [
      'silences',
      SILENCES_MAX,
      () => ({
        type: 'silence',
        matchers: [{ field: 'bed', values: ['1'] }],
        seconds: 86_400,
        reason: 'x',
        ...asked,
      }),
      { type: 'unsilence', id: 'S1', ...asked },
    ],
    [
      'windows',
      WINDOWS_MAX,
      () => ({
        type: 'open-window',
        bed: '1',
        startAt: unixMillis(1),
        endAt: unixMillis(9e12),
        reason: 'x',
        ...asked,
      }),
      { type: 'end-window', id: 'M1', ...asked },
    ],
    [
      'incidents',
      INCIDENTS_MAX,
      () => ({ type: 'open-incident', title: 'x', severity: 'low', alerts: [], ...asked }),
      { type: 'change-incident', id: 'C1', close: true, ...asked },
    ],
    [
      'schedules',
      SCHEDULES_MAX,
      (n) => ({ type: 'set-schedule', id: `${n}`, ...schedule, ...asked }),
      { type: 'remove-schedule', id: '1', ...asked },
    ],
    [
      'sources',
      SOURCES_MAX,
      (n) => ({ type: 'heartbeat', source: `${n}`, leaseSeconds: 86_400, ...asked }),
      { type: 'retire-source', source: '1', ...asked },
    ],
  ])('%s: %i', (_what, max, make, end) => {
    const bench = new Bench();
    for (let n = 1; n <= max; n += 1) bench.do(make(n));
    expect(bench.do(make(max + 1))).toMatchObject({ code: 'OVER_LIMIT' });
    expect(bench.do(end)).toMatchObject({ ok: true });
    expect(bench.do(make(max + 1))).toMatchObject({ effect: 'kept' });
  });

  test('policies', () => {
    const bench = new Bench({ policiesMax: 1 });
    const steps = [{ targets: ['user:anna'], delaySeconds: 1 }];
    const policy = { steps, repeat: 0, minPriority: 'low', confirmSeconds: 9, ...asked } as const;
    bench.do({ type: 'set-policy', id: 'a', ...policy });
    const b = { type: 'set-policy', id: 'b', ...policy } as const;
    expect(bench.do(b)).toMatchObject({ code: 'OVER_LIMIT' });
    bench.do({ type: 'remove-policy', id: 'a', ...asked });
    expect(bench.do(b)).toMatchObject({ effect: 'kept' });
  });
});

describe('a transaction', () => {
  const bed = (name: string) => ({ unit: 'icu', bed: name });
  function house(): Bench {
    const bench = new Bench();
    for (const name of ['1', '2']) bench.do({ type: 'set-bed', ...bed(name), ...asked });
    bench.do({ type: 'admit-patient', patient: 'p', ...bed('1'), ...asked });
    return bench;
  }

  test('takes no more alerts along than it can promise to', () => {
    const bench = house();
    for (let n = 0; n <= FOLLOWERS_MAX; n += 1)
      bench.done(raise({ dedupKey: `k${n}`, subject: { patient: 'p' } }));
    const move = {
      type: 'move-patient',
      patient: 'p',
      devices: [],
      ...bed('2'),
      ...asked,
    } as const;
    expect(bench.do(together(move))).toMatchObject({ code: 'OVER_LIMIT' });
    bench.done(clear({ target: { dedupKey: 'k0' } }));
    expect(bench.do(together(move))).toMatchObject({ ok: true });
  });

  test('counts the alerts that all its patients take along together', () => {
    const bench = house();
    bench.do({ type: 'admit-patient', patient: 'q', ...bed('2'), ...asked });
    for (let n = 0; n <= FOLLOWERS_MAX; n += 1)
      bench.done(raise({ dedupKey: `k${n}`, subject: { patient: n % 2 === 0 ? 'p' : 'q' } }));
    const leave = (patient: string) =>
      ({ type: 'discharge-patient', patient, reason: 'home', ...asked }) as const;
    expect(bench.do(together(leave('p'), leave('q')))).toMatchObject({ code: 'OVER_LIMIT' });
    expect(bench.machine.openCount).toBe(FOLLOWERS_MAX + 1);
    bench.done(clear({ target: { dedupKey: 'k0' } }));
    expect(bench.do(together(leave('p'), leave('q')))).toMatchObject({ ok: true });
  });

  test('counts an alert once that follows a patient and a device', () => {
    const bench = house();
    bench.do({ type: 'attach-device', device: 'mon', ...bed('1'), ...asked });
    for (let n = 0; n <= FOLLOWERS_MAX / 2; n += 1)
      bench.done(raise({ dedupKey: `k${n}`, subject: { patient: 'p', device: 'mon' } }));
    const leave = { type: 'discharge-patient', patient: 'p', ...asked } as const;
    const detach = { type: 'detach-device', device: 'mon', ...asked } as const;
    expect(bench.do(together(leave, detach))).toMatchObject({ ok: true });
  });

  test('forgets a device that it takes away, and leaves a patient who is there already', () => {
    const bench = house();
    bench.do({ type: 'attach-device', device: 'mon', ...bed('1'), ...asked });
    const stay = {
      type: 'move-patient',
      patient: 'p',
      devices: [],
      ...bed('1'),
      ...asked,
    } as const;
    const detach = { type: 'detach-device', device: 'mon', ...asked } as const;
    const remove = { type: 'remove-device', device: 'mon', ...asked } as const;
    expect(bench.do(together(stay, detach, remove))).toMatchObject({ ok: true });
    expect(bench.machine.records('device').records).toEqual([]);
    expect(bench.machine.records('patient').records).toMatchObject([{ place: bed('1') }]);
  });

  test('changes no alert that is over', () => {
    const bench = house();
    const { alertId } = bench.done(raise());
    bench.done(clear());
    const target = { id: alertId };
    const voided = { type: 'void', target, reason: 'wrong patient', ...asked } as const;
    expect(bench.do(together(voided))).toMatchObject({ code: 'ALREADY_RESOLVED' });
    expect(bench.do(together(acknowledge({ target })))).toMatchObject({ code: 'ALREADY_RESOLVED' });
    expect(bench.do(voided)).toMatchObject({ effect: 'voided' });
  });
});

test('a closed incident takes its review and nothing else, which may be corrected', () => {
  const bench = new Bench();
  bench.do({ type: 'open-incident', title: 'x', severity: 'low', alerts: [], ...asked });
  bench.do({ type: 'change-incident', id: 'C1', commander: 'dora', close: true, ...asked });
  const change = { type: 'change-incident', id: 'C1', ...asked } as const;
  expect(bench.do({ ...change, note: 'x' })).toMatchObject({ code: 'ALREADY_RESOLVED' });
  for (const rootCause of ['a loose lead', 'a broken lead'])
    expect(bench.do({ ...change, review: { rootCause, actions: [] } })).toMatchObject({ ok: true });
  const [incident] = bench.machine.records('incident').records;
  expect(incident).toMatchObject({ review: { rootCause: 'a broken lead' }, commander: 'dora' });
});

test('a view holds the alerts as they were, and goes through the half that can match', () => {
  const bench = new Bench();
  const subjects = [{ patient: 'p' }, { device: 'mon' }];
  for (const [n, subject] of subjects.entries()) bench.done(raise({ dedupKey: `k${n}`, subject }));
  bench.done(clear({ target: { dedupKey: 'k1' } }));
  const view = bench.machine.view();
  bench.done(clear({ target: { dedupKey: 'k0' } }));
  const idsOf = (filter: Parameters<typeof view.matching>[0]): unknown[] =>
    [...view.matching(filter)].flatMap((one) => one?.id ?? []);
  expect(idsOf({})).toEqual(['A1', 'A2']);
  expect(idsOf({ open: true })).toEqual(['A1']);
  expect(idsOf({ open: false })).toEqual(['A2']);
  expect([idsOf({ patient: 'p' }), idsOf({ device: 'mon' })]).toEqual([['A1'], ['A2']]);
});

test('the oldest notifications that have to be sent come first, and no more than are asked for', () => {
  const bench = new Bench();
  const targets = ['user:anna', 'user:bob', 'user:carl'];
  const steps = [{ targets, delaySeconds: 60 }];
  const policy = { steps, repeat: 0, minPriority: 'low', confirmSeconds: 90 } as const;
  bench.do({ type: 'set-policy', id: 'default', ...policy, ...asked });
  bench.done(raise());
  const queued = (max: number): string[] =>
    bench.machine.queuedNotifications(max).map(({ id }) => id);
  expect([queued(2), queued(9)]).toEqual([
    ['N1', 'N2'],
    ['N1', 'N2', 'N3'],
  ]);
  bench.do({ type: 'report', notification: 'N1', outcome: 'sent', ...asked });
  expect(queued(9)).toEqual(['N2', 'N3']);
});
