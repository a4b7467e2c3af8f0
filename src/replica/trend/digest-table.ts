import {
  TREND_DIGESTS_AT_HAND,
  TREND_HOUR_MS,
  TREND_HOURS_AT_HAND,
  TREND_MINUTES_MS_MAX,
  TREND_WINDOW_MS,
} from '../../base/trend-limits.ts';
import type { TrendDisk } from '../../storage/trend/trend-disk.ts';
import { chunkDigest, hourDigest, type WindowDigest } from '../../trend/digests.ts';
import type { SeriesId } from '../../trend/series.ts';
import type { ComparedLevel } from '../../wire/trend/trend-messages.ts';
import { keyOf, startOf } from './keys.ts';

/** All of which rollups of minutes are kept. */
const HOURS_KNOWN_MAX = TREND_MINUTES_MS_MAX / TREND_HOUR_MS;
const WINDOWS_PER_HOUR = TREND_HOUR_MS / TREND_WINDOW_MS;

export const hourOf = (time: number): number => Math.floor(time / TREND_HOUR_MS) * TREND_HOUR_MS;

type Hour = Map<SeriesId, Float64Array>;

const descending = (a: number, b: number): number => b - a;

/** Digests of what is on disk of a level, by hour; those of the newer hours are at hand, the others are read when asked for. */
export class DigestTable {
  readonly #disk: TrendDisk;
  readonly #level: ComparedLevel;
  readonly #series: () => Iterable<SeriesId>;
  readonly #hours: Map<number, Hour> = new Map();
  readonly #loading: Map<number, Promise<Hour>> = new Map();

  constructor(disk: TrendDisk, level: ComparedLevel, series: () => Iterable<SeriesId>) {
    this.#level = level;
    this.#disk = disk;
    this.#series = series;
  }

  /** A chunk was put on disk. */
  put(series: SeriesId, start: number, chunk: Uint8Array): void {
    const hour = this.#hours.get(hourOf(start));
    // Whoever is reading the hour may have read the old chunk.
    this.#loading.delete(hourOf(start));
    if (hour !== undefined) set(hour, series, start, chunk);
  }

  /** Of all series that have something in the hour, windows that begin before `before` only. */
  async ofSeries(hour: number, before: number): Promise<ReadonlyMap<SeriesId, number>> {
    const digests = new Map<SeriesId, number>();
    for (const [series, windows] of await this.#load(hour)) {
      const held = listOf(hour, windows, before);
      if (held.length > 0) digests.set(series, hourDigest(held));
    }
    return digests;
  }

  async ofWindows(
    hour: number,
    series: SeriesId,
    before: number,
  ): Promise<readonly WindowDigest[]> {
    const windows = (await this.#load(hour)).get(series);
    return windows === undefined ? [] : listOf(hour, windows, before);
  }

  async #load(hour: number): Promise<Hour> {
    const known = this.#hours.get(hour) ?? this.#loading.get(hour);
    if (known !== undefined) return await known;
    const loading = this.#read(hour);
    this.#loading.set(hour, loading);
    const read = await loading.catch((error: unknown) => {
      // It is read anew when it is asked for again.
      if (this.#loading.get(hour) === loading) this.#loading.delete(hour);
      throw error;
    });
    // A chunk that was written meanwhile is not in it: such an hour is read again next time.
    if (this.#loading.get(hour) !== loading) return read;
    this.#loading.delete(hour);
    this.#hours.set(hour, read);
    this.#forget();
    return read;
  }

  /** Asking for it costs no reading. */
  isAtHand(hour: number): boolean {
    return this.#hours.has(hour);
  }

  /** The oldest of those that hold something; one that holds nothing takes no room, and need not be read again. */
  #forget(): void {
    const held = [...this.#hours.keys()].filter((hour) => this.#sizeOf(hour) > 0).sort(descending);
    let windows = 0;
    for (const [at, hour] of held.entries()) {
      windows += this.#sizeOf(hour) * WINDOWS_PER_HOUR;
      if (at >= TREND_HOURS_AT_HAND && windows > TREND_DIGESTS_AT_HAND) this.#hours.delete(hour);
    }
    if (this.#hours.size > HOURS_KNOWN_MAX) this.#hours.delete(Math.min(...this.#hours.keys()));
  }

  #sizeOf(hour: number): number {
    return this.#hours.get(hour)?.size ?? 0;
  }

  async #read(hour: number): Promise<Hour> {
    const read: Hour = new Map();
    for (const series of [...this.#series()]) {
      const from = keyOf(this.#level, series, hour);
      const to = keyOf(this.#level, series, hour + TREND_HOUR_MS);
      for await (const [key, chunk] of this.#disk.scan(from, to))
        set(read, series, startOf(key), chunk);
    }
    return read;
  }
}

function set(hour: Hour, series: SeriesId, start: number, chunk: Uint8Array): void {
  let windows = hour.get(series);
  if (windows === undefined) {
    windows = new Float64Array(WINDOWS_PER_HOUR).fill(Number.NaN);
    hour.set(series, windows);
  }
  windows[(start % TREND_HOUR_MS) / TREND_WINDOW_MS] = chunkDigest(chunk);
}

function listOf(hour: number, windows: Float64Array, before: number): readonly WindowDigest[] {
  const held: WindowDigest[] = [];
  for (const [at, digest] of windows.entries()) {
    const start = hour + at * TREND_WINDOW_MS;
    if (!Number.isNaN(digest) && start < before) held.push({ start, digest });
  }
  return held;
}
