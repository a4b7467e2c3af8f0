import { TocsinError } from '../../base/errors.ts';
import { type UnixMillis, unixMillis } from '../../base/ids.ts';
import { NAME_CHARS_MAX, TEXT_CHARS_MAX, UNIX_MILLIS_MAX } from '../../base/limits.ts';
import type { AlertId } from '../../statemachine/types.ts';
import { asLine, asText } from '../check.ts';
import type { RecentTexts } from './recent-texts.ts';

const UTF8 = new TextDecoder('utf-8', { fatal: true, ignoreBOM: true });

export const malformed = (what: string): TocsinError => new TocsinError('BODY_MALFORMED', what);

/** Reads what ItemWriter wrote, and checks it as it goes. All methods throw BODY_MALFORMED. */
export class ItemReader {
  readonly #bytes: Buffer;
  readonly #view: DataView;
  readonly #chunk: Uint8Array;
  /** Of items that are each read by themselves, instead of those of the chunk. */
  readonly #recent: RecentTexts | undefined;
  readonly #lines: string[] = [];
  readonly #proses: string[] = [];
  #at = 0;
  #end = 0;

  /** `recent`: its items are each read by themselves, as ItemWriter's `isAlone` has it, and these texts are known from others. */
  constructor(chunk: Uint8Array, recent?: RecentTexts) {
    this.#chunk = chunk;
    this.#recent = recent;
    this.#bytes = Buffer.from(chunk.buffer, chunk.byteOffset, chunk.byteLength);
    this.#view = new DataView(chunk.buffer, chunk.byteOffset, chunk.byteLength);
  }

  isOf(chunk: Uint8Array): boolean {
    return this.#chunk === chunk;
  }

  /** The next item is the bytes `start` … `end`. */
  begin(start: number, end: number): void {
    this.#at = start;
    this.#end = end;
  }

  finish(): void {
    if (this.#at !== this.#end) throw malformed(`an item ends at ${this.#end}, not ${this.#at}`);
  }

  byte(): number {
    if (this.#at >= this.#end) throw malformed(`an item ends early, at ${this.#end}`);
    const byte = this.#bytes[this.#at] as number;
    this.#at += 1;
    return byte;
  }

  /** Eight flags, of which only those in `known` may be set. */
  flags(known: number): number {
    const flags = this.byte();
    if ((flags & ~known) !== 0) throw malformed(`flags ${flags} where ${known} are known`);
    return flags;
  }

  /** A whole number from `min` to `max`, in its one spelling. */
  whole(min = 0, max: number = Number.MAX_SAFE_INTEGER): number {
    let byte = this.byte();
    let value = byte & 0x7f;
    for (let scale = 128; byte >= 0x80; scale *= 128) {
      byte = this.byte();
      if (byte === 0 || scale > 2 ** 49) throw malformed(`no whole number ends at ${this.#at}`);
      value += (byte & 0x7f) * scale;
    }
    if (value >= min && value <= max) return value;
    throw malformed(`${value} before ${this.#at} must be from ${min} to ${max}`);
  }

  instant(): UnixMillis {
    return unixMillis(this.whole(0, UNIX_MILLIS_MAX));
  }

  alertId(): AlertId {
    return `A${this.whole(1)}`;
  }

  /** A finite number. */
  double(): number {
    const at = this.#at;
    this.#at = at + 8;
    if (this.#at > this.#end) throw malformed(`an item ends early, at ${this.#end}`);
    const value = this.#view.getFloat64(at, true);
    if (Number.isFinite(value)) return value;
    throw malformed(`the number at ${at} is not finite`);
  }

  /** A word of a closed set, by its place. */
  word<T extends string>(words: readonly T[]): T {
    return words[this.whole(0, words.length - 1)] as T;
  }

  /** The whole number with which the item ends, wherever it is read. */
  lastWhole(): number {
    this.#at = this.#end - 1;
    while (this.#at > 0 && ((this.#bytes[this.#at - 1] as number) & 0x80) !== 0) this.#at -= 1;
    return this.whole();
  }

  /** Passes a text by that is not a recurring one. */
  skipUnique(): void {
    const length = this.whole();
    this.#at += length;
    if (this.#at > this.#end) throw malformed(`a text ends at ${this.#at}`);
  }

  /** The same of one that recurs. */
  skipLine(): void {
    if (this.whole() === 0) this.skipUnique();
  }

  uniqueLine(charsMax: number): string {
    return this.#text(1, charsMax);
  }

  uniqueProse(): string {
    return this.#text(0, TEXT_CHARS_MAX, 'prose');
  }

  /** A name that recurs. */
  line(charsMin = 1, charsMax: number = NAME_CHARS_MAX): string {
    const number = this.whole();
    if (number === 0) {
      const line = this.#text(charsMin, charsMax, 'line', this.#recent);
      if (this.#recent === undefined) this.#lines.push(line);
      return line;
    }
    const line = this.#lines[number - 1];
    if (line === undefined || line.length < charsMin || line.length > charsMax)
      throw malformed(`there is no line ${number}`);
    return line;
  }

  prose(): string {
    const number = this.whole();
    if (number === 0) {
      const prose = this.#text(0, TEXT_CHARS_MAX, 'prose', this.#recent);
      if (this.#recent === undefined) this.#proses.push(prose);
      return prose;
    }
    const prose = this.#proses[number - 1];
    if (prose === undefined) throw malformed(`there is no prose ${number}`);
    return prose;
  }

  #text(
    charsMin: number,
    charsMax: number,
    kind: 'line' | 'prose' = 'line',
    recent?: RecentTexts,
  ): string {
    const length = this.whole(charsMin, charsMax * 3);
    const from = this.#at;
    const to = from + length;
    if (to > this.#end) throw malformed(`the text at ${from} ends at ${to}`);
    this.#at = to;
    const bytes = this.#bytes;
    for (let i = from; i < to; i += 1) {
      const byte = bytes[i] as number;
      if (byte < 0x20 || byte >= 0x7f) return this.#unicode(from, to, charsMin, charsMax, kind);
    }
    if (length > charsMax) throw malformed(`the text at ${from} has ${length} characters`);
    return recent === undefined ? bytes.toString('latin1', from, to) : recent.of(bytes, from, to);
  }

  #unicode(
    from: number,
    to: number,
    charsMin: number,
    charsMax: number,
    kind: 'line' | 'prose',
  ): string {
    let text: string;
    try {
      text = UTF8.decode(this.#bytes.subarray(from, to));
    } catch (cause) {
      throw new TocsinError('BODY_MALFORMED', `the text at ${from} is not UTF-8`, { cause });
    }
    return kind === 'line'
      ? asLine('answer', 'line', text, charsMin, charsMax)
      : asText('answer', 'prose', text);
  }
}
