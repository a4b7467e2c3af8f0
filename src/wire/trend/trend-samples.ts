import { assert } from '../../base/assert.ts';
import { TocsinError } from '../../base/errors.ts';
import { UNIX_MILLIS_MAX } from '../../base/limits.ts';
import { TREND_FRAME_SAMPLES_MAX } from '../../base/trend-limits.ts';
import { readU32, writeU32 } from '../bytes.ts';

/** Samples on their way, in columns: FORMAT.md, "Trends". The journal on disk holds the very same bytes. */

const HEADER_BYTES = 16;
const SAMPLE_BYTES = 17;
export const QUALITY_MAX = 3;

assert(new Uint8Array(new Uint16Array([1]).buffer)[0] === 1, 'columns are little-endian');

export interface SampleBatch {
  readonly count: number;
  /** Milliseconds since 1970; a sample's time is this and its offset. */
  readonly base: number;
  readonly values: Float64Array;
  /** As registered on the connection. The receiver may put others in their place. */
  readonly slots: Uint32Array;
  readonly offsets: Int32Array;
  readonly qualities: Uint8Array;
  /** The body that the columns lie in. */
  readonly bytes: Uint8Array;
}

function viewOf(bytes: Uint8Array, count: number, base: number): SampleBatch {
  const { buffer, byteOffset } = bytes;
  const slotsAt = byteOffset + HEADER_BYTES + 8 * count;
  return {
    count,
    base,
    values: new Float64Array(buffer, byteOffset + HEADER_BYTES, count),
    slots: new Uint32Array(buffer, slotsAt, count),
    offsets: new Int32Array(buffer, slotsAt + 4 * count, count),
    qualities: new Uint8Array(buffer, slotsAt + 8 * count, count),
    bytes,
  };
}

/** Where a frame's columns may lie until the next one comes: for frames that nobody keeps. */
export class FrameRoom {
  #bytes = new Uint8Array(0);

  copyOf(body: Uint8Array): Uint8Array {
    if (this.#bytes.byteLength < body.byteLength) this.#bytes = new Uint8Array(body.byteLength * 2);
    this.#bytes.set(body);
    return this.#bytes.subarray(0, body.byteLength);
  }
}

/**
 * A copy of the body, all of whose samples are well formed; slots are not known here. With a room it holds until that is
 * used again.
 * @throws TocsinError BODY_MALFORMED
 */
export function decodeSamples(body: Uint8Array, room?: FrameRoom): SampleBatch {
  if (body.byteLength < HEADER_BYTES) throw malformed(`only ${body.byteLength} bytes`);
  const count = readU32(body, 0);
  if (count < 1 || count > TREND_FRAME_SAMPLES_MAX) throw malformed(`${count} samples`);
  if (body.byteLength !== HEADER_BYTES + count * SAMPLE_BYTES)
    throw malformed(`${count} samples in ${body.byteLength} bytes`);
  if (readU32(body, 4) !== 0) throw malformed('a field that must be zero is not');
  const bytes = room === undefined ? new Uint8Array(body) : room.copyOf(body);
  const base = new Float64Array(bytes.buffer, 8, 1)[0] as number;
  if (!Number.isSafeInteger(base) || base < 0 || base > UNIX_MILLIS_MAX)
    throw malformed(`base ${base} is not a time`);
  const batch = viewOf(bytes, count, base);
  for (let i = 0; i < count; i += 1) {
    const value = batch.values[i] as number;
    if (value === Infinity || value === -Infinity) throw malformed(`value ${i} is infinite`);
    if ((batch.qualities[i] as number) > QUALITY_MAX) throw malformed(`quality of sample ${i}`);
    if (base + (batch.offsets[i] as number) < 0) throw malformed(`time of sample ${i}`);
    // One bit pattern for each value, so that replicas can compare bytes.
    if (value === 0) batch.values[i] = 0;
    else if (Number.isNaN(value)) batch.values[i] = Number.NaN;
  }
  return batch;
}

const malformed = (what: string): TocsinError =>
  new TocsinError('BODY_MALFORMED', `samples: ${what}`);

/** Gathers samples for one frame. */
export class BatchBuilder {
  #values = new Float64Array(256);
  #slots = new Uint32Array(256);
  #offsets = new Int32Array(256);
  #qualities = new Uint8Array(256);
  #count = 0;
  #base = 0;

  get count(): number {
    return this.#count;
  }

  /** False = the frame is full, or the time too far from its others: send it first. */
  add(slot: number, time: number, value: number, quality: number): boolean {
    const at = this.#count;
    if (at === 0) this.#base = time;
    const offset = time - this.#base;
    if (at >= TREND_FRAME_SAMPLES_MAX || offset !== (offset | 0)) return false;
    if (at >= this.#values.length) this.#grow();
    this.#values[at] = value;
    this.#slots[at] = slot;
    this.#offsets[at] = offset;
    this.#qualities[at] = quality;
    this.#count = at + 1;
    return true;
  }

  /** The body of what was gathered; begins anew. */
  take(): Uint8Array {
    const count = this.#count;
    assert(count > 0, 'no samples to send');
    const bytes = new Uint8Array(HEADER_BYTES + count * SAMPLE_BYTES);
    writeU32(bytes, 0, count);
    new Float64Array(bytes.buffer, 8, 1)[0] = this.#base;
    const batch = viewOf(bytes, count, this.#base);
    batch.values.set(this.#values.subarray(0, count));
    batch.slots.set(this.#slots.subarray(0, count));
    batch.offsets.set(this.#offsets.subarray(0, count));
    batch.qualities.set(this.#qualities.subarray(0, count));
    this.#count = 0;
    return bytes;
  }

  #grow(): void {
    const room = Math.min(TREND_FRAME_SAMPLES_MAX, this.#values.length * 4);
    const before = [this.#values, this.#slots, this.#offsets, this.#qualities] as const;
    this.#values = new Float64Array(room);
    this.#slots = new Uint32Array(room);
    this.#offsets = new Int32Array(room);
    this.#qualities = new Uint8Array(room);
    this.#values.set(before[0]);
    this.#slots.set(before[1]);
    this.#offsets.set(before[2]);
    this.#qualities.set(before[3]);
  }
}

/** Samples by what became of them. */
export interface Taken {
  readonly inOrder: number;
  readonly behind: number;
  readonly tooOld: number;
  readonly tooNew: number;
  readonly noRoom: number;
}

const FATES = ['inOrder', 'behind', 'tooOld', 'tooNew', 'noRoom'] as const;

export function encodeTaken(taken: Taken): Uint8Array {
  const bytes = new Uint8Array(FATES.length * 4);
  for (const [at, fate] of FATES.entries()) writeU32(bytes, at * 4, taken[fate]);
  return bytes;
}

/** @throws TocsinError BODY_MALFORMED */
export function decodeTaken(body: Uint8Array): Taken {
  if (body.byteLength !== FATES.length * 4) throw malformed(`${body.byteLength} bytes of counts`);
  const [inOrder = 0, behind = 0, tooOld = 0, tooNew = 0, noRoom = 0] = FATES.map((_fate, at) =>
    readU32(body, at * 4),
  );
  return { inOrder, behind, tooOld, tooNew, noRoom };
}
