import { deepEqual, equal, ok } from 'node:assert/strict';
import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { unixMillis } from '../../src/base/ids.ts';
import type { AlertMachine } from '../../src/statemachine/machine.ts';
import { matches } from '../../src/statemachine/queries/filter.ts';
import type { Alert, AlertFilter, AlertId, DisplayState } from '../../src/statemachine/types.ts';
import { acknowledge, Bench, clear, raise } from './commands.ts';
import { modelState, ReferenceModel } from './reference-model.ts';
import { play, SMALL_LIMITS, story, write } from './stories.ts';

const STATES: readonly DisplayState[] = [
  'ACTIVE_UNACK',
  'ACTIVE_ACK',
  'LATCHED',
  'RTN_UNACK',
  'RESOLVED',
  'ENTERED_IN_ERROR',
];

const filters: fc.Arbitrary<AlertFilter> = fc.record(
  {
    open: fc.boolean(),
    states: fc.subarray([...STATES]),
    priorities: fc.subarray(['high', 'medium', 'low', 'none'] as const, { minLength: 1 }),
    kinds: fc.subarray(['physiological', 'technical', 'advisory'] as const, { minLength: 1 }),
    dedupKey: fc.constantFrom('a', 'phys:p1:m1:HR:HI'),
    unit: fc.constantFrom('icu-1', 'icu-2'),
    bed: fc.constantFrom('1', '2'),
    text: fc.constantFrom('heart RATE', 'probe', 'phys:', 'nowhere'),
    raisedFrom: fc.constantFrom(0, 1_050, 5_000).map(unixMillis),
    raisedUntil: fc.constantFrom(0, 1_050, 5_000).map(unixMillis),
    stale: fc.boolean(),
  },
  { requiredKeys: [] },
) as fc.Arbitrary<AlertFilter>;

/** Written from the words of the type: an absent field does not narrow. */
function wanted(alert: Alert, filter: AlertFilter): boolean {
  const state = modelState(alert);
  if (filter.open !== undefined && filter.open !== (alert.resolution === undefined)) return false;
  if (filter.states && !filter.states.some((one) => one === state)) return false;
  if (filter.priorities && !filter.priorities.some((one) => one === alert.priority)) return false;
  if (filter.kinds && !filter.kinds.some((one) => one === alert.kind)) return false;
  if (filter.dedupKey !== undefined && filter.dedupKey !== alert.dedupKey) return false;
  for (const part of ['unit', 'bed', 'patient', 'device'] as const)
    if (filter[part] !== undefined && filter[part] !== alert.subject[part]) return false;
  const { text = '', raisedFrom = 0, raisedUntil = Number.POSITIVE_INFINITY } = filter;
  const words = `${alert.text}\n${alert.condition}\n${alert.dedupKey}`.toLowerCase();
  if (!words.includes(text.toLowerCase())) return false;
  if (alert.raisedAt < raisedFrom || alert.raisedAt >= raisedUntil) return false;
  if (filter.stale !== undefined && filter.stale !== (alert.staleSince !== undefined)) return false;
  return true;
}

/** Every page, to the end. */
function allPages(machine: AlertMachine, filter: AlertFilter, limit: number): Alert[] {
  const alerts: Alert[] = [];
  let after: AlertId | undefined;
  for (let pages = 0; pages < 1_000; pages += 1) {
    const page = machine.list(filter, after === undefined ? { limit } : { limit, after });
    ok(page.alerts.length <= limit, `${page.alerts.length} alerts on a page of ${limit}`);
    alerts.push(...page.alerts);
    if (page.next === undefined) return alerts;
    after = page.next;
  }
  throw new Error('the list does not end');
}

test('pages of any size, over scans of any length, are all that matches, once, in order', () => {
  const sizes = fc.tuple(fc.integer({ min: 1, max: 5 }), fc.integer({ min: 1, max: 5 }));
  fc.assert(
    fc.property(story, filters, sizes, (steps, filter, [limit, listScanMax]) => {
      const model = new ReferenceModel(SMALL_LIMITS);
      const batches = write(steps, model);
      const { machine } = play(batches, { ...SMALL_LIMITS, listScanMax });
      const expected = model.all().filter((alert) => wanted(alert, filter));
      const found = allPages(machine, filter, limit);
      deepEqual(
        found.map((alert) => alert.id),
        expected.map((alert) => alert.id),
      );
    }),
    { numRuns: 200 },
  );
});

test('a filter matches what its words say', () => {
  fc.assert(
    fc.property(story, filters, (steps, filter) => {
      const model = new ReferenceModel(SMALL_LIMITS);
      write(steps, model);
      for (const alert of model.all()) equal(matches(alert, filter), wanted(alert, filter));
    }),
    { numRuns: 150 },
  );
});

/** Thirty alerts; every third is open. */
function thirty(listScanMax: number): Bench {
  const bench = new Bench({ listScanMax });
  for (let i = 1; i <= 30; i += 1) bench.done(raise({ dedupKey: `k${i}` }));
  for (let i = 1; i <= 30; i += 1)
    if (i % 3 !== 0) bench.done(clear({ target: { dedupKey: `k${i}` } }));
  return bench;
}

describe('a list', () => {
  test('is in numeric order of the ids', () => {
    const ids = thirty(100)
      .machine.list()
      .alerts.map((alert) => alert.id);
    expect(ids).toEqual(Array.from({ length: 30 }, (_, i) => `A${i + 1}`));
  });

  test('of open alerts does not walk over resolved ones', () => {
    const { machine } = thirty(10);
    const everyOpen: AlertFilter[] = [
      { open: true },
      { states: ['ACTIVE_UNACK', 'LATCHED'] },
      { open: true, states: [...STATES] },
    ];
    for (const filter of everyOpen) {
      const page = machine.list(filter);
      expect(page.alerts).toHaveLength(10);
      expect(page.next).toBeUndefined();
    }
  });

  test('of resolved alerts does not walk over open ones', () => {
    const { machine } = thirty(20);
    const everyResolved: AlertFilter[] = [{ open: false }, { states: ['RESOLVED'] }];
    for (const filter of everyResolved) {
      const page = machine.list(filter);
      expect(page.alerts).toHaveLength(20);
      expect(page.next).toBeUndefined();
    }
  });

  test('of the open alert under one key looks at that alone', () => {
    const { machine } = thirty(1);
    const page = machine.list({ open: true, dedupKey: 'k30' });
    expect(page.alerts.map((alert) => alert.id)).toEqual(['A30']);
    expect(page.next).toBeUndefined();
    const later = machine.list({ open: true, dedupKey: 'k30' }, { after: 'A30' });
    expect(later).toEqual({ alerts: [], next: undefined });
  });

  test('that found nothing within its bound says where to go on', () => {
    const { machine } = thirty(7);
    expect(machine.list({ bed: 'none' })).toEqual({ alerts: [], next: 'A7' });
  });

  test('shows an alert that was there all along once, whatever else changes between pages', () => {
    const bench = thirty(100);
    const first = bench.machine.list({}, { limit: 10 });
    bench.done(clear({ target: { dedupKey: 'k12' } }));
    bench.done(acknowledge({ target: { dedupKey: 'k9' } }));
    bench.done(raise({ dedupKey: 'new' }));
    const rest = bench.machine.list({}, { limit: 100, after: first.next ?? 'A1' });
    const seen = [...first.alerts, ...rest.alerts].map((alert) => alert.dedupKey);
    expect(seen).toEqual([...Array.from({ length: 30 }, (_, i) => `k${i + 1}`), 'new']);
  });

  test('goes on after an id that does not exist any more', () => {
    const { machine } = thirty(100);
    expect(machine.list({}, { after: 'A999' })).toEqual({ alerts: [], next: undefined });
  });

  test('of no state, no priority or no kind is empty', () => {
    const { machine } = thirty(100);
    for (const filter of [{ states: [] }, { priorities: [] }, { kinds: [] }])
      expect(machine.list(filter)).toEqual({ alerts: [], next: undefined });
  });

  test.each([0, -1, 1.5, 1_001, Number.NaN, Number.POSITIVE_INFINITY])(
    'refuses the limit %s',
    (limit) => {
      const { machine } = new Bench();
      expect(() => machine.list({}, { limit })).toThrow(
        expect.objectContaining({ code: 'BAD_REQUEST' }),
      );
    },
  );

  test.each(['A0', 'A01', 'A1e3', 'A', '', 'B7', 'A-1', 'A1.5'])('refuses after %j', (after) => {
    const { machine } = new Bench();
    expect(() => machine.list({}, { after: after as AlertId })).toThrow(
      expect.objectContaining({ code: 'BAD_REQUEST' }),
    );
  });
});

test('an alert is found by id for as long as it is kept, and by key while it is open', () => {
  const bench = new Bench();
  bench.done(raise({ observedAt: unixMillis(1) }));
  const { dedupKey } = raise();
  expect(bench.machine.get({ dedupKey })).toBe(bench.machine.get({ id: 'A1' }));
  bench.done(clear());
  expect(bench.machine.get({ dedupKey })).toBeUndefined();
  expect(bench.machine.get({ id: 'A1' })?.resolution?.how).toBe('auto');
});
