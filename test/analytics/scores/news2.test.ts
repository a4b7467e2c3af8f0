import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { roundHalfUp, roundToTenths } from '../../../src/analytics/scores/bands.ts';
import {
  NEWS2_PARAMETERS,
  type News2,
  type News2Inputs,
  type News2Parameter,
  news2,
  type SpO2Scale,
} from '../../../src/analytics/scores/news2.ts';

const at = 0;
const NORMAL: News2Inputs = {
  respiration: { value: 16, at },
  spO2: { value: 97, at },
  onOxygen: { value: false, at },
  systolic: { value: 120, at },
  pulse: { value: 70, at },
  consciousness: { value: 'A', at },
  temperature: { value: 37, at },
};

const score = (change: News2Inputs = {}, scale: SpO2Scale = 1): News2 =>
  news2({ ...NORMAL, ...change }, { now: 0, scale, validForMs: 3_600_000 });

/** The chart of the Royal College of Physicians: value → points, both ends of each band. */
const CHART: readonly [News2Parameter, readonly (readonly [value: number, points: number])[]][] = [
  [
    'respiration',
    [
      [8, 3],
      [9, 1],
      [11, 1],
      [12, 0],
      [20, 0],
      [21, 2],
      [24, 2],
      [25, 3],
    ],
  ],
  [
    'spO2',
    [
      [91, 3],
      [92, 2],
      [93, 2],
      [94, 1],
      [95, 1],
      [96, 0],
      [100, 0],
    ],
  ],
  [
    'systolic',
    [
      [90, 3],
      [91, 2],
      [100, 2],
      [101, 1],
      [110, 1],
      [111, 0],
      [219, 0],
      [220, 3],
    ],
  ],
  [
    'pulse',
    [
      [40, 3],
      [41, 1],
      [50, 1],
      [51, 0],
      [90, 0],
      [91, 1],
      [110, 1],
      [111, 2],
      [130, 2],
      [131, 3],
    ],
  ],
  [
    'temperature',
    [
      [35, 3],
      [35.1, 1],
      [36, 1],
      [36.1, 0],
      [38, 0],
      [38.1, 1],
      [39, 1],
      [39.1, 2],
    ],
  ],
];
const CASES = CHART.flatMap(([parameter, rows]) =>
  rows.map(([value, points]) => ({ parameter, value, points })),
);

describe('NEWS2', () => {
  it.each(CASES)('gives $points for $parameter $value', ({ parameter, value, points }) => {
    expect(score({ [parameter]: { value, at } }).aggregate).toBe(points);
  });

  it.each([
    [83, true, 3],
    [84, true, 2],
    [85, true, 2],
    [86, true, 1],
    [87, true, 1],
    [88, true, 0],
    [92, true, 0],
    [93, true, 1],
    [94, true, 1],
    [95, true, 2],
    [96, true, 2],
    [97, true, 3],
    [83, false, 3],
    [87, false, 1],
    [93, false, 0],
    [97, false, 0],
    [100, false, 0],
  ])('on scale 2 judges %d %% with oxygen=%s as %d', (value, onOxygen, points) => {
    const inputs = { spO2: { value, at }, onOxygen: { value: onOxygen, at } };
    expect(score(inputs, 2).aggregate).toBe(points + (onOxygen ? 2 : 0));
  });

  it('rounds half up before banding, so that no value falls between two bands', () => {
    expect(
      [8.4, 8.5, 11.5, 20.5, 24.5].map((value) => score({ respiration: { value, at } }).aggregate),
    ).toEqual([3, 1, 0, 2, 3]);
    expect([91.4, 91.5, 91.6].map((value) => score({ spO2: { value, at } }).aggregate)).toEqual([
      3, 2, 2,
    ]);
    expect(
      [35.04, 35.05, 38.05, 39.05].map((value) => score({ temperature: { value, at } }).aggregate),
    ).toEqual([3, 1, 1, 2]);
  });

  it('rounds every tenth and a half up, whatever binary fractions make of it', () => {
    for (let tenths = 250; tenths < 450; tenths += 1) {
      const halfway = Number(
        `${tenths / 10}`.includes('.') ? `${tenths / 10}5` : `${tenths / 10}.05`,
      );
      expect(roundToTenths(halfway)).toBe((tenths + 1) / 10);
    }
    expect([-0.5, 0.5, 1.5, 2.4999].map(roundHalfUp)).toEqual([0, 1, 2, 2]);
  });

  it.each([['C'], ['V'], ['P'], ['U']] as const)('gives 3 for consciousness %s', (value) => {
    expect(score({ consciousness: { value, at } }).aggregate).toBe(3);
  });

  it('never takes an unknown input for a normal one: it is named, and the score is partial', () => {
    fc.assert(
      fc.property(fc.subarray([...NEWS2_PARAMETERS], { minLength: 1 }), (unknown) => {
        const change = Object.fromEntries(unknown.map((name) => [name, undefined]));
        const { standing, missing, parts } = score(change);
        expect(standing).toBe('partial');
        expect(missing).toEqual(
          unknown.toSorted((a, b) => NEWS2_PARAMETERS.indexOf(a) - NEWS2_PARAMETERS.indexOf(b)),
        );
        expect(parts.length + missing.length).toBe(NEWS2_PARAMETERS.length);
      }),
    );
  });

  it('is a lower bound when partial: knowing more never lowers it', () => {
    const reading = (min: number, max: number) =>
      fc.double({ min, max, noNaN: true }).map((value) => ({ value, at }));
    const inputs = fc.record({
      respiration: reading(0, 60),
      spO2: reading(50, 100),
      onOxygen: fc.boolean().map((value) => ({ value, at })),
      systolic: reading(30, 280),
      pulse: reading(10, 250),
      consciousness: fc
        .constantFrom('A', 'C', 'V', 'P', 'U')
        .map((value) => ({ value, at }) as const),
      temperature: reading(30, 42),
    });
    const scale = fc.constantFrom<SpO2Scale>(1, 2);
    fc.assert(
      fc.property(inputs, fc.subarray([...NEWS2_PARAMETERS]), scale, (all, unknown, which) => {
        const some = { ...all, ...Object.fromEntries(unknown.map((name) => [name, undefined])) };
        const options = { now: 0, scale: which, validForMs: 1 };
        const full = news2(all, options);
        expect(news2(some, options).aggregate).toBeLessThanOrEqual(full.aggregate);
        expect(full.aggregate).toBeLessThanOrEqual(20);
        expect(full.aggregate).toBe(full.parts.reduce((total, part) => total + part.points, 0));
      }),
    );
  });

  it('states the age of each input and calls itself stale when one is older than it may be', () => {
    const options = { now: 7_200_000, scale: 1, validForMs: 3_600_000 } as const;
    const fresh = { value: 70, at: 3_600_000 };
    const { standing, parts } = news2({ ...NORMAL, pulse: fresh }, options);
    expect(standing).toBe('stale');
    expect(parts.find((part) => part.parameter === 'pulse')).toEqual({
      parameter: 'pulse',
      points: 0,
      ageMs: 3_600_000,
      isStale: false,
    });
    expect(parts.find((part) => part.parameter === 'spO2')?.isStale).toBe(true);
  });

  it.each([
    [{}, 'low'],
    [{ pulse: { value: 131, at } }, 'low-medium'],
    [{ pulse: { value: 131, at }, onOxygen: { value: true, at } }, 'medium'],
    [{ pulse: { value: 131, at }, onOxygen: { value: true, at }, spO2: { value: 92, at } }, 'high'],
  ] as const)('asks for the response of the chart: %j is %s', (change, band) => {
    expect(score(change).band).toBe(band);
  });

  it('takes a value that is no number for an unknown one', () => {
    expect(score({ pulse: { value: Number.NaN, at } }).missing).toEqual(['pulse']);
  });
});
