import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { unixMillis } from '../../src/base/ids.ts';
import { SHIFTS_MAX } from '../../src/base/limits.ts';
import { onCallAt, shiftsBetween } from '../../src/oncall/shifts.ts';
import type { Layer, Schedule } from '../../src/statemachine/beside/schedule.ts';
import { onCallByTheMinute } from './by-the-minute.ts';

const at = (text: string): ReturnType<typeof unixMillis> => unixMillis(Date.parse(text));

const layer = (over: Partial<Layer> = {}): Layer => ({
  name: 'day',
  users: ['ana', 'ben'],
  rotation: { start: '2026-03-23T07:00', every: 1, unit: 'day' },
  restrictions: [],
  ...over,
});

const schedule = (...layers: readonly Layer[]): Schedule => ({
  timeZone: 'Europe/Berlin',
  layers,
  overrides: [],
});

const told = (shifts: ReturnType<typeof shiftsBetween>): readonly string[] =>
  shifts.map(
    ({ user, from, until }) =>
      `${user} ${new Date(from).toISOString().slice(0, 16)} to ${new Date(until).toISOString().slice(0, 16)}`,
  );

const HOUR = 3_600_000;

describe('the shifts of a schedule', () => {
  it('are handed over at the same local time when the clocks go forward', () => {
    const shifts = shiftsBetween(
      schedule(layer()),
      at('2026-03-28T06:00Z'),
      at('2026-03-30T05:00Z'),
    );
    expect(told(shifts)).toEqual([
      'ben 2026-03-28T06:00 to 2026-03-29T05:00',
      'ana 2026-03-29T05:00 to 2026-03-30T05:00',
    ]);
    expect((shifts[0]?.until ?? 0) - (shifts[0]?.from ?? 0)).toBe(23 * HOUR);
  });

  it('are handed over at the same local time when the clocks go back', () => {
    const shifts = shiftsBetween(
      schedule(layer()),
      at('2026-10-24T05:00Z'),
      at('2026-10-26T06:00Z'),
    );
    expect(shifts.map(({ from, until }) => (until - from) / HOUR)).toEqual([25, 24]);
  });

  it('of twelve hours are twelve hours, whatever the clocks do', () => {
    const nights = layer({ rotation: { start: '2026-03-28T19:00', every: 12, unit: 'hour' } });
    const shifts = shiftsBetween(
      schedule(nights),
      at('2026-03-28T18:00Z'),
      at('2026-03-29T18:00Z'),
    );
    expect(shifts.map(({ from, until }) => (until - from) / HOUR)).toEqual([12, 12]);
  });

  it.each([
    ['Europe/Berlin', '02:30', '2026-03-29', '2026-03-29T01:30Z', 'a time that the clocks skip'],
    [
      'Europe/Berlin',
      '02:30',
      '2026-10-25',
      '2026-10-25T00:30Z',
      'the first of a time that comes twice',
    ],
    ['Australia/Lord_Howe', '02:15', '2026-10-04', '2026-10-03T15:45Z', 'a skip of half an hour'],
    ['Asia/Kathmandu', '00:00', '2026-10-25', '2026-10-24T18:15Z', 'a zone of odd minutes'],
  ])('in %s begin at %s of %s at the right instant: %s (%s)', (timeZone, time, day, instant) => {
    const from = layer({ rotation: { start: `${day}T${time}`, every: 1, unit: 'week' } });
    const one = { ...schedule(from), timeZone };
    const shifts = shiftsBetween(one, at('2026-03-01T00:00Z'), at('2026-11-30T00:00Z'));
    expect(shifts[0]?.from).toBe(at(instant));
  });

  it('have gaps where no layer applies, and nobody before a rotation starts', () => {
    const office = layer({ restrictions: [{ days: [1, 2, 3, 4, 5], from: '08:00', to: '16:00' }] });
    expect(onCallAt(schedule(office), at('2026-03-23T05:30Z'))).toBeUndefined();
    expect(onCallAt(schedule(office), at('2026-03-23T08:00Z'))).toBe('ana');
    expect(onCallAt(schedule(office), at('2026-03-28T08:00Z'))).toBeUndefined();
  });

  it('of a later layer cover those of an earlier one, and overrides cover all', () => {
    const all = layer({ users: ['ana'] });
    const nights = layer({
      users: ['eve'],
      restrictions: [{ days: [], from: '19:00', to: '07:00' }],
    });
    const full: Schedule = {
      ...schedule(all, nights),
      overrides: [{ user: 'max', from: at('2026-04-01T20:00Z'), until: at('2026-04-02T02:00Z') }],
    };
    expect(told(shiftsBetween(full, at('2026-04-01T12:00Z'), at('2026-04-02T12:00Z')))).toEqual([
      'ana 2026-04-01T12:00 to 2026-04-01T17:00',
      'eve 2026-04-01T17:00 to 2026-04-01T20:00',
      'max 2026-04-01T20:00 to 2026-04-02T02:00',
      'eve 2026-04-02T02:00 to 2026-04-02T05:00',
      'ana 2026-04-02T05:00 to 2026-04-02T12:00',
    ]);
  });

  it('are refused when there would be too many of them', () => {
    const hourly = layer({ rotation: { start: '2026-01-01T00:00', every: 1, unit: 'hour' } });
    const until = unixMillis(at('2026-01-01T00:00Z') + (SHIFTS_MAX + 2) * HOUR);
    expect(() => shiftsBetween(schedule(hourly), at('2026-01-01T00:00Z'), until)).toThrow(
      /more than/,
    );
  });
});

const ZONES = ['Europe/Berlin', 'America/New_York', 'Australia/Lord_Howe', 'UTC'] as const;
const STARTS = ['2026-03-20', '2026-10-20'] as const;
const USERS = ['ana', 'ben', 'eve', 'max', 'zoe'] as const;

const timeOfDay = fc
  .tuple(fc.integer({ min: 0, max: 23 }), fc.constantFrom(0, 15, 30))
  .map(([hour, minute]) => `${String(hour).padStart(2, '0')}:${String(minute).padStart(2, '0')}`);

const layers = fc.record({
  name: fc.constant('any'),
  users: fc.array(fc.constantFrom(...USERS), { minLength: 1, maxLength: 4 }),
  rotation: fc.record({
    start: fc.tuple(fc.constantFrom(...STARTS), timeOfDay).map(([day, time]) => `${day}T${time}`),
    every: fc.integer({ min: 1, max: 9 }),
    unit: fc.constantFrom('hour' as const, 'day' as const, 'week' as const),
  }),
  restrictions: fc.array(
    fc.record({
      days: fc.uniqueArray(fc.integer({ min: 1, max: 7 }), { maxLength: 3 }),
      from: timeOfDay,
      to: timeOfDay,
    }),
    { maxLength: 2 },
  ),
});

/** Within three weeks of a start, to the minute: the clocks of every zone change in one of them. */
const instants = fc
  .tuple(fc.constantFrom(...STARTS), fc.integer({ min: -1_440, max: 30_000 }))
  .map(([day, minutes]) => unixMillis(Date.parse(day) + minutes * 60_000));

const schedules = fc.record({
  timeZone: fc.constantFrom(...ZONES),
  layers: fc.array(layers, { maxLength: 3 }),
  overrides: fc.array(
    fc
      .tuple(fc.constantFrom(...USERS), instants, fc.integer({ min: 1, max: 3_000 }))
      .map(([user, from, minutes]) => ({ user, from, until: unixMillis(from + minutes * 60_000) })),
    { maxLength: 3 },
  ),
});

describe('any schedule', () => {
  it('says the same at every minute as somebody who counts handoffs on a calendar', () => {
    fc.assert(
      fc.property(schedules, instants, (any, instant) => {
        expect(onCallAt(any, instant)).toBe(onCallByTheMinute(any, instant));
      }),
      { numRuns: 400 },
    );
  });

  it('gives shifts in order, without overlap, inside what was asked, and the same in pieces', () => {
    fc.assert(
      fc.property(schedules, instants, fc.integer({ min: 1, max: 6_000 }), (any, from, minutes) => {
        const until = unixMillis(from + minutes * 60_000);
        const shifts = shiftsBetween(any, from, until);
        let last: number = from;
        for (const shift of shifts) {
          expect(shift.from).toBeGreaterThanOrEqual(last);
          expect(shift.until).toBeGreaterThan(shift.from);
          last = shift.until;
        }
        expect(last).toBeLessThanOrEqual(until);
        for (const { user, from: begins } of shifts) expect(onCallAt(any, begins)).toBe(user);
      }),
      { numRuns: 200 },
    );
  });
});
