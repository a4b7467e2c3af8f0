import type { Clock } from '../base/clock.ts';
import { type LogIndex, logIndex } from '../base/ids.ts';
import { LOG_READ_BYTES_MAX, SLICE_MS_MAX } from '../base/limits.ts';
import type { Entry } from '../raft/types.ts';
import type { AlertMachine, Applied } from '../statemachine/machine.ts';
import type { AlertEvent, Reply } from '../statemachine/types.ts';
import type { LogStore } from '../storage/types.ts';
import { decodeSubmissions } from '../wire/commands.ts';
import { recordOf } from '../wire/record.ts';

export interface ApplierParts {
  readonly clock: Clock;
  readonly store: LogStore;
  readonly machine: AlertMachine;
  /** The entry from memory, or undefined if it must be read from disk. */
  readonly entryAt: (index: LogIndex) => Entry | undefined;
  /** One entry has been applied. The arrays are reused: take what you need. */
  readonly onApplied: (
    entry: Entry,
    replies: readonly Reply[],
    events: readonly AlertEvent[],
  ) => void;
  /** Everything that could be applied in this slice has been. */
  readonly onSlice: () => void;
  /** A bug or a damaged log: this replica may now differ from the others, and must halt. */
  readonly onFault: (error: unknown) => void;
}

/** Applies committed entries to the machine, in order, in slices that leave the loop to others. */
export class Applier {
  readonly #parts: ApplierParts;
  readonly #out: Applied = { replies: [], events: [] };
  #target: LogIndex = logIndex(0);
  #applied: LogIndex = logIndex(0);
  #busy = false;
  #stopped = false;

  constructor(parts: ApplierParts) {
    this.#parts = parts;
  }

  get applied(): LogIndex {
    return this.#applied;
  }

  /** Everything up to `committed` may be applied. */
  advance(committed: LogIndex): void {
    if (committed > this.#target) this.#target = committed;
    if (!this.#busy) this.#run();
  }

  stop(): void {
    this.#stopped = true;
  }

  #run(): void {
    this.#busy = false;
    const { clock, entryAt, onSlice, onFault } = this.#parts;
    const began = clock.monotonic();
    const from = this.#applied;
    try {
      while (this.#applied < this.#target && !this.#stopped) {
        const entry = entryAt(logIndex(this.#applied + 1));
        if (entry === undefined) {
          this.#readOn();
          break;
        }
        this.#apply(entry);
        if (clock.monotonic() - began > SLICE_MS_MAX && this.#applied < this.#target) {
          this.#busy = true;
          clock.soon(() => this.#run());
          break;
        }
      }
      if (this.#applied > from) onSlice();
    } catch (error) {
      this.#stopped = true;
      onFault(error);
    }
  }

  /** After a restart, what memory does not hold comes from disk, a page at a time. */
  #readOn(): void {
    this.#busy = true;
    const from = logIndex(this.#applied + 1);
    this.#parts.store.read(from, this.#target, LOG_READ_BYTES_MAX).then(
      (entries) => {
        if (this.#stopped) return;
        try {
          for (const entry of entries) this.#apply(entry);
        } catch (error) {
          this.#stopped = true;
          this.#parts.onFault(error);
          return;
        }
        this.#parts.onSlice();
        this.#run();
      },
      (error: unknown) => {
        if (!this.#stopped) this.#parts.onFault(error);
      },
    );
  }

  #apply(entry: Entry): void {
    const { machine, onApplied } = this.#parts;
    const record = recordOf(entry);
    this.#out.replies.length = 0;
    this.#out.events.length = 0;
    if (record.kind === 'noop') machine.skip(entry.index, record.time);
    else {
      const submissions = decodeSubmissions(record.body);
      machine.apply({ index: entry.index, time: record.time, submissions }, this.#out);
    }
    this.#applied = entry.index;
    onApplied(entry, this.#out.replies, this.#out.events);
  }
}
