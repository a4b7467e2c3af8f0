import type { TrendDisk } from '../../storage/trend/trend-disk.ts';
import type { JournalRecord, TrendJournal } from '../../storage/trend/trend-journal.ts';

const NEVER: Promise<never> = new Promise(() => {});

/** What one process has of its disks: everything takes its time, and once the process has died it hears of nothing more. */
export class Life {
  readonly #pause: () => Promise<void>;
  #isOver = false;

  constructor(pause: () => Promise<void>) {
    this.#pause = pause;
  }

  get isOver(): boolean {
    return this.#isOver;
  }

  end(): void {
    this.#isOver = true;
  }

  /** Whoever dies before it is done, or before it hears of it, does not know whether it was. */
  async does<T>(act: () => Promise<T>): Promise<T> {
    await this.rests();
    const result = await act();
    await this.rests();
    return result;
  }

  /** Nothing is changed by it. */
  async reads<T>(read: () => Promise<T>): Promise<T> {
    await this.rests();
    return await read();
  }

  /** Goes on after a while, if the process still lives then. */
  async rests(): Promise<void> {
    await this.#pause();
    if (this.#isOver) await NEVER;
  }
}

export const diskOf = (disk: TrendDisk, life: Life): TrendDisk => ({
  get damaged() {
    return disk.damaged;
  },
  getMany: (keys) => life.reads(() => disk.getMany(keys)),
  write: (puts, isSynced) => life.does(() => disk.write(puts, isSynced)),
  scan: (from, to) => late(disk.scan(from, to), life),
  last: (from, to) => life.reads(() => disk.last(from, to)),
  clear: (from, to) => life.does(() => disk.clear(from, to)),
  freeBytes: () => life.reads(() => disk.freeBytes()),
  reopen: () => life.does(() => disk.reopen()),
  close: () => life.does(() => disk.close()),
});

export const journalOf = (journal: TrendJournal, life: Life): TrendJournal => ({
  get unsyncedBytes() {
    return journal.unsyncedBytes;
  },
  read: () => late<JournalRecord>(journal.read(), life),
  append: (kind, body) => {
    if (!life.isOver) journal.append(kind, body);
  },
  sync: () => life.does(() => journal.sync()),
  begin: () => {
    // What is appended from here on lies in the new segment, while it is made too.
    const made = journal.begin();
    return life.does(() => made);
  },
  drop: (before) => life.does(() => journal.drop(before)),
  close: () => life.does(() => journal.close()),
});

async function* late<T>(items: AsyncIterable<T>, life: Life): AsyncGenerator<T, void, undefined> {
  await life.rests();
  yield* items;
}
