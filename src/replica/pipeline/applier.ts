import { assert } from '../../base/assert.ts';
import { TocsinError } from '../../base/errors.ts';
import { type LogIndex, logIndex, lower } from '../../base/ids.ts';
import { LOG_READ_BYTES_MAX } from '../../base/limits.ts';
import type { Entry } from '../../raft/types.ts';
import type { Submission } from '../../statemachine/commands.ts';
import type { Applied } from '../../statemachine/machine.ts';
import type { Reply } from '../../statemachine/types.ts';
import type { LogStore } from '../../storage/types.ts';
import { isRare } from '../../wire/commands/command-shapes.ts';
import { SubmissionReader } from '../../wire/commands/commands.ts';
import { recordOf } from '../../wire/log/record.ts';
import type { IsOver, Turns, Work } from '../turns.ts';
import type { AppliedState } from './applied-state.ts';

export interface ApplierParts {
  readonly turns: Turns;
  readonly store: LogStore;
  readonly state: AppliedState;
  /** The entry from memory, or undefined if it must be read from disk. */
  readonly entryAt: (index: LogIndex) => Entry | undefined;
  /** The oldest entry in memory: what is before it is on disk for good. */
  readonly firstInMemory: () => number;
  /** One entry has been applied. The array is reused: take what you need. */
  readonly onApplied: (entry: Entry, replies: readonly Reply[]) => void;
  /** Everything that there was time for in this turn has been applied. */
  readonly onSlice: () => void;
  /** A bug or a damaged log: this replica may now differ from the others, and must halt. */
  readonly onFault: (error: unknown) => void;
}

/** The entry under way. It is read whole before anything of it is done: one that cannot be is not applied at all. */
interface Begun {
  readonly entry: Entry;
  /** Undefined = it has no commands. */
  readonly reader: SubmissionReader | undefined;
  readonly submissions: Submission[];
  /** The machine has begun with it. */
  isBegun: boolean;
  /** How many of them the machine took. */
  taken: number;
  /** Something is due before the next one. */
  isDue: boolean;
}

/** Rare commands can be large, and concern many alerts and records. */
const isLong = ({ command }: Submission): boolean => command !== undefined && isRare(command.type);

/**
 * Applies committed entries to the machine, in order, as far as each turn of the loop has time. A turn may end within an entry of many
 * commands: what was taken of it shows, as it was agreed on, but the entry counts as applied, and is answered, when all of it is.
 */
export class Applier {
  readonly #parts: ApplierParts;
  readonly #out: Applied = { replies: [], events: [] };
  #target: LogIndex = logIndex(0);
  #applied: LogIndex;
  /** Entries read from disk, of which some may be applied already. */
  #page: readonly Entry[] = [];
  #begun: Begun | undefined;
  /** Its work is under way, or it waits for the disk. */
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
    if (this.#busy || this.#stopped || this.#applied >= this.#target) return;
    this.#busy = true;
    this.#parts.turns.now(this.#work);
  }

  /** Another machine took the place of the one so far: it goes on from where that one is. */
  replaced(): void {
    this.#applied = this.#parts.state.machine.applied;
    this.#page = [];
    this.#begun = undefined;
  }

  stop(): void {
    this.#stopped = true;
    this.#parts.state.letGo();
  }

  readonly #work: Work = (isOver) => {
    if (this.#stopped) return false;
    const from = this.#applied;
    try {
      const next = this.#applySlice(isOver);
      this.#note();
      if (this.#applied > from || this.#begun?.isBegun) this.#advanced();
      if (next === 'disk') this.#readOn();
      // Whoever was told may have asked for more.
      const isLater = next === 'later' || (next === 'nothing' && this.#applied < this.#target);
      this.#busy = next === 'disk' || isLater;
      return isLater;
    } catch (error) {
      this.#fail(error);
      return false;
    }
  };

  #advanced(): void {
    this.#parts.state.advanced();
    this.#parts.onSlice();
  }

  /** Applies what is at hand until its share of the turn is over. Answers what it waits for. */
  #applySlice(isOver: IsOver): 'nothing' | 'later' | 'disk' {
    while (this.#applied < this.#target && !this.#stopped) {
      const begun = this.#begun ?? this.#begin();
      if (begun === undefined) return 'disk';
      const isLong =
        begun.reader?.isAtEnd === false ? this.#read(begun, begun.reader) : this.#take(begun);
      if (isOver(isLong)) return this.#applied < this.#target ? 'later' : 'nothing';
    }
    return 'nothing';
  }

  /** The next entry; undefined = it is not at hand. */
  #begin(): Begun | undefined {
    const entry = this.#entryAt(logIndex(this.#applied + 1));
    if (entry === undefined) return undefined;
    const { kind, body } = recordOf(entry);
    const reader = kind === 'commands' ? new SubmissionReader(body) : undefined;
    this.#begun = { entry, reader, submissions: [], isBegun: false, taken: 0, isDue: false };
    return this.#begun;
  }

  /** Whether that can have been long. @throws TocsinError DATA_CORRUPT, DATA_NEWER_FORMAT */
  #read({ entry: { index }, submissions }: Begun, reader: SubmissionReader): boolean {
    try {
      const submission = reader.next();
      submissions.push(submission);
      return isLong(submission);
    } catch (error) {
      if (!TocsinError.is(error)) throw error;
      const code = error.code === 'DATA_NEWER_FORMAT' ? error.code : 'DATA_CORRUPT';
      throw new TocsinError(code, `entry ${index}: ${error.message}`, { cause: error });
    }
  }

  /** Makes the next step of what is due, or takes the next command, which may be the last. Whether that can have been long. */
  #take(begun: Begun): boolean {
    const { machine } = this.#parts.state;
    const { entry, submissions } = begun;
    const wasDue = begun.isDue;
    if (wasDue || !begun.isBegun) {
      if (!begun.isBegun) this.#beginWith(entry);
      begun.isBegun = true;
      begun.isDue = machine.due();
      if (begun.isDue) return true;
    }
    const submission = submissions[begun.taken];
    if (submission !== undefined) {
      machine.take(submission, this.#out);
      begun.taken += 1;
      begun.isDue = machine.due();
    }
    if (begun.taken >= submissions.length && !begun.isDue) this.#end(entry);
    return wasDue || begun.isDue || (submission !== undefined && isLong(submission));
  }

  #beginWith(entry: Entry): void {
    this.#out.replies.length = 0;
    const { index } = entry;
    this.#parts.state.machine.begin({ index, time: recordOf(entry).time }, this.#out);
  }

  #end(entry: Entry): void {
    const { state, onApplied } = this.#parts;
    state.machine.end();
    this.#applied = entry.index;
    this.#begun = undefined;
    this.#note();
    onApplied(entry, this.#out.replies);
    state.letGo();
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
        this.#parts.turns.now(this.#work);
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
