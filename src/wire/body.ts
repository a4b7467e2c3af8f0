// This entry of msgpackr is pure JavaScript; the default one also loads a native text extractor,
// which reads ahead.
import { Packr } from 'msgpackr/pack';
import { TocsinError } from '../base/errors.ts';
import { scanBody } from './commands/scan.ts';

/**
 * MessagePack, the part of it that JSON has too: nil, booleans, finite numbers, texts, arrays, maps
 * with text keys. No binary, no extensions, no records, no references. Rules in FORMAT.md, "Body".
 */

const packr = new Packr({
  useRecords: false,
  mapsAsObjects: true,
  variableMapSize: true,
  structuredClone: false,
  moreTypes: false,
  bundleStrings: false,
  useToJSON: false,
  int64AsType: 'number',
});

/**
 * msgpackr writes into a slab and hands out pieces; one that grew would be kept alive whole by its
 * smallest piece.
 */
const SLAB_BYTES: number = 32 * 1024;
packr.useBuffer(Buffer.allocUnsafeSlow(SLAB_BYTES));

/**
 * The value as bytes. The caller gives plain data: no undefined, no class instances, well-formed
 * texts.
 */
export function encodeBody(value: unknown): Uint8Array {
  const bytes = packr.encode(value);
  if (bytes.buffer.byteLength > SLAB_BYTES) packr.useBuffer(Buffer.allocUnsafeSlow(SLAB_BYTES));
  return bytes;
}

/**
 * The one value that fills `bytes`. Objects in it have the default prototype and own data
 * properties only; texts are copies, so nothing of the result keeps `bytes` alive.
 * @throws TocsinError BODY_MALFORMED with the offset of what is wrong
 */
export function decodeBody(bytes: Uint8Array): unknown {
  return new BodyDecoder(bytes).decode(0, bytes.byteLength);
}

/** Several bodies that lie in the same bytes. */
export class BodyDecoder {
  /**
   * A view of our own, because msgpackr leaves a property on what it reads; a Buffer has the faster
   * texts.
   */
  readonly #view: Buffer;
  readonly #range: { start: number; end: number } = { start: 0, end: 0 };

  constructor(bytes: Uint8Array) {
    this.#view = Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  }

  /** As `decodeBody`, for the bytes `start` … `end`; offsets in messages count from `start`. */
  decode(start: number, end: number): unknown {
    scanBody(this.#view, start, end);
    this.#range.start = start;
    this.#range.end = end;
    try {
      return packr.decode(this.#view, this.#range);
    } catch (cause) {
      throw new TocsinError('BODY_MALFORMED', 'not MessagePack', { cause });
    }
  }
}
