import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { lttb, minMax } from '../../src/trend/downsample.ts';
import { isUsable } from '../../src/trend/samples.ts';
import { anySamples, START, samplesOf } from './arbitraries.ts';

const END = START + 60_000;

describe('thinning out for a plot', () => {
  it('by least and greatest loses no peak and gives at most two points a bucket', () => {
    fc.assert(
      fc.property(anySamples(), fc.integer({ min: 1, max: 40 }), (samples, buckets) => {
        const thin = minMax(samples, START, END, buckets);
        const usable = samples.values.filter((value, at) =>
          isUsable(value, samples.qualities[at] as number),
        );
        expect(thin.times.length).toBeLessThanOrEqual(buckets * 2);
        expect(Math.max(...thin.values)).toBe(Math.max(...usable));
        expect(Math.min(...thin.values)).toBe(Math.min(...usable));
        expect(thin.times.every((time, at) => time > (thin.times[at - 1] ?? 0))).toBe(true);
      }),
    );
  });

  it('by triangles keeps first and last, gives the number asked for, and only points that were there', () => {
    fc.assert(
      fc.property(anySamples(), fc.integer({ min: 3, max: 40 }), (samples, points) => {
        const usable = [...samples.times].filter((_time, at) =>
          isUsable(samples.values[at] as number, samples.qualities[at] as number),
        );
        const thin = lttb(samples, points);
        expect(thin.times.length).toBe(Math.min(points, usable.length));
        expect([thin.times[0], thin.times.at(-1)]).toEqual([usable[0], usable.at(-1)]);
        expect([...thin.times].every((time) => usable.includes(time))).toBe(true);
      }),
    );
  });

  it('by triangles keeps a single spike', () => {
    const rows = Array.from({ length: 1_000 }, (_, at) => ({
      time: START + at * 60,
      value: at === 437 ? 200 : 80,
      quality: 0,
    }));
    expect(Math.max(...lttb(samplesOf(rows), 20).values)).toBe(200);
  });
});
