import { assert } from '../base/assert.ts';
import { TocsinError } from '../base/errors.ts';
import { type GroupId, groupId } from '../base/ids.ts';
import { FRAME_BYTES_MAX } from '../base/limits.ts';
import { readU16, readU32, readU64, writeU16, writeU32, writeU64 } from './bytes.ts';
import { checksum } from './checksum.ts';

/**
 * What passes over a connection: frames, each a header of 32 bytes and a body. Layout in FORMAT.md,
 * "Frame".
 */

export const FRAME_HEADER_BYTES = 32;
/** Of the frame layout and of every body; the handshake agrees on it. */
export const WIRE_VERSION = 1;

interface FrameTypes {
  readonly HELLO: 1;
  readonly WELCOME: 2;
  readonly REFUSE: 3;
  readonly PING: 4;
  readonly PONG: 5;
  readonly VOTE_REQUEST: 16;
  readonly VOTE_REPLY: 17;
  readonly APPEND_REQUEST: 18;
  readonly APPEND_REPLY: 19;
  readonly HEARTBEAT: 20;
  readonly HEARTBEAT_REPLY: 21;
  readonly TIMEOUT_NOW: 22;
  readonly SNAPSHOT_OFFER: 23;
  readonly READ_INDEX: 24;
  readonly READ_INDEX_REPLY: 25;
  readonly CLOCK_ASK: 26;
  readonly CLOCK_TELL: 27;
  readonly ROOM: 28;
  readonly REPAIR_FETCH: 29;
  readonly SNAPSHOT_FETCH: 30;
  readonly DIGESTS: 31;
  readonly SUBMIT: 32;
  readonly SUBMIT_REPLY: 33;
  readonly GET: 34;
  readonly LIST: 35;
  readonly WATCH: 36;
  readonly STATUS: 37;
  readonly CANCEL: 38;
  readonly ADMIN: 39;
  readonly ANSWER: 40;
  readonly FAIL: 41;
  readonly WATCH_MESSAGES: 42;
  readonly RECORDS: 43;
  readonly HISTORY: 44;
  readonly WATCH_SHARED: 45;
  readonly TREND_REGISTER: 48;
  readonly TREND_SAMPLES: 49;
  readonly TREND_TAKEN: 50;
  readonly TREND_QUERY: 51;
  readonly TREND_RESULT: 52;
  readonly TREND_DIGESTS: 53;
  readonly TREND_CHUNKS: 54;
}

/** What a body is. 1 … 15 connection, 16 … 31 between peers, 32 … 47 clients, 48 … 63 trends. */
export const FrameType: FrameTypes = {
  HELLO: 1,
  WELCOME: 2,
  REFUSE: 3,
  PING: 4,
  PONG: 5,
  VOTE_REQUEST: 16,
  VOTE_REPLY: 17,
  APPEND_REQUEST: 18,
  APPEND_REPLY: 19,
  HEARTBEAT: 20,
  HEARTBEAT_REPLY: 21,
  TIMEOUT_NOW: 22,
  SNAPSHOT_OFFER: 23,
  READ_INDEX: 24,
  READ_INDEX_REPLY: 25,
  CLOCK_ASK: 26,
  CLOCK_TELL: 27,
  ROOM: 28,
  REPAIR_FETCH: 29,
  SNAPSHOT_FETCH: 30,
  DIGESTS: 31,
  SUBMIT: 32,
  SUBMIT_REPLY: 33,
  GET: 34,
  LIST: 35,
  WATCH: 36,
  STATUS: 37,
  CANCEL: 38,
  ADMIN: 39,
  ANSWER: 40,
  FAIL: 41,
  WATCH_MESSAGES: 42,
  RECORDS: 43,
  HISTORY: 44,
  WATCH_SHARED: 45,
  TREND_REGISTER: 48,
  TREND_SAMPLES: 49,
  TREND_TAKEN: 50,
  TREND_QUERY: 51,
  TREND_RESULT: 52,
  TREND_DIGESTS: 53,
  TREND_CHUNKS: 54,
};
export type FrameType = FrameTypes[keyof FrameTypes];

const KNOWN: ReadonlySet<number> = new Set(Object.values(FrameType));
export const isFrameType = (value: number): value is FrameType => KNOWN.has(value);

export interface Frame {
  readonly type: FrameType;
  readonly group: GroupId;
  /** Correlates a request and its reply, or names a watch. */
  readonly id: number;
  /** The receiver's to keep; may share memory with other bodies of the same chunk. */
  readonly body: Uint8Array;
}

const MAGIC = 0x53434f54; // 'TOCS'
const MAGIC_BYTES = [0x54, 0x4f, 0x43, 0x53] as const;
const CHECKSUM_AT = 28;
const EMPTY: Uint8Array = new Uint8Array(0);

/**
 * The header of a frame whose body is `parts`, one after another. The parts are read, not copied:
 * they must reach the connection as they are now.
 */
export function frameHeader(
  type: FrameType,
  group: GroupId,
  id: number,
  parts: readonly Uint8Array[],
): Uint8Array {
  let length = 0;
  let sum = 0;
  for (const part of parts) {
    length += part.byteLength;
    sum = checksum(part, 0, part.byteLength, sum);
  }
  assert(length <= FRAME_BYTES_MAX, () => `body of ${length} bytes is over ${FRAME_BYTES_MAX}`);
  assert(group >>> 0 === group, () => `group ${group} does not fit 32 bits`);

  const header = Buffer.allocUnsafe(FRAME_HEADER_BYTES);
  writeU32(header, 0, MAGIC);
  header[4] = WIRE_VERSION;
  header[5] = type;
  writeU16(header, 6, 0);
  writeU32(header, 8, group);
  writeU32(header, 12, length);
  writeU64(header, 16, id);
  writeU32(header, 24, sum);
  writeU32(header, CHECKSUM_AT, checksum(header, 0, CHECKSUM_AT));
  return header;
}

interface Header {
  readonly type: FrameType;
  readonly group: GroupId;
  readonly length: number;
  readonly id: number;
  readonly sum: number;
}

/**
 * Cuts a stream of bytes into frames, whatever the sizes of the chunks in which it arrives. A
 * header is checked whole before any memory is taken for the body it announces. The first error is
 * final: a stream that lost its place once cannot be trusted to find it again.
 */
export class FrameReader {
  /** Longer bodies are refused. Raise it after the handshake, between frames. */
  bodyBytesMax: number;
  #chunks: Uint8Array[] = [];
  #nextChunk = 0;
  #chunk: Uint8Array = EMPTY;
  #at = 0;
  readonly #partialHeader: Uint8Array = new Uint8Array(FRAME_HEADER_BYTES);
  #partialHeaderLength = 0;
  #header: Header | undefined;
  #partialBody: Uint8Array | undefined;
  #partialBodyLength = 0;
  #failure: TocsinError | undefined;

  constructor(bodyBytesMax: number) {
    assert(bodyBytesMax <= FRAME_BYTES_MAX, `limit ${bodyBytesMax} is over ${FRAME_BYTES_MAX}`);
    this.bodyBytesMax = bodyBytesMax;
  }

  /** Adds bytes as they came. The chunk belongs to the reader from here on. */
  push(chunk: Uint8Array): void {
    if (this.#failure === undefined && chunk.byteLength > 0) this.#chunks.push(chunk);
  }

  /**
   * The next whole frame, or undefined until more bytes come.
   * @throws TocsinError FRAME_MALFORMED, VERSION_UNSUPPORTED, FRAME_UNKNOWN_TYPE, FRAME_TOO_LONG;
   * the same on every later call
   */
  next(): Frame | undefined {
    if (this.#failure !== undefined) throw this.#failure;
    try {
      return this.#next();
    } catch (error) {
      if (TocsinError.is(error)) this.#fail(error);
      throw error;
    }
  }

  /** Lets go of all that has come and is not taken yet. */
  drop(): void {
    this.#chunks = [];
    this.#nextChunk = 0;
    this.#chunk = EMPTY;
    this.#at = 0;
    this.#partialBody = undefined;
  }

  #fail(error: TocsinError): void {
    this.#failure = error;
    this.drop();
  }

  #next(): Frame | undefined {
    this.#header ??= this.#takeHeader();
    if (this.#header === undefined) return undefined;
    const body = this.#takeBody(this.#header.length);
    if (body === undefined) return undefined;

    const { type, group, id, sum } = this.#header;
    this.#header = undefined;
    if (checksum(body, 0, body.byteLength) !== sum)
      throw malformed(`frame ${id}: wrong body checksum`);
    return { type, group, id, body };
  }

  /** Makes `#chunk` from `#at` on hold at least one byte, if there is one. */
  #refill(): boolean {
    if (this.#at < this.#chunk.byteLength) return true;
    const chunk = this.#chunks[this.#nextChunk];
    this.#at = 0;
    if (chunk === undefined) {
      this.#chunk = EMPTY;
      this.#chunks = [];
      this.#nextChunk = 0;
      return false;
    }
    this.#chunk = chunk;
    this.#chunks[this.#nextChunk] = EMPTY; // lets go of the memory before the list is empty
    this.#nextChunk += 1;
    return true;
  }

  #takeHeader(): Header | undefined {
    while (this.#refill()) {
      const available = this.#chunk.byteLength - this.#at;
      if (this.#partialHeaderLength === 0 && available >= FRAME_HEADER_BYTES) {
        const header = parseHeader(this.#chunk, this.#at, this.bodyBytesMax);
        this.#at += FRAME_HEADER_BYTES;
        return header;
      }
      const count = Math.min(available, FRAME_HEADER_BYTES - this.#partialHeaderLength);
      for (let i = 0; i < count; i += 1)
        this.#partialHeader[this.#partialHeaderLength + i] = this.#chunk[this.#at + i] as number;
      this.#partialHeaderLength += count;
      this.#at += count;
      checkMagic(this.#partialHeader, this.#partialHeaderLength);
      if (this.#partialHeaderLength === FRAME_HEADER_BYTES) {
        this.#partialHeaderLength = 0;
        return parseHeader(this.#partialHeader, 0, this.bodyBytesMax);
      }
    }
    return undefined;
  }

  #takeBody(length: number): Uint8Array | undefined {
    if (length === 0) return EMPTY;
    while (this.#refill()) {
      const available = this.#chunk.byteLength - this.#at;
      if (this.#partialBody === undefined && available >= length) {
        const body = this.#chunk.subarray(this.#at, this.#at + length);
        this.#at += length;
        return body;
      }
      this.#partialBody ??= Buffer.allocUnsafeSlow(length);
      const count = Math.min(available, length - this.#partialBodyLength);
      this.#partialBody.set(
        this.#chunk.subarray(this.#at, this.#at + count),
        this.#partialBodyLength,
      );
      this.#partialBodyLength += count;
      this.#at += count;
      if (this.#partialBodyLength === length) {
        const body = this.#partialBody;
        this.#partialBody = undefined;
        this.#partialBodyLength = 0;
        return body;
      }
    }
    return undefined;
  }
}

const malformed = (what: string): TocsinError => new TocsinError('FRAME_MALFORMED', what);

/**
 * A stranger who speaks another protocol is found out by the first byte that differs, not after 32.
 */
function checkMagic(bytes: Uint8Array, length: number): void {
  for (let i = 0; i < MAGIC_BYTES.length && i < length; i += 1)
    if (bytes[i] !== MAGIC_BYTES[i]) throw malformed('not a frame: wrong magic number');
}

function parseHeader(bytes: Uint8Array, at: number, bodyBytesMax: number): Header {
  if (readU32(bytes, at) !== MAGIC) throw malformed('not a frame: wrong magic number');
  if (checksum(bytes, at, at + CHECKSUM_AT) !== readU32(bytes, at + CHECKSUM_AT))
    throw malformed('wrong header checksum');
  const version = bytes[at + 4] as number;
  if (version !== WIRE_VERSION)
    throw new TocsinError(
      'VERSION_UNSUPPORTED',
      `frame of version ${version}, not ${WIRE_VERSION}`,
    );
  if (readU16(bytes, at + 6) !== 0)
    throw malformed(`flags ${readU16(bytes, at + 6)} are not known`);
  const type = bytes[at + 5] as number;
  if (!isFrameType(type))
    throw new TocsinError('FRAME_UNKNOWN_TYPE', `frame type ${type} is not known`);
  const length = readU32(bytes, at + 12);
  if (length > bodyBytesMax)
    throw new TocsinError('FRAME_TOO_LONG', `body of ${length} bytes is over ${bodyBytesMax}`);
  const id = readU64(bytes, at + 16);
  if (Number.isNaN(id)) throw malformed('id is not a safe integer');
  const group = groupId(readU32(bytes, at + 8));
  return { type, group, length, id, sum: readU32(bytes, at + 24) };
}
