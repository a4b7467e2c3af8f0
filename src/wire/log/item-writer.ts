import { writeU32 } from '../bytes.ts';

/** A text takes at most so many bytes a UTF-16 unit, and its length so many. */
const TEXT_BYTES_A_UNIT = 3;
const WHOLE_BYTES_MAX = 8;
/** Few states fill a chunk: room is made as it is needed. */
const BYTES_AT_FIRST: number = 32 * 1_024;

/**
 * Writes the fields of items one behind another. A text that recurs is written once a chunk: from then on it is named by
 * its number. Layout in FORMAT.md, "Snapshot chunk".
 */
export class ItemWriter {
  #bytes: Buffer = Buffer.allocUnsafeSlow(BYTES_AT_FIRST);
  #at = 0;
  readonly #lines = new Map<string, number>();
  readonly #proses = new Map<string, number>();
  readonly #isAlone: boolean;

  /** `isAlone`: of items that are each read by themselves, so that no text recurs. */
  constructor(isAlone = false) {
    this.#isAlone = isAlone;
  }

  get length(): number {
    return this.#at;
  }

  /** A copy of the first `length` bytes. Everything is forgotten, the texts too. */
  take(length: number): Uint8Array {
    const taken = Buffer.from(this.#bytes.subarray(0, length));
    this.forget();
    return taken;
  }

  /** Begins anew. */
  forget(): void {
    this.#at = 0;
    if (this.#isAlone) return;
    this.#lines.clear();
    this.#proses.clear();
  }

  /** In the first `length` of these bytes stands what was written, until more is. */
  get written(): Uint8Array {
    return this.#bytes;
  }

  byte(value: number): void {
    this.#makeRoom(1);
    this.#bytes[this.#at] = value;
    this.#at += 1;
  }

  u32(value: number): void {
    this.#makeRoom(4);
    writeU32(this.#bytes, this.#at, value);
    this.#at += 4;
  }

  /** Puts a number over four bytes that were written before. */
  patchU32(at: number, value: number): void {
    writeU32(this.#bytes, at, value);
  }

  /** A safe integer from 0, seven bits at a time, the lowest first. */
  whole(value: number): void {
    this.#makeRoom(WHOLE_BYTES_MAX);
    const bytes = this.#bytes;
    let at = this.#at;
    let rest = value;
    for (; rest >= 2 ** 28; rest = Math.floor(rest / 128)) {
      bytes[at] = (rest % 128) | 0x80;
      at += 1;
    }
    let low = rest | 0;
    for (; low >= 0x80; low >>>= 7) {
      bytes[at] = low | 0x80;
      at += 1;
    }
    bytes[at] = low;
    this.#at = at + 1;
  }

  double(value: number): void {
    this.#makeRoom(8);
    this.#at = this.#bytes.writeDoubleLE(value, this.#at);
  }

  bytes(value: Uint8Array): void {
    this.#makeRoom(value.byteLength);
    this.#bytes.set(value, this.#at);
    this.#at += value.byteLength;
  }

  /** A text that is hardly ever the same. */
  unique(text: string): void {
    const { length } = text;
    this.#makeRoom(WHOLE_BYTES_MAX + length * TEXT_BYTES_A_UNIT);
    const begin = this.#at;
    this.whole(length);
    const bytes = this.#bytes;
    const at = this.#at;
    for (let i = 0; i < length; i += 1) {
      const unit = text.charCodeAt(i);
      if (unit >= 0x80) {
        this.#at = begin;
        this.#unicode(text);
        return;
      }
      bytes[at + i] = unit;
    }
    this.#at = at + length;
  }

  /** A line that probably comes again. */
  line(text: string): void {
    this.#recurring(this.#lines, text);
  }

  /** The same of prose. */
  prose(text: string): void {
    this.#recurring(this.#proses, text);
  }

  #recurring(known: Map<string, number>, text: string): void {
    const number = this.#isAlone ? undefined : known.get(text);
    this.whole(number ?? 0);
    if (number !== undefined) return;
    if (!this.#isAlone) known.set(text, known.size + 1);
    this.unique(text);
  }

  #unicode(text: string): void {
    const length = Buffer.byteLength(text);
    this.whole(length);
    this.#at += this.#bytes.write(text, this.#at, length, 'utf8');
  }

  #makeRoom(length: number): void {
    if (this.#at + length <= this.#bytes.byteLength) return;
    const larger = Buffer.allocUnsafeSlow((this.#at + length) * 2);
    larger.set(this.#bytes.subarray(0, this.#at));
    this.#bytes = larger;
  }
}
