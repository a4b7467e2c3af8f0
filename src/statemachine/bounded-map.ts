import { assert } from '../base/assert.ts';

interface Node<K, V> {
  readonly key: K;
  readonly value: V;
  older: Node<K, V> | undefined;
  newer: Node<K, V> | undefined;
}

/**
 * A map that keeps its newest entries. What it drops depends on nothing but the order of the calls,
 * so replicas drop alike. The order is a linked list of its own: taking the first key of a plain
 * `Map` walks over every hole that earlier deletions left.
 */
export class BoundedMap<K, V> {
  readonly #nodes = new Map<K, Node<K, V>>();
  readonly #sizeMax: number;
  #oldest: Node<K, V> | undefined;
  #newest: Node<K, V> | undefined;

  constructor(sizeMax: number) {
    assert(Number.isSafeInteger(sizeMax), `bound is not an integer: ${sizeMax}`);
    assert(sizeMax >= 1, `bound of ${sizeMax} entries`);
    this.#sizeMax = sizeMax;
  }

  get size(): number {
    return this.#nodes.size;
  }

  get(key: K): V | undefined {
    return this.#nodes.get(key)?.value;
  }

  /**
   * Adds a key that is not there. Returns the value that had to go for it, the oldest, if one had
   * to.
   */
  add(key: K, value: V): V | undefined {
    assert(!this.#nodes.has(key), `added twice: ${String(key)}`);
    const node: Node<K, V> = { key, value, older: this.#newest, newer: undefined };
    if (this.#newest === undefined) this.#oldest = node;
    else this.#newest.newer = node;
    this.#newest = node;
    this.#nodes.set(key, node);
    if (this.#nodes.size <= this.#sizeMax || this.#oldest === undefined) return undefined;
    const dropped = this.#oldest;
    this.delete(dropped.key);
    return dropped.value;
  }

  /** Harmless when the key is not there. */
  delete(key: K): void {
    const node = this.#nodes.get(key);
    if (node === undefined) return;
    this.#nodes.delete(key);
    if (node.older === undefined) this.#oldest = node.newer;
    else node.older.newer = node.newer;
    if (node.newer === undefined) this.#newest = node.older;
    else node.newer.older = node.older;
  }

  /** Oldest first. */
  *entries(): Generator<readonly [K, V]> {
    for (let node = this.#oldest; node !== undefined; node = node.newer)
      yield [node.key, node.value];
  }
}
