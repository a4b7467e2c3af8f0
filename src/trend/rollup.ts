import { TocsinError } from '../base/errors.ts';
import { BitReader, BitWriter } from './bits.ts';
import { isUsable, type Samples } from './samples.ts';
import { readValues, writeValues } from './value-codec.ts';

/**
 * What a stretch of samples came to, in columns: one row for each step in which there was anything. Rows are computed from
 * joined samples, never by adding up what arrived, so a sample that comes twice counts once.
 */
export interface Rollups {
  /** Length of a step in milliseconds; a row's start is a multiple of it. */
  readonly stepMs: number;
  readonly starts: Float64Array;
  /** Usable values. Where it is 0 the columns from `mins` on are NaN. */
  readonly counts: Float64Array;
  /** Samples that say that there is no value, or whose value is not to be believed. */
  readonly missing: Float64Array;
  readonly mins: Float64Array;
  readonly maxs: Float64Array;
  readonly means: Float64Array;
  readonly firsts: Float64Array;
  readonly lasts: Float64Array;
}

const VALUE_COLUMNS = ['mins', 'maxs', 'means', 'firsts', 'lasts'] as const;
const COLUMNS = ['starts', 'counts', 'missing', ...VALUE_COLUMNS] as const;
type Columns = Readonly<Record<(typeof COLUMNS)[number], Float64Array>>;

const columnsOf = (room: number): Columns => ({
  starts: new Float64Array(room),
  counts: new Float64Array(room),
  missing: new Float64Array(room),
  mins: new Float64Array(room).fill(Number.NaN),
  maxs: new Float64Array(room).fill(Number.NaN),
  means: new Float64Array(room).fill(Number.NaN),
  firsts: new Float64Array(room).fill(Number.NaN),
  lasts: new Float64Array(room).fill(Number.NaN),
});

/** One pass over samples in order of time. */
export function rollUp(samples: Samples, stepMs: number): Rollups {
  const { times, values, qualities } = samples;
  const into = columnsOf(stepsOf(times, stepMs));
  let row = -1;
  for (let i = 0; i < times.length; i += 1) {
    const start = Math.floor((times[i] as number) / stepMs) * stepMs;
    if (row < 0 || into.starts[row] !== start) {
      row += 1;
      into.starts[row] = start;
    }
    const value = values[i] as number;
    if (isUsable(value, qualities[i] as number))
      take(into, row, 1, value, value, value, value, value);
    else into.missing[row] = (into.missing[row] as number) + 1;
  }
  return { stepMs, ...into };
}

/** The same of longer steps: each a multiple of the shorter. */
export function coarsen(rollups: Rollups, stepMs: number): Rollups {
  const into = columnsOf(stepsOf(rollups.starts, stepMs));
  let row = -1;
  for (let i = 0; i < rollups.starts.length; i += 1) {
    const start = Math.floor((rollups.starts[i] as number) / stepMs) * stepMs;
    if (row < 0 || into.starts[row] !== start) {
      row += 1;
      into.starts[row] = start;
    }
    into.missing[row] = (into.missing[row] as number) + (rollups.missing[i] as number);
    const count = rollups.counts[i] as number;
    if (count === 0) continue;
    const [min, max, mean, first, last] = VALUE_COLUMNS.map((name) => rollups[name][i] as number);
    take(
      into,
      row,
      count,
      min as number,
      max as number,
      mean as number,
      first as number,
      last as number,
    );
  }
  return { stepMs, ...into };
}

function take(
  into: Columns,
  row: number,
  count: number,
  min: number,
  max: number,
  mean: number,
  first: number,
  last: number,
): void {
  const before = into.counts[row] as number;
  const total = before + count;
  into.counts[row] = total;
  into.lasts[row] = last;
  if (before === 0) {
    into.firsts[row] = first;
    into.mins[row] = min;
    into.maxs[row] = max;
    into.means[row] = mean;
    return;
  }
  if (min < (into.mins[row] as number)) into.mins[row] = min;
  if (max > (into.maxs[row] as number)) into.maxs[row] = max;
  const old = into.means[row] as number;
  const step = ((mean - old) * count) / total;
  // Near the ends of the range the difference is infinite, though the mean is not.
  into.means[row] = Number.isFinite(step)
    ? old + step
    : old * ((total - count) / total) + mean * (count / total);
}

function stepsOf(times: Float64Array, stepMs: number): number {
  let count = 0;
  let before = Number.NaN;
  for (const time of times) {
    const step = Math.floor(time / stepMs);
    if (step !== before) count += 1;
    before = step;
  }
  return count;
}

/** Rows of starts from `from` on and before `to`. */
export function rowsBetween(rollups: Rollups, from: number, to: number): Rollups {
  const first = rollups.starts.findIndex((start) => start >= from);
  const after = rollups.starts.findIndex((start) => start >= to);
  const begin = first < 0 ? rollups.starts.length : first;
  const end = after < 0 ? rollups.starts.length : after;
  const cut = COLUMNS.map((name) => [name, rollups[name].subarray(begin, end)] as const);
  return { stepMs: rollups.stepMs, ...(Object.fromEntries(cut) as unknown as Columns) };
}

/** One after the other, in order of time. */
export function concatRollups(stepMs: number, pieces: readonly Rollups[]): Rollups {
  const room = pieces.reduce((total, piece) => total + piece.starts.length, 0);
  const into = columnsOf(room);
  let at = 0;
  for (const piece of pieces) {
    for (const name of COLUMNS) into[name].set(piece[name], at);
    at += piece.starts.length;
  }
  return { stepMs, ...into };
}

/** Rows as bytes, without loss; `start` is at or before the first. */
export function encodeRollups(rollups: Rollups, start: number): Uint8Array {
  const count = rollups.starts.length;
  const out = new BitWriter(32 + count * 8);
  out.write(count, 16);
  writeValues(
    out,
    rollups.starts.map((one) => (one - start) / rollups.stepMs),
  );
  writeValues(out, rollups.counts);
  writeValues(out, rollups.missing);
  const hasValue = rollups.counts.map((one) => (one > 0 ? 1 : 0));
  for (const name of VALUE_COLUMNS)
    writeValues(
      out,
      rollups[name].filter((_value, at) => hasValue[at] === 1),
    );
  return out.finish();
}

/** @throws TocsinError DATA_CORRUPT */
export function decodeRollups(bytes: Uint8Array, stepMs: number, start: number): Rollups {
  const bits = new BitReader(bytes);
  const count = bits.read(16);
  const starts = readValues(bits, count).map((step) => start + step * stepMs);
  const counts = readValues(bits, count);
  const missing = readValues(bits, count);
  const present = counts.reduce((total, one) => total + (one > 0 ? 1 : 0), 0);
  const into = columnsOf(count);
  for (const name of VALUE_COLUMNS) {
    const values = readValues(bits, present);
    let at = 0;
    for (let row = 0; row < count; row += 1) {
      if ((counts[row] as number) <= 0) continue;
      into[name][row] = values[at] as number;
      at += 1;
    }
  }
  if (starts.some((one, at) => at > 0 && one <= (starts[at - 1] as number)))
    throw new TocsinError('DATA_CORRUPT', 'rollups whose times do not grow');
  return { ...into, stepMs, starts, counts, missing };
}
