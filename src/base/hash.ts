/**
 * Non-cryptographic hashes as safe integers (53 bits): they find rot and divergence, not an adversary. Pure JavaScript,
 * so that the pure core may use them; 32-bit lanes with murmur3's finaliser (Appleby, 2008).
 */

const HIGH_BITS = 0x1fffff; // 21 bits above the low 32 make a safe integer

function finish(low: number, high: number): number {
  let h1 = low;
  let h2 = high;
  h1 = Math.imul(h1 ^ (h1 >>> 16), 0x85ebca6b) ^ Math.imul(h2 ^ (h2 >>> 13), 0xc2b2ae35);
  h2 = Math.imul(h2 ^ (h2 >>> 16), 0x85ebca6b) ^ Math.imul(h1 ^ (h1 >>> 13), 0xc2b2ae35);
  return (h2 & HIGH_BITS) * 2 ** 32 + (h1 >>> 0);
}

/** Hash of a text, by UTF-16 code units. */
export function hashText(text: string, seed = 0): number {
  let h1 = 0xdeadbeef ^ seed;
  let h2 = 0x41c6ce57 ^ Math.floor(seed / 2 ** 32);
  for (let i = 0; i < text.length; i += 1) {
    const unit = text.charCodeAt(i);
    h1 = Math.imul(h1 ^ unit, 0x9e3779b1);
    h2 = Math.imul(h2 ^ unit, 0x5f356495);
  }
  return finish(h1, h2);
}

/** Hash of bytes, four at a step. */
export function hashBytes(bytes: Uint8Array, seed = 0): number {
  let h1 = 0x2545f491 ^ seed ^ bytes.length;
  let h2 = 0x6c078965 ^ Math.floor(seed / 2 ** 32);
  for (let i = 0; i < bytes.length; i += 4) {
    const word =
      (bytes[i] as number) |
      ((bytes[i + 1] ?? 0) << 8) |
      ((bytes[i + 2] ?? 0) << 16) |
      ((bytes[i + 3] ?? 0) << 24);
    h1 = Math.imul(h1 ^ word, 0x9e3779b1) ^ (h1 >>> 15);
    h2 = Math.imul(h2 ^ word, 0x5f356495) ^ (h2 >>> 13);
  }
  return finish(h1, h2);
}

/** Folds safe integers into a running hash: the order matters. */
export function mix(hash: number, ...values: readonly number[]): number {
  let h1 = hash | 0;
  let h2 = Math.floor(hash / 2 ** 32) | 0;
  for (const value of values) {
    h1 = Math.imul(h1 ^ value, 0x9e3779b1) ^ (h2 >>> 7);
    h2 = Math.imul(h2 ^ Math.floor(value / 2 ** 32), 0x5f356495) ^ Math.imul(h1, 0xc2b2ae35);
  }
  return finish(h1, h2);
}

/**
 * A running hash in two lanes of 32 bits, which memory holds as they are: `add` … `end` is `mix`, and `text` is
 * `hashText`, each with the hash so far as its seed. For what is folded many times a second, where a number of 53 bits
 * would be an object for each step.
 */
export class RunningHash {
  #low = 0;
  #high = 0;

  constructor(value = 0) {
    this.value = value;
  }

  get value(): number {
    return this.#high * 2 ** 32 + (this.#low >>> 0);
  }

  set value(value: number) {
    this.#low = value | 0;
    this.#high = Math.floor(value / 2 ** 32) | 0;
  }

  /** Takes in a safe integer; `end` comes after the last one. */
  add(value: number): this {
    const low = Math.imul(this.#low ^ value, 0x9e3779b1) ^ (this.#high >>> 7);
    const above = Math.floor(value / 2 ** 32);
    this.#high = Math.imul(this.#high ^ above, 0x5f356495) ^ Math.imul(low, 0xc2b2ae35);
    this.#low = low;
    return this;
  }

  end(): this {
    this.#finish(this.#low, this.#high);
    return this;
  }

  text(text: string): this {
    let low = 0xdeadbeef ^ this.#low;
    let high = 0x41c6ce57 ^ this.#high;
    for (let i = 0; i < text.length; i += 1) {
      const unit = text.charCodeAt(i);
      low = Math.imul(low ^ unit, 0x9e3779b1);
      high = Math.imul(high ^ unit, 0x5f356495);
    }
    this.#finish(low, high);
    return this;
  }

  #finish(h1: number, h2: number): void {
    const low = Math.imul(h1 ^ (h1 >>> 16), 0x85ebca6b) ^ Math.imul(h2 ^ (h2 >>> 13), 0xc2b2ae35);
    this.#low = low;
    this.#high =
      (Math.imul(h2 ^ (h2 >>> 16), 0x85ebca6b) ^ Math.imul(low ^ (low >>> 13), 0xc2b2ae35)) &
      HIGH_BITS;
  }
}

/** Fourteen hex digits, for people. */
export const hashToHex = (hash: number): string => hash.toString(16).padStart(14, '0');
