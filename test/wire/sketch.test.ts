import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { TocsinError } from '../../src/base/errors.ts';
import type { QuantileSketch } from '../../src/trend/sketch.ts';
import { SKETCHES } from '../../src/wire/trend/sketch.ts';

const values = fc.array(fc.double({ min: -1e6, max: 1e6, noNaN: true }), { maxLength: 80 });

function sketchOf(all: readonly number[]): QuantileSketch {
  const sketch = SKETCHES.empty();
  for (const value of all) sketch.add(value);
  return sketch;
}

function merged(...parts: readonly (readonly number[])[]): QuantileSketch {
  const sketch = SKETCHES.empty();
  for (const part of parts) sketch.merge(sketchOf(part));
  return sketch;
}

const QUANTILES = [0, 0.05, 0.5, 0.9, 1];
const answers = (sketch: QuantileSketch): readonly number[] =>
  QUANTILES.map((q) => sketch.quantile(q));

describe('a quantile sketch', () => {
  it('is within one per cent of the value that stands there', () => {
    fc.assert(
      fc.property(
        values.filter((all) => all.length > 0),
        fc.double({ min: 0, max: 1, noNaN: true }),
        (all, q) => {
          const sorted = all.toSorted((a, b) => a - b);
          const exact = sorted[Math.floor(q * (sorted.length - 1))] as number;
          expect(Math.abs(sketchOf(all).quantile(q) - exact)).toBeLessThanOrEqual(
            Math.abs(exact) * 0.0101 + 1e-9,
          );
        },
      ),
    );
  });

  it('merges commutatively and associatively, into the sketch of all values', () => {
    fc.assert(
      fc.property(values, values, values, (a, b, c) => {
        const whole = answers(sketchOf([...a, ...b, ...c]));
        expect(answers(merged(a, b, c))).toEqual(whole);
        expect(answers(merged(c, a, b))).toEqual(whole);
        expect(answers(merged([...b, ...c], a))).toEqual(whole);
      }),
    );
  });

  it('leaves what it merges as it was', () => {
    const part = sketchOf([1, 2, 3]);
    const whole = SKETCHES.empty();
    whole.merge(part);
    whole.add(1_000);
    expect(part.quantile(1)).toBeCloseTo(3, 1);
  });

  it('comes back from bytes', () => {
    fc.assert(
      fc.property(values, (all) => {
        const sketch = sketchOf(all);
        expect(answers(SKETCHES.decode(sketch.encode()))).toEqual(answers(sketch));
      }),
    );
  });

  it('refuses bytes that are none', () => {
    fc.assert(
      fc.property(fc.uint8Array({ maxLength: 80 }), (bytes) => {
        try {
          SKETCHES.decode(bytes);
        } catch (error) {
          expect(TocsinError.is(error) && error.code).toBe('DATA_CORRUPT');
        }
      }),
    );
  });

  it('stays small whatever strays into it', () => {
    expect(
      sketchOf([1e-300, -1e-300, 1e300, -1e300, Number.MAX_VALUE]).encode().byteLength,
    ).toBeLessThan(40_000);
  });
});
