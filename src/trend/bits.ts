import { TocsinError } from '../base/errors.ts';

/** Appends bit fields, most significant bit first. */
export class BitWriter {
  #bytes: Uint8Array;
  #length = 0;
  #pending = 0;
  #pendingBits = 0;

  constructor(bytesAtFirst = 256) {
    this.#bytes = new Uint8Array(bytesAtFirst);
  }

  /** The lowest `bits` of `value`, 0 … 32. */
  write(value: number, bits: number): void {
    if (bits > 16) {
      this.#put((value >>> 16) & (2 ** (bits - 16) - 1), bits - 16);
      this.#put(value & 0xffff, 16);
    } else this.#put(value & (2 ** bits - 1), bits);
  }

  /** `count` ones. */
  ones(count: number): void {
    for (let left = count; left > 0; left -= 16) {
      const bits = Math.min(left, 16);
      this.#put(2 ** bits - 1, bits);
    }
  }

  /** At most 16 bits at once: with up to 7 that wait they fit 32. */
  #put(value: number, bits: number): void {
    this.#pending = (this.#pending << bits) | value;
    this.#pendingBits += bits;
    while (this.#pendingBits >= 8) {
      this.#pendingBits -= 8;
      if (this.#length === this.#bytes.length) this.#grow();
      this.#bytes[this.#length] = this.#pending >>> this.#pendingBits;
      this.#length += 1;
      this.#pending &= 2 ** this.#pendingBits - 1;
    }
  }

  #grow(): void {
    const grown = new Uint8Array(this.#bytes.length * 2);
    grown.set(this.#bytes);
    this.#bytes = grown;
  }

  /** What was written, filled up with zeros to a whole byte. */
  finish(): Uint8Array {
    if (this.#pendingBits > 0) this.#put(0, 8 - this.#pendingBits);
    return this.#bytes.slice(0, this.#length);
  }
}

/** Reads what a BitWriter wrote. @throws TocsinError DATA_CORRUPT beyond the end */
export class BitReader {
  readonly #bytes: Uint8Array;
  #at: number;
  #pending = 0;
  #pendingBits = 0;

  constructor(bytes: Uint8Array, at = 0) {
    this.#bytes = bytes;
    this.#at = at;
  }

  /** 0 … 32 bits as an unsigned number. */
  read(bits: number): number {
    if (bits <= 16) return this.#take(bits);
    const high = this.#take(bits - 16);
    return high * 0x10000 + this.#take(16);
  }

  /** How many ones stand before the next zero, which is taken too; with `max` ones none is looked for. */
  ones(max: number): number {
    let count = 0;
    while (count < max && this.#take(1) === 1) count += 1;
    return count;
  }

  #take(bits: number): number {
    while (this.#pendingBits < bits) {
      if (this.#at >= this.#bytes.length)
        throw new TocsinError('DATA_CORRUPT', 'a chunk of samples ends too early');
      this.#pending = ((this.#pending << 8) | (this.#bytes[this.#at] as number)) & 0xffffff;
      this.#at += 1;
      this.#pendingBits += 8;
    }
    this.#pendingBits -= bits;
    const value = (this.#pending >>> this.#pendingBits) & (2 ** bits - 1);
    this.#pending &= 2 ** this.#pendingBits - 1;
    return value;
  }
}
