import { isUsable, NO_SAMPLES, type Samples } from './samples.ts';

/** Fewer points for a plot. Samples without a usable value are left out: they are gaps. */

/**
 * The least and the greatest of each of `buckets` equal stretches of time, in order: no peak is lost.
 * At most two points a bucket.
 */
export function minMax(samples: Samples, from: number, to: number, buckets: number): Samples {
  const width = (to - from) / buckets;
  const kept: number[] = [];
  let bucket = -1;
  let least = -1;
  let greatest = -1;
  const close = (): void => {
    if (least < 0) return;
    kept.push(Math.min(least, greatest));
    if (least !== greatest) kept.push(Math.max(least, greatest));
  };
  for (let i = 0; i < samples.times.length; i += 1) {
    const value = samples.values[i] as number;
    const time = samples.times[i] as number;
    if (time < from || time >= to || !isUsable(value, samples.qualities[i] as number)) continue;
    const here = Math.floor((time - from) / width);
    if (here !== bucket) {
      close();
      bucket = here;
      least = i;
      greatest = i;
      continue;
    }
    if (value < (samples.values[least] as number)) least = i;
    if (value > (samples.values[greatest] as number)) greatest = i;
  }
  close();
  return pick(samples, kept);
}

/**
 * Largest-Triangle-Three-Buckets (Steinarsson, University of Iceland, 2013): of each bucket the point that spans the
 * largest triangle with the point kept before and the mean of the bucket after; looks like the whole.
 */
export function lttb(samples: Samples, points: number): Samples {
  const usable = usablePlaces(samples);
  if (usable.length <= points || points < 3) return pick(samples, usable.slice(0, usable.length));
  const every = (usable.length - 2) / (points - 2);
  const kept: number[] = [usable[0] as number];
  for (let bucket = 0; bucket < points - 2; bucket += 1) {
    const begin = Math.floor(bucket * every) + 1;
    const end = Math.floor((bucket + 1) * every) + 1;
    const after = usable.slice(end, Math.min(Math.floor((bucket + 2) * every) + 1, usable.length));
    const mean = meanOf(samples, after.length > 0 ? after : usable.slice(-1));
    kept.push(farthest(samples, usable.slice(begin, end), kept.at(-1) as number, mean));
  }
  kept.push(usable.at(-1) as number);
  return pick(samples, kept);
}

interface Point {
  readonly time: number;
  readonly value: number;
}

function meanOf(samples: Samples, places: readonly number[]): Point {
  let time = 0;
  let value = 0;
  for (const place of places) {
    time += samples.times[place] as number;
    value += samples.values[place] as number;
  }
  return { time: time / places.length, value: value / places.length };
}

function farthest(
  samples: Samples,
  places: readonly number[],
  before: number,
  after: Point,
): number {
  const time = samples.times[before] as number;
  const value = samples.values[before] as number;
  let best = places[0] as number;
  let bestArea = -1;
  for (const place of places) {
    const area = Math.abs(
      (time - after.time) * ((samples.values[place] as number) - value) -
        (time - (samples.times[place] as number)) * (after.value - value),
    );
    if (area > bestArea) {
      bestArea = area;
      best = place;
    }
  }
  return best;
}

function usablePlaces(samples: Samples): number[] {
  const places: number[] = [];
  for (let i = 0; i < samples.times.length; i += 1)
    if (isUsable(samples.values[i] as number, samples.qualities[i] as number)) places.push(i);
  return places;
}

function pick(samples: Samples, places: readonly number[]): Samples {
  if (places.length === 0) return NO_SAMPLES;
  return {
    times: Float64Array.from(places, (place) => samples.times[place] as number),
    values: Float64Array.from(places, (place) => samples.values[place] as number),
    qualities: Uint8Array.from(places, (place) => samples.qualities[place] as number),
  };
}
