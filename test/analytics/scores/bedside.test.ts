import { describe, expect, it } from 'vitest';
import {
  mews,
  modifiedShockIndex,
  qSofa,
  shockIndex,
} from '../../../src/analytics/scores/bedside.ts';

const NORMAL = {
  systolic: 120,
  pulse: 70,
  respiration: 12,
  temperature: 37,
  avpu: 'A',
  gcs: 15,
} as const;

describe('MEWS', () => {
  it.each([
    ['systolic', 70, 3],
    ['systolic', 71, 2],
    ['systolic', 80, 2],
    ['systolic', 81, 1],
    ['systolic', 100, 1],
    ['systolic', 101, 0],
    ['systolic', 199, 0],
    ['systolic', 200, 2],
    ['pulse', 40, 2],
    ['pulse', 41, 1],
    ['pulse', 50, 1],
    ['pulse', 51, 0],
    ['pulse', 100, 0],
    ['pulse', 101, 1],
    ['pulse', 110, 1],
    ['pulse', 111, 2],
    ['pulse', 129, 2],
    ['pulse', 130, 3],
    ['respiration', 8, 2],
    ['respiration', 9, 0],
    ['respiration', 14, 0],
    ['respiration', 15, 1],
    ['respiration', 20, 1],
    ['respiration', 21, 2],
    ['respiration', 29, 2],
    ['respiration', 30, 3],
    ['temperature', 34.9, 2],
    ['temperature', 35, 0],
    ['temperature', 38.4, 0],
    ['temperature', 38.5, 2],
    ['avpu', 'V', 1],
    ['avpu', 'P', 2],
    ['avpu', 'U', 3],
  ] as const)('gives for %s %s the points of its table: %d', (name, value, points) => {
    expect(mews({ ...NORMAL, [name]: value })).toEqual({ points, isPositive: false, missing: [] });
  });

  it('is positive from 5 points on, and names what is missing', () => {
    const sick = mews({ ...NORMAL, systolic: 70, respiration: 25, temperature: undefined });
    expect(sick).toEqual({ points: 5, isPositive: true, missing: ['temperature'] });
  });
});

describe('qSOFA', () => {
  it.each([
    [{ respiration: 21, systolic: 101, gcs: 15 }, 0, false],
    [{ respiration: 22, systolic: 101, gcs: 15 }, 1, false],
    [{ respiration: 22, systolic: 100, gcs: 15 }, 2, true],
    [{ respiration: 22, systolic: 100, gcs: 14 }, 3, true],
  ])('scores %j as %d', (inputs, points, isPositive) => {
    expect(qSofa(inputs)).toEqual({ points, isPositive, missing: [] });
  });
});

describe('the shock index', () => {
  it('is pulse over pressure, and unknown when either is unknown or senseless', () => {
    expect(shockIndex({ pulse: 90, systolic: 100 })).toBeCloseTo(0.9);
    expect(modifiedShockIndex({ pulse: 90, meanPressure: 60 })).toBeCloseTo(1.5);
    expect([
      shockIndex({ pulse: 90 }),
      shockIndex({ pulse: 90, systolic: 0 }),
      shockIndex({ pulse: Number.NaN, systolic: 100 }),
    ]).toEqual([undefined, undefined, undefined]);
  });
});
