import fc from 'fast-check';
import { TREND_WINDOW_MS } from '../../src/base/trend-limits.ts';
import { type Chunk, toDelay } from '../../src/trend/chunk.ts';
import { QUALITY_MAX, type Samples } from '../../src/trend/samples.ts';

/** A window in 2026. */
export const START: number = Math.floor(1_772_334_245_000 / TREND_WINDOW_MS) * TREND_WINDOW_MS;

export interface Row {
  readonly time: number;
  readonly value: number;
  readonly quality: number;
}

const anyValue = fc.oneof(
  fc.integer({ min: 0, max: 300 }),
  fc.integer({ min: -400_000, max: 400_000 }).map((n) => n / 10 ** (Math.abs(n) % 6)),
  fc.double({ noNaN: true, noDefaultInfinity: true }),
  fc.constant(Number.NaN),
);

const plain = (value: number): number => (Object.is(value, -0) ? 0 : value);

export const anyRow = (offsetMax: number = TREND_WINDOW_MS - 1): fc.Arbitrary<Row> =>
  fc.record({
    time: fc.integer({ min: 0, max: offsetMax }).map((offset) => START + offset),
    value: anyValue.map(plain),
    quality: fc.integer({ min: 0, max: QUALITY_MAX }),
  });

/** In order of time, no time twice. */
export function samplesOf(rows: readonly Row[]): Samples {
  const unique = [...new Map(rows.map((row) => [row.time, row])).values()];
  const sorted = unique.sort((a, b) => a.time - b.time);
  return {
    times: Float64Array.from(sorted, (row) => row.time),
    values: Float64Array.from(sorted, (row) => row.value),
    qualities: Uint8Array.from(sorted, (row) => row.quality),
  };
}

/** Some of few times, so that sets of them meet. */
export const anySamples = (offsetMax?: number): fc.Arbitrary<Samples> =>
  fc.array(anyRow(offsetMax), { maxLength: 60 }).map(samplesOf);

export const anyChunk = (offsetMax?: number): fc.Arbitrary<Chunk> =>
  fc.record({
    samples: anySamples(offsetMax),
    delays: fc
      .tuple(fc.integer(), fc.integer())
      .map(([a, b]) => ({ minMs: toDelay(Math.min(a, b)), maxMs: toDelay(Math.max(a, b)) })),
  });
