import { assert, must } from '../base/assert.ts';
import { TREND_BLOCK_SAMPLES, TREND_SLAB_BLOCKS } from '../base/trend-limits.ts';

/** Columns of many blocks: a block is TREND_BLOCK_SAMPLES places of them, from `baseOf` on. */
export interface Slab {
  /** Milliseconds since the beginning of the window. */
  readonly offsets: Uint16Array;
  readonly values: Float64Array;
  readonly qualities: Uint8Array;
}

const SLAB_SAMPLES = TREND_SLAB_BLOCKS * TREND_BLOCK_SAMPLES;

/** So much more is kept than windows took lately, lest memory come and go with each minute. */
const SPARE_SHARE = 1 / 8;

/**
 * Room for samples in memory, given out in blocks and taken back: windows come and go each minute, and what they need is
 * allocated once, eleven bytes a sample, however many series there are and however fast each of them is. What only a backlog
 * needed is let go of when it is over.
 */
export class SamplePool {
  readonly #slabs: Slab[] = [];
  /** By slab: its blocks that nobody has. */
  readonly #free: number[][] = [];
  /** No slab before it has a free block. So those that come last become empty, and can go. */
  #lowest = 0;
  #taken = 0;
  /** Most blocks taken at once since the last `rest`, and between that and the one before. */
  #most = 0;
  #mostBefore = 0;

  /** Blocks that somebody has. */
  get taken(): number {
    return this.#taken;
  }

  /** Blocks that there is memory for. */
  get room(): number {
    return this.#slabs.length * TREND_SLAB_BLOCKS;
  }

  /** The number of a block that nobody else has. What lies in it is of no meaning. */
  take(): number {
    while (this.#free[this.#lowest]?.length === 0) this.#lowest += 1;
    if (this.#lowest === this.#slabs.length) this.#grow();
    this.#taken += 1;
    if (this.#taken > this.#most) this.#most = this.#taken;
    return must(this.#free[this.#lowest]?.pop(), 'slab % has no free block', this.#lowest);
  }

  give(block: number): void {
    const at = Math.floor(block / TREND_SLAB_BLOCKS);
    const free = must(this.#free[at], 'block % has no slab', block);
    assert(free.length < TREND_SLAB_BLOCKS, 'a block of slab % was given twice', at);
    free.push(block);
    this.#taken -= 1;
    if (at < this.#lowest) this.#lowest = at;
  }

  /** Lets go of what was not needed since the last time but one. To be called now and then, such as once a minute. */
  rest(): void {
    const most = Math.max(this.#most, this.#mostBefore);
    const kept = Math.ceil((most * (1 + SPARE_SHARE)) / TREND_SLAB_BLOCKS);
    while (this.#slabs.length > kept && this.#free.at(-1)?.length === TREND_SLAB_BLOCKS) {
      this.#slabs.pop();
      this.#free.pop();
    }
    this.#lowest = Math.min(this.#lowest, this.#slabs.length);
    this.#mostBefore = this.#most;
    this.#most = this.#taken;
  }

  slabOf(block: number): Slab {
    return this.#slabs[Math.floor(block / TREND_SLAB_BLOCKS)] as Slab;
  }

  #grow(): void {
    const first = this.#slabs.length * TREND_SLAB_BLOCKS;
    this.#slabs.push({
      offsets: new Uint16Array(SLAB_SAMPLES),
      values: new Float64Array(SLAB_SAMPLES),
      qualities: new Uint8Array(SLAB_SAMPLES),
    });
    this.#free.push(
      Array.from({ length: TREND_SLAB_BLOCKS }, (_, at) => first + TREND_SLAB_BLOCKS - 1 - at),
    );
  }
}

/** Where a block begins in the columns of its slab. */
export const baseOf = (block: number): number => (block % TREND_SLAB_BLOCKS) * TREND_BLOCK_SAMPLES;
