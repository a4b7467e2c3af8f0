/**
 * Reads LevelDB's little-endian base-128 integers; beyond the end, above 2⁴⁹, or with a zero at the end that nobody writes,
 * NaN: of two spellings one is damage.
 */
export class VarintCursor {
  readonly #bytes: Uint8Array;
  #at: number;
  readonly #end: number;

  constructor(bytes: Uint8Array, at: number, end: number) {
    this.#bytes = bytes;
    this.#at = at;
    this.#end = end;
  }

  get done(): boolean {
    return !(this.#at < this.#end);
  }

  varint(): number {
    let value = 0;
    for (let scale = 1; scale < 2 ** 49 && this.#at < this.#end; scale *= 128) {
      const byte = this.#bytes[this.#at] as number;
      this.#at += 1;
      value += (byte & 0x7f) * scale;
      if (byte === 0 && scale > 1) return Number.NaN;
      if (byte < 0x80) return value;
    }
    return Number.NaN;
  }

  /** A length and as many bytes. */
  skipText(): void {
    this.skip(this.varint());
  }

  skip(length: number): void {
    this.#at += length;
  }

  restIsZero(): boolean {
    return this.#bytes.subarray(this.#at, this.#end).every((byte) => byte === 0);
  }
}
