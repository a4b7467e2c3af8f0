import fc from 'fast-check';
import { expect, test } from 'vitest';
import { type UnixMillis, unixMillis } from '../../src/base/ids.ts';
import {
  SCHEDULE_AHEAD_MS,
  SCHEDULE_LEFT_MS_MIN,
  SCHEDULE_SHIFTS_MAX,
  UNIX_MILLIS_MAX,
} from '../../src/base/limits.ts';
import { coverageFrom, extensionOf } from '../../src/oncall/coverage.ts';
import { onCallAt } from '../../src/oncall/shifts.ts';
import type { Coverage, Rotation, Schedule } from '../../src/statemachine/beside/schedule.ts';

const NOW = Date.parse('2026-03-27T12:00:00Z');
const DAY_MS = 86_400_000;

const rotation: fc.Arbitrary<Rotation> = fc.record({
  start: fc.constantFrom('2026-03-02T07:00', '2026-03-28T02:30', '2026-10-25T02:30'),
  every: fc.integer({ min: 1, max: 3 }),
  unit: fc.constantFrom('hour' as const, 'day' as const, 'week' as const),
});
const schedule: fc.Arbitrary<Schedule> = fc.record({
  timeZone: fc.constantFrom('Europe/Berlin', 'America/New_York', 'Asia/Kathmandu'),
  layers: fc.array(
    fc.record({
      name: fc.constant('one'),
      users: fc.constantFrom(['ana'], ['ana', 'ben'], ['ana', 'ben', 'eve']),
      rotation,
      restrictions: fc.constantFrom([], [{ days: [], from: '07:00', to: '19:00' }]),
    }),
    { maxLength: 2 },
  ),
  overrides: fc.constant([]),
});
const instant = fc
  .integer({ min: NOW, max: NOW + 250 * DAY_MS })
  .map((at): UnixMillis => unixMillis(at));

const userIn = ({ shifts }: Coverage, at: number): string | undefined =>
  shifts.find(({ from, until }) => from <= at && at < until)?.user;

test('what goes into the log says of each moment what the rules say, in bounded room', () => {
  fc.assert(
    fc.property(schedule, instant, fc.double({ min: 0, max: 1, noNaN: true }), (rules, now, at) => {
      const coverage = coverageFrom(rules, now);
      const { from, until, shifts } = coverage;
      expect(shifts.length).toBeLessThanOrEqual(SCHEDULE_SHIFTS_MAX);
      expect(from).toBeLessThanOrEqual(now);
      expect(until).toBeGreaterThan(now + SCHEDULE_LEFT_MS_MIN);
      const moment = unixMillis(Math.floor(from + (until - 1 - from) * at));
      expect(userIn(coverage, moment)).toBe(onCallAt(rules, moment));
    }),
    { numRuns: 150 },
  );
});

test('shifts are extended in time, not at every look, and always from within what is known', () => {
  fc.assert(
    fc.property(schedule, instant, (rules, begin) => {
      let known = coverageFrom(rules, begin);
      let extended = 0;
      const days = 40;
      for (let day = 0; day < days; day += 1) {
        const now = unixMillis(begin + day * DAY_MS);
        const more = extensionOf({ ...rules, ...known }, now);
        if (more !== undefined) {
          extended += 1;
          known = more;
        }
        expect(known.from).toBeLessThanOrEqual(now);
        expect(known.until - now).toBeGreaterThanOrEqual(SCHEDULE_LEFT_MS_MIN - DAY_MS);
      }
      expect(extended).toBeLessThanOrEqual(days / 2);
    }),
    { numRuns: 40 },
  );
});

test('shifts that are of another time altogether are worked out anew at once', () => {
  const rules: Schedule = { timeZone: 'Europe/Berlin', layers: [], overrides: [] };
  const known = { ...rules, ...coverageFrom(rules, unixMillis(NOW)) };
  expect(extensionOf(known, unixMillis(NOW + SCHEDULE_AHEAD_MS * 3))).toBeDefined();
  expect(extensionOf(known, unixMillis(NOW - SCHEDULE_AHEAD_MS))).toBeDefined();
  expect(extensionOf(known, unixMillis(NOW + 1_000))).toBeUndefined();
});

test('near the last moment that a Date can hold shifts are worked out too, of nobody but whom an override names', () => {
  const left = fc.oneof(fc.nat(30 * DAY_MS), fc.nat(20_000 * DAY_MS));
  fc.assert(
    fc.property(schedule, left, (rules, before) => {
      const now = unixMillis(UNIX_MILLIS_MAX - before);
      const named = { user: 'zoe', from: now, until: unixMillis(UNIX_MILLIS_MAX) };
      // At the very last moment nothing can end after it begins.
      const overrides = before === 0 ? [] : [named];
      const { until, shifts } = coverageFrom({ ...rules, overrides }, now);
      expect(until).toBe(Math.min(now + SCHEDULE_AHEAD_MS, UNIX_MILLIS_MAX));
      const after = shifts.filter(({ from }) => from >= now);
      expect(after).toEqual(before === 0 ? [] : [{ user: 'zoe', from: now, until }]);
      for (const shift of coverageFrom(rules, now).shifts)
        expect(shift.until).toBeLessThanOrEqual(until);
    }),
    { numRuns: 150 },
  );
});
