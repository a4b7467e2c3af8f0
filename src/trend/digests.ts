import { hashBytes, mix } from '../base/hash.ts';
import type { SeriesId } from './series.ts';

/**
 * How two replicas find out what one has and the other lacks, telling little: first one number for each series and hour,
 * then, where those differ, one for each window. What differs is fetched and joined; as joining is commutative,
 * associative and idempotent, replicas that go on doing so become equal, whatever was lost, repeated or cut off meanwhile.
 */

/** Of one chunk: equal bytes, equal digest. */
export interface WindowDigest {
  readonly start: number;
  readonly digest: number;
}

/** Of all chunks of one series in one hour. */
export interface SeriesDigest {
  readonly series: SeriesId;
  readonly digest: number;
}

export const chunkDigest = (chunk: Uint8Array): number => hashBytes(chunk);

/** Of windows in order of time. */
export const hourDigest = (windows: readonly WindowDigest[]): number =>
  windows.reduce((digest, window) => mix(digest, window.start, window.digest), 0);

/** Series of which the other side holds something else than this one. */
export function differingSeries(
  mine: ReadonlyMap<SeriesId, number>,
  theirs: readonly SeriesDigest[],
): readonly SeriesId[] {
  return theirs.flatMap(({ series, digest }) => (mine.get(series) === digest ? [] : [series]));
}

/** Starts of windows of which the other side holds something else than this one. */
export function differingWindows(
  mine: readonly WindowDigest[],
  theirs: readonly WindowDigest[],
): readonly number[] {
  const own = new Map(mine.map(({ start, digest }) => [start, digest]));
  return theirs.flatMap(({ start, digest }) => (own.get(start) === digest ? [] : [start]));
}
