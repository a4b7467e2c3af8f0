import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import {
  coarsen,
  concatRollups,
  decodeRollups,
  encodeRollups,
  rollUp,
  rowsBetween,
} from '../../src/trend/rollup.ts';
import { between, isUsable } from '../../src/trend/samples.ts';
import { anySamples, START, samplesOf } from './arbitraries.ts';

describe('rollups', () => {
  it('say of each second what a plain count of its samples says', () => {
    fc.assert(
      fc.property(anySamples(5_000), (samples) => {
        const rollups = rollUp(samples, 1_000);
        for (const [row, start] of rollups.starts.entries()) {
          const { values, qualities } = between(samples, start, start + 1_000);
          const usable = [...values].filter((value, at) =>
            isUsable(value, qualities[at] as number),
          );
          expect(rollups.counts[row]).toBe(usable.length);
          expect(rollups.missing[row]).toBe(values.length - usable.length);
          if (usable.length === 0) {
            expect(rollups.means[row]).toBeNaN();
            continue;
          }
          expect(rollups.mins[row]).toBe(Math.min(...usable));
          expect(rollups.maxs[row]).toBe(Math.max(...usable));
          expect([rollups.firsts[row], rollups.lasts[row]]).toEqual([usable[0], usable.at(-1)]);
          const mean = usable.reduce((sum, value) => sum + value / usable.length, 0);
          const scale = Math.max(...usable.map(Math.abs), 1);
          expect(Math.abs((rollups.means[row] as number) / scale - mean / scale)).toBeLessThan(
            1e-9,
          );
        }
        const steps = new Set([...samples.times].map((time) => Math.floor(time / 1_000)));
        expect(rollups.starts.length).toBe(steps.size);
      }),
    );
  });

  it('have a mean even of values at both ends of the range', () => {
    const samples = samplesOf([
      { time: START, value: -Number.MAX_VALUE, quality: 0 },
      { time: START + 1, value: Number.MAX_VALUE, quality: 0 },
      { time: START + 2, value: Number.MAX_VALUE, quality: 0 },
    ]);
    const mean = rollUp(samples, 1_000).means[0] ?? Number.NaN;
    expect(mean / Number.MAX_VALUE).toBeCloseTo(1 / 3, 9);
  });

  it('of a minute are the same from seconds as from samples', () => {
    fc.assert(
      fc.property(anySamples(), (samples) => {
        const direct = rollUp(samples, 60_000);
        const fromSeconds = coarsen(rollUp(samples, 1_000), 60_000);
        for (const name of [
          'starts',
          'counts',
          'missing',
          'mins',
          'maxs',
          'firsts',
          'lasts',
        ] as const)
          expect(fromSeconds[name]).toEqual(direct[name]);
      }),
    );
  });

  it('come back from bytes exactly', () => {
    fc.assert(
      fc.property(anySamples(), fc.constantFrom(1_000, 60_000), (samples, stepMs) => {
        const rollups = rollUp(samples, stepMs);
        expect(decodeRollups(encodeRollups(rollups, START), stepMs, START)).toEqual(rollups);
      }),
    );
  });

  it('can be cut and put together', () => {
    fc.assert(
      fc.property(anySamples(), fc.nat(60), (samples, cut) => {
        const rollups = rollUp(samples, 1_000);
        const middle = START + cut * 1_000;
        const pieces = [rowsBetween(rollups, 0, middle), rowsBetween(rollups, middle, Infinity)];
        expect(concatRollups(1_000, pieces)).toEqual(rollups);
      }),
    );
  });

  it('count a doubtful value and leave out one that is disowned or under test', () => {
    const values = [70, 71, 72, 73].map((value, at) => ({ time: START + at, value, quality: at }));
    const { counts, missing, maxs } = rollUp(samplesOf(values), 1_000);
    expect([counts[0], missing[0], maxs[0]]).toEqual([2, 2, 71]);
  });
});
