import { assert, must } from '../../base/assert.ts';
import { KeyTable } from './key-table.ts';
import { SortedMap, type SortedView } from './sorted-map.ts';

/**
 * Values by the key that they hold, of which the newest stay. What it drops depends on nothing but the order of the calls, so replicas drop
 * alike. The order stands beside the keys: taking the first key of a plain `Map` walks over every hole that earlier
 * deletions left.
 */
export class BoundedMap<K extends string | number, V> {
  /** Beside each value its place in the order. */
  readonly #values: KeyTable<K, V>;
  readonly #inOrder = new SortedMap<V>();
  readonly #keyOf: (value: V) => K;
  readonly #sizeMax: number;
  #next = 0;

  /** `seed` as for KeyTable. */
  constructor(sizeMax: number, keyOf: (value: V) => K, seed = 0) {
    assert(Number.isSafeInteger(sizeMax), `bound is not an integer: ${sizeMax}`);
    assert(sizeMax >= 1, `bound of ${sizeMax} values`);
    this.#sizeMax = sizeMax;
    this.#keyOf = keyOf;
    this.#values = new KeyTable(keyOf, seed);
  }

  get size(): number {
    return this.#values.size;
  }

  get(key: K): V | undefined {
    return this.#values.get(key);
  }

  /** Adds a value whose key is not there. Returns the oldest, if it had to go for it. */
  add(value: V): V | undefined {
    this.#values.add(value, this.#next);
    this.#inOrder.add(this.#next, value);
    this.#next += 1;
    if (this.#values.size <= this.#sizeMax) return undefined;
    const [place, dropped] = must(this.#inOrder.first, 'a full map is empty');
    this.#inOrder.delete(place);
    this.#values.delete(this.#keyOf(dropped));
    return dropped;
  }

  /** Puts a value in the place of the one with the same key; it does not become younger. */
  replace(value: V): void {
    this.#values.replace(value);
    this.#inOrder.replace(this.#values.noteOf(this.#keyOf(value)), value);
  }

  /** Harmless when the key is not there. */
  delete(key: K): void {
    const place = this.#values.delete(key);
    if (place !== undefined) this.#inOrder.delete(place);
  }

  /** Oldest first. Not to be carried on after a change. */
  *values(): Generator<V> {
    for (const cursor = this.#inOrder.after(-1); cursor.next(); ) yield cursor.value;
  }

  /** The values as they are now, oldest first, whatever becomes of the map. */
  freeze(): SortedView<V> {
    return this.#inOrder.freeze();
  }
}
