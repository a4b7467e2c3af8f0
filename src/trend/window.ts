import { TREND_WINDOW_MS, TREND_WINDOW_SAMPLES_MAX } from '../base/trend-limits.ts';
import { type Chunk, toDelay } from './chunk.ts';
import { compareSamples, type Samples } from './samples.ts';

const ROOM_AT_FIRST = 64;

/** The first millisecond of the window in which `time` lies. */
export const windowOf = (time: number): number =>
  Math.floor(time / TREND_WINDOW_MS) * TREND_WINDOW_MS;

/**
 * Samples of one series and window as they arrive. In order they are appended to typed arrays, 13 bytes each, and nothing
 * is allocated once the arrays have their size; what comes late, or twice, is put in order when somebody looks.
 */
export class SampleWindow {
  #start: number;
  #offsets = new Int32Array(ROOM_AT_FIRST);
  #values = new Float64Array(ROOM_AT_FIRST);
  #qualities = new Uint8Array(ROOM_AT_FIRST);
  #count = 0;
  #isInOrder = true;
  #minDelay = Infinity;
  #maxDelay = -Infinity;

  constructor(start: number) {
    this.#start = start;
  }

  get start(): number {
    return this.#start;
  }

  /** Duplicates that were not found yet included. */
  get count(): number {
    return this.#count;
  }

  /** Empties it for another window; the arrays stay. */
  reuse(start: number): void {
    this.#start = start;
    this.#count = 0;
    this.#isInOrder = true;
    this.#minDelay = Infinity;
    this.#maxDelay = -Infinity;
  }

  /** False = it is full, and the sample was not taken. `time` lies in the window. */
  append(time: number, value: number, quality: number, receivedAt: number): boolean {
    if (this.#count === this.#offsets.length && !this.#makeRoom()) return false;
    const offset = time - this.#start;
    const at = this.#count;
    if (at > 0 && offset <= (this.#offsets[at - 1] as number)) this.#isInOrder = false;
    this.#offsets[at] = offset;
    this.#values[at] = value;
    this.#qualities[at] = quality;
    this.#count = at + 1;
    const delay = receivedAt - time;
    if (delay < this.#minDelay) this.#minDelay = delay;
    if (delay > this.#maxDelay) this.#maxDelay = delay;
    return true;
  }

  /** What it holds, as it is kept; at least one sample was appended. */
  chunk(): Chunk {
    const delays = { minMs: toDelay(this.#minDelay), maxMs: toDelay(this.#maxDelay) };
    return { samples: this.samples(), delays };
  }

  /** A copy, in order. */
  samples(): Samples {
    if (!this.#isInOrder) this.#order();
    const count = this.#count;
    const times = new Float64Array(count);
    for (let i = 0; i < count; i += 1) times[i] = this.#start + (this.#offsets[i] as number);
    return {
      times,
      values: this.#values.slice(0, count),
      qualities: this.#qualities.slice(0, count),
    };
  }

  #makeRoom(): boolean {
    if (!this.#isInOrder) this.#order();
    const room = this.#offsets.length;
    if (this.#count < room) return true;
    if (room >= TREND_WINDOW_SAMPLES_MAX) return false;
    const more = Math.min(TREND_WINDOW_SAMPLES_MAX, room * 2);
    const { offsets, values, qualities } = {
      offsets: new Int32Array(more),
      values: new Float64Array(more),
      qualities: new Uint8Array(more),
    };
    offsets.set(this.#offsets);
    values.set(this.#values);
    qualities.set(this.#qualities);
    this.#offsets = offsets;
    this.#values = values;
    this.#qualities = qualities;
    return true;
  }

  /** By time, one of each: the one that `compareSamples` prefers. */
  #order(): void {
    const places = Uint32Array.from({ length: this.#count }, (_, at) => at);
    places.sort((a, b) => this.#compare(a, b));
    const offsets = Int32Array.from(places, (place) => this.#offsets[place] as number);
    const values = Float64Array.from(places, (place) => this.#values[place] as number);
    const qualities = Uint8Array.from(places, (place) => this.#qualities[place] as number);
    let count = 0;
    for (let i = 0; i < offsets.length; i += 1) {
      if (i > 0 && offsets[i] === offsets[i - 1]) continue;
      this.#offsets[count] = offsets[i] as number;
      this.#values[count] = values[i] as number;
      this.#qualities[count] = qualities[i] as number;
      count += 1;
    }
    this.#count = count;
    this.#isInOrder = true;
  }

  #compare(a: number, b: number): number {
    const byTime = (this.#offsets[a] as number) - (this.#offsets[b] as number);
    if (byTime !== 0) return byTime;
    return compareSamples(
      this.#values[b] as number,
      this.#qualities[b] as number,
      this.#values[a] as number,
      this.#qualities[a] as number,
    );
  }
}
