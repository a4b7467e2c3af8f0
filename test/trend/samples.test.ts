import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { between, concat, join, NO_SAMPLES } from '../../src/trend/samples.ts';
import { anySamples, START, samplesOf } from './arbitraries.ts';

/** Few times, so that most of them are on both sides. */
const some = anySamples(30);

describe('joining samples', () => {
  it('is commutative', () => {
    fc.assert(
      fc.property(some, some, (a, b) => {
        expect(join(a, b)).toEqual(join(b, a));
      }),
    );
  });

  it('is associative', () => {
    fc.assert(
      fc.property(some, some, some, (a, b, c) => {
        expect(join(join(a, b), c)).toEqual(join(a, join(b, c)));
      }),
    );
  });

  it('is idempotent, and loses no time', () => {
    fc.assert(
      fc.property(some, some, (a, b) => {
        const both = join(a, b);
        expect(join(both, a)).toEqual(both);
        expect(join(both, both)).toEqual(both);
        expect(new Set(both.times)).toEqual(new Set([...a.times, ...b.times]));
        expect(both.times.every((time, at) => time > (both.times[at - 1] ?? 0))).toBe(true);
      }),
    );
  });

  it.each([
    [
      'what is there before what is missing',
      { value: 70, quality: 3 },
      { value: Number.NaN, quality: 0 },
    ],
    ['the better quality', { value: 70, quality: 0 }, { value: 90, quality: 1 }],
    [
      'the greater of two readings that differ in nothing else',
      { value: 90, quality: 0 },
      { value: 70, quality: 0 },
    ],
  ])('prefers %s', (_what, stands, falls) => {
    const first = samplesOf([{ time: START, ...stands }]);
    const second = samplesOf([{ time: START, ...falls }]);
    expect(join(second, first)).toEqual(first);
    expect(join(first, second)).toEqual(first);
  });
});

describe('cutting samples', () => {
  it('puts together what was cut anywhere', () => {
    fc.assert(
      fc.property(anySamples(), fc.nat(60_000), (samples, cut) => {
        const before = between(samples, START, START + cut);
        const after = between(samples, START + cut, START + 60_000);
        expect(before.times.every((time) => time < START + cut)).toBe(true);
        expect(concat([before, NO_SAMPLES, after])).toEqual(samples);
      }),
    );
  });
});
