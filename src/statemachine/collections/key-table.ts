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
    const shard = must(this.#shardOf(key), 'not there: %', key);
    const slot = this.#find(shard, key);
    assert(shard.values[slot] !== undefined, 'not there: %', key);
    return shard.notes[slot] as number;
  }

  /** Adds a value whose key is not there. Who has the key at hand says it: to ask the value for it can take longer. */
  add(value: V, note = 0, key: K = this.#keyOf(value)): void {
    const hash = this.#hashOf(key);
    const number = shardNumber(hash);
    const shard = this.#shards[number] ?? new Shard<V>();
    this.#shards[number] = shard;
    shard.makeRoom();
    const slot = this.#find(shard, key);
    assert(shard.values[slot] === undefined, 'added twice: %', key);
    shard.put(slot, markOf(hash), value, note);
    this.#size += 1;
  }

  /** Puts a value in the place of the one with the same key, which is there; returns that one. */
  replace(value: V, key: K = this.#keyOf(value)): V {
    const shard = must(this.#shardOf(key), 'not there: %', key);
    const slot = this.#find(shard, key);
    const before = must(shard.values[slot], 'not there: %', key);
    shard.values[slot] = value;
    return before;
  }

  /** Removes a value, and returns the number that was beside it; undefined if there is none. */
  delete(key: K): number | undefined {
    const shard = this.#shardOf(key);
    if (shard === undefined) return undefined;
    const slot = this.#find(shard, key);
    if (shard.values[slot] === undefined) return undefined;
    const note = shard.notes[slot] as number;
    shard.empty(slot);
    this.#size -= 1;
    return note;
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
    const mark = markOf(this.#hashOf(key));
    const { marks, values, mask } = shard;
    for (let at = mark & mask; ; at = (at + 1) & mask) {
      const there = marks[at];
      if (there === 0 || (there === mark && this.#keyOf(values[at] as V) === key)) return at;
    }
  }
}

/** By the bits above those that decide the slot. */
const shardNumber = (hash: number): number => Math.floor(hash / 2 ** 32) & (SHARDS - 1);

/** By its lowest bits, with the mask of the shard, the slot; 0 is left for empty ones. */
const markOf = (hash: number): number => hash >>> 0 || 1;

/** Open addressing, linear probing, deletion by shifting back (Knuth, vol. 3, 6.4, algorithm R). */
class Shard<V> {
  marks: Uint32Array = new Uint32Array(SHARD_SLOTS_MIN);
  values: (V | undefined)[] = new Array<undefined>(SHARD_SLOTS_MIN).fill(undefined);
  notes: Float64Array = new Float64Array(SHARD_SLOTS_MIN);
  mask: number = SHARD_SLOTS_MIN - 1;
  #size = 0;

  /** Another value is about to be put. */
  makeRoom(): void {
    if ((this.#size + 1) * 4 > this.values.length * 3) this.#grow();
  }

  /** Fills a slot that is empty, and at which the search for the key ends. */
  put(slot: number, mark: number, value: V, note: number): void {
    this.#size += 1;
    this.marks[slot] = mark;
    this.values[slot] = value;
    this.notes[slot] = note;
  }

  /** Empties a slot, and moves back whoever had to pass it by. */
  empty(slot: number): void {
    const { marks, values, notes, mask } = this;
    this.#size -= 1;
    let hole = slot;
    for (let at = (hole + 1) & mask; marks[at] !== 0; at = (at + 1) & mask) {
      const home = (marks[at] as number) & mask;
      if (((at - home) & mask) < ((at - hole) & mask)) continue; // its home is behind the hole
      marks[hole] = marks[at] as number;
      values[hole] = values[at];
      notes[hole] = notes[at] as number;
      hole = at;
    }
    marks[hole] = 0;
    values[hole] = undefined;
  }

  #grow(): void {
    const { marks, values, notes } = this;
    const slots = values.length * 2;
    this.marks = new Uint32Array(slots);
    this.values = new Array<undefined>(slots).fill(undefined);
    this.notes = new Float64Array(slots);
    this.mask = slots - 1;
    this.#size = 0;
    for (let at = 0; at < values.length; at += 1) {
      const value = values[at];
      const mark = marks[at] as number;
      if (value !== undefined) this.put(this.#emptyFor(mark), mark, value, notes[at] as number);
    }
  }

  #emptyFor(mark: number): number {
    let slot = mark & this.mask;
    while (this.marks[slot] !== 0) slot = (slot + 1) & this.mask;
    return slot;
  }
}
