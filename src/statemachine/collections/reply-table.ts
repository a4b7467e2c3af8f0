import { assert } from '../../base/assert.ts';
import { mix } from '../../base/hash.ts';
import type { Reply } from '../types.ts';

/** What the first command under a key was, and what was answered. */
export interface FirstReply {
  readonly fingerprint: number;
  readonly reply: Reply;
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
  readonly #keys: string[] = [];
  readonly #firsts: FirstReply[] = [];
  /** Home slot of each ring place. */
  readonly #homes: Uint32Array;
  /** Ring place + 1; 0 = empty. At most half are in use. */
  readonly #slots: Uint32Array;
  readonly #mask: number;
  readonly #seed: number;
  readonly #sizeMax: number;
  #next = 0;

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
    return this.#keys.length;
  }

  get(key: string, hash: number): FirstReply | undefined {
    const home = this.#homeOf(hash);
    for (let at = home; ; at = (at + 1) & this.#mask) {
      const place = (this.#slots[at] as number) - 1;
      if (place < 0) return undefined;
      if (this.#homes[place] === home && this.#keys[place] === key) return this.#firsts[place];
    }
  }

  /** Keeps the reply to a key that is not there; the oldest goes when the table is full. */
  add(key: string, hash: number, first: FirstReply): void {
    const place = this.#next;
    this.#next = place + 1 === this.#sizeMax ? 0 : place + 1;
    if (place < this.#keys.length) this.#remove(place);
    this.#keys[place] = key;
    this.#firsts[place] = first;
    const home = this.#homeOf(hash);
    this.#homes[place] = home;
    let at = home;
    while (this.#slots[at] !== 0) at = (at + 1) & this.#mask;
    this.#slots[at] = place + 1;
  }

  /** The replies as they are now; those that come later do not show. Copies two lists of references, no more. */
  freeze(): ReplyView {
    const keys = this.#keys.slice();
    const firsts = this.#firsts.slice();
    const oldest = keys.length < this.#sizeMax ? 0 : this.#next;
    return { size: keys.length, entries: () => inOrder(keys, firsts, oldest) };
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
  keys: readonly string[],
  firsts: readonly FirstReply[],
  oldest: number,
): Generator<readonly [string, FirstReply]> {
  for (let i = 0; i < keys.length; i += 1) {
    const place = (oldest + i) % keys.length;
    yield [keys[place] as string, firsts[place] as FirstReply];
  }
}
