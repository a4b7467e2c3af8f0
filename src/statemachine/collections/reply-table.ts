import { assert } from '../../base/assert.ts';
import { mix } from '../../base/hash.ts';
import type { Reply } from '../types.ts';

/** What the first command under a key was, and what was answered. */
export interface FirstReply {
  readonly fingerprint: number;
  readonly reply: Reply;
}

const BLOCK_BITS = 9;
const BLOCK_LENGTH: number = 2 ** BLOCK_BITS;

/** A piece of the ring. */
interface Block {
  readonly keys: string[];
  readonly firsts: FirstReply[];
  /** The freezing before which it was made: an older one belongs to a view, and is copied before a change. */
  readonly age: number;
}

/** The replies as they were at one moment. */
export interface ReplyView {
  readonly size: number;
  /** In order of arrival. */
  entries(): Iterable<readonly [key: string, first: FirstReply]>;
}

/**
 * The newest first replies, by idempotency key. A ring in order of arrival, and an index into it
 * with open addressing (linear probing, deletion by shifting back; Knuth, The Art of Computer
 * Programming, vol. 3, 6.4, algorithm R). A `Map` of this size that gives up its oldest entry for
 * each new one spends more than the rest of a command, and stalls whenever it rehashes; this one
 * allocates its index once.
 *
 * The caller brings a hash of the key. `seed` decides where entries lie and nothing else: a secret
 * one keeps callers from choosing keys that all lie in one place.
 */
export class ReplyTable {
  readonly #blocks: Block[] = [];
  /** Home slot of each ring place. */
  readonly #homes: Uint32Array;
  /** Ring place + 1; 0 = empty. At most half are in use. */
  readonly #slots: Uint32Array;
  readonly #mask: number;
  readonly #seed: number;
  readonly #sizeMax: number;
  #next = 0;
  #size = 0;
  #age = 0;

  constructor(sizeMax: number, seed: number) {
    assert(Number.isSafeInteger(sizeMax), `bound is not an integer: ${sizeMax}`);
    assert(sizeMax >= 1 && sizeMax <= 2 ** 30, `bound of ${sizeMax} replies`);
    assert(Number.isSafeInteger(seed), `seed is not an integer: ${seed}`);
    let slots = 2;
    while (slots < sizeMax * 2) slots *= 2;
    this.#homes = new Uint32Array(sizeMax);
    this.#slots = new Uint32Array(slots);
    this.#mask = slots - 1;
    this.#seed = seed;
    this.#sizeMax = sizeMax;
  }

  get size(): number {
    return this.#size;
  }

  get(key: string, hash: number): FirstReply | undefined {
    const home = this.#homeOf(hash);
    for (let slot = home; ; slot = (slot + 1) & this.#mask) {
      const place = (this.#slots[slot] as number) - 1;
      if (place < 0) return undefined;
      if (this.#homes[place] !== home) continue;
      const { keys, firsts } = this.#blocks[place >>> BLOCK_BITS] as Block;
      const at = place & (BLOCK_LENGTH - 1);
      if (keys[at] === key) return firsts[at];
    }
  }

  /** Keeps the reply to a key that is not there; the oldest goes when the table is full. */
  add(key: string, hash: number, first: FirstReply): void {
    const place = this.#next;
    this.#next = place + 1 === this.#sizeMax ? 0 : place + 1;
    if (place < this.#size) this.#remove(place);
    else this.#size += 1;
    const { keys, firsts } = this.#own(place >>> BLOCK_BITS);
    keys[place & (BLOCK_LENGTH - 1)] = key;
    firsts[place & (BLOCK_LENGTH - 1)] = first;
    const home = this.#homeOf(hash);
    this.#homes[place] = home;
    let at = home;
    while (this.#slots[at] !== 0) at = (at + 1) & this.#mask;
    this.#slots[at] = place + 1;
  }

  /** The replies as they are now; those that come later do not show. Costs a copy of the list of blocks. */
  freeze(): ReplyView {
    this.#age += 1;
    const blocks = this.#blocks.slice();
    const size = this.#size;
    const oldest = size < this.#sizeMax ? 0 : this.#next;
    return { size, entries: () => inOrder(blocks, size, oldest) };
  }

  /** The block of this number, for changing. */
  #own(number: number): Block {
    const block = this.#blocks[number];
    if (block?.age === this.#age) return block;
    const { keys = [], firsts = [] } = block ?? {};
    const copy = { keys: keys.slice(), firsts: firsts.slice(), age: this.#age };
    this.#blocks[number] = copy;
    return copy;
  }

  #homeOf(hash: number): number {
    return mix(hash, this.#seed) & this.#mask;
  }

  /** Empties the slot of a ring place, and moves back whoever had to pass it by. */
  #remove(place: number): void {
    const mask = this.#mask;
    let hole = this.#homes[place] as number;
    while (this.#slots[hole] !== place + 1) hole = (hole + 1) & mask;
    for (let at = (hole + 1) & mask; this.#slots[at] !== 0; at = (at + 1) & mask) {
      const home = this.#homes[(this.#slots[at] as number) - 1] as number;
      if (((at - home) & mask) < ((at - hole) & mask)) continue; // its home is behind the hole
      this.#slots[hole] = this.#slots[at] as number;
      hole = at;
    }
    this.#slots[hole] = 0;
  }
}

function* inOrder(
  blocks: readonly Block[],
  size: number,
  oldest: number,
): Generator<readonly [string, FirstReply]> {
  for (let i = 0; i < size; i += 1) {
    const place = (oldest + i) % size;
    const { keys, firsts } = blocks[place >>> BLOCK_BITS] as Block;
    const at = place & (BLOCK_LENGTH - 1);
    yield [keys[at] as string, firsts[at] as FirstReply];
  }
}
