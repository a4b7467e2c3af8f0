import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { Baseline } from '../../src/analytics/baseline.ts';
import { CusumChart, EwmaChart } from '../../src/analytics/charts.ts';
import { ArtefactGate, PLAUSIBLE } from '../../src/analytics/plausible.ts';
import { RateWindow } from '../../src/analytics/rate-window.ts';
import { Slope } from '../../src/analytics/slope.ts';
import { TrendEngine, type TrendTransition } from '../../src/analytics/trend-engine.ts';
import { Prng } from '../../src/base/prng.ts';
import type { TrendRule } from '../../src/base/rules/trend-rules.ts';

/** Standard normal (Box and Muller, 1958). */
const normal = (prng: Prng): number =>
  Math.sqrt(-2 * Math.log(1 - prng.unit())) * Math.cos(2 * Math.PI * prng.unit());

/** Values until a chart passes its limit; the mean over many runs. */
function runLength(
  chart: () => { add(score: number): number },
  limit: number,
  seed: number,
): number {
  const prng = new Prng(seed);
  const runs = 400;
  let total = 0;
  for (let run = 0; run < runs; run += 1) {
    const one = chart();
    do total += 1;
    while (Math.abs(one.add(normal(prng))) < limit);
  }
  return total / runs;
}

describe('control charts over independent values give false alarms as often as the tables say', () => {
  it.each([
    [4, 168],
    [5, 465],
  ])('CUSUM with slack 0.5 and limit %d: once in about %d', (limit, expected) => {
    const mean = runLength(() => new CusumChart(0.5), limit, 7);
    expect(mean / expected).toBeGreaterThan(0.8);
    expect(mean / expected).toBeLessThan(1.2);
  });

  it('EWMA with weight 0.2 and limit 2.96: once in about 500', () => {
    const mean = runLength(() => new EwmaChart(0.2), 2.96, 11);
    expect(mean / 500).toBeGreaterThan(0.8);
    expect(mean / 500).toBeLessThan(1.25);
  });
});

describe('a slope', () => {
  it('is that of the line the values lie on', () => {
    const line = fc.record({
      rate: fc.integer({ min: -50, max: 50 }),
      level: fc.integer({ min: 0, max: 200 }),
    });
    fc.assert(
      fc.property(line, ({ rate, level }) => {
        const slope = new Slope(10);
        for (let minute = 0; minute < 14; minute += 1)
          slope.add(minute * 60_000, level + rate * minute);
        expect(slope.perMinute).toBeCloseTo(rate, 6);
        expect(slope.level).toBeCloseTo(level + rate * 13, 6);
        if (rate !== 0) expect(slope.minutesTo(level + rate * 16)).toBeCloseTo(3, 4);
        expect(slope.minutesTo(level + rate * 3)).toBe(Infinity);
      }),
    );
  });

  it('of mere noise is sure in about one case of twenty', () => {
    const prng = new Prng(3);
    let sure = 0;
    for (let run = 0; run < 1_000; run += 1) {
      const slope = new Slope(10);
      for (let at = 0; at < 10; at += 1) slope.add(at * 30_000, normal(prng));
      if (slope.isSure) sure += 1;
    }
    expect(sure).toBeGreaterThan(25);
    expect(sure).toBeLessThan(80);
  });
});

describe('a baseline', () => {
  it('is median and deviation of the blocks, whatever strays into single samples', () => {
    const baseline = new Baseline({ blockMs: 30_000, blocks: 20, blocksMin: 5, sigmaMin: 0.5 });
    for (let second = 0; second < 600; second += 1)
      if (baseline.add(second * 1_000, second % 9 === 0 ? 300 : 80 + (second % 3)))
        baseline.accept();
    expect(baseline.isReady).toBe(true);
    expect(baseline.median).toBe(81);
    expect(baseline.sigma).toBe(0.5);
  });
});

describe('the artefact gate', () => {
  it('keeps out what no patient has, and a jump until it lasts', () => {
    const gate = new ArtefactGate(PLAUSIBLE.HR);
    const passes = (second: number, value: number): boolean => gate.passes(second * 1_000, value);
    expect([
      passes(0, 80),
      passes(1, 0),
      passes(2, 400),
      passes(3, Number.NaN),
      passes(4, 82),
    ]).toEqual([true, false, false, false, true]);
    const jump = Array.from({ length: 12 }, (_, at) => passes(5 + at * 0.1, 200));
    expect(jump.filter(Boolean).length).toBeGreaterThan(0);
    expect(jump[0]).toBe(false);
  });
});

describe('a rate', () => {
  it('is the change over the stretch, and nothing across a gap', () => {
    const window = new RateWindow(60_000);
    let rate = Number.NaN;
    for (let second = 0; second < 120; second += 1) rate = window.add(second * 1_000, second / 2);
    expect(rate).toBeCloseTo(30, 6);
    expect(window.add(400_000, 500)).toBeNaN();
  });
});

const base = { metric: 'HR', priority: 'low', startAfter: 2, endAfter: 2 } as const;
const RULES: readonly TrendRule[] = [
  { ...base, id: 'stuck', kind: 'stuck', startAfter: 60, endAfter: 1 },
  {
    ...base,
    id: 'rate',
    kind: 'rate',
    side: 'HI',
    perMinute: 20,
    overSeconds: 60,
    startAfter: 5,
    endAfter: 5,
  },
  { ...base, id: 'zscore', kind: 'zscore', limit: 4 },
  { ...base, id: 'ewma', kind: 'ewma', weight: 0.2, limit: 4 },
  { ...base, id: 'cusum', kind: 'cusum', slack: 0.5, limit: 8 },
  { ...base, id: 'slope', kind: 'slope', side: 'HI', limit: 130, withinMinutes: 10, points: 10 },
];

/** Half an hour of a calm patient a second, then what `then` says, by seconds. */
function story(then: (second: number, prng: Prng) => number, seconds = 900): readonly string[] {
  const engine = new TrendEngine(RULES, ['HR']);
  const prng = new Prng(5);
  const seen: string[] = [];
  const emit = ({ rule, phase }: TrendTransition): void => void seen.push(`${rule.id} ${phase}`);
  for (let second = 0; second < 1_800; second += 1)
    engine.sample(0, 0, second * 1_000, 80 + normal(prng), emit);
  expect(seen).toEqual([]);
  for (let second = 0; second < seconds; second += 1)
    engine.sample(0, 0, (1_800 + second) * 1_000, then(second, prng), emit);
  return seen;
}

describe('the trend engine', () => {
  it('is silent about a calm patient', () => {
    expect(story((_second, prng) => 80 + normal(prng))).toEqual([]);
  });

  it('finds a shift by every chart, and takes it for usual after half an hour', () => {
    const seen = story((_second, prng) => 92 + normal(prng), 4_500);
    for (const id of ['zscore', 'ewma', 'cusum']) {
      expect(seen).toContain(`${id} start`);
      expect(seen).toContain(`${id} end`);
    }
  });

  it('finds a slow rise before it reaches the limit', () => {
    const seen = story((second, prng) => 80 + second / 15 + normal(prng), 750);
    expect(seen).toContain('slope start');
  });

  it('finds a fast rise and its end', () => {
    const seen = story((second, prng) => 80 + Math.min(second, 60) * 0.6 + normal(prng));
    expect(seen).toContain('rate start');
    expect(seen).toContain('rate end');
  });

  it('finds a signal that stands still, and its end with the first sample that differs', () => {
    expect(story((second) => (second < 100 ? 80 : 81 + (second % 2)), 200)).toEqual([
      'stuck start',
      'stuck end',
    ]);
  });

  it('is not moved by artefacts that do not last', () => {
    expect(story((second, prng) => (second % 20 < 3 ? 250 : 80 + normal(prng)))).toEqual([]);
  });

  it('is not moved by missing samples', () => {
    expect(story((second, prng) => (second % 2 === 0 ? Number.NaN : 80 + normal(prng)))).toEqual(
      [],
    );
  });
});
