import { assert, must } from '../../base/assert.ts';
import { TocsinError } from '../../base/errors.ts';
import { type LogIndex, logIndex, lower } from '../../base/ids.ts';
import { DISK_WRITE_TICKS_MAX, SETTLE_TICKS, TICK_MS } from '../../base/limits.ts';
import type { Entry, HardState, Message, Ready } from '../../raft/types.ts';
import type { LogStore, LogWrite, SnapshotMeta } from '../../storage/types.ts';

/** What the writer reports; called from its own completions, never from within `add`. */
export interface WriterEvents {
  /** These messages depended on a write that is durable now. */
  release(messages: readonly Message[]): void;
  /** A write has completed and no other is under way: whatever waited for a free disk may go on. */
  idle(): void;
  /** The disk failed. Nothing after this can be promised. */
  failed(error: unknown): void;
}

/**
 * Exactly one synced write is under way; what comes meanwhile becomes the next one (group commit without a timer).
 * Messages that depend on a write are released when it, and everything before it, is durable.
 */
export class DiskWriter {
  readonly #store: LogStore;
  readonly #events: WriterEvents;
  #hardState: HardState | undefined;
  /** Takes the place of the log, before anything else of the next write. */
  #snapshot: SnapshotMeta | undefined;
  #truncateFrom: LogIndex | undefined;
  #entries: Entry[] = [];
  #after: Message[] = [];
  #writing = false;
  /** Of the write under way, or else since the last one. */
  #ticks = 0;
  #failed = false;
  #durable: LogIndex;
  /** Where the log on disk ends once the write under way is done. */
  #handedTo: LogIndex;

  constructor(store: LogStore, durable: LogIndex, events: WriterEvents) {
    this.#store = store;
    this.#durable = durable;
    this.#handedTo = durable;
    this.#events = events;
  }

  get writing(): boolean {
    return this.#writing;
  }

  /** Called once a tick. Counts ticks, not time: a process that was paused must not take its disk for dead. */
  tick(): void {
    this.#ticks += 1;
    if (!this.#writing) {
      // Not between the writes of callers who ask one after another: the next would wait for a second sync.
      if (this.#ticks >= SETTLE_TICKS) this.#store.settle();
      return;
    }
    if (this.#ticks === DISK_WRITE_TICKS_MAX)
      this.#fail(
        new TocsinError('DISK_FAILED', `a write takes more than ${this.#ticks * TICK_MS} ms`),
      );
  }

  /** Entries up to here are on disk, and nothing queued cuts them. */
  get durable(): LogIndex {
    return this.#durable;
  }

  /**
   * Takes over what one Ready wants durable; `snapshot` is the one that it installs. Returns the messages that depend on
   * nothing still unwritten.
   */
  add(ready: Ready, snapshot?: SnapshotMeta): readonly Message[] {
    if (ready.hardState === undefined) {
      assert(ready.append.length === 0, 'entries without a hard state');
      if (!this.#writing && this.#hardState === undefined) return ready.sendAfterSync;
      this.#after.push(...ready.sendAfterSync);
      return [];
    }
    if (ready.snapshot !== undefined)
      this.#install(must(snapshot, 'a snapshot that nobody fetched'), ready.snapshot.keepsLog);
    const cut = ready.truncateFrom;
    if (cut !== undefined) {
      this.#entries = this.#entries.filter((entry) => entry.index < cut);
      // What the disk was never given is not cut from it: it just is not written.
      const cutsDisk = cut <= this.#handedTo;
      if (cutsDisk && cut < (this.#truncateFrom ?? Number.POSITIVE_INFINITY))
        this.#truncateFrom = cut;
      if (this.#durable >= cut) this.#durable = logIndex(cut - 1);
    }
    this.#entries.push(...ready.append);
    this.#hardState = ready.hardState;
    this.#after.push(...ready.sendAfterSync);
    return [];
  }

  #install(snapshot: SnapshotMeta, keepsLog: boolean): void {
    const { index } = snapshot;
    this.#snapshot = snapshot;
    this.#entries = keepsLog ? this.#entries.filter((entry) => entry.index > index) : [];
    // What stands in the place of entries that were cut is not what the snapshot goes on with.
    const isCut = this.#truncateFrom !== undefined && this.#truncateFrom <= index;
    if (!keepsLog || isCut) this.#truncateFrom = undefined;
    if (!keepsLog || isCut || this.#handedTo < index) this.#handedTo = index;
    if (!keepsLog) this.#durable = lower(this.#durable, index);
  }

  /** Starts the next write if there is one and the disk is free. */
  start(): void {
    if (this.#writing || this.#hardState === undefined) return;
    const entries = this.#entries;
    const after = this.#after;
    const batch = { hardState: this.#hardState, truncateFrom: this.#truncateFrom, entries };
    const snapshot = this.#snapshot;
    if (batch.truncateFrom !== undefined) this.#handedTo = logIndex(batch.truncateFrom - 1);
    this.#handedTo = entries.at(-1)?.index ?? this.#handedTo;
    this.#hardState = undefined;
    this.#snapshot = undefined;
    this.#truncateFrom = undefined;
    this.#entries = [];
    this.#after = [];
    this.#writing = true;
    this.#ticks = 0;
    this.#write(snapshot, batch.hardState, batch).then(
      () => this.#completed(entries.at(-1)?.index ?? snapshot?.index, after),
      (error: unknown) => this.#fail(error),
    );
  }

  async #write(
    snapshot: SnapshotMeta | undefined,
    hardState: HardState,
    batch: LogWrite,
  ): Promise<void> {
    if (snapshot !== undefined) await this.#store.restart(snapshot, hardState);
    const isMore = batch.entries.length > 0 || batch.truncateFrom !== undefined;
    if (snapshot === undefined || isMore) await this.#store.write(batch);
  }

  #fail(error: unknown): void {
    if (this.#failed) return;
    this.#failed = true;
    this.#events.failed(error);
  }

  #completed(last: LogIndex | undefined, after: readonly Message[]): void {
    if (this.#failed) return; // given up for dead: it stays so
    this.#writing = false;
    this.#ticks = 0;
    // A cut, or a snapshot, that was queued meanwhile will take some of these away again.
    const cut = (this.#truncateFrom ?? Number.POSITIVE_INFINITY) - 1;
    const kept = Math.min(last ?? 0, cut, this.#snapshot?.index ?? cut);
    if (kept > this.#durable) this.#durable = logIndex(kept);
    this.#events.release(after);
    // What only waited for this write, and has nothing of its own to write, need not wait for the next.
    if (this.#hardState === undefined && this.#after.length > 0) {
      const waiting = this.#after;
      this.#after = [];
      this.#events.release(waiting);
    }
    this.#events.idle();
  }
}
