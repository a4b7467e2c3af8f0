import { type FileHandle, open } from 'node:fs/promises';
import { join } from 'node:path';
import { crc32 } from 'node:zlib';
import { assert } from '../../base/assert.ts';
import { TocsinError } from '../../base/errors.ts';
import { logIndex, replicaId, term } from '../../base/ids.ts';
import type { HardState } from '../../raft/types.ts';
import { readU16, readU32, readU64, writeU16, writeU32, writeU64 } from '../../wire/bytes.ts';
import { faultOf } from '../level/level.ts';
import type { LogPlace } from '../types.ts';

/** What was once durable, and what may have been promised. */
export interface Mark {
  /** Counts writes of the log: so many were durable. */
  readonly sequence: number;
  /** Where the log ended with that write. */
  readonly last: Pick<LogPlace, 'index' | 'chain'>;
  /** Term and vote: never behind those of any write that was acknowledged. */
  readonly voted: Voted;
  /** The mark itself is damaged: nothing is known from here. */
  readonly isLost?: true;
}

export type Voted = Omit<HardState, 'commit'>;

/**
 * The mark in a second place: LevelDB gives no sign when it comes up without its newest writes, the vote among them. Where
 * the mark is kept is all that differs between a disk and memory.
 */
export interface MarkFile {
  /** Durable when it resolves. */
  write(mark: Mark): Promise<void>;
  close(): Promise<void>;
}

/**
 * How far the log is known to be durable. Of the log it is put down after the write, never before, so it never claims too
 * much; it may lag: what it can miss is the loss of the writes that came after it. Of term and vote it is put down along
 * with the write, and the write is not acknowledged before both are durable: a vote is known from here even when LevelDB
 * has lost it.
 */
export class HighWater {
  readonly #file: MarkFile;
  /** On disk. */
  #marked: Mark;
  /** Known to be durable in the log. */
  #newest: Mark;
  #writing: Promise<void> | undefined;

  /** Takes the file over, in which `marked` stands; `close` closes it. */
  constructor(file: MarkFile, marked: Mark) {
    this.#file = file;
    this.#marked = marked;
    this.#newest = marked;
  }

  /**
   * Opens the mark of an existing log; never makes one. With both slots damaged it says that it is lost.
   * @throws TocsinError DATA_CORRUPT (missing), DISK_FAILED
   */
  static async open(folder: string): Promise<HighWater> {
    const file = await SlotFile.open(folder);
    try {
      return new HighWater(file, await file.read());
    } catch (error) {
      await file.close();
      throw error;
    }
  }

  /** What is on disk. */
  get mark(): Mark {
    return this.#marked;
  }

  /** Writes of the log that are durable and not marked yet. */
  get lag(): number {
    return this.#newest.sequence - this.#marked.sequence;
  }

  /** The log's write `mark.sequence` is durable. Not put down at once: see `putDown`. */
  note(mark: Mark): void {
    const { sequence } = this.#newest;
    assert(mark.sequence >= sequence, `write ${mark.sequence} after ${sequence}`);
    this.#newest = mark;
  }

  /** Puts down what was noted. One write of the file at a time: who calls meanwhile waits for that one. */
  putDown(): Promise<void> {
    this.#writing ??= this.#write(this.#newest).finally(() => {
      this.#writing = undefined;
    });
    return this.#writing;
  }

  /** Puts down a term and vote that the log is about to be given, ahead of what else is noted. */
  async promise(voted: Voted): Promise<void> {
    this.#newest = { ...this.#newest, voted };
    await this.#writing;
    await this.putDown();
  }

  /** Puts down the newest mark if it can, and gives the file back. */
  async close(): Promise<void> {
    try {
      await this.#writing;
      await this.putDown();
    } finally {
      await this.#file.close();
    }
  }

  async #write(mark: Mark): Promise<void> {
    if (mark === this.#marked) return;
    await this.#file.write(mark);
    this.#marked = mark;
  }
}

/** Makes the mark of a log, durably but for its name in the folder. */
export async function createMark(folder: string, mark: Mark): Promise<void> {
  const handle = await open(join(folder, FILE), 'wx', 0o600);
  try {
    for (const slot of SLOTS) await handle.write(encode(mark, slot), 0, SLOT_BYTES, slot * SLOT_AT);
    await handle.sync();
  } finally {
    await handle.close();
  }
}

/**
 * One small file with two slots, written in turn, so that a torn write leaves the other:
 *
 *     at  0  u32  magic number 'TOCW'          at 24  u64  index of the last entry
 *         4  u8   version, 2                      32  u64  chain hash of the last entry
 *         5  u8   which slot, 0 or 1              40  u32  1 = the vote may have been forgotten, else 0
 *         6  u16  vote, 0 = nobody                44  u32  CRC-32 of the bytes before
 *         8  u64  sequence
 *        16  u64  term
 */
class SlotFile implements MarkFile {
  readonly #handle: FileHandle;
  #slot: 0 | 1 = 0;

  private constructor(handle: FileHandle) {
    this.#handle = handle;
  }

  static async open(folder: string): Promise<SlotFile> {
    try {
      return new SlotFile(await open(join(folder, FILE), 'r+'));
    } catch (error) {
      if (error instanceof Error && 'code' in error && error.code === 'ENOENT')
        throw new TocsinError('DATA_CORRUPT', `${folder}: the file ${FILE} is missing`);
      throw faultOf(error, `opening ${folder}`);
    }
  }

  async read(): Promise<Mark> {
    const bytes = new Uint8Array(SLOT_AT + SLOT_BYTES);
    const { bytesRead } = await this.#handle.read(bytes, 0, bytes.byteLength, 0);
    const found = decodeMark(bytes.subarray(0, bytesRead));
    if (found === undefined) return LOST;
    this.#slot = found.slot === 0 ? 1 : 0;
    return found.mark;
  }

  async write(mark: Mark): Promise<void> {
    const bytes = encode(mark, this.#slot);
    const { bytesWritten } = await this.#handle.write(bytes, 0, SLOT_BYTES, this.#slot * SLOT_AT);
    assert(bytesWritten === SLOT_BYTES, `wrote ${bytesWritten} of ${SLOT_BYTES} bytes`);
    await this.#handle.datasync();
    this.#slot = this.#slot === 0 ? 1 : 0;
  }

  close(): Promise<void> {
    return this.#handle.close();
  }
}

const FILE = 'high-water';
const LOST: Mark = {
  sequence: 0,
  last: { index: logIndex(0), chain: 0 },
  voted: { term: term(0), vote: undefined },
  isLost: true,
};
const SLOTS = [0, 1] as const;
const SLOT_BYTES = 48;
/** Slots lie in sectors of their own: one torn write cannot reach both. */
const SLOT_AT = 4096;
const MAGIC = 0x57434f54; // 'TOCW'
const VERSION = 2;
const CRC_AT = 44;

/**
 * The mark that the file holds, and in which slot; undefined when both are damaged. A torn slot is the one that was being
 * written: the other is the older, and still true.
 */
export function decodeMark(
  file: Uint8Array,
): { readonly mark: Mark; readonly slot: 0 | 1 } | undefined {
  const [one, other] = SLOTS.map((slot) => decode(file.subarray(slot * SLOT_AT), slot));
  const slot = isNewer(one, other) ? 0 : 1;
  const mark = slot === 0 ? one : other;
  return mark && { mark, slot };
}

/** By writes, then by term, then by whether a vote was given: in this order marks follow one another. */
function isNewer(one: Mark | undefined, other: Mark | undefined): boolean {
  if (one === undefined || other === undefined) return one !== undefined;
  if (one.sequence !== other.sequence) return one.sequence > other.sequence;
  if (one.voted.term !== other.voted.term) return one.voted.term > other.voted.term;
  return one.voted.vote !== undefined;
}

function encode({ sequence, last, voted }: Mark, slot: 0 | 1): Uint8Array {
  const bytes = new Uint8Array(SLOT_BYTES);
  writeU32(bytes, 0, MAGIC);
  bytes[4] = VERSION;
  bytes[5] = slot;
  writeU16(bytes, 6, voted.vote ?? 0);
  writeU64(bytes, 8, sequence);
  writeU64(bytes, 16, voted.term);
  writeU64(bytes, 24, last.index);
  writeU64(bytes, 32, last.chain);
  writeU32(bytes, 40, voted.abstain === true ? 1 : 0);
  writeU32(bytes, CRC_AT, crc32(bytes.subarray(0, CRC_AT)));
  return bytes;
}

/** Undefined when the slot is damaged. */
function decode(bytes: Uint8Array, slot: 0 | 1): Mark | undefined {
  if (bytes.byteLength < SLOT_BYTES) return undefined;
  if (crc32(bytes.subarray(0, CRC_AT)) !== readU32(bytes, CRC_AT)) return undefined;
  if (readU32(bytes, 0) !== MAGIC || bytes[4] !== VERSION || bytes[5] !== slot) return undefined;
  if ([8, 16, 24, 32].some((at) => Number.isNaN(readU64(bytes, at)))) return undefined;
  const vote = readU16(bytes, 6);
  return {
    sequence: readU64(bytes, 8),
    last: { index: logIndex(readU64(bytes, 24)), chain: readU64(bytes, 32) },
    voted: {
      term: term(readU64(bytes, 16)),
      vote: vote === 0 ? undefined : replicaId(vote),
      ...(readU32(bytes, 40) === 1 ? { abstain: true } : {}),
    },
  };
}
