import { assert, must } from '../base/assert.ts';

const BLOCK_IDS_MAX = 512;

/**
 * A set of numbers in ascending order, in blocks: no call moves more than one block, however many
 * ids there are, so none holds the event loop.
 */
export class SortedIds {
  /** None is empty, each ascends, and each begins above the end of the one before. */
  readonly #blocks: number[][] = [];

  /** At most one more than two for each 257 ids: small neighbours are joined. */
  get blockCount(): number {
    return this.#blocks.length;
  }

  /** Adds an id that is not there. */
  add(id: number): void {
    const at = Math.max(0, firstAbove(this.#blocks.length, id, (i) => this.#first(i)) - 1);
    const block = this.#blocks[at];
    if (block === undefined) {
      this.#blocks.push([id]);
      return;
    }
    const place = firstAbove(block.length, id, (i) => block[i] as number);
    assert(place === 0 || block[place - 1] !== id, `id ${id} was added twice`);
    const isNewest = at === this.#blocks.length - 1 && place === block.length;
    if (isNewest && block.length >= BLOCK_IDS_MAX) {
      this.#blocks.push([id]);
      return;
    }
    block.splice(place, 0, id);
    if (block.length > BLOCK_IDS_MAX)
      this.#blocks.splice(at + 1, 0, block.splice(BLOCK_IDS_MAX / 2));
  }

  /** Removes an id that is there. */
  delete(id: number): void {
    const at = firstAbove(this.#blocks.length, id, (i) => this.#first(i)) - 1;
    const block = must(this.#blocks[at], `id ${id} is before every block`);
    const place = firstAbove(block.length, id, (i) => block[i] as number) - 1;
    assert(block[place] === id, `id ${id} is not there`);
    block.splice(place, 1);
    if (block.length === 0) this.#blocks.splice(at, 1);
    this.#merge(at);
    this.#merge(at - 1);
  }

  /** Every id above `id`, ascending. Not to be carried on after a change of the set. */
  *after(id: number): Generator<number, undefined> {
    const from = Math.max(0, firstAbove(this.#blocks.length, id, (i) => this.#first(i)) - 1);
    for (let at = from; at < this.#blocks.length; at += 1) {
      const block = this.#blocks[at] as number[];
      let place = at === from ? firstAbove(block.length, id, (i) => block[i] as number) : 0;
      for (; place < block.length; place += 1) yield block[place] as number;
    }
    return undefined;
  }

  #first(at: number): number {
    return (this.#blocks[at] as number[])[0] as number;
  }

  /**
   * Joins two neighbours that have become small, so that blocks do not outnumber what they hold.
   */
  #merge(at: number): void {
    const left = this.#blocks[at];
    const right = this.#blocks[at + 1];
    if (left === undefined || right === undefined) return;
    if (left.length + right.length > BLOCK_IDS_MAX / 2) return;
    left.push(...right);
    this.#blocks.splice(at + 1, 1);
  }
}

/**
 * How many of `length` ascending items are at or below `id`: the place of the first one above it.
 */
function firstAbove(length: number, id: number, item: (i: number) => number): number {
  if (length > 0 && item(length - 1) <= id) return length; // the newest id is the usual one
  let low = 0;
  let high = length;
  while (low < high) {
    const middle = (low + high) >>> 1;
    if (item(middle) <= id) low = middle + 1;
    else high = middle;
  }
  return low;
}
