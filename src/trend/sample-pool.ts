import { assert } from '../base/assert.ts';
import { TREND_BLOCK_SAMPLES, TREND_SLAB_BLOCKS } from '../base/trend-limits.ts';

/** Columns of many blocks: a block is TREND_BLOCK_SAMPLES places of them, from `baseOf` on. */
export interface Slab {
  /** Milliseconds since the beginning of the window. */
  readonly offsets: Uint16Array;
  readonly values: Float64Array;
  readonly qualities: Uint8Array;
}

const SLAB_SAMPLES = TREND_SLAB_BLOCKS * TREND_BLOCK_SAMPLES;

/**
 * Room for samples in memory, given out in blocks and taken back: windows come and go each minute, and what they need is
 * allocated once, eleven bytes a sample, however many series there are and however fast each of them is.
 */
export class SamplePool {
  readonly #slabs: Slab[] = [];
  readonly #free: number[] = [];

  /** Blocks that somebody has. */
  get taken(): number {
    return this.#slabs.length * TREND_SLAB_BLOCKS - this.#free.length;
  }

  /** The number of a block that nobody else has. What lies in it is of no meaning. */
  take(): number {
    const block = this.#free.pop();
    if (block !== undefined) return block;
    this.#grow();
    return this.take();
  }

  give(block: number): void {
    assert(this.#free.length < this.#slabs.length * TREND_SLAB_BLOCKS, 'a block was given twice');
    this.#free.push(block);
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
    for (let at = TREND_SLAB_BLOCKS - 1; at >= 0; at -= 1) this.#free.push(first + at);
  }
}

/** Where a block begins in the columns of its slab. */
export const baseOf = (block: number): number => (block % TREND_SLAB_BLOCKS) * TREND_BLOCK_SAMPLES;
