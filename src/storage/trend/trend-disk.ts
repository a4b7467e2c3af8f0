import { access, mkdir, rename } from 'node:fs/promises';
import { join } from 'node:path';
import { TocsinError } from '../../base/errors.ts';
import {
  TREND_DISK_AT_ONCE,
  TREND_LEVEL_BUFFER_BYTES,
  TREND_SCAN_BYTES,
  TREND_SCAN_VALUES,
} from '../../base/trend-limits.ts';
import { checksum } from '../../wire/checksum.ts';
import { faultOf, type LevelDatabase, openDatabase } from '../level/level.ts';
import { freeBytesAt } from '../space.ts';
import { AtMost } from './at-most.ts';

/**
 * Where trends lie: an ordered map of bytes. A value that is damaged is as good as not there, because the other replicas
 * have it too; it is counted, and fetched again by anti-entropy.
 */
export interface TrendDisk {
  /** Values found damaged so far. */
  readonly damaged: number;
  /** In the order of the keys; undefined = not there, or damaged. */
  getMany(keys: readonly Uint8Array[]): Promise<readonly (Uint8Array | undefined)[]>;
  /** All of it or nothing; `isSynced` = it outlives a loss of power once the promise resolves. */
  write(puts: readonly Put[], isSynced: boolean): Promise<void>;
  /** Keys from `from` on and before `to`, in order. */
  scan(from: Uint8Array, to: Uint8Array): AsyncIterable<Put>;
  /** The last one of these that is whole. */
  last(from: Uint8Array, to: Uint8Array): Promise<Put | undefined>;
  clear(from: Uint8Array, to: Uint8Array): Promise<void>;
  /** Bytes that may still be written. */
  freeBytes(): Promise<number>;
  /**
   * Makes it writable again after a write found no room; what was written before it is there. Whoever uses it meanwhile may
   * be told DISK_FULL.
   */
  reopen(): Promise<void>;
  close(): Promise<void>;
}

export type Put = readonly [key: Uint8Array, value: Uint8Array];

const CHECKSUM_BYTES = 4;

function sealed(value: Uint8Array): Uint8Array {
  const bytes = new Uint8Array(CHECKSUM_BYTES + value.byteLength);
  bytes.set(value, CHECKSUM_BYTES);
  new DataView(bytes.buffer).setUint32(0, checksum(value, 0, value.byteLength), true);
  return bytes;
}

function opened(bytes: Uint8Array): Uint8Array | undefined {
  if (bytes.byteLength < CHECKSUM_BYTES) return undefined;
  const value = bytes.subarray(CHECKSUM_BYTES);
  const sum = new DataView(bytes.buffer, bytes.byteOffset).getUint32(0, true);
  return checksum(value, 0, value.byteLength) === sum ? value : undefined;
}

const FOLDER = 'trend';
/** Where trends lie that LevelDB could not read. */
const ASIDE = 'trend-damaged';

/**
 * Opens the trends in a replica's data folder, beside the alerts' log and apart from it; makes them when there are none. Those
 * that LevelDB cannot read are set aside, once, and it begins with none: its peers have them, and a replica that waits for
 * an operator judges nothing meanwhile. `log` is told.
 * @throws TocsinError DATA_LOCKED, DATA_CORRUPT, DISK_FAILED
 */
export async function openTrendDisk(
  dataFolder: string,
  log: (line: string) => void = () => {},
): Promise<TrendDisk> {
  const folder = join(dataFolder, FOLDER);
  try {
    return await open(folder);
  } catch (error) {
    if (!TocsinError.is(error) || error.code !== 'DATA_CORRUPT') throw error;
    await setAside(folder, join(dataFolder, ASIDE), error);
    log(
      `what lay in ${FOLDER} cannot be read, and lies in ${ASIDE} now; the other replicas are asked for it: ${error.message}`,
    );
    return await open(folder);
  }
}

/** Only once: what was set aside before may be the only copy. */
async function setAside(folder: string, aside: string, why: TocsinError): Promise<void> {
  const isTaken = await access(aside).then(
    () => true,
    () => false,
  );
  if (isTaken)
    throw new TocsinError(
      'DATA_CORRUPT',
      `${why.message}; ${aside} is there from an earlier time: look at it, and move it away`,
      { cause: why },
    );
  try {
    await rename(folder, aside);
  } catch (error) {
    throw faultOf(error, `setting ${folder} aside`);
  }
}

async function open(folder: string): Promise<TrendDisk> {
  try {
    await mkdir(folder, { recursive: true, mode: 0o700 });
  } catch (error) {
    throw faultOf(error, `making ${folder}`);
  }
  const database = await openDatabase(folder, 'if missing', TREND_LEVEL_BUFFER_BYTES);
  return new LevelTrendDisk(folder, database);
}

class LevelTrendDisk implements TrendDisk {
  damaged = 0;
  readonly #folder: string;
  readonly #database: LevelDatabase;
  readonly #places = new AtMost(TREND_DISK_AT_ONCE);
  /** LevelDB takes no write after one has failed until it has read its log again. */
  #mustReopen = false;
  /** From when that begins until it is done: nobody can read meanwhile. */
  #isReopening = false;

  constructor(folder: string, database: LevelDatabase) {
    this.#folder = folder;
    this.#database = database;
  }

  async getMany(keys: readonly Uint8Array[]): Promise<readonly (Uint8Array | undefined)[]> {
    try {
      const values = await this.#places.run(() => this.#database.getMany([...keys]));
      return values.map((value) => (value === undefined ? undefined : this.#open(value)));
    } catch (error) {
      throw this.#faultOf(error, 'reading trends');
    }
  }

  async write(puts: readonly Put[], isSynced: boolean): Promise<void> {
    try {
      await this.#places.run(() => {
        const batch = this.#database.batch();
        for (const [key, value] of puts) batch.put(key, sealed(value));
        return batch.write({ sync: isSynced });
      });
    } catch (error) {
      this.#mustReopen = true;
      throw this.#faultOf(error, 'writing trends');
    }
  }

  scan(from: Uint8Array, to: Uint8Array): AsyncGenerator<Put, void, undefined> {
    return this.#entries(from, to, false);
  }

  async last(from: Uint8Array, to: Uint8Array): Promise<Put | undefined> {
    for await (const put of this.#entries(from, to, true)) return put;
    return undefined;
  }

  async *#entries(
    from: Uint8Array,
    to: Uint8Array,
    reverse: boolean,
  ): AsyncGenerator<Put, void, undefined> {
    const range = { gte: from, lt: to, reverse, highWaterMarkBytes: TREND_SCAN_BYTES };
    let iterator: ReturnType<LevelDatabase['iterator']> | undefined;
    try {
      const found = this.#database.iterator(range);
      iterator = found;
      for (;;) {
        const some = await this.#places.run(() => found.nextv(TREND_SCAN_VALUES));
        if (some.length === 0) return;
        for (const [key, value] of some) {
          const plain = this.#open(value);
          if (plain !== undefined) yield [key, plain];
        }
      }
    } catch (error) {
      throw this.#faultOf(error, 'reading trends');
    } finally {
      await iterator?.close();
    }
  }

  async clear(from: Uint8Array, to: Uint8Array): Promise<void> {
    try {
      await this.#places.run(() => this.#database.clear({ gte: from, lt: to }));
    } catch (error) {
      this.#mustReopen = true;
      throw this.#faultOf(error, 'clearing trends');
    }
  }

  freeBytes(): Promise<number> {
    return freeBytesAt(this.#folder);
  }

  async reopen(): Promise<void> {
    if (!this.#mustReopen) return;
    this.#isReopening = true;
    try {
      await this.#database.close();
      await this.#database.open({ createIfMissing: false });
      this.#mustReopen = false;
      this.#isReopening = false;
    } catch (error) {
      throw faultOf(error, 'opening trends again');
    }
  }

  close(): Promise<void> {
    return this.#database.close();
  }

  /** Whoever comes while it is being opened again is told to come back, as of a disk that is full. */
  #faultOf(error: unknown, doing: string): TocsinError {
    const fault = faultOf(error, doing);
    if (!this.#isReopening) return fault;
    return new TocsinError('DISK_FULL', `${doing}: trends are being opened again`, {
      cause: fault,
    });
  }

  #open(value: Uint8Array): Uint8Array | undefined {
    const plain = opened(value);
    if (plain === undefined) this.damaged += 1;
    return plain;
  }
}

/** The same without a disk, for simulations. */
export class MemoryTrendDisk implements TrendDisk {
  readonly damaged = 0;
  /** How much room a test leaves it. */
  free: number = Number.POSITIVE_INFINITY;
  /** Each write finds no room, whatever was free a moment ago. */
  isFull = false;
  readonly #values: Map<string, Uint8Array> = new Map();
  #mustReopen = false;

  getMany(keys: readonly Uint8Array[]): Promise<readonly (Uint8Array | undefined)[]> {
    return Promise.resolve(keys.map((key) => this.#values.get(nameOf(key))));
  }

  write(puts: readonly Put[]): Promise<void> {
    if (this.isFull) this.#mustReopen = true;
    if (this.#mustReopen) return Promise.reject(new TocsinError('DISK_FULL', 'no room'));
    for (const [key, value] of puts) this.#values.set(nameOf(key), new Uint8Array(value));
    return Promise.resolve();
  }

  async *scan(from: Uint8Array, to: Uint8Array): AsyncGenerator<Put, void, undefined> {
    await Promise.resolve();
    for (const name of this.#between(from, to)) {
      const value = this.#values.get(name);
      if (value !== undefined) yield [Uint8Array.from(Buffer.from(name, 'hex')), value];
    }
  }

  async last(from: Uint8Array, to: Uint8Array): Promise<Put | undefined> {
    let last: Put | undefined;
    for await (const put of this.scan(from, to)) last = put;
    return last;
  }

  clear(from: Uint8Array, to: Uint8Array): Promise<void> {
    for (const name of this.#between(from, to)) this.#values.delete(name);
    return Promise.resolve();
  }

  freeBytes(): Promise<number> {
    return Promise.resolve(this.free);
  }

  reopen(): Promise<void> {
    if (this.isFull) return Promise.reject(new TocsinError('DISK_FULL', 'no room'));
    this.#mustReopen = false;
    return Promise.resolve();
  }

  close(): Promise<void> {
    return Promise.resolve();
  }

  #between(from: Uint8Array, to: Uint8Array): readonly string[] {
    const [first, end] = [nameOf(from), nameOf(to)];
    return [...this.#values.keys()].filter((name) => name >= first && name < end).sort();
  }
}

const nameOf = (key: Uint8Array): string => Buffer.from(key).toString('hex');
