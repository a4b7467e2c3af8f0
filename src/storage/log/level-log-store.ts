import { assert, must } from '../../base/assert.ts';
import { type LogIndex, logIndex, lower } from '../../base/ids.ts';
import { HIGH_WATER_LAG_MAX } from '../../base/limits.ts';
import type { Entry, HardState } from '../../raft/types.ts';
import { type Batch, type Database, faultOf } from '../level/level.ts';
import type { Snapshots } from '../snapshots.ts';
import type {
  Damage,
  DamagedRange,
  LogPlace,
  LogStore,
  LogWrite,
  LookUp,
  Restored,
  Scrubbed,
  SnapshotMeta,
} from '../types.ts';
import type { HighWater } from './high-water.ts';
import {
  clearBehind,
  clearEntries,
  firstIndex,
  holds,
  placeBefore,
  readEntries,
  readPlace,
} from './level-entries.ts';
import { delEntries, markOf, putEntries, putState } from './log-batch.ts';
import { examineLog, type Found } from './log-loader.ts';
import {
  cutState,
  damageLeft,
  damageOf,
  lookUp,
  mustFit,
  rangesLeft,
  withRange,
} from './log-repair.ts';
import { committedTo, compacted, type LogState, restartedAt, stateAfter } from './log-state.ts';
import { Scrub } from './scrub.ts';
import { sameVote } from './state-record.ts';
import { closed, Turns } from './turns.ts';

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
  readonly #room: () => Promise<number>;
  readonly #nextTurn: () => Promise<void>;
  readonly #scrub: Scrub;
  readonly #turns: Turns = new Turns();
  /** Known once loaded. */
  #state: LogState | undefined;
  #sequence = 0;
  #damage: Damage | undefined;
  /** Loaded without damage. */
  #usable = false;
  /** Entries before the base are being removed. */
  #clearing: Promise<void> = Promise.resolve();
  /** Entries up to here are on disk, and no write under way cuts them. */
  #readableTo = 0;

  /**
   * Takes over an open database and its high-water mark, which `close` closes. `room` tells what the disk has left; a write that is
   * long goes on in the `nextTurn` of the loop.
   */
  constructor(
    database: Database,
    clusterId: string,
    highWater: HighWater,
    snapshots: Snapshots,
    room: () => Promise<number>,
    nextTurn: () => Promise<void>,
  ) {
    this.#database = database;
    this.#clusterId = clusterId;
    this.#highWater = highWater;
    this.snapshots = snapshots;
    this.#room = room;
    this.#nextTurn = nextTurn;
    this.#scrub = new Scrub(database, snapshots, () => this.#used('scrub'));
  }

  /**
   * Reads and verifies the whole log, in pages. Comes before the first `write` and `read`. Finishes what a crash left
   * half done: entries before the base go, and a log that a newer snapshot was to replace begins after it.
   * @throws TocsinError DATA_CORRUPT, DISK_FAILED, CLOSED
   */
  async load(): Promise<Restored> {
    this.#turns.mustGoOn();
    assert(!this.#turns.isWriting, 'load during a write');
    await this.snapshots.load();
    let found = await this.#examine();
    if (!found.isSound || found.surplus) {
      await this.#mend(found);
      found = await this.#examine();
      assert(found.isSound && !found.surplus, 'what the disk says was put right in vain');
    }
    const { state, damage, contents } = found;
    const { hardState, base } = state;
    this.#adopt(state, found.sequence);
    this.#damage = damage;
    this.#usable = damage === undefined;
    const first = await firstIndex(this.#database);
    if (first !== undefined && first <= base.index) this.#clear(first, base.index);
    this.settle();
    const [snapshot] = this.snapshots.list;
    // Who takes part has to be known while the log is repaired, too.
    const rest = this.#usable ? contents : { ...contents, tail: [], terms: [] };
    return { hardState, damage, snapshot, base, ...rest };
  }

  /**
   * Hard state, cut and entries as one synced batch. The bytes of the records go to LevelDB as they are.
   * @throws TocsinError DISK_FAILED, DISK_FULL, CLOSED
   */
  write(batch: LogWrite): Promise<void> {
    return this.#turns.write(async () => {
      const state = this.#used('write');
      const cut = batch.truncateFrom;
      const kept =
        cut === undefined
          ? state.end
          : await placeBefore(this.#database, cut, state, batch.entries[0]);
      const after = stateAfter(state, batch, kept);
      this.#readableTo = kept.index;
      const chained = this.#database.batch();
      const { entries } = batch;
      let put = putEntries(chained, entries, 0);
      for (; put < entries.length; put = putEntries(chained, entries, put)) await this.#nextTurn();
      delEntries(chained, after.end.index + 1, state.end.index);
      await this.#commit(chained, after, true);
    });
  }

  /**
   * Entries `from` … `to`, verified again. The caller asks only for entries that are durable and
   * not being cut.
   * @throws TocsinError DATA_CORRUPT, DISK_FAILED, CLOSED
   */
  async read(from: LogIndex, to: LogIndex, bytesMax: number): Promise<readonly Entry[]> {
    this.#turns.mustGoOn();
    const { base } = this.#used('read');
    assert(from > base.index, `read from ${from}, the log begins after ${base.index}`);
    assert(from <= to, `read from ${from} to ${to}`);
    assert(to <= this.#readableTo, `read to ${to}, readable is ${this.#readableTo}`);
    assert(bytesMax > 0, `read of ${bytesMax} bytes`);

    return readEntries(this.#database, base, from, to, bytesMax).catch(this.#readFault);
  }

  async placeAt(index: LogIndex): Promise<LogPlace> {
    this.#turns.mustGoOn();
    const { base } = this.#used('placeAt');
    if (index <= base.index) return base;
    const known = this.snapshots.list.find((each) => each.index === index);
    return known ?? (await readPlace(this.#database, index).catch(this.#readFault));
  }

  async compact({ index: to, term, chain }: LogPlace): Promise<void> {
    this.#turns.mustGoOn();
    const newest = this.snapshots.list[0]?.index ?? 0;
    assert(to <= newest, `compacts up to ${to}, the newest snapshot reaches ${newest}`);
    const before = this.#used('compact').base.index;
    if (to <= before) return this.#clearing;
    // Not synced: until a later write makes it durable a crash brings back the base before, and nothing of the entries is
    // gone before they are cleared, after it.
    await this.#between('compacting the log', async (state) => {
      // A snapshot may have taken the place of the log meanwhile.
      if (to > state.base.index) {
        const after = compacted(state, { index: to, term, chain });
        await this.#commit(this.#database.batch(), after, false);
      }
      this.#damage = damageLeft(this.#damage, to, to);
    });
    this.#clear(before + 1, to);
    await this.#clearing;
    this.#turns.mustGoOn();
  }

  restart(snapshot: SnapshotMeta, hardState: HardState): Promise<void> {
    return this.#turns.write(async () => {
      const state = this.#used('restart');
      assert(snapshot.index >= state.base.index, `restart at ${snapshot.index}, behind the base`);
      const chained = this.#database.batch();
      if (await holds(this.#database, state, snapshot)) {
        const after = { ...state, hardState: committedTo(hardState, snapshot) };
        await this.#commit(chained, after, true);
        this.#damage = damageLeft(this.#damage, snapshot.index, snapshot.index);
        return;
      }
      delEntries(chained, snapshot.index + 1, state.end.index);
      await this.#commit(chained, restartedAt(snapshot, hardState), true);
      this.#damage = damageLeft(this.#damage, snapshot.index, snapshot.index);
      this.#clear(state.base.index + 1, Math.min(state.end.index, snapshot.index));
    });
  }

  lookUp(range: DamagedRange, bytesMax: number): Promise<LookUp> {
    this.#turns.mustGoOn();
    const state = must(this.#state, 'load comes before lookUp');
    return lookUp(this.#database, state, this.#damage, range, bytesMax).catch(this.#readFault);
  }

  async repair(entries: readonly Entry[]): Promise<Damage | undefined> {
    await this.#between('repairing the log', async (state) => {
      const damage = this.#damage;
      const [range] = damage?.ranges ?? [];
      // While it was asked for, or waited, the log was compacted behind it.
      if (damage === undefined || range === undefined) return;
      const { base } = state;
      const needed = entries.filter(({ index }) => index > base.index);
      mustFit(needed, range, base);
      const chained = this.#database.batch();
      let put = putEntries(chained, needed, 0);
      for (; put < needed.length; put = putEntries(chained, needed, put)) await this.#nextTurn();
      await chained.write({ sync: true });
      const left = await rangesLeft(this.#database, damage.ranges, needed, base);
      this.#damage = damageOf(left, damage.snapshotFrom);
    });
    return this.#damage;
  }

  async giveUp(never: LogIndex): Promise<Damage | undefined> {
    await this.#between('cutting the log', async (state) => {
      const damage = this.#damage;
      const [range, ...left] = damage?.ranges ?? [];
      // Made good meanwhile, it is not given up; and of another range nothing was proven.
      if (damage === undefined || range === undefined || never < range.from || never > range.to)
        return;
      const { from } = range;
      const kept = await placeBefore(this.#database, from, state);
      const after = cutState(state, kept, never);
      const chained = this.#database.batch();
      delEntries(chained, from, state.end.index);
      await this.#commit(chained, after, true);
      this.#damage = damageOf(left, damage.snapshotFrom);
    });
    return this.#damage;
  }

  async scrub(bytesMax: number, committed: LogIndex = logIndex(0)): Promise<Scrubbed> {
    this.#used('scrub');
    const { bytes, roundEnds, lost, snapshot } = await this.#scrub
      .slice(bytesMax, committed)
      .catch(this.#readFault);
    const { base } = this.#used('scrub');
    const reach = this.snapshots.list[0]?.index ?? 0;
    // A snapshot that has come meanwhile makes good what was found before.
    this.#damage = damageLeft(this.#damage, base.index, reach);
    if (lost !== undefined) this.#damage = withRange(this.#damage, lost);
    if (snapshot !== undefined && reach < base.index)
      this.#damage = { ranges: this.#damage?.ranges ?? [], snapshotFrom: base.index };
    return { bytes, roundEnds, damage: this.#damage };
  }

  freeBytes(): Promise<number> {
    return this.#room();
  }

  /**
   * An operator's act, never a replica's: cuts the log from the first entry that is lost on, committed or not. It is to be
   * loaded again.
   */
  async acceptLoss(): Promise<void> {
    const { ranges } = must(this.#damage, 'nothing is lost');
    await this.#between('cutting the log', async (state) => {
      const { from } = must(ranges.at(-1), 'no entries are lost');
      const kept = await placeBefore(this.#database, from, state);
      const commit = lower(state.hardState.commit, kept.index);
      const chained = this.#database.batch();
      delEntries(chained, from, state.end.index);
      const after = { ...state, end: kept, hardState: { ...state.hardState, commit } };
      await this.#commit(chained, after, true);
    });
  }

  /** Uses a pause of the writer to put down how far the log is durable. Its failure shows in the next call. */
  settle(): void {
    if (!this.#turns.goOn || this.#state === undefined) return;
    this.#highWater
      .putDown()
      .catch((error: unknown) => void this.#turns.fail(error, 'marking the log'));
  }

  /**
   * Waits for the write under way, then gives the folder back. Works after a failure; a second call
   * does nothing.
   */
  async close(): Promise<void> {
    if (this.#turns.hasEnded) return;
    await this.#turns.end();
    await this.#clearing;
    try {
      await this.#highWater.close();
    } finally {
      await this.#database.close();
    }
  }

  async #commit(chained: Batch, after: LogState, sync: boolean): Promise<void> {
    const sequence = this.#sequence + 1;
    const before = must(this.#state, 'load comes before this').hardState;
    putState(chained, after, sequence);
    const { hardState } = after;
    if (sync && !sameVote(before, hardState))
      await Promise.all([chained.write({ sync }), this.#highWater.promise(hardState)]);
    else await chained.write({ sync });
    if (!sync) {
      this.#sequence = sequence;
      this.#state = after;
      return;
    }
    this.#adopt(after, sequence);
    if (this.#highWater.lag >= HIGH_WATER_LAG_MAX) this.settle();
  }

  /** A batch of our own, between two writes. */
  #between(doing: string, action: (state: LogState) => Promise<void>): Promise<void> {
    return this.#turns.between(doing, () => action(must(this.#state, 'load comes first')));
  }

  #examine(): Promise<Found> {
    const [snapshot] = this.snapshots.list;
    const { mark } = this.#highWater;
    return examineLog(this.#database, this.#clusterId, mark, snapshot).catch(this.#readFault);
  }

  /** Writes what is true where the disk does not say it in all its places, and removes what is behind the end. */
  async #mend({ state, sequence }: Found): Promise<void> {
    const chained = this.#database.batch();
    putState(chained, state, sequence + 1);
    try {
      await chained.write({ sync: true });
      await clearBehind(this.#database, state.end.index);
      this.#highWater.note(markOf(state, sequence + 1));
      await this.#highWater.putDown();
    } catch (error) {
      throw this.#turns.fail(error, 'mending the log');
    }
  }

  /** Removes what is before the base, in the background. */
  #clear(from: number, to: number): void {
    const goOn = (): boolean => this.#turns.goOn;
    this.#clearing = this.#clearing
      .then(() => clearEntries(this.#database, from, to, goOn))
      .catch((error: unknown) => void this.#turns.fail(error, 'compacting the log'));
  }

  /** The state, as of write `sequence`, is durable. */
  #adopt(state: LogState, sequence: number): void {
    this.#state = state;
    this.#sequence = sequence;
    this.#readableTo = state.end.index;
    this.#highWater.note(markOf(state, sequence));
  }

  #used(what: string): LogState {
    assert(this.#usable, `${what} of a log that is damaged`);
    return must(this.#state, `load comes before ${what}`);
  }

  /** What a reader of the log throws; after `close` whatever it is means only that. */
  readonly #readFault = (error: unknown): never => {
    throw this.#turns.hasEnded ? closed() : faultOf(error, 'reading the log');
  };
}
