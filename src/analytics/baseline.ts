/**
 * What is usual for a patient: samples are thinned out to medians of blocks of time, because the figures of control charts
 * hold for values that do not depend on each other, and vital signs a second apart do. Of the latest blocks, median and
 * median absolute deviation; blocks within an alarm are kept out.
 */

const BLOCK_SAMPLES_MAX = 64;
/** Makes the median absolute deviation of a normal distribution its standard deviation. */
const MAD_TO_SIGMA = 1.4826;

export interface BaselineOptions {
  readonly blockMs: number;
  /** Blocks that the baseline looks back over. */
  readonly blocks: number;
  /** Blocks before it says anything. */
  readonly blocksMin: number;
  readonly sigmaMin: number;
}

export class Baseline {
  /** Of the block that was closed last. */
  value: number = Number.NaN;
  /** When that block began. */
  time: number = Number.NaN;
  median: number = Number.NaN;
  sigma: number = Number.NaN;
  readonly #options: BaselineOptions;
  readonly #block = new Float64Array(BLOCK_SAMPLES_MAX);
  #blockCount = 0;
  #blockSeen = 0;
  #blockStart = Number.NaN;
  readonly #ring: Float64Array;
  readonly #scratch: Float64Array;
  #next = 0;
  #held = 0;

  constructor(options: BaselineOptions) {
    this.#options = options;
    this.#ring = new Float64Array(options.blocks);
    this.#scratch = new Float64Array(options.blocks);
  }

  /** Whether there is enough to compare with. */
  get isReady(): boolean {
    return this.#held >= this.#options.blocksMin;
  }

  /** How far the block that was closed last is from the usual, in standard deviations. */
  get score(): number {
    return (this.value - this.median) / this.sigma;
  }

  /** True when a block was closed by this sample, and `value` is its median. */
  add(time: number, value: number): boolean {
    const start = Math.floor(time / this.#options.blockMs) * this.#options.blockMs;
    let isClosed = false;
    if (start !== this.#blockStart) {
      isClosed = this.#close();
      this.#blockStart = start;
      this.#blockCount = 0;
      this.#blockSeen = 0;
    }
    this.#keep(value);
    return isClosed;
  }

  /** Takes the block that was closed last into what is usual. */
  accept(): void {
    this.#ring[this.#next] = this.value;
    this.#next = (this.#next + 1) % this.#ring.length;
    this.#held = Math.min(this.#held + 1, this.#ring.length);
    this.median = this.#medianOf((value) => value);
    const center = this.median;
    const spread = this.#medianOf((value) => Math.abs(value - center));
    this.sigma = Math.max(MAD_TO_SIGMA * spread, this.#options.sigmaMin);
  }

  /** At most so many of a block, evenly: of a faster signal every second, every fourth, … */
  #keep(value: number): void {
    this.#blockSeen += 1;
    if (this.#blockCount < BLOCK_SAMPLES_MAX) {
      this.#block[this.#blockCount] = value;
      this.#blockCount += 1;
    } else this.#block[this.#blockSeen % BLOCK_SAMPLES_MAX] = value;
  }

  #close(): boolean {
    if (this.#blockCount === 0) return false;
    const block = this.#block.subarray(0, this.#blockCount).sort();
    this.value = block[this.#blockCount >> 1] as number;
    this.time = this.#blockStart;
    return true;
  }

  #medianOf(of: (value: number) => number): number {
    for (let i = 0; i < this.#held; i += 1) this.#scratch[i] = of(this.#ring[i] as number);
    const sorted = this.#scratch.subarray(0, this.#held).sort();
    const middle = this.#held >> 1;
    if (this.#held % 2 === 1) return sorted[middle] as number;
    return ((sorted[middle - 1] as number) + (sorted[middle] as number)) / 2;
  }
}
