import { assert, must } from '../base/assert.ts';
import { TocsinError } from '../base/errors.ts';
import type { LogIndex } from '../base/ids.ts';
import { HIGH_WATER_LAG_MAX, LOG_READ_BYTES_MAX } from '../base/limits.ts';
import type { Entry, HardState } from '../raft/types.ts';
import { entryOf, recordOf } from '../wire/record.ts';
import type { HighWater } from './high-water.ts';
import { type Batch, type Database, entryKey, faultOf, STATE_KEYS } from './level.ts';
import {
  clearEntries,
  findMisplaced,
  firstIndex,
  readPlace,
  scanEntries,
} from './level-entries.ts';
import {
  committedTo,
  compacted,
  emptyState,
  endAfter,
  findBreak,
  findContradiction,
  type LogState,
  restartedAt,
  stateAfter,
  TailCollector,
} from './log-state.ts';
import type { Snapshots } from './snapshots.ts';
import {
  decodeState,
  encodeState,
  type StateCopy,
  type StoredState,
  sameState,
} from './state-record.ts';
import type { LogPlace, LogStore, LogWrite, Restored, SnapshotMeta } from './types.ts';

/**
 * The log in LevelDB, one record per entry. LevelDB hides torn and rotten records, so everything
 * that is read is verified: each record's checksums, that indexes are contiguous, terms do not
 * fall, and each record's hash chain leads to the next, the last one to the stored state and the
 * first one to the snapshot it follows. Loss of the newest writes together with the state they
 * carried shows in the high-water mark, but for those that came after the mark.
 */
export class LevelLogStore implements LogStore {
  readonly snapshots: Snapshots;
  readonly #database: Database;
  readonly #clusterId: string;
  readonly #highWater: HighWater;
  /** Known once loaded. */
  #state: LogState | undefined;
  #sequence = 0;
  #writing: Promise<void> | undefined;
  /** A batch of our own, which the next write waits for. */
  #moving: Promise<void> | undefined;
  /** Entries before the base are being removed. */
  #clearing: Promise<void> = Promise.resolve();
  /** Entries up to here are on disk, and no write under way cuts them. */
  #readableTo = 0;
  #failure: TocsinError | undefined;
  #closed = false;

  /** Takes over an open database and its high-water mark, which `close` closes. */
  constructor(database: Database, clusterId: string, highWater: HighWater, snapshots: Snapshots) {
    this.#database = database;
    this.#clusterId = clusterId;
    this.#highWater = highWater;
    this.snapshots = snapshots;
  }

  /**
   * Reads and verifies the whole log, in pages. Comes before the first `write` and `read`. Finishes what a crash left
   * half done: entries before the base go, and a log that a newer snapshot was to replace begins after it.
   * @throws TocsinError DATA_CORRUPT, DISK_FAILED, CLOSED
   */
  async load(): Promise<Restored> {
    this.#mustServe();
    assert(this.#writing === undefined, 'load during a write');
    await this.snapshots.load();
    const stored = await this.#readState();
    const once = this.#highWater.sequence;
    if (stored.sequence < once)
      throw corrupt(
        `the log comes up as of write ${stored.sequence}, though write ${once} was durable: the newest are lost`,
      );
    const { state, restored } = await this.#readLog(stored);
    this.#sequence = stored.sequence;
    this.#highWater.note(stored.sequence);
    this.#adopt(state);
    const first = await firstIndex(this.#database);
    if (first !== undefined && first <= state.base.index) this.#clear(first, state.base.index);
    return this.#behindSnapshot(restored);
  }

  /**
   * Hard state, cut and entries as one synced batch. The bytes of the records go to LevelDB as they
   * are.
   * @throws TocsinError DISK_FAILED, DISK_FULL, CLOSED
   */
  write(batch: LogWrite): Promise<void> {
    return this.#exclusively(async () => {
      const state = must(this.#state, 'load comes before write');
      const kept = await this.#endBefore(batch.truncateFrom, state);
      const after = stateAfter(state, batch, kept);
      this.#readableTo = kept.index;
      // Chained: several times faster than an array of operations.
      const chained = this.#database.batch();
      putEntries(chained, batch.entries);
      for (let index = after.end.index + 1; index <= state.end.index; index += 1)
        chained.del(entryKey(index));
      await this.#commit(chained, after, true);
    });
  }

  /**
   * Entries `from` … `to`, verified again. The caller asks only for entries that are durable and
   * not being cut.
   * @throws TocsinError DATA_CORRUPT, DISK_FAILED, CLOSED
   */
  async read(from: LogIndex, to: LogIndex, bytesMax: number): Promise<readonly Entry[]> {
    this.#mustServe();
    const { base } = must(this.#state, 'load comes before read');
    assert(from > base.index, `read from ${from}, the log begins after ${base.index}`);
    assert(from <= to, `read from ${from} to ${to}`);
    assert(to <= this.#readableTo, `read to ${to}, readable is ${this.#readableTo}`);
    assert(bytesMax > 0, `read of ${bytesMax} bytes`);

    const entries: Entry[] = [];
    let bytes = 0;
    // The entry before is read too: its chain hash vouches for the first one.
    let end: LogPlace | undefined = from === base.index + 1 ? base : undefined;
    const first = end === undefined ? from - 1 : from;
    const pageBytes = Math.min(bytesMax, LOG_READ_BYTES_MAX);
    await this.#scan(first, to, pageBytes, (record) => {
      const problem = end === undefined ? findMisplaced(first, record) : findBreak(end, record);
      if (problem !== undefined) throw corrupt(problem);
      end = endAfter(record);
      if (record.index < from) return true;
      bytes += record.byteLength;
      if (entries.length > 0 && bytes > bytesMax) return false;
      entries.push(entryOf(record));
      return bytes < bytesMax;
    });
    const last = entries.at(-1)?.index ?? from - 1;
    if (last < to && bytes < bytesMax) throw corrupt(`entry ${last + 1} is missing`);
    return entries;
  }

  async compact(to: LogIndex): Promise<void> {
    this.#mustServe();
    const newest = this.snapshots.list[0]?.index ?? 0;
    assert(to <= newest, `compacts up to ${to}, the newest snapshot reaches ${newest}`);
    const before = must(this.#state, 'load comes before compact').base.index;
    if (to <= before) return this.#clearing;
    await this.#move(to);
    this.#clear(before + 1, to);
    await this.#clearing;
    this.#mustServe();
  }

  restart(snapshot: SnapshotMeta, hardState: HardState): Promise<void> {
    return this.#exclusively(async () => {
      const state = must(this.#state, 'load comes before restart');
      assert(snapshot.index >= state.base.index, `restart at ${snapshot.index}, behind the base`);
      const { chained, after } = await this.#replaced(state, snapshot, hardState);
      await this.#commit(chained, after, true);
      this.#clear(state.base.index + 1, Math.min(state.end.index, after.base.index));
    });
  }

  /** Uses a pause of the writer to put down how far the log is durable. Its failure shows in the next call. */
  settle(): void {
    if (this.#closed || this.#failure !== undefined || this.#state === undefined) return;
    this.#highWater.mark().catch((error: unknown) => {
      this.#failure ??= new TocsinError('DISK_FAILED', faultOf(error, 'marking the log').message, {
        cause: error,
      });
    });
  }

  /**
   * Waits for the write under way, then gives the folder back. Works after a failure; a second call
   * does nothing.
   */
  async close(): Promise<void> {
    if (this.#closed) return;
    this.#closed = true;
    await this.#writing?.catch(() => undefined); // its caller is told
    await this.#moving?.catch(() => undefined);
    await this.#clearing;
    try {
      await this.#highWater.close();
    } finally {
      await this.#database.close();
    }
  }

  /** One write at a time, after a batch of our own; a fault is the last thing that happens here. */
  async #exclusively(action: () => Promise<void>): Promise<void> {
    this.#mustServe();
    assert(this.#writing === undefined, 'a write is under way');
    const moving = this.#moving;
    this.#writing = moving === undefined ? action() : moving.then(action);
    try {
      await this.#writing;
    } catch (error) {
      throw this.#fail(error, 'writing the log');
    } finally {
      this.#writing = undefined;
    }
  }

  async #commit(chained: Batch, after: LogState, sync: boolean): Promise<void> {
    putState(chained, after, this.#sequence + 1);
    await chained.write({ sync });
    this.#sequence += 1;
    this.#adopt(after);
    if (!sync) return;
    this.#highWater.note(this.#sequence);
    if (this.#highWater.lag >= HIGH_WATER_LAG_MAX) this.settle();
  }

  /**
   * Moves the base between two writes. Not synced: until a later write makes it durable a crash brings back the base
   * before, and nothing of the entries is gone before they are cleared, after it.
   */
  async #move(to: LogIndex): Promise<void> {
    while (this.#writing !== undefined) await this.#writing.catch(() => undefined);
    this.#mustServe();
    assert(this.#moving === undefined, 'the log is being compacted');
    this.#moving = (async () => {
      const place = await readPlace(this.#database, to);
      const state = must(this.#state, 'load comes before compact');
      await this.#commit(this.#database.batch(), compacted(state, place), false);
    })();
    try {
      await this.#moving;
    } catch (error) {
      throw this.#fail(error, 'compacting the log');
    } finally {
      this.#moving = undefined;
    }
  }

  /** Removes what is before the base, in the background. */
  #clear(from: number, to: number): void {
    const goOn = (): boolean => !this.#closed && this.#failure === undefined;
    this.#clearing = this.#clearing
      .then(() => clearEntries(this.#database, from, to, goOn))
      .catch((error: unknown) => void this.#fail(error, 'compacting the log'));
  }

  #fail(error: unknown, doing: string): TocsinError {
    const fault = faultOf(error, doing);
    const code = fault.code === 'DISK_FULL' ? 'DISK_FULL' : 'DISK_FAILED';
    this.#failure ??= new TocsinError(code, fault.message, { cause: error });
    return this.#failure;
  }

  #adopt(state: LogState): void {
    this.#state = state;
    this.#readableTo = state.end.index;
  }

  async #endBefore(from: LogIndex | undefined, { base, end }: LogState): Promise<LogPlace> {
    if (from === undefined || from > end.index) return end;
    assert(from > base.index, `cut from ${from}, the log begins after ${base.index}`);
    return from === base.index + 1 ? base : readPlace(this.#database, from - 1);
  }

  /** The batch, but for the hard state, that puts the log behind `place`, and the state it leads to. */
  async #replaced(
    state: LogState,
    place: LogPlace,
    hardState: HardState,
  ): Promise<{ readonly chained: Batch; readonly after: LogState }> {
    const chained = this.#database.batch();
    if (await this.#holds(state, place)) {
      const after = { ...state, hardState: committedTo(hardState, place) };
      return { chained, after };
    }
    for (let index = place.index + 1; index <= state.end.index; index += 1)
      chained.del(entryKey(index));
    return { chained, after: restartedAt(place, hardState) };
  }

  async #holds({ base, end }: LogState, place: LogPlace): Promise<boolean> {
    if (place.index > end.index || place.index < base.index) return false;
    const own = place.index === base.index ? base : await readPlace(this.#database, place.index);
    return own.chain === place.chain;
  }

  /** The log's contents, as far as `stored` says it goes. @throws TocsinError DATA_CORRUPT */
  async #readLog(stored: StoredState): Promise<{
    readonly state: LogState;
    readonly restored: Omit<Restored, 'snapshot'>;
  }> {
    const base = stored.base.index === 0 ? emptyState(this.#clusterId).base : stored.base;
    const collector = new TailCollector(stored.hardState.commit);
    let end: LogPlace = base;
    await this.#scan(base.index + 1, undefined, LOG_READ_BYTES_MAX, (record) => {
      const problem = findBreak(end, record);
      if (problem !== undefined) throw corrupt(problem);
      collector.add(record);
      end = endAfter(record);
      return true;
    });
    const { hardState } = stored;
    const state = { hardState, base, end };
    if (end.index !== stored.lastIndex)
      throw corrupt(`the log ends at entry ${end.index}, the hard state says ${stored.lastIndex}`);
    if (end.chain !== stored.lastChain)
      throw corrupt(`entry ${end.index} has chain ${end.chain}, not ${stored.lastChain}`);
    const contradiction = findContradiction(state);
    if (contradiction !== undefined) throw corrupt(contradiction);
    return { state, restored: { hardState, base, ...collector.finish() } };
  }

  /** The newest snapshot belongs to the log: if the log does not hold its place, it was to replace the log. */
  async #behindSnapshot(restored: Omit<Restored, 'snapshot'>): Promise<Restored> {
    const snapshot = this.snapshots.list[0];
    const { base, hardState } = restored;
    if ((snapshot?.index ?? 0) < base.index)
      throw corrupt(`the log begins after entry ${base.index}, and no snapshot reaches it`);
    if (snapshot === undefined) return { ...restored, snapshot };
    const state = must(this.#state, 'the log is read');
    if (await this.#holds(state, snapshot))
      return { ...restored, snapshot, hardState: committedTo(hardState, snapshot) };
    await this.restart(snapshot, hardState);
    const after = must(this.#state, 'the log is read');
    const none = { tail: [], terms: [], configurations: [] };
    return { hardState: after.hardState, snapshot, base: after.base, ...none };
  }

  async #readState(): Promise<StoredState> {
    const [one, other] = await Promise.all([this.#readCopy(0), this.#readCopy(1)]);
    if (!sameState(one, other))
      throw corrupt(
        `the hard state's copies differ: m/hs0 is write ${one.sequence}, m/hs1 ${other.sequence}`,
      );
    return one;
  }

  async #readCopy(copy: StateCopy): Promise<StoredState> {
    let bytes: Uint8Array | undefined;
    try {
      bytes = await this.#database.get(STATE_KEYS[copy]);
    } catch (error) {
      throw this.#readFault(error, `reading m/hs${copy}`);
    }
    if (bytes === undefined) throw corrupt(`hard state m/hs${copy} is missing`);
    const state = decodeState(bytes, copy);
    if (typeof state === 'string') throw corrupt(`hard state m/hs${copy}: ${state}`);
    return state;
  }

  async #scan(...[from, to, pageBytes, visit]: Scan): Promise<void> {
    try {
      await scanEntries(this.#database, from, to, pageBytes, visit);
    } catch (error) {
      throw this.#readFault(error, 'reading the log');
    }
  }

  #readFault(error: unknown, doing: string): Error {
    return this.#closed ? closed() : faultOf(error, doing);
  }

  #mustServe(): void {
    if (this.#closed) throw closed();
    if (this.#failure !== undefined)
      throw new TocsinError(
        this.#failure.code,
        `an earlier write failed: ${this.#failure.message}`,
        { cause: this.#failure },
      );
  }
}

type Scan = Parameters<typeof scanEntries> extends [unknown, ...infer Rest] ? Rest : never;

/** Writes what a new folder's log holds: no entries, no votes. */
export const putInitialState = (batch: Batch, clusterId: string): void =>
  putState(batch, emptyState(clusterId), 0);

function putEntries(batch: Batch, entries: readonly Entry[]): void {
  for (const entry of entries) batch.put(entryKey(entry.index), recordOf(entry).bytes);
}

function putState(batch: Batch, { hardState, base, end }: LogState, sequence: number): void {
  const stored = { sequence, hardState, lastIndex: end.index, lastChain: end.chain, base };
  batch.put(STATE_KEYS[0], encodeState(stored, 0));
  batch.put(STATE_KEYS[1], encodeState(stored, 1));
}

const corrupt = (what: string): TocsinError => new TocsinError('DATA_CORRUPT', what);

const closed = (): TocsinError => new TocsinError('CLOSED', 'the log store is closed');
