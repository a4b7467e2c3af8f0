import { TextTable } from '../text-table.ts';

/** A map key as it is written: one byte of length, then the text. */
export const keyOf = (name: string): Uint8Array =>
  new Uint8Array([0xa0 | name.length, ...Buffer.from(name, 'latin1')]);

/** Names: conditions, beds, devices, rules. */
const names: TextTable = new TextTable(4_096, 32);
/** By themselves: so many that the other names would go for them. */
const patients: TextTable = new TextTable(4_096, 32);
/** What is said of a condition: mostly the same each time it is there. */
const texts: TextTable = new TextTable(1_024, 128);

/**
 * Walks over MessagePack whose form is foreseen. The first thing that is not as foreseen makes the
 * walk `failed`; the values read from then on mean nothing. Reading past the end is harmless and
 * found by `finished`.
 */
export class BodyCursor {
  readonly #bytes: Buffer;
  readonly #view: DataView;
  #at = 0;
  #end = 0;
  /** Keys found in the map that is open. */
  #keys = 0;
  #failed = false;
  #innerCount = 0;

  constructor(bytes: Uint8Array) {
    this.#bytes = Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength);
    this.#view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  }

  begin(start: number, end: number): void {
    this.#at = start;
    this.#end = end;
    this.#keys = 0;
    this.#failed = false;
  }

  get failed(): boolean {
    return this.#failed;
  }

  giveUp(): void {
    this.#failed = true;
  }

  /** Whether all went as foreseen, over exactly the bytes and the keys that are there. */
  finished(keys: number): boolean {
    return !this.#failed && this.#at === this.#end && this.#keys === keys;
  }

  /** Opens a map; how many keys it has. */
  map(): number {
    const token = this.#byte();
    if (token >= 0x80 && token < 0x90) return token & 0x0f;
    if (token !== 0xde) return this.#fail();
    return (this.#byte() << 8) | this.#byte();
  }

  /** Opens a map within a map. Give what it returns to `leave`. */
  enter(): number {
    const outer = this.#keys;
    this.#innerCount = this.map();
    this.#keys = 0;
    return outer;
  }

  leave(outer: number): void {
    if (this.#keys !== this.#innerCount) this.#failed = true;
    this.#keys = outer;
  }

  /** Passes over the key if it is next. */
  is(key: Uint8Array): boolean {
    const bytes = this.#bytes;
    const at = this.#at;
    const length = key.length;
    for (let i = 0; i < length; i += 1) if (bytes[at + i] !== key[i]) return false;
    this.#at = at + length;
    this.#keys += 1;
    return true;
  }

  require(key: Uint8Array): void {
    if (!this.is(key)) this.#failed = true;
  }

  isTrue(key: Uint8Array): boolean {
    if (!this.is(key)) return false;
    if (this.#byte() !== 0xc3) this.#failed = true;
    return true;
  }

  isNil(): boolean {
    if (this.#bytes[this.#at] !== 0xc0) return false;
    this.#at += 1;
    return true;
  }

  /** A whole number from `min` to `max`. */
  whole(min: number, max: number): number {
    const value = this.number();
    if (Number.isSafeInteger(value) && value >= min && value <= max) return value;
    return this.#fail();
  }

  /** A finite number, in the spellings a writer uses. */
  number(): number {
    const token = this.#byte();
    if (token < 0x80) return token;
    if (token >= 0xe0) return token - 0x100;
    const at = this.#at;
    switch (token) {
      case 0xcb:
        return this.#double(at);
      case 0xcc:
        return this.#byte();
      case 0xcd:
        this.#at = at + 2;
        return this.#at <= this.#end ? this.#view.getUint16(at) : this.#fail();
      case 0xce:
        this.#at = at + 4;
        return this.#at <= this.#end ? this.#view.getUint32(at) : this.#fail();
      case 0xd0:
        return (this.#byte() << 24) >> 24;
      case 0xd1:
        this.#at = at + 2;
        return this.#at <= this.#end ? this.#view.getInt16(at) : this.#fail();
      case 0xd2:
        this.#at = at + 4;
        return this.#at <= this.#end ? this.#view.getInt32(at) : this.#fail();
      default:
        return this.#fail();
    }
  }

  requiredLine(key: Uint8Array, charsMax: number): string {
    this.require(key);
    return this.line(charsMax);
  }

  /** A text of 1 … `charsMax` printable ASCII characters, probably seen before. */
  line(charsMax: number): string {
    return this.#recurring(charsMax, names);
  }

  /** As `line`, of a patient. */
  patient(charsMax: number): string {
    return this.#recurring(charsMax, patients);
  }

  lineOrEmpty(charsMax: number): string {
    return this.#isEmpty() ? '' : this.line(charsMax);
  }

  /** As `line`, of a text that is hardly ever the same: not worth a place in the table. */
  uniqueLine(charsMax: number): string {
    const length = this.#textLength();
    const from = this.#at - length;
    if (length === 0 || length > charsMax || !this.#isPrintable(from)) return this.#failText();
    return this.#bytes.toString('latin1', from, this.#at);
  }

  /** A text of 0 … `charsMax` printable ASCII characters. */
  prose(charsMax: number): string {
    return this.#isEmpty() ? '' : this.#recurring(charsMax, texts);
  }

  #recurring(charsMax: number, table: TextTable): string {
    const length = this.#textLength();
    const from = this.#at - length;
    if (length === 0 || length > charsMax || !this.#isPrintable(from)) return this.#failText();
    if (length <= table.bytesMax) return table.text(this.#bytes, from, length);
    return this.#bytes.toString('latin1', from, this.#at);
  }

  /** Passes over a text that is empty. */
  #isEmpty(): boolean {
    if (this.#bytes[this.#at] !== 0xa0) return false;
    this.#at += 1;
    return true;
  }

  /** Passes over a text; its length in bytes. */
  #textLength(): number {
    const token = this.#byte();
    let length = token & 0x1f;
    if (token === 0xd9) length = this.#byte();
    else if (token === 0xda) length = (this.#byte() << 8) | this.#byte();
    else if (token < 0xa0 || token >= 0xc0) return this.#fail();
    this.#at += length;
    return this.#at <= this.#end ? length : this.#fail();
  }

  #isPrintable(from: number): boolean {
    const bytes = this.#bytes;
    for (let i = from; i < this.#at; i += 1) {
      const byte = bytes[i] as number;
      if (byte < 0x20 || byte >= 0x7f) return false;
    }
    return true;
  }

  #double(at: number): number {
    this.#at = at + 8;
    if (this.#at > this.#end) return this.#fail();
    const value = this.#view.getFloat64(at);
    return Number.isFinite(value) && !Object.is(value, -0) ? value : this.#fail();
  }

  #byte(): number {
    if (this.#at >= this.#end) return this.#fail();
    const byte = this.#bytes[this.#at] as number;
    this.#at += 1;
    return byte;
  }

  #fail(): number {
    this.#failed = true;
    return 0;
  }

  #failText(): string {
    this.#failed = true;
    return '';
  }
}
