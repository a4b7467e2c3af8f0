import {
  TREND_BLOCK_SAMPLES,
  TREND_WINDOW_MS,
  TREND_WINDOW_SAMPLES_MAX,
} from '../base/trend-limits.ts';
import { type Chunk, toDelay } from './chunk.ts';
import { baseOf, type SamplePool, type Slab } from './sample-pool.ts';
import { compareSamples, type Samples } from './samples.ts';

/** The first millisecond of the window in which `time` lies. */
export const windowOf = (time: number): number =>
  Math.floor(time / TREND_WINDOW_MS) * TREND_WINDOW_MS;

/**
 * Samples of one series and window as they arrive, in blocks of a pool. In order they are appended, and nothing is
 * allocated; what comes late, or twice, is put in order when somebody looks.
 */
export class SampleWindow {
  readonly start: number;
  /** Appended so far, whatever became of duplicates. */
  appended = 0;
  readonly #pool: SamplePool;
  readonly #blocks: number[] = [];
  /** Of the newest block; where the next sample goes, and where its room ends. */
  #slab: Slab | undefined;
  #at = 0;
  #end = 0;
  #count = 0;
  #newest = -1;
  #isInOrder = true;
  #minDelay = Infinity;
  #maxDelay = -Infinity;

  constructor(start: number, pool: SamplePool) {
    this.start = start;
    this.#pool = pool;
  }

  /** Duplicates that were not found yet included. */
  get count(): number {
    return this.#count;
  }

  /** False = it is full, and the sample was not taken. `time` lies in the window. */
  append(time: number, value: number, quality: number, receivedAt: number): boolean {
    if (this.#at === this.#end && !this.#makeRoom()) return false;
    const slab = this.#slab as Slab;
    const at = this.#at;
    const offset = time - this.start;
    if (offset <= this.#newest) this.#isInOrder = false;
    this.#newest = offset;
    slab.offsets[at] = offset;
    slab.values[at] = value;
    slab.qualities[at] = quality;
    this.#at = at + 1;
    this.#count += 1;
    this.appended += 1;
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
    return this.#copy();
  }

  /** Gives its room back; it holds nothing afterwards. */
  release(): void {
    for (const block of this.#blocks) this.#pool.give(block);
    this.#blocks.length = 0;
    this.#startOver();
  }

  #copy(): Samples {
    const count = this.#count;
    const times = new Float64Array(count);
    const values = new Float64Array(count);
    const qualities = new Uint8Array(count);
    let to = 0;
    for (const block of this.#blocks) {
      const base = baseOf(block);
      const slab = this.#pool.slabOf(block);
      const length = Math.min(TREND_BLOCK_SAMPLES, count - to);
      for (let i = 0; i < length; i += 1)
        times[to + i] = this.start + (slab.offsets[base + i] as number);
      values.set(slab.values.subarray(base, base + length), to);
      qualities.set(slab.qualities.subarray(base, base + length), to);
      to += length;
    }
    return { times, values, qualities };
  }

  /** Begins a block, unless as many samples are there as can be. */
  #makeRoom(): boolean {
    if (this.#count === TREND_WINDOW_SAMPLES_MAX) {
      if (this.#isInOrder) return false;
      this.#order();
      if (this.#at < this.#end) return true;
      if (this.#count === TREND_WINDOW_SAMPLES_MAX) return false;
    }
    const block = this.#pool.take();
    this.#blocks.push(block);
    this.#slab = this.#pool.slabOf(block);
    this.#at = baseOf(block);
    const room = Math.min(TREND_BLOCK_SAMPLES, TREND_WINDOW_SAMPLES_MAX - this.#count);
    this.#end = this.#at + room;
    return true;
  }

  #startOver(): void {
    this.#slab = undefined;
    this.#at = 0;
    this.#end = 0;
    this.#count = 0;
    this.#newest = -1;
    this.#isInOrder = true;
  }

  /** By time, one of each: the one that `compareSamples` prefers. */
  #order(): void {
    const all = this.#copy();
    const places = Uint32Array.from(all.times, (_, at) => at);
    places.sort((a, b) => compare(all, a, b));
    const [appended, minDelay, maxDelay] = [this.appended, this.#minDelay, this.#maxDelay];
    this.release();
    let before = -1;
    for (const place of places) {
      const time = all.times[place] as number;
      if (time === before) continue;
      before = time;
      this.append(time, all.values[place] as number, all.qualities[place] as number, time);
    }
    this.appended = appended;
    this.#minDelay = minDelay;
    this.#maxDelay = maxDelay;
  }
}

/** The earlier first; of one time, the one that stands. */
function compare({ times, values, qualities }: Samples, a: number, b: number): number {
  const byTime = (times[a] as number) - (times[b] as number);
  if (byTime !== 0) return byTime;
  return compareSamples(
    values[b] as number,
    qualities[b] as number,
    values[a] as number,
    qualities[a] as number,
  );
}
