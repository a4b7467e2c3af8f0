import { assert, must } from '../../base/assert.ts';
import type { Clock } from '../../base/clock.ts';
import { TocsinError } from '../../base/errors.ts';
import { type LogIndex, logIndex, lower } from '../../base/ids.ts';
import { LOG_READ_BYTES_MAX, SLICE_MS_MAX, SLICE_STEPS_PER_LOOK } from '../../base/limits.ts';
import type { Entry } from '../../raft/types.ts';
import type { Submission } from '../../statemachine/commands.ts';
import type { Applied } from '../../statemachine/machine.ts';
import type { Reply } from '../../statemachine/types.ts';
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
  /** One entry has been applied. The array is reused: take what you need. */
  readonly onApplied: (entry: Entry, replies: readonly Reply[]) => void;
  /** Everything that could be applied in this slice has been. */
  readonly onSlice: () => void;
  /** A bug or a damaged log: this replica may now differ from the others, and must halt. */
  readonly onFault: (error: unknown) => void;
  /** A slice ends after so many commands, whatever the clock says. @defaultValue as many as there is time for */
  readonly sliceStepsMax?: number | undefined;
}

/**
 * Applies committed entries to the machine, in order, in slices that leave the loop to others. A slice may end within an entry of many
 * commands: what was taken of it shows, as it was agreed on, but the entry counts as applied, and is answered, when all of it is.
 */
export class Applier {
  readonly #parts: ApplierParts;
  readonly #out: Applied = { replies: [], events: [] };
  #target: LogIndex = logIndex(0);
  #applied: LogIndex;
  /** Entries read from disk, of which some may be applied already. */
  #page: readonly Entry[] = [];
  /** The entry that was begun and has not ended, its commands, and how many of them were taken. */
  #entry: Entry | undefined;
  #submissions: readonly Submission[] = [];
  #taken = 0;
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
    this.#entry = undefined;
    this.#submissions = [];
  }

  stop(): void {
    this.#stopped = true;
    // Whoever waits for the end of the entry under way waits for nothing now.
    this.#parts.state.ended();
  }

  #run(): void {
    if (this.#stopped) return;
    this.#busy = true;
    const from = this.#applied;
    try {
      const next = this.#applySlice();
      this.#note();
      if (this.#applied > from || this.#entry !== undefined) this.#advanced();
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
    const { clock, sliceStepsMax = Number.POSITIVE_INFINITY } = this.#parts;
    const end = clock.monotonic() + SLICE_MS_MAX;
    let left = sliceStepsMax;
    while (this.#applied < this.#target && !this.#stopped) {
      if (this.#entry === undefined && !this.#begin()) return 'disk';
      left -= this.#takeOn(Math.min(left, SLICE_STEPS_PER_LOOK));
      if (left <= 0 || clock.monotonic() > end) return 'later';
    }
    return 'nothing';
  }

  /** The next entry. False = it is not at hand. */
  #begin(): boolean {
    const entry = this.#entryAt(logIndex(this.#applied + 1));
    if (entry === undefined) return false;
    const { kind, body, time } = recordOf(entry);
    // Before anything of the entry is done: one that cannot be read whole is not applied at all.
    this.#submissions = kind === 'commands' ? submissionsOf(entry.index, body) : [];
    this.#taken = 0;
    this.#entry = entry;
    this.#out.replies.length = 0;
    this.#parts.state.machine.begin({ index: entry.index, time }, this.#out);
    return true;
  }

  /** Takes the next commands of the entry that was begun, which may be its last. Answers how many. */
  #takeOn(max: number): number {
    const { machine } = this.#parts.state;
    const from = this.#taken;
    const to = Math.min(from + max, this.#submissions.length);
    for (let at = from; at < to; at += 1)
      machine.take(must(this.#submissions[at], 'no command %', at), this.#out);
    this.#taken = to;
    if (to === this.#submissions.length) this.#end();
    return to - from;
  }

  #end(): void {
    const { state, onApplied } = this.#parts;
    const entry = must(this.#entry, 'no entry was begun');
    state.machine.end();
    this.#applied = entry.index;
    this.#entry = undefined;
    this.#submissions = [];
    this.#note();
    onApplied(entry, this.#out.replies);
    state.ended();
  }

  /** The history must not lag behind the alerts when others look at both. */
  #note(): void {
    this.#parts.state.note(this.#out.events);
    this.#out.events.length = 0;
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
