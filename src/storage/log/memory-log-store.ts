import { TocsinError } from '../../base/errors.ts';
import type { Entry } from '../../raft/types.ts';
import { recordOf } from '../../wire/log/record.ts';
import type { Files } from '../files.ts';
import { entryKey, STATE_KEYS } from '../level/level.ts';
import { type Change, MemoryContents, MemoryDatabase } from '../level/memory-database.ts';
import { MemoryFiles, slowed } from '../memory-files.ts';
import { Snapshots } from '../snapshots.ts';
import type { LogStore, LogWrite } from '../types.ts';
import { HighWater, type Mark, type MarkFile } from './high-water.ts';
import { LevelLogStore } from './level-log-store.ts';
import { putInitialState } from './log-batch.ts';

/** What becomes of a batch that was under way when its write failed or the process died. */
export type BatchFate = 'lost' | 'kept';

/** What becomes of a record at rest: `misdirected`, what was meant for its neighbour stands in its place. */
export type RecordDamage = 'rotten' | 'torn' | 'gone' | 'misdirected';

/** A write under way. One of the two is called, once; after a crash neither does anything. */
export interface HeldWrite {
  readonly batch: LogWrite;
  /** The batch is durable, and the writer is told. */
  complete(): void;
  /** The writer is told DISK_FAILED, or DISK_FULL where there is no room, whatever became of the batch. */
  fail(fate: BatchFate): void;
}

/**
 * A disk in memory for one replica's log: outlives the stores that are opened on it, and does what
 * it is told. The log on it is the same as on LevelDB; only what is below is another.
 */
export class MemoryDisk {
  /**
   * Decides on each write; undefined = each completes by itself, soon. May be set at any time, for
   * the writes to come.
   */
  onWrite: ((write: HeldWrite) => void) | undefined = undefined;
  /** Whoever opens it from now on waits for this before each operation on a file; undefined = for nothing. */
  beforeFile: (() => Promise<void>) | undefined = undefined;
  /** Room that the disk says it has left. */
  freeBytes: number = 2 ** 40;
  /** Of its snapshots: what a test changes there is what the next start finds. */
  readonly files: MemoryFiles = new MemoryFiles();
  readonly #clusterId: string;
  readonly #contents = new MemoryContents();
  #mark: Mark;
  #open: MemoryDatabase | undefined;
  /** What the store was asked to write, until it hands down the batch. */
  #asked: LogWrite | undefined;
  #pending: readonly Change[] | undefined;

  constructor(clusterId: string) {
    this.#clusterId = clusterId;
    const changes: Change[] = [];
    const put = (key: Uint8Array, value: Uint8Array): number => changes.push([key, value]);
    const nothing = async (): Promise<void> => undefined;
    this.#mark = putInitialState({ put, del: nothing, write: nothing }, clusterId);
    this.#apply(changes);
  }

  /** @throws TocsinError DATA_LOCKED while another store is open */
  open(): LogStore {
    if (this.#open !== undefined)
      throw new TocsinError('DATA_LOCKED', 'another store uses this disk');
    const database = new MemoryDatabase(
      this.#contents,
      (changes, sync) => this.#write(changes, sync),
      () => {
        if (this.#open === database) this.#open = undefined;
      },
    );
    this.#open = database;
    const highWater = new HighWater(this.#markFile(database), this.#mark);
    const snapshots = new Snapshots(this.#filesFor(database));
    const room = async (): Promise<number> => this.freeBytes;
    return new MemoryLogStore(database, this.#clusterId, highWater, snapshots, room, (batch) => {
      this.#asked = batch;
    });
  }

  #filesFor(database: MemoryDatabase): Files {
    const { beforeFile } = this;
    if (beforeFile === undefined) return this.files;
    return slowed(this.files, async () => {
      await beforeFile();
      if (this.#open !== database) await new Promise(() => {});
    });
  }

  /**
   * The process dies: its store serves no more, a write under way never settles, and its batch
   * meets `fate`.
   */
  crash(fate: BatchFate = 'lost'): void {
    this.#open?.die();
    this.#open = undefined;
    if (this.#pending !== undefined && fate === 'kept') this.#apply(this.#pending);
    this.#pending = undefined;
  }

  /** A record stands in its place, whatever the rest of the disk says. */
  put(entry: Entry): void {
    this.#contents.set(entryKey(entry.index), recordOf(entry).bytes);
  }

  /** The record of entry `index`, if there is one, is not what it was; nobody is told. */
  damage(index: number, how: RecordDamage): void {
    const key = entryKey(index);
    const value = this.#contents.get(key);
    if (value === undefined) return;
    const other =
      this.#contents.get(entryKey(index - 1)) ?? this.#contents.get(entryKey(index + 1));
    const left = {
      rotten: () => flipped(value),
      torn: () => value.slice(0, value.byteLength >> 1),
      gone: () => undefined,
      misdirected: () => other,
    };
    this.#contents.set(key, left[how]());
  }

  /**
   * Takes an image of the log; the function puts it back, after a crash, as if all writes since then were lost. Not what
   * stands in the second place.
   */
  remember(): () => void {
    return this.#contents.remember();
  }

  /** So many writes of the log are known in the second place. */
  get marked(): number {
    return this.#mark.sequence;
  }

  /** The bytes under a key that would be there after a crash. */
  peek(key: Uint8Array): Uint8Array | undefined {
    return this.#contents.get(key);
  }

  /** One copy of the hard state is gone: a vote may have been forgotten. */
  damageState(): void {
    this.#contents.set(STATE_KEYS[0], undefined);
  }

  #apply(changes: readonly Change[]): void {
    for (const [key, value] of changes) this.#contents.set(key, value);
  }

  #write(changes: readonly Change[], sync: boolean): Promise<void> {
    const batch = this.#asked;
    this.#asked = undefined;
    if (!sync) {
      this.#apply(changes);
      return Promise.resolve();
    }
    this.#pending = changes;
    return new Promise((done, failed) => {
      const settle = (fate: BatchFate, tell: () => void): void => {
        if (this.#pending !== changes) return;
        this.#pending = undefined;
        if (fate === 'kept') this.#apply(changes);
        tell();
      };
      const complete = (): void => settle('kept', done);
      const fail = (fate: BatchFate): void =>
        settle(fate, () => failed(new Error(this.freeBytes > 0 ? TOLD : FULL)));
      // Never within the call: a real disk takes its time, and a second write meanwhile is a bug to
      // be seen.
      if (this.onWrite === undefined || batch === undefined) queueMicrotask(complete);
      else this.onWrite({ batch, complete, fail });
    });
  }

  /** The second place, as the process that opened `database` has it. */
  #markFile(database: MemoryDatabase): MarkFile {
    return {
      write: async (mark) => {
        if (this.#open === database) this.#mark = mark;
      },
      close: async () => undefined,
    };
  }
}

function flipped(bytes: Uint8Array): Uint8Array {
  const rotten = Uint8Array.from(bytes);
  rotten[rotten.length - 1] = (rotten[rotten.length - 1] as number) ^ 1;
  return rotten;
}

const TOLD = 'the disk was told to fail';
/** As LevelDB says it. */
const FULL = 'No space left on device';

/** Says what it is asked to write before it does. */
class MemoryLogStore extends LevelLogStore {
  readonly #asks: (batch: LogWrite) => void;

  constructor(
    database: MemoryDatabase,
    clusterId: string,
    highWater: HighWater,
    snapshots: Snapshots,
    room: () => Promise<number>,
    asks: (batch: LogWrite) => void,
  ) {
    super(database, clusterId, highWater, snapshots, room, () => Promise.resolve());
    this.#asks = asks;
  }

  override write(batch: LogWrite): Promise<void> {
    this.#asks(batch);
    return super.write(batch);
  }
}
