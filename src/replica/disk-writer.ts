import { assert } from '../base/assert.ts';
import { type LogIndex, logIndex } from '../base/ids.ts';
import type { Entry, HardState, Message, Ready } from '../raft/types.ts';
import type { LogStore } from '../storage/types.ts';

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
  #truncateFrom: LogIndex | undefined;
  #entries: Entry[] = [];
  #after: Message[] = [];
  #writing = false;
  #durable: LogIndex;

  constructor(store: LogStore, durable: LogIndex, events: WriterEvents) {
    this.#store = store;
    this.#durable = durable;
    this.#events = events;
  }

  get writing(): boolean {
    return this.#writing;
  }

  /** Entries up to here are on disk, and nothing queued cuts them. */
  get durable(): LogIndex {
    return this.#durable;
  }

  /** Takes over what one Ready wants durable. Returns the messages that depend on nothing still unwritten. */
  add(ready: Ready): readonly Message[] {
    if (ready.hardState === undefined) {
      assert(ready.append.length === 0, 'entries without a hard state');
      if (!this.#writing && this.#hardState === undefined) return ready.sendAfterSync;
      this.#after.push(...ready.sendAfterSync);
      return [];
    }
    const cut = ready.truncateFrom;
    if (cut !== undefined) {
      this.#entries = this.#entries.filter((entry) => entry.index < cut);
      if (this.#truncateFrom === undefined || cut < this.#truncateFrom) this.#truncateFrom = cut;
      if (this.#durable >= cut) this.#durable = logIndex(cut - 1);
    }
    this.#entries.push(...ready.append);
    this.#hardState = ready.hardState;
    this.#after.push(...ready.sendAfterSync);
    return [];
  }

  /** Starts the next write if there is one and the disk is free. */
  start(): void {
    if (this.#writing || this.#hardState === undefined) return;
    const entries = this.#entries;
    const after = this.#after;
    const batch = { hardState: this.#hardState, truncateFrom: this.#truncateFrom, entries };
    this.#hardState = undefined;
    this.#truncateFrom = undefined;
    this.#entries = [];
    this.#after = [];
    this.#writing = true;
    this.#store.write(batch).then(
      () => this.#completed(entries.at(-1)?.index, after),
      (error: unknown) => this.#events.failed(error),
    );
  }

  #completed(last: LogIndex | undefined, after: readonly Message[]): void {
    this.#writing = false;
    // A cut that was queued meanwhile will take some of these away again.
    const cut = this.#truncateFrom ?? Number.POSITIVE_INFINITY;
    if (last !== undefined) this.#durable = logIndex(Math.min(last, cut - 1));
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
