import { assert } from './assert.ts';

/**
 * xoshiro128** (Blackman and Vigna, 2018), seeded through splitmix32. One seed decides everything; `fork` gives a
 * component its own stream, so that one more draw in one place does not shift the others.
 */
export class Prng {
  #a: number;
  #b: number;
  #c: number;
  #d: number;

  constructor(seed: number) {
    assert(Number.isSafeInteger(seed), `seed is not an integer: ${seed}`);
    let state = (seed ^ Math.imul(Math.floor(seed / 2 ** 32), 0x9e3779b9)) >>> 0;
    const next = (): number => {
      state = (state + 0x9e3779b9) >>> 0;
      let z = state;
      z = Math.imul(z ^ (z >>> 16), 0x21f0aaad);
      z = Math.imul(z ^ (z >>> 15), 0x735a2d97);
      return (z ^ (z >>> 15)) >>> 0;
    };
    this.#a = next();
    this.#b = next();
    this.#c = next();
    this.#d = next() | 1; // all four zero would stay zero for ever
  }

  /** 0 … 2³²−1. */
  uint32(): number {
    const fifth = Math.imul(this.#b, 5);
    const result = Math.imul((fifth << 7) | (fifth >>> 25), 9) >>> 0;
    const t = this.#b << 9;
    this.#c ^= this.#a;
    this.#d ^= this.#b;
    this.#b ^= this.#c;
    this.#a ^= this.#d;
    this.#c ^= t;
    this.#d = (this.#d << 11) | (this.#d >>> 21);
    return result;
  }

  /** 0 ≤ x < 1. */
  unit(): number {
    return this.uint32() / 2 ** 32;
  }

  /** A whole number, `low` ≤ x ≤ `high`. */
  between(low: number, high: number): number {
    assert(low <= high, `empty range ${low}..${high}`);
    return low + Math.floor(this.unit() * (high - low + 1));
  }

  /** True with the given probability. */
  chance(probability: number): boolean {
    return this.unit() < probability;
  }

  /** One of the items, each as likely. */
  pick<T>(items: readonly T[]): T {
    assert(items.length > 0, 'nothing to pick from');
    return items[this.between(0, items.length - 1)] as T;
  }

  /** Some of the items, at least one of them, and never all. */
  part<T>(items: readonly T[]): ReadonlySet<T> {
    assert(items.length > 1, `no part of ${items.length} items`);
    const one = this.between(0, items.length - 1);
    const other = (one + this.between(1, items.length - 1)) % items.length;
    return new Set(items.filter((_, at) => at === one || (at !== other && this.chance(0.5))));
  }

  /** Standard normal (Box and Muller). */
  normal(): number {
    const radius = Math.sqrt(-2 * Math.log(1 - this.unit()));
    return radius * Math.cos(2 * Math.PI * this.unit());
  }

  /** An independent stream for one component. */
  fork(label: number): Prng {
    return new Prng(this.uint32() * 2 ** 20 + (label & 0xfffff));
  }
}
