import { assert, must } from '../../base/assert.ts';
import { KeyTable } from './key-table.ts';
import { SortedMap, type SortedView } from './sorted-map.ts';

interface Entry<K, V> {
  readonly key: K;
  readonly value: V;
}

/**
 * A map that keeps its newest entries. What it drops depends on nothing but the order of the calls, so replicas drop
 * alike. The order stands beside the keys: taking the first key of a plain `Map` walks over every hole that earlier
 * deletions left.
 */
export class BoundedMap<K extends string | number, V> {
  /** Beside each entry its place in the order. */
  readonly #entries: KeyTable<K, Entry<K, V>>;
  readonly #inOrder = new SortedMap<Entry<K, V>>();
  readonly #sizeMax: number;
  #next = 0;

  /** `seed` as for KeyTable. */
  constructor(sizeMax: number, seed = 0) {
    assert(Number.isSafeInteger(sizeMax), `bound is not an integer: ${sizeMax}`);
    assert(sizeMax >= 1, `bound of ${sizeMax} entries`);
    this.#sizeMax = sizeMax;
    this.#entries = new KeyTable(({ key }) => key, seed);
  }

  get size(): number {
    return this.#entries.size;
  }

  get(key: K): V | undefined {
    return this.#entries.get(key)?.value;
  }

  /**
   * Adds a key that is not there. Returns the value that had to go for it, the oldest, if one had
   * to.
   */
  add(key: K, value: V): V | undefined {
    const entry = { key, value };
    this.#entries.add(entry, this.#next);
    this.#inOrder.add(this.#next, entry);
    this.#next += 1;
    if (this.#entries.size <= this.#sizeMax) return undefined;
    const [, dropped] = must(this.#inOrder.first, 'a full map is empty');
    this.delete(dropped.key);
    return dropped.value;
  }

  /** Gives a key that is there another value; it does not become younger. */
  replace(key: K, value: V): void {
    const entry = { key, value };
    this.#entries.replace(entry);
    this.#inOrder.replace(this.#entries.noteOf(key), entry);
  }

  /** Harmless when the key is not there. */
  delete(key: K): void {
    if (this.#entries.get(key) === undefined) return;
    this.#inOrder.delete(this.#entries.noteOf(key));
    this.#entries.delete(key);
  }

  /** Oldest first. Not to be carried on after a change. */
  *values(): Generator<V> {
    for (const cursor = this.#inOrder.after(-1); cursor.next(); ) yield cursor.value.value;
  }

  /** The entries as they are now, oldest first, whatever becomes of the map. */
  freeze(): SortedView<Entry<K, V>> {
    return this.#inOrder.freeze();
  }
}
