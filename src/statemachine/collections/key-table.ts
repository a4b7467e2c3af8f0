import { assert, must } from '../../base/assert.ts';
import { hashText, mix } from '../../base/hash.ts';

const SHARDS = 256;
const SHARD_SLOTS_MIN = 8;

/**
 * Values by the key that they hold, with one number beside each. In place of a `Map`, which moves all of its
 * entries at once whenever it grows, a million of them in a tenth of a second: here each shard grows by itself. And where a
 * `Map` looks at the key of every entry it passes, here the hashes stand together.
 *
 * `seed` decides where entries lie and nothing else: a secret one keeps callers from choosing keys that all lie in one place.
 */
export class KeyTable<K extends string | number, V> {
  readonly #shards: (Shard<V> | undefined)[] = new Array<undefined>(SHARDS).fill(undefined);
  readonly #keyOf: (value: V) => K;
  readonly #seed: number;
  #size = 0;
  /** The key that was hashed last, and its hash: a command asks for the same key several times. */
  #key: K | undefined;
  #hash = 0;

  constructor(keyOf: (value: V) => K, seed: number) {
    this.#keyOf = keyOf;
    this.#seed = seed;
  }

  get size(): number {
    return this.#size;
  }

  get(key: K): V | undefined {
    const shard = this.#shardOf(key);
    return shard?.values[this.#find(shard, key)];
  }

  /** The number beside a value that is there. */
  noteOf(key: K): number {
    const shard = must(this.#shardOf(key), () => `not there: ${key}`);
    const slot = this.#find(shard, key);
    assert(shard.values[slot] !== undefined, () => `not there: ${key}`);
    return shard.notes[slot] as number;
  }

  /** Adds a value whose key is not there. */
  add(value: V, note = 0): void {
    const key = this.#keyOf(value);
    const hash = this.#hashOf(key);
    const number = shardNumber(hash);
    const shard = this.#shards[number] ?? new Shard<V>();
    this.#shards[number] = shard;
    assert(shard.values[this.#find(shard, key)] === undefined, () => `added twice: ${key}`);
    shard.add(hash >>> 0, value, note);
    this.#size += 1;
  }

  /** Puts a value in the place of the one with the same key, which is there. */
  replace(value: V): void {
    const key = this.#keyOf(value);
    const shard = must(this.#shardOf(key), () => `not there: ${key}`);
    const slot = this.#find(shard, key);
    assert(shard.values[slot] !== undefined, () => `not there: ${key}`);
    shard.values[slot] = value;
  }

  /** The value that was there, if one was. */
  delete(key: K): V | undefined {
    const shard = this.#shardOf(key);
    if (shard === undefined) return undefined;
    const slot = this.#find(shard, key);
    const value = shard.values[slot];
    if (value === undefined) return undefined;
    shard.empty(slot);
    this.#size -= 1;
    return value;
  }

  #shardOf(key: K): Shard<V> | undefined {
    return this.#shards[shardNumber(this.#hashOf(key))];
  }

  #hashOf(key: K): number {
    if (key !== this.#key) {
      this.#hash = typeof key === 'number' ? mix(this.#seed, key) : hashText(key, this.#seed);
      this.#key = key;
    }
    return this.#hash;
  }

  /** The slot of a key, or the empty one at which the search for it ends. */
  #find(shard: Shard<V>, key: K): number {
    const hash = this.#hashOf(key) >>> 0;
    const { hashes, values, mask } = shard;
    for (let at = hash & mask; ; at = (at + 1) & mask) {
      const value = values[at];
      if (value === undefined) return at;
      if (hashes[at] === hash && this.#keyOf(value) === key) return at;
    }
  }
}

/** By the bits above those that decide the slot. */
const shardNumber = (hash: number): number => Math.floor(hash / 2 ** 32) & (SHARDS - 1);

/** Open addressing, linear probing, deletion by shifting back (Knuth, vol. 3, 6.4, algorithm R). */
class Shard<V> {
  hashes: Uint32Array = new Uint32Array(SHARD_SLOTS_MIN);
  values: (V | undefined)[] = new Array<undefined>(SHARD_SLOTS_MIN).fill(undefined);
  notes: Float64Array = new Float64Array(SHARD_SLOTS_MIN);
  mask: number = SHARD_SLOTS_MIN - 1;
  #size = 0;

  add(hash: number, value: V, note: number): void {
    this.#size += 1;
    if (this.#size * 4 > this.values.length * 3) this.#grow();
    this.#put(hash, value, note);
  }

  /** Empties a slot, and moves back whoever had to pass it by. */
  empty(slot: number): void {
    const { hashes, values, notes, mask } = this;
    this.#size -= 1;
    let hole = slot;
    for (let at = (hole + 1) & mask; values[at] !== undefined; at = (at + 1) & mask) {
      const home = (hashes[at] as number) & mask;
      if (((at - home) & mask) < ((at - hole) & mask)) continue; // its home is behind the hole
      hashes[hole] = hashes[at] as number;
      values[hole] = values[at];
      notes[hole] = notes[at] as number;
      hole = at;
    }
    values[hole] = undefined;
  }

  #put(hash: number, value: V, note: number): void {
    let at = hash & this.mask;
    while (this.values[at] !== undefined) at = (at + 1) & this.mask;
    this.hashes[at] = hash;
    this.values[at] = value;
    this.notes[at] = note;
  }

  #grow(): void {
    const { hashes, values, notes } = this;
    const slots = values.length * 2;
    this.hashes = new Uint32Array(slots);
    this.values = new Array<undefined>(slots).fill(undefined);
    this.notes = new Float64Array(slots);
    this.mask = slots - 1;
    for (let at = 0; at < values.length; at += 1) {
      const value = values[at];
      if (value !== undefined) this.#put(hashes[at] as number, value, notes[at] as number);
    }
  }
}
