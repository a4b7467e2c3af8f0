import { must } from '../base/assert.ts';
import {
  TREND_BLOCK_SAMPLES,
  TREND_FUTURE_MS_MAX,
  TREND_RAW_MS_MAX,
  TREND_SAMPLES_HELD_MAX,
  TREND_WINDOW_MS,
  TREND_WINDOWS_OPEN_MAX,
} from '../base/trend-limits.ts';
import { type Chunk, joinChunks } from './chunk.ts';
import { SamplePool } from './sample-pool.ts';
import { compareSamples } from './samples.ts';
import { SampleWindow, windowOf } from './window.ts';

/**
 * What became of a sample. Taken: in order; or behind another of its series, which is as good. Refused: older than samples
 * are kept, further ahead than a clock may be, or one too many. All are counted, and the sender is told.
 */
export const VERDICT = { inOrder: 0, behind: 1, tooOld: 2, tooNew: 3, noRoom: 4 } as const;
export type Verdict = (typeof VERDICT)[keyof typeof VERDICT];

const PLACES_AT_FIRST = 256;

/** The latest sample of a series, by device time. */
export interface Latest {
  readonly time: number;
  readonly value: number;
  readonly quality: number;
  readonly receivedAt: number;
}

/** Samples of one series and window that are to be written out. */
export interface Leaving {
  readonly place: number;
  readonly window: SampleWindow;
}

/**
 * The samples that are not on disk yet, and the latest of each series. Series are known by their places. A window that
 * was taken out to be written stays visible until `written`.
 */
export class TrendStore {
  /** By place: the newest window, which nearly every sample belongs to. */
  readonly #newest: (SampleWindow | undefined)[] = [];
  /** By place: older windows that still take samples. */
  readonly #older: Map<number, SampleWindow[]> = new Map();
  readonly #leaving: Map<number, SampleWindow[]> = new Map();
  /** Of series that had more windows than may be open. */
  #overdue: Leaving[] = [];
  readonly #pool: SamplePool = new SamplePool();
  #latestTimes = new Float64Array(PLACES_AT_FIRST).fill(-Infinity);
  #latestValues = new Float64Array(PLACES_AT_FIRST);
  #latestQualities = new Uint8Array(PLACES_AT_FIRST);
  #latestReceived = new Float64Array(PLACES_AT_FIRST);
  #oldest = 0;
  #furthest = 0;
  #receivedAt = 0;
  #held = 0;

  /** Samples in memory, those on their way to disk included. */
  get held(): number {
    return this.#held;
  }

  /** Samples that there is memory for. It shrinks, some minutes later, when fewer are held. */
  get room(): number {
    return this.#pool.room * TREND_BLOCK_SAMPLES;
  }

  /** What follows was received now; in milliseconds since 1970. */
  receive(now: number): void {
    this.#receivedAt = now;
    this.#oldest = now - TREND_RAW_MS_MAX;
    this.#furthest = now + TREND_FUTURE_MS_MAX;
  }

  append(place: number, time: number, value: number, quality: number): Verdict {
    if (time < this.#oldest) return VERDICT.tooOld;
    if (time > this.#furthest) return VERDICT.tooNew;
    if (this.#held >= TREND_SAMPLES_HELD_MAX) return VERDICT.noRoom;
    let window = this.#newest[place];
    if (window === undefined || time < window.start || time >= window.start + TREND_WINDOW_MS)
      window = this.#windowFor(place, windowOf(time));
    if (!window.append(time, value, quality, this.#receivedAt)) return VERDICT.noRoom;
    this.#held += 1;
    if (place >= this.#latestTimes.length) this.#makeRoom(place);
    if (time <= (this.#latestTimes[place] as number)) {
      this.#preferLatest(place, time, value, quality);
      return VERDICT.behind;
    }
    this.#latestTimes[place] = time;
    this.#latestValues[place] = value;
    this.#latestQualities[place] = quality;
    this.#latestReceived[place] = this.#receivedAt;
    return VERDICT.inOrder;
  }

  /** Of two samples of the latest time the one that stands is the latest, as it is wherever else they are told. */
  #preferLatest(place: number, time: number, value: number, quality: number): void {
    if (time !== this.#latestTimes[place]) return;
    const known = this.#latestValues[place] as number;
    if (compareSamples(value, quality, known, this.#latestQualities[place] as number) <= 0) return;
    this.#latestValues[place] = value;
    this.#latestQualities[place] = quality;
  }

  /** A sample that is on disk already; it is the latest unless a later one is known. */
  recall(place: number, { time, value, quality, receivedAt }: Latest): void {
    if (place >= this.#latestTimes.length) this.#makeRoom(place);
    if (time <= (this.#latestTimes[place] as number)) {
      this.#preferLatest(place, time, value, quality);
      return;
    }
    this.#latestTimes[place] = time;
    this.#latestValues[place] = value;
    this.#latestQualities[place] = quality;
    this.#latestReceived[place] = receivedAt;
  }

  latest(place: number): Latest | undefined {
    const time = this.#latestTimes[place] ?? -Infinity;
    if (time === -Infinity) return undefined;
    return {
      time,
      value: this.#latestValues[place] as number,
      quality: this.#latestQualities[place] as number,
      receivedAt: this.#latestReceived[place] as number,
    };
  }

  /** What memory holds of a window; undefined = nothing. */
  chunk(place: number, start: number): Chunk | undefined {
    let chunk: Chunk | undefined;
    for (const window of this.#windowsOf(place)) {
      if (window.start !== start || window.count === 0) continue;
      chunk = chunk === undefined ? window.chunk() : joinChunks(chunk, window.chunk());
    }
    return chunk;
  }

  /** Starts of the windows of which memory holds something, each once. */
  windows(place: number): readonly number[] {
    return [...new Set([...this.#windowsOf(place)].map((window) => window.start))];
  }

  /** Takes out the windows that end at `cutoff` or before, and those of series with too many. To be called each minute. */
  takeEnded(cutoff: number): readonly Leaving[] {
    this.#pool.rest();
    const taken = this.#overdue;
    this.#overdue = [];
    for (const [place, windows] of this.#older) {
      const kept = windows.filter((window) => window.start + TREND_WINDOW_MS > cutoff);
      for (const window of windows) if (!kept.includes(window)) taken.push({ place, window });
      if (kept.length > 0) this.#older.set(place, kept);
      else this.#older.delete(place);
    }
    for (const [place, window] of this.#newest.entries()) {
      if (window === undefined || window.start + TREND_WINDOW_MS > cutoff) continue;
      this.#newest[place] = undefined;
      taken.push({ place, window });
    }
    for (const one of taken) this.#leave(one);
    return taken;
  }

  /** The windows that still take samples. */
  open(): readonly Leaving[] {
    const all: Leaving[] = [];
    for (const [place, window] of this.#newest.entries())
      if (window !== undefined) all.push({ place, window });
    for (const [place, windows] of this.#older)
      for (const window of windows) all.push({ place, window });
    return all;
  }

  /** What was taken out is on disk. */
  written({ place, window }: Leaving): void {
    const left = must(this.#leaving.get(place), `nothing of place ${place} is leaving`);
    const rest = left.filter((one) => one !== window);
    if (rest.length > 0) this.#leaving.set(place, rest);
    else this.#leaving.delete(place);
    this.#held -= window.appended;
    window.release();
  }

  #leave({ place, window }: Leaving): void {
    const leaving = this.#leaving.get(place);
    if (leaving === undefined) this.#leaving.set(place, [window]);
    else if (!leaving.includes(window)) leaving.push(window);
  }

  *#windowsOf(place: number): Iterable<SampleWindow> {
    const newest = this.#newest[place];
    if (newest !== undefined) yield newest;
    yield* this.#older.get(place) ?? [];
    yield* this.#leaving.get(place) ?? [];
  }

  /** The open window that begins at `start`; opens it if there is none. */
  #windowFor(place: number, start: number): SampleWindow {
    const newest = this.#newest[place];
    const older = this.#older.get(place) ?? [];
    const known = older.find((window) => window.start === start);
    if (known !== undefined) return known;
    const window = new SampleWindow(start, this.#pool);
    if (newest === undefined) {
      this.#newest[place] = window;
      return window;
    }
    const isNewer = start > newest.start;
    older.push(isNewer ? newest : window);
    if (isNewer) this.#newest[place] = window;
    this.#older.set(place, older);
    if (older.length >= TREND_WINDOWS_OPEN_MAX) this.#pushOut(place, older, window);
    return window;
  }

  /** The oldest has to go, but never the one that a sample is just about to be put into. */
  #pushOut(place: number, older: SampleWindow[], wanted: SampleWindow): void {
    const candidates = older.filter((window) => window !== wanted);
    const oldest = candidates.reduce((a, b) => (b.start < a.start ? b : a));
    older.splice(older.indexOf(oldest), 1);
    const leaving = { place, window: oldest };
    this.#leave(leaving);
    this.#overdue.push(leaving);
  }

  #makeRoom(place: number): void {
    const room = Math.max(place + 1, this.#latestTimes.length * 2);
    const times = new Float64Array(room).fill(-Infinity);
    const values = new Float64Array(room);
    const received = new Float64Array(room);
    const qualities = new Uint8Array(room);
    times.set(this.#latestTimes);
    values.set(this.#latestValues);
    received.set(this.#latestReceived);
    qualities.set(this.#latestQualities);
    this.#latestTimes = times;
    this.#latestValues = values;
    this.#latestReceived = received;
    this.#latestQualities = qualities;
  }
}
