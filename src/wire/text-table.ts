/**
 * ASCII texts seen before, by their bytes. A text that recurs is found faster than it is
 * made, and a million alerts share one `hr-high@1`. A newer text takes the place of an older one
 * with the same hash, so the table is bounded and no sequence of texts can make it slow.
 */
export class TextTable {
  readonly #texts: string[];
  readonly #lengths: Uint8Array;
  readonly #bytes: Uint8Array;
  readonly #mask: number;
  /** Of one text. */
  readonly bytesMax: number;

  /** `size`: a power of two. `bytesMax`: at most 255. */
  constructor(size: number, bytesMax: number) {
    this.bytesMax = bytesMax;
    this.#texts = new Array<string>(size).fill('');
    this.#lengths = new Uint8Array(size);
    this.#bytes = new Uint8Array(size * bytesMax);
    this.#mask = size - 1;
  }

  /** The text of the `length` bytes at `from`, which are ASCII and at most `bytesMax`. */
  text(source: Buffer, from: number, length: number): string {
    let hash = length;
    for (let i = from; i < from + length; i += 1)
      hash = Math.imul(hash ^ (source[i] as number), 0x01000193);
    const slot = (hash ^ (hash >>> 15)) & this.#mask;
    if (this.#lengths[slot] === length && this.#holds(slot, source, from, length))
      return this.#texts[slot] as string;
    const text = source.toString('latin1', from, from + length);
    this.#texts[slot] = text;
    this.#lengths[slot] = length;
    const at = slot * this.bytesMax;
    for (let i = 0; i < length; i += 1) this.#bytes[at + i] = source[from + i] as number;
    return text;
  }

  #holds(slot: number, source: Buffer, from: number, length: number): boolean {
    const at = slot * this.bytesMax;
    for (let i = 0; i < length; i += 1) if (this.#bytes[at + i] !== source[from + i]) return false;
    return true;
  }
}
