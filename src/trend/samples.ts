import { assert } from '../base/assert.ts';

/**
 * Samples of one series in columns: times ascending, no time twice. A set of samples is a lattice: `join` is commutative,
 * associative and idempotent, so replicas that exchange what they have, in any order and however often, end up equal.
 */
export interface Samples {
  /** Device time, whole milliseconds since 1970. */
  readonly times: Float64Array;
  /** NaN = the device said that it has no value: information, not a gap. */
  readonly values: Float64Array;
  /** See QUALITY. */
  readonly qualities: Uint8Array;
}

/** How far a value can be believed. Smaller is better. */
export const QUALITY = {
  good: 0,
  /** The device doubts it. */
  questionable: 1,
  /** The device, or the artefact gate, disowns it: kept as evidence, part of no rollup and no rule. */
  invalid: 2,
  /** A device under test or demonstration. */
  test: 3,
} as const;

export const QUALITY_MAX = 3;

export const NO_SAMPLES: Samples = {
  times: new Float64Array(0),
  values: new Float64Array(0),
  qualities: new Uint8Array(0),
};

/** Whether the value counts in rollups and rules. */
export const isUsable = (value: number, quality: number): boolean =>
  quality < QUALITY.invalid && Number.isFinite(value);

/**
 * Which of two samples of one time stands: what is there before what is missing, the better quality, then the greater
 * value. A total order, so the result does not depend on who came first. Positive = the first stands.
 */
export function compareSamples(
  value: number,
  quality: number,
  otherValue: number,
  otherQuality: number,
): number {
  const isMissing = Number.isNaN(value);
  const isOtherMissing = Number.isNaN(otherValue);
  if (isMissing !== isOtherMissing) return isMissing ? -1 : 1;
  if (quality !== otherQuality) return otherQuality - quality;
  return isMissing ? 0 : value - otherValue;
}

/** The samples of both; where both have one of the same time, the one that `compareSamples` prefers. */
export function join(a: Samples, b: Samples): Samples {
  if (a.times.length === 0) return b;
  if (b.times.length === 0) return a;
  const room = a.times.length + b.times.length;
  const times = new Float64Array(room);
  const values = new Float64Array(room);
  const qualities = new Uint8Array(room);
  let count = 0;
  let i = 0;
  let j = 0;
  while (i < a.times.length || j < b.times.length) {
    const mine = a.times[i] ?? Infinity;
    const other = b.times[j] ?? Infinity;
    const takesMine = mine < other || (mine === other && isPreferred(a, i, b, j));
    const from = takesMine ? a : b;
    const at = takesMine ? i : j;
    times[count] = takesMine ? mine : other;
    values[count] = from.values[at] as number;
    qualities[count] = from.qualities[at] as number;
    count += 1;
    if (mine <= other) i += 1;
    if (other <= mine) j += 1;
  }
  return slice({ times, values, qualities }, 0, count);
}

const isPreferred = (a: Samples, i: number, b: Samples, j: number): boolean =>
  compareSamples(
    a.values[i] as number,
    a.qualities[i] as number,
    b.values[j] as number,
    b.qualities[j] as number,
  ) >= 0;

/** Those from `from` on and before `to`, both places; shares memory. */
export const slice = (samples: Samples, from: number, to: number): Samples => ({
  times: samples.times.subarray(from, to),
  values: samples.values.subarray(from, to),
  qualities: samples.qualities.subarray(from, to),
});

/** Those of times from `from` on and before `to`; shares memory. */
export const between = (samples: Samples, from: number, to: number): Samples =>
  slice(samples, placeOf(samples.times, from), placeOf(samples.times, to));

/** Where the first time that is not before `time` stands. */
function placeOf(times: Float64Array, time: number): number {
  let low = 0;
  let high = times.length;
  while (low < high) {
    const middle = (low + high) >>> 1;
    if ((times[middle] as number) < time) low = middle + 1;
    else high = middle;
  }
  return low;
}

/** One after the other; each begins after the one before has ended. */
export function concat(pieces: readonly Samples[]): Samples {
  const held = pieces.filter((piece) => piece.times.length > 0);
  const [only] = held;
  if (only === undefined) return NO_SAMPLES;
  if (held.length === 1) return only;
  const count = held.reduce((total, piece) => total + piece.times.length, 0);
  const times = new Float64Array(count);
  const values = new Float64Array(count);
  const qualities = new Uint8Array(count);
  let at = 0;
  for (const piece of held) {
    const before = times[at - 1] ?? -Infinity;
    assert((piece.times[0] as number) > before, `a piece begins before ${before}`);
    times.set(piece.times, at);
    values.set(piece.values, at);
    qualities.set(piece.qualities, at);
    at += piece.times.length;
  }
  return { times, values, qualities };
}
