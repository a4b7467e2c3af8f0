import { assert, must } from '../../base/assert.ts';
import { SortedMap, type SortedView } from './sorted-map.ts';

interface Entry<K, V> {
  readonly key: K;
  readonly value: V;
}

/**
 * A map that keeps its newest entries. What it drops depends on nothing but the order of the calls, so replicas drop
 * alike. The order stands beside the map: taking the first key of a plain `Map` walks over every hole that earlier
 * deletions left.
 */
export class BoundedMap<K, V> {
  readonly #places = new Map<K, number>();
  readonly #inOrder = new SortedMap<Entry<K, V>>();
  readonly #sizeMax: number;
  #next = 0;

  constructor(sizeMax: number) {
    assert(Number.isSafeInteger(sizeMax), `bound is not an integer: ${sizeMax}`);
    assert(sizeMax >= 1, `bound of ${sizeMax} entries`);
    this.#sizeMax = sizeMax;
  }

  get size(): number {
    return this.#places.size;
  }

  get(key: K): V | undefined {
    const place = this.#places.get(key);
    return place === undefined ? undefined : this.#inOrder.get(place)?.value;
  }

  /**
   * Adds a key that is not there. Returns the value that had to go for it, the oldest, if one had
   * to.
   */
  add(key: K, value: V): V | undefined {
    assert(!this.#places.has(key), `added twice: ${String(key)}`);
    this.#places.set(key, this.#next);
    this.#inOrder.add(this.#next, { key, value });
    this.#next += 1;
    if (this.#places.size <= this.#sizeMax) return undefined;
    const [, dropped] = must(this.#inOrder.first, 'a full map is empty');
    this.delete(dropped.key);
    return dropped.value;
  }

  /** Gives a key that is there another value; it does not become younger. */
  replace(key: K, value: V): void {
    const place = must(this.#places.get(key), `not there: ${String(key)}`);
    this.#inOrder.replace(place, { key, value });
  }

  /** Harmless when the key is not there. */
  delete(key: K): void {
    const place = this.#places.get(key);
    if (place === undefined) return;
    this.#places.delete(key);
    this.#inOrder.delete(place);
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
