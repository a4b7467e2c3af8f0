import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { formatDuration, formatInstant } from '../../../cli/output/time.ts';

const SECOND = 1_000;
const MINUTE = 60 * SECOND;
const HOUR = 60 * MINUTE;
const DAY = 24 * HOUR;

describe('durations', () => {
  test.each([
    [-5, '0s'],
    [0, '0s'],
    [999, '0s'],
    [MINUTE - 1, '59s'],
    [MINUTE, '1m00s'],
    [3 * MINUTE + 12 * SECOND, '3m12s'],
    [HOUR - 1, '59m59s'],
    [HOUR, '1h00m'],
    [5 * HOUR + 2 * MINUTE, '5h02m'],
    [DAY - 1, '23h59m'],
    [DAY, '1d00h'],
    [400 * DAY + 4 * HOUR, '400d04h'],
  ])('%d ms is %s', (time, shown) => {
    expect(formatDuration(time)).toBe(shown);
  });

  test('take six columns for half a year', () => {
    fc.assert(
      fc.property(fc.integer({ max: 100 * DAY - 1 }), (time) => formatDuration(time).length <= 6),
    );
  });
});

describe('instants', () => {
  test.each([
    [0, '1970-01-01T00:00:00Z'],
    [1_772_334_245_999, '2026-03-01T03:04:05Z'],
    [8_640_000_000_000_001, '-'],
    [Number.NaN, '-'],
  ])('%d is %s', (time, shown) => {
    expect(formatInstant(time)).toBe(shown);
  });
});
