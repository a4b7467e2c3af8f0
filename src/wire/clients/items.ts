import { TocsinError } from '../../base/errors.ts';
import { type Revision, revision } from '../../base/ids.ts';
import { BodyDecoder } from '../body.ts';
import { readU32, readU64, writeU32 } from '../bytes.ts';
import type { Recent } from './recent.ts';

/** Small MessagePack bodies one after another, each behind its length. */

/** Before each item. */
export const LENGTH_BYTES = 4;

/** Items behind their lengths, one after another to the end of a body. */
export class Items {
  readonly #body: Uint8Array;
  readonly #decoder: BodyDecoder;
  #start: number;
  #end: number;

  constructor(body: Uint8Array, at: number) {
    this.#body = body;
    this.#decoder = new BodyDecoder(body);
    this.#start = at;
    this.#end = at;
  }

  /** Moves to the next item; false at the end. */
  next(): boolean {
    const left = this.#body.byteLength - this.#end;
    if (left === 0) return false;
    if (left < LENGTH_BYTES) throw malformed(`${left} bytes too many`);
    const length = readU32(this.#body, this.#end);
    if (length === 0 || length > left - LENGTH_BYTES)
      throw malformed(`item of ${length} bytes at ${this.#end}, ${left - LENGTH_BYTES} left`);
    this.#start = this.#end + LENGTH_BYTES;
    this.#end = this.#start + length;
    return true;
  }

  /** Its kind, where items begin with one. */
  first(): number {
    return this.#body[this.#start] as number;
  }

  /** The MessagePack value behind the item's first `skip` bytes. */
  decode(skip: number): unknown {
    return this.#decoder.decode(this.#start + skip, this.#end);
  }

  /** What `read` makes of the item's bytes behind the first `skip`, unless it is known. */
  recent<T>(skip: number, known: Recent<T>, read: () => T): T {
    return known.get(this.#body, this.#start + skip, this.#end, read);
  }

  /** The revision that an item is, behind its kind. */
  revision(): Revision {
    if (this.#end - this.#start !== 9) throw malformed('a revision is 8 bytes');
    return readRevision(this.#body, this.#start + 1);
  }

  /** The same of a count. */
  count(): number {
    if (this.#end - this.#start !== 5) throw malformed('a count is 4 bytes');
    return readU32(this.#body, this.#start + 1);
  }
}

/** An item that needs no kind. */
export function encodePlain(payload: Uint8Array): Uint8Array {
  const item = Buffer.allocUnsafe(LENGTH_BYTES + payload.byteLength);
  writeU32(item, 0, payload.byteLength);
  item.set(payload, LENGTH_BYTES);
  return item;
}

/** An item of a kind. */
export function encodeItem(kind: number, payload: Uint8Array): Uint8Array {
  const item = Buffer.allocUnsafe(LENGTH_BYTES + 1 + payload.byteLength);
  writeU32(item, 0, 1 + payload.byteLength);
  item[LENGTH_BYTES] = kind;
  item.set(payload, LENGTH_BYTES + 1);
  return item;
}

/** @throws TocsinError BODY_MALFORMED */
export function readRevision(body: Uint8Array, at: number): Revision {
  if (body.byteLength < at + 8) throw malformed(`only ${body.byteLength} bytes`);
  const value = readU64(body, at);
  if (Number.isNaN(value)) throw malformed('revision is not a safe integer');
  return revision(value);
}

export const malformed = (what: string): TocsinError => new TocsinError('BODY_MALFORMED', what);
