import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { TocsinError } from '../../src/base/errors.ts';
import {
  type Chunk,
  countOf,
  decodeChunk,
  encodeChunk,
  joinChunks,
} from '../../src/trend/chunk.ts';
import { anyChunk, START, samplesOf } from './arbitraries.ts';

const notEmpty = ({ samples }: Chunk): boolean => samples.times.length > 0;

/** One reading a `step`, of good quality. */
const steady = (values: readonly number[], step = 1000): Chunk => ({
  samples: samplesOf(values.map((value, at) => ({ time: START + at * step, value, quality: 0 }))),
  delays: { minMs: -3, maxMs: 12 },
});

describe('a chunk', () => {
  it('gives back exactly the samples it was made of', () => {
    fc.assert(
      fc.property(anyChunk().filter(notEmpty), (chunk) => {
        const bytes = encodeChunk(chunk, START);
        expect(decodeChunk(bytes, START)).toEqual(chunk);
        expect(countOf(bytes)).toBe(chunk.samples.times.length);
      }),
      { numRuns: 1_000 },
    );
  });

  it('gives back every float, through windows of the one before and of its own', () => {
    const floats = fc.array(fc.double({ noNaN: true, noDefaultInfinity: true }), {
      minLength: 1,
      maxLength: 60,
    });
    fc.assert(
      fc.property(floats, fc.boolean(), (values, isNear) => {
        const near = isNear ? values.map((value) => Math.PI + (value % 1) / 1e9) : values;
        const chunk = steady(near.map((value) => value + 0));
        expect(decodeChunk(encodeChunk(chunk, START), START)).toEqual(chunk);
      }),
      { numRuns: 500 },
    );
  });

  it('gives back a waveform of few levels, however they were scaled', () => {
    const levels = fc.array(fc.double({ noNaN: true, noDefaultInfinity: true }), {
      minLength: 1,
      maxLength: 30,
    });
    fc.assert(
      fc.property(
        levels,
        fc.array(fc.nat(29), { minLength: 64, maxLength: 400 }),
        (all, places) => {
          const chunk = steady(
            places.map((place) => (all[place % all.length] as number) + 0),
            8,
          );
          expect(decodeChunk(encodeChunk(chunk, START), START)).toEqual(chunk);
        },
      ),
    );
  });

  it('takes a byte a sample for a converter of ten bits, scaled and printed with five places', () => {
    const levels = Array.from({ length: 6_000 }, (_, at) =>
      Number((Math.round(400 * Math.sin(at / 40)) / 1_023).toFixed(5)),
    );
    expect(encodeChunk(steady(levels, 8), START).byteLength).toBeLessThan(6_000);
  });

  it('takes two bits a sample for a steady reading at a steady pace', () => {
    const bytes = encodeChunk(steady(Array.from({ length: 60 }, () => 97)), START);
    expect(bytes.byteLength).toBeLessThanOrEqual(21 + Math.ceil((60 * 2) / 8));
  });

  it('takes hardly more for readings that wander by one', () => {
    const values = Array.from({ length: 60 }, (_, at) => 80 + (at % 3));
    expect(encodeChunk(steady(values), START).byteLength).toBeLessThan(53);
  });

  it('never crashes on damage: it is DATA_CORRUPT, or other samples within the window', () => {
    const flipped = fc.tuple(
      anyChunk().filter(notEmpty),
      fc.nat(),
      fc.integer({ min: 1, max: 255 }),
      fc.nat(),
    );
    fc.assert(
      fc.property(flipped, ([chunk, at, mask, cut]) => {
        const bytes = encodeChunk(chunk, START);
        const damaged = bytes.slice(0, bytes.length - (cut % 3));
        const place = at % damaged.length;
        damaged[place] = (damaged[place] as number) ^ mask;
        try {
          const { times } = decodeChunk(damaged, START).samples;
          expect(
            times.every(
              (time, i) => time >= START && time < START + 60_000 && time > (times[i - 1] ?? 0),
            ),
          ).toBe(true);
        } catch (error) {
          expect(TocsinError.is(error) && error.code).toBe('DATA_CORRUPT');
        }
      }),
      { numRuns: 1_000 },
    );
  });

  it('joins with others commutatively, associatively and idempotently', () => {
    const some = anyChunk(20);
    fc.assert(
      fc.property(some, some, some, (a, b, c) => {
        expect(joinChunks(a, b)).toEqual(joinChunks(b, a));
        expect(joinChunks(joinChunks(a, b), c)).toEqual(joinChunks(a, joinChunks(b, c)));
        expect(joinChunks(joinChunks(a, b), b)).toEqual(joinChunks(a, b));
      }),
    );
  });
});
