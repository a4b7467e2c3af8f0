import { type FileHandle, open } from 'node:fs/promises';
import { join } from 'node:path';
import { crc32 } from 'node:zlib';
import { assert } from '../base/assert.ts';
import { TocsinError } from '../base/errors.ts';
import { readU32, readU64, writeU32, writeU64 } from '../wire/bytes.ts';
import { faultOf } from './level.ts';

/**
 * How many writes were once durable, kept in a second place: LevelDB gives no sign when it comes up without its newest
 * writes, the vote among them. One small file with two slots, written in turn, so that a torn write leaves the other:
 *
 *     at  0  u32  magic number 'TOCW'
 *         4  u8   version, 1
 *         5  u8   which slot, 0 or 1
 *         6  u16  0
 *         8  u64  sequence: writes of the log that are durable
 *        16  u32  CRC-32 of the bytes before
 *
 * The mark is written after the log, never before, so it never claims too much. It may lag: what it can miss is the loss
 * of the writes that came after it.
 */
export class HighWater {
  readonly #handle: FileHandle;
  /** On disk. */
  #marked: number;
  /** Known to be durable in the log. */
  #newest: number;
  #slot: 0 | 1;
  #writing: Promise<void> | undefined;

  private constructor(handle: FileHandle, marked: number, slot: 0 | 1) {
    this.#handle = handle;
    this.#marked = marked;
    this.#newest = marked;
    this.#slot = slot;
  }

  /** Makes the mark of a new, empty log, durably but for its name in the folder. */
  static async create(folder: string): Promise<void> {
    const handle = await open(join(folder, FILE), 'wx', 0o600);
    try {
      for (const slot of SLOTS) await handle.write(encode(0, slot), 0, SLOT_BYTES, slot * SLOT_AT);
      await handle.sync();
    } finally {
      await handle.close();
    }
  }

  /**
   * Opens the mark of an existing log; never makes one.
   * @throws TocsinError DATA_CORRUPT (missing, or both slots damaged), DISK_FAILED
   */
  static async open(folder: string): Promise<HighWater> {
    let handle: FileHandle;
    try {
      handle = await open(join(folder, FILE), 'r+');
    } catch (error) {
      if (error instanceof Error && 'code' in error && error.code === 'ENOENT')
        throw new TocsinError('DATA_CORRUPT', `${folder}: the file ${FILE} is missing`);
      throw faultOf(error, `opening ${folder}`);
    }
    try {
      const marks = await Promise.all(SLOTS.map((slot) => readSlot(handle, slot)));
      const [one = -1, other = -1] = marks;
      // A torn slot is the one that was being written: the other is the older, and still true.
      if (one < 0 && other < 0)
        throw new TocsinError('DATA_CORRUPT', `${folder}: both slots of ${FILE} are damaged`);
      const next = one >= other ? 1 : 0;
      return new HighWater(handle, Math.max(one, other), next);
    } catch (error) {
      await handle.close();
      throw error;
    }
  }

  /** Writes of the log that were once durable, at least. */
  get sequence(): number {
    return this.#marked;
  }

  /** Writes of the log that are durable and not marked yet. */
  get lag(): number {
    return this.#newest - this.#marked;
  }

  /** The log's write `sequence` is durable. Not written at once: see `mark`. */
  note(sequence: number): void {
    assert(sequence >= this.#newest, `write ${sequence} after ${this.#newest}`);
    this.#newest = sequence;
  }

  /** Puts down what was noted. One write of the file at a time: who calls meanwhile waits for that one. */
  mark(): Promise<void> {
    this.#writing ??= this.#write().finally(() => {
      this.#writing = undefined;
    });
    return this.#writing;
  }

  /** Puts down the newest mark if it can, and gives the file back. */
  async close(): Promise<void> {
    try {
      await this.#writing;
      await this.mark();
    } finally {
      await this.#handle.close();
    }
  }

  async #write(): Promise<void> {
    const sequence = this.#newest;
    if (sequence === this.#marked) return;
    const bytes = encode(sequence, this.#slot);
    const { bytesWritten } = await this.#handle.write(bytes, 0, SLOT_BYTES, this.#slot * SLOT_AT);
    assert(bytesWritten === SLOT_BYTES, `wrote ${bytesWritten} of ${SLOT_BYTES} bytes`);
    await this.#handle.datasync();
    this.#marked = sequence;
    this.#slot = this.#slot === 0 ? 1 : 0;
  }
}

const FILE = 'high-water';
const SLOTS = [0, 1] as const;
const SLOT_BYTES = 20;
/** Slots lie in sectors of their own: one torn write cannot reach both. */
const SLOT_AT = 4096;
const MAGIC = 0x57434f54; // 'TOCW'
const VERSION = 1;
const CRC_AT = 16;

function encode(sequence: number, slot: 0 | 1): Uint8Array {
  const bytes = new Uint8Array(SLOT_BYTES);
  writeU32(bytes, 0, MAGIC);
  bytes[4] = VERSION;
  bytes[5] = slot;
  writeU64(bytes, 8, sequence);
  writeU32(bytes, CRC_AT, crc32(bytes.subarray(0, CRC_AT)));
  return bytes;
}

/** The slot's sequence, or −1 when it is damaged. */
async function readSlot(handle: FileHandle, slot: 0 | 1): Promise<number> {
  const bytes = new Uint8Array(SLOT_BYTES);
  const { bytesRead } = await handle.read(bytes, 0, SLOT_BYTES, slot * SLOT_AT);
  const intact =
    bytesRead === SLOT_BYTES &&
    readU32(bytes, 0) === MAGIC &&
    bytes[4] === VERSION &&
    bytes[5] === slot &&
    crc32(bytes.subarray(0, CRC_AT)) === readU32(bytes, CRC_AT);
  const sequence = intact ? readU64(bytes, 8) : Number.NaN;
  return Number.isNaN(sequence) ? -1 : sequence;
}
