import { type FileHandle, mkdir, open, readdir, readFile, rm } from 'node:fs/promises';
import { join } from 'node:path';
import { TocsinError } from '../../base/errors.ts';
import { FRAME_BYTES_MAX } from '../../base/limits.ts';
import { TREND_JOURNAL_BLOCK_BYTES, TREND_JOURNAL_SPARES_MAX } from '../../base/trend-limits.ts';
import { readU32, writeU32 } from '../../wire/bytes.ts';
import { checksum } from '../../wire/checksum.ts';
import { faultOf } from '../level/level.ts';

/**
 * What arrived since the samples in memory were last written out: bodies of frames as they came, read again after a
 * restart. Segments are files of records, each u32 length, u32 CRC-32, u8 kind, body; where one ends torn, the rest of it
 * was never promised.
 */
export interface TrendJournal {
  /** The records of all older segments, in order. */
  read(): AsyncIterable<JournalRecord>;
  /** Takes a record; it is on disk after the next `sync`. The body is copied. */
  append(kind: number, body: Uint8Array): void;
  /** Bytes taken and not handed to the disk yet. */
  readonly unsyncedBytes: number;
  sync(): Promise<void>;
  /**
   * Begins a new segment; tells its number. What is appended after the call lies in the new one, also while it is made.
   * After a failure nothing is written until it succeeds.
   */
  begin(): Promise<number>;
  /** Removes the segments below this number. */
  drop(before: number): Promise<void>;
  close(): Promise<void>;
}

export interface JournalRecord {
  readonly kind: number;
  readonly body: Uint8Array;
}

const HEADER_BYTES = 9;

interface Block {
  readonly bytes: Uint8Array;
  filled: number;
}

const FOLDER = 'trend-journal';
const NAME = /^(\d{10})\.journal$/;

/** @throws TocsinError DISK_FAILED */
export async function openTrendJournal(dataFolder: string): Promise<TrendJournal> {
  const folder = join(dataFolder, FOLDER);
  try {
    await mkdir(folder, { recursive: true, mode: 0o700 });
    return new FileJournal(folder, await segmentsIn(folder));
  } catch (error) {
    throw faultOf(error, `opening ${folder}`);
  }
}

async function segmentsIn(folder: string): Promise<readonly number[]> {
  const names = await readdir(folder);
  return names
    .map((name) => Number(NAME.exec(name)?.[1] ?? Number.NaN))
    .filter((segment) => !Number.isNaN(segment))
    .sort((a, b) => a - b);
}

class FileJournal implements TrendJournal {
  readonly #folder: string;
  #segments: number[];
  #file: FileHandle | undefined;
  /** Filled, the newest last; each is written as far as it is filled. */
  #blocks: Block[] = [];
  /** Written, and used again: what arrives each second needs the same room each second. */
  readonly #spares: Block[] = [];
  /** Blocks that are filled or written, and the most of them at once in this segment and in the one before. */
  #used = 0;
  #most = 0;
  #mostBefore = 0;
  #bytes = 0;
  #chain: Promise<unknown> = Promise.resolve();

  constructor(folder: string, segments: readonly number[]) {
    this.#folder = folder;
    this.#segments = [...segments];
  }

  get unsyncedBytes(): number {
    return this.#bytes;
  }

  async *read(): AsyncGenerator<JournalRecord, void, undefined> {
    for (const segment of this.#segments) {
      try {
        yield* recordsOf(await readFile(this.#path(segment)));
      } catch (error) {
        throw faultOf(error, `reading ${this.#path(segment)}`);
      }
    }
  }

  append(kind: number, body: Uint8Array): void {
    const length = HEADER_BYTES + body.byteLength;
    const block = this.#blockFor(length);
    const { bytes, filled } = block;
    writeU32(bytes, filled, body.byteLength);
    writeU32(bytes, filled + 4, checksum(body, 0, body.byteLength, kind));
    bytes[filled + 8] = kind;
    bytes.set(body, filled + HEADER_BYTES);
    block.filled = filled + length;
    this.#bytes += length;
  }

  #blockFor(length: number): Block {
    const newest = this.#blocks.at(-1);
    if (newest !== undefined && newest.filled + length <= newest.bytes.byteLength) return newest;
    const spare = length <= TREND_JOURNAL_BLOCK_BYTES ? this.#spares.pop() : undefined;
    const block = spare ?? {
      bytes: new Uint8Array(Math.max(TREND_JOURNAL_BLOCK_BYTES, length)),
      filled: 0,
    };
    this.#blocks.push(block);
    this.#used += 1;
    this.#most = Math.max(this.#most, this.#used);
    return block;
  }

  /** One after the other; what came before the call is on disk when it resolves. */
  sync(): Promise<void> {
    const blocks = this.#take();
    return this.#inTurn(() => this.#write(blocks));
  }

  /** Those so far belong to the segment of this moment, however long it takes until they are written. */
  #take(): readonly Block[] {
    const blocks = this.#blocks;
    this.#blocks = [];
    return blocks;
  }

  #inTurn<T>(task: () => Promise<T>): Promise<T> {
    const done = this.#chain.then(task);
    this.#chain = done.catch(() => {}); // Whoever called hears of it.
    return done;
  }

  async #write(blocks: readonly Block[]): Promise<void> {
    for (const { filled } of blocks) this.#bytes -= filled;
    try {
      await this.#writeOut(blocks);
      for (const block of blocks) this.#spare(block);
    } finally {
      this.#used -= blocks.length;
    }
  }

  async #writeOut(blocks: readonly Block[]): Promise<void> {
    const file = this.#file;
    if (blocks.length === 0 || file === undefined) return;
    try {
      for (const { bytes, filled } of blocks) await file.appendFile(bytes.subarray(0, filled));
      await file.datasync();
    } catch (error) {
      throw faultOf(error, 'writing the journal of trends');
    }
  }

  #spare(block: Block): void {
    if (
      block.bytes.byteLength !== TREND_JOURNAL_BLOCK_BYTES ||
      this.#spares.length >= TREND_JOURNAL_SPARES_MAX
    )
      return;
    block.filled = 0;
    this.#spares.push(block);
  }

  /** What one slow write took is not kept for ever. */
  #forgetSpares(): void {
    const kept = Math.max(this.#most, this.#mostBefore) - this.#used;
    if (this.#spares.length > kept) this.#spares.length = kept;
    this.#mostBefore = this.#most;
    this.#most = this.#used;
  }

  begin(): Promise<number> {
    const blocks = this.#take();
    return this.#inTurn(async () => {
      await this.#write(blocks);
      this.#forgetSpares();
      const segment = (this.#segments.at(-1) ?? 0) + 1;
      const before = this.#file;
      this.#file = undefined;
      try {
        await before?.close();
        this.#file = await open(this.#path(segment), 'wx', 0o600);
      } catch (error) {
        throw faultOf(error, `making ${this.#path(segment)}`);
      }
      this.#segments.push(segment);
      return segment;
    });
  }

  async drop(before: number): Promise<void> {
    const gone = this.#segments.filter((segment) => segment < before);
    this.#segments = this.#segments.filter((segment) => segment >= before);
    for (const segment of gone) await rm(this.#path(segment), { force: true });
  }

  async close(): Promise<void> {
    await this.sync();
    await this.#file?.close();
    this.#file = undefined;
  }

  #path(segment: number): string {
    return join(this.#folder, `${`${segment}`.padStart(10, '0')}.journal`);
  }
}

function* recordsOf(bytes: Uint8Array): Iterable<JournalRecord> {
  for (let at = 0; at + HEADER_BYTES <= bytes.byteLength; ) {
    const length = readU32(bytes, at);
    const kind = bytes[at + 8] as number;
    const end = at + HEADER_BYTES + length;
    if (length > FRAME_BYTES_MAX || end > bytes.byteLength) return;
    const body = bytes.subarray(at + HEADER_BYTES, end);
    if (checksum(body, 0, length, kind) !== readU32(bytes, at + 4)) return;
    yield { kind, body };
    at = end;
  }
}

/** The same without a disk, for simulations. What was appended is there after a crash once it was synced. */
export class MemoryJournal implements TrendJournal {
  /** What a test says that waits for the disk. */
  unsyncedBytes = 0;
  /** Nothing can be written. */
  isFull = false;
  #records: (JournalRecord & { readonly segment: number })[] = [];
  #pending: (JournalRecord & { readonly segment: number })[] = [];
  #segment = 0;

  async *read(): AsyncGenerator<JournalRecord, void, undefined> {
    await Promise.resolve();
    yield* this.#records.filter((record) => record.segment <= this.#segment);
  }

  append(kind: number, body: Uint8Array): void {
    this.#pending.push({ kind, body: new Uint8Array(body), segment: this.#segment });
  }

  sync(): Promise<void> {
    if (this.isFull) {
      this.#pending = [];
      return Promise.reject(new TocsinError('DISK_FULL', 'no room'));
    }
    this.#records.push(...this.#pending);
    this.#pending = [];
    return Promise.resolve();
  }

  async begin(): Promise<number> {
    this.#segment += 1;
    const segment = this.#segment;
    await this.sync();
    return segment;
  }

  drop(before: number): Promise<void> {
    this.#records = this.#records.filter((record) => record.segment >= before);
    return Promise.resolve();
  }

  /** Loses what was not synced, as a crash does. */
  crash(): void {
    this.#pending = [];
  }

  close(): Promise<void> {
    return this.sync();
  }
}
