import { assert } from '../../base/assert.ts';
import type { Clock } from '../../base/clock.ts';
import { TocsinError } from '../../base/errors.ts';
import { type LogIndex, logIndex, lower } from '../../base/ids.ts';
import { LOG_READ_BYTES_MAX, SLICE_MS_MAX } from '../../base/limits.ts';
import type { Entry } from '../../raft/types.ts';
import type { Submission } from '../../statemachine/commands.ts';
import type { Applied } from '../../statemachine/machine.ts';
import type { AppliedEvent, Reply } from '../../statemachine/types.ts';
import type { LogStore } from '../../storage/types.ts';
import { decodeSubmissions } from '../../wire/commands/commands.ts';
import { recordOf } from '../../wire/log/record.ts';
import type { AppliedState } from './applied-state.ts';

export interface ApplierParts {
  readonly clock: Clock;
  readonly store: LogStore;
  readonly state: AppliedState;
  /** The entry from memory, or undefined if it must be read from disk. */
  readonly entryAt: (index: LogIndex) => Entry | undefined;
  /** The oldest entry in memory: what is before it is on disk for good. */
  readonly firstInMemory: () => number;
  /** One entry has been applied. The arrays are reused: take what you need. */
  readonly onApplied: (
    entry: Entry,
    replies: readonly Reply[],
    events: readonly AppliedEvent[],
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
  #applied: LogIndex;
  /** Entries read from disk, of which some may be applied already. */
  #page: readonly Entry[] = [];
  /** A slice runs, is scheduled, or waits for the disk. */
  #busy = false;
  #stopped = false;

  constructor(parts: ApplierParts) {
    this.#parts = parts;
    this.#applied = parts.state.machine.applied;
  }

  get applied(): LogIndex {
    return this.#applied;
  }

  /** Everything up to `committed` may be applied. */
  advance(committed: LogIndex): void {
    if (committed > this.#target) this.#target = committed;
    if (!this.#busy) this.#run();
  }

  /** Another machine took the place of the one so far: it goes on from where that one is. */
  replaced(): void {
    this.#applied = this.#parts.state.machine.applied;
    this.#page = [];
  }

  stop(): void {
    this.#stopped = true;
  }

  #run(): void {
    if (this.#stopped) return;
    this.#busy = true;
    const from = this.#applied;
    try {
      const next = this.#applySlice();
      if (this.#applied > from) this.#advanced();
      if (next === 'later') this.#parts.clock.soon(() => this.#run());
      else if (next === 'disk') this.#readOn();
      else this.#busy = false;
    } catch (error) {
      this.#fail(error);
    }
  }

  #advanced(): void {
    this.#parts.state.advanced();
    this.#parts.onSlice();
  }

  /** Applies what is at hand until the slice is over. Answers what the next one waits for. */
  #applySlice(): 'nothing' | 'later' | 'disk' {
    const { clock } = this.#parts;
    const began = clock.monotonic();
    while (this.#applied < this.#target && !this.#stopped) {
      const entry = this.#entryAt(logIndex(this.#applied + 1));
      if (entry === undefined) return 'disk';
      this.#apply(entry);
      if (clock.monotonic() - began > SLICE_MS_MAX) return 'later';
    }
    return 'nothing';
  }

  #entryAt(index: LogIndex): Entry | undefined {
    const read = this.#page[index - (this.#page[0]?.index ?? index)];
    if (read !== undefined) return read;
    this.#page = [];
    return this.#parts.entryAt(index);
  }

  /**
   * After a restart, what memory does not hold comes from disk, a page at a time. Only that: the newest committed
   * entries may be in memory alone, because a quorum can commit what this disk does not have yet.
   */
  #readOn(): void {
    const { store, firstInMemory } = this.#parts;
    const from = logIndex(this.#applied + 1);
    const to = lower(this.#target, logIndex(firstInMemory() - 1));
    assert(from <= to, `entry ${from} is neither in memory nor on disk`);
    store.read(from, to, LOG_READ_BYTES_MAX).then(
      (entries) => {
        this.#page = entries;
        this.#run();
      },
      (error: unknown) => this.#fail(error),
    );
  }

  #fail(error: unknown): void {
    if (this.#stopped) return;
    this.#stopped = true;
    this.#parts.onFault(error);
  }

  #apply(entry: Entry): void {
    const { state, onApplied } = this.#parts;
    const { machine } = state;
    const record = recordOf(entry);
    this.#out.replies.length = 0;
    this.#out.events.length = 0;
    const isCommands = record.kind === 'commands';
    const submissions = isCommands ? submissionsOf(entry.index, record.body) : [];
    machine.apply({ index: entry.index, time: record.time, submissions }, this.#out);
    this.#applied = entry.index;
    onApplied(entry, this.#out.replies, this.#out.events);
  }
}

/** @throws TocsinError DATA_CORRUPT, DATA_NEWER_FORMAT */
function submissionsOf(index: LogIndex, body: Uint8Array): Submission[] {
  try {
    return decodeSubmissions(body);
  } catch (error) {
    if (!TocsinError.is(error)) throw error;
    const code = error.code === 'DATA_NEWER_FORMAT' ? error.code : 'DATA_CORRUPT';
    throw new TocsinError(code, `entry ${index}: ${error.message}`, { cause: error });
  }
}
