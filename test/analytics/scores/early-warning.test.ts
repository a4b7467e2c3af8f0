import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import {
  crossingsOf,
  reportOf,
  type ScoredAt,
  tune,
  warningsOf,
} from '../../../src/analytics/scores/early-warning.ts';

const HOUR = 3_600_000;
/** A score an hour. */
const hourly = (...scores: readonly number[]): readonly ScoredAt[] =>
  scores.map((aggregate, hour) => ({ at: hour * HOUR, aggregate }));
const hoursOf = (times: readonly number[]): readonly number[] => times.map((at) => at / HOUR);
const RULE = { windowMs: 2 * HOUR, scoresMin: 2, threshold: 5 };

describe('a crossing of the emergency threshold', () => {
  it.each([
    [[1, 1, 1, 1, 7, 8, 7], [4]],
    [[1, 1, 7], []],
    [
      [1, 1, 1, 1, 7, 1, 1, 7, 1, 1, 1, 1, 9],
      [4, 12],
    ],
    [[7, 7, 7, 7, 7], []],
  ])('counts after a calm time only: %j', (scores, expected) => {
    expect(hoursOf(crossingsOf(hourly(...scores)))).toEqual(expected);
  });
});

describe('a warning', () => {
  it.each([
    [
      [1, 5, 5, 5, 5, 5, 5, 5, 5, 5],
      [2, 8],
    ],
    [[5, 7, 7, 7], []],
    [[4, 4, 4, 6, 4, 4], [3]],
  ])(
    'is given at the mean, below the emergency threshold, and not again for a while: %j',
    (scores, expected) => {
      expect(hoursOf(warningsOf(hourly(...scores), RULE))).toEqual(expected);
    },
  );

  it('depends on what was before it alone', () => {
    const scores = fc.array(fc.nat(12), { maxLength: 60 });
    fc.assert(
      fc.property(scores, fc.nat(60), (all, cut) => {
        const early = warningsOf(hourly(...all.slice(0, cut)), RULE);
        const whole = warningsOf(hourly(...all), RULE);
        expect(whole.filter((at) => at < cut * HOUR)).toEqual(early);
      }),
    );
  });
});

describe('the worth of warnings', () => {
  it('counts what came true, what did not, and how far ahead it was', () => {
    const right = hourly(1, 1, 5, 5, 6, 7, ...Array.from({ length: 20 }, () => 1));
    const wrong = hourly(1, 1, 5, 5, ...Array.from({ length: 20 }, () => 1));
    const late = hourly(...Array.from({ length: 20 }, () => 1), 5, 5);
    const report = reportOf([right, wrong, late], RULE);
    expect(report).toMatchObject({
      stays: 3,
      crossings: 1,
      warned: 1,
      warnings: 3,
      falseWarnings: 1,
      leadHours: [2],
    });
    expect(report.daysAtRisk).toBeCloseTo((24 + 23 + 21) / 24, 6);
  });

  it('decides what is chosen: nothing, when every rule warns too often', () => {
    const restless = hourly(...Array.from({ length: 48 }, () => 6));
    expect(tune([restless], 0)).toBeUndefined();
    const calm = hourly(...Array.from({ length: 48 }, () => 1));
    expect(tune([calm], 0)).toBeDefined();
  });
});
