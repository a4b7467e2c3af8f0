import { TocsinError } from '../../base/errors.ts';
import { TREND_HOUR_MS, TREND_WINDOW_MS } from '../../base/trend-limits.ts';
import { decodeRollups, encodeRollups, type Rollups, rollUp } from '../../trend/rollup.ts';
import { isUsable, type Samples } from '../../trend/samples.ts';
import type { QuantileSketch, SketchMaker } from '../../trend/sketch.ts';
import { readU32, writeU32 } from '../../wire/bytes.ts';

/** What is kept of a minute, or an hour, when its samples are gone: one row, and a sketch of its values. */
export interface Summary {
  readonly row: Rollups;
  readonly sketch: QuantileSketch;
}

export function summaryOf(samples: Samples, sketches: SketchMaker): Summary {
  const sketch = sketches.empty();
  for (let i = 0; i < samples.values.length; i += 1) {
    const value = samples.values[i] as number;
    if (isUsable(value, samples.qualities[i] as number)) sketch.add(value);
  }
  return { row: rollUp(samples, TREND_WINDOW_MS), sketch };
}

export function encodeSummary({ row, sketch }: Summary, start: number): Uint8Array {
  const rollups = encodeRollups(row, start);
  const bins = sketch.encode();
  const bytes = new Uint8Array(4 + rollups.byteLength + bins.byteLength);
  writeU32(bytes, 0, rollups.byteLength);
  bytes.set(rollups, 4);
  bytes.set(bins, 4 + rollups.byteLength);
  return bytes;
}

/** What outlives samples: a row of a minute with its sketch, the rows of its seconds. */
export type RollupLevel = 'seconds' | 'minutes';

/**
 * Of two rollups of one minute, or hour, the one of more samples; of as many, the one whose bytes are greater: whatever the
 * order in which replicas exchange them, they end with the same one.
 * @throws TocsinError DATA_CORRUPT when the other one is none
 */
export function betterRollup(
  level: RollupLevel | 'hours',
  known: Uint8Array | undefined,
  other: Uint8Array,
  start: number,
  sketches: SketchMaker,
): Uint8Array {
  const samplesIn = (bytes: Uint8Array): number =>
    level === 'seconds'
      ? samplesOf(decodeRollups(bytes, 1_000, start))
      : samplesOf(decodeSummary(bytes, STEPS[level], start, sketches).row);
  const theirs = samplesIn(other);
  if (known === undefined) return other;
  const mine = samplesIn(known);
  if (mine !== theirs) return mine > theirs ? known : other;
  return Buffer.compare(known, other) >= 0 ? known : other;
}

const STEPS = { minutes: TREND_WINDOW_MS, hours: TREND_HOUR_MS } as const;

const samplesOf = ({ counts, missing }: Rollups): number => sum(counts) + sum(missing);

const sum = (column: Float64Array): number => column.reduce((total, one) => total + one, 0);

/** @throws TocsinError DATA_CORRUPT */
export function decodeSummary(
  bytes: Uint8Array,
  stepMs: number,
  start: number,
  sketches: SketchMaker,
): Summary {
  const length = bytes.byteLength < 4 ? Number.NaN : readU32(bytes, 0);
  if (!(4 + length <= bytes.byteLength))
    throw new TocsinError('DATA_CORRUPT', 'a rollup is cut off');
  const row = decodeRollups(bytes.subarray(4, 4 + length), stepMs, start);
  return { row, sketch: sketches.decode(bytes.subarray(4 + length)) };
}
