import { assert } from '../../base/assert.ts';
import { type LogIndex, logIndex, term } from '../../base/ids.ts';
import { LOG_MEMORY_BYTES_MAX } from '../../base/limits.ts';
import { memoryBytesOf } from '../../raft/log.ts';
import type { Entry, EntryId, HardState } from '../../raft/types.ts';
import { type EntryRecord, entryOf, genesisChain, recordOf } from '../../wire/log/record.ts';
import type { LogPlace, LogWrite, Restored, TermStart } from '../types.ts';

/** What one write replaces by the next: everything durable, except the entries themselves. */
export interface LogState {
  readonly hardState: HardState;
  /** The log begins right after it. */
  readonly base: LogPlace;
  /** The last entry, or the base. */
  readonly end: LogPlace;
}

/** The place before the first entry of a cluster's log. */
export const emptyEnd = (clusterId: string): LogPlace => ({
  index: logIndex(0),
  term: term(0),
  chain: genesisChain(clusterId),
});

/** A replica that has just been formatted. */
export const emptyState = (clusterId: string): LogState => ({
  hardState: { term: term(0), vote: undefined, commit: logIndex(0) },
  base: emptyEnd(clusterId),
  end: emptyEnd(clusterId),
});

export const endAfter = (record: EntryRecord): LogPlace => ({
  index: record.index,
  term: record.term,
  chain: record.chain,
});

export const higher = (a: LogIndex, b: LogIndex): LogIndex => (a > b ? a : b);

/** Why `record` cannot be the entry right after `end`; undefined = it is. */
export function findBreak(end: LogPlace, record: EntryRecord): string | undefined {
  const next = end.index + 1;
  if (record.index !== next) return `entry ${record.index} stands where ${next} belongs`;
  if (record.term < end.term)
    return `entry ${next} is of term ${record.term}, the one before of ${end.term}`;
  if (record.previousChain !== end.chain)
    return `entry ${next} follows chain ${record.previousChain}, not ${end.chain}`;
  return undefined;
}

/** Why such a state cannot be what a write left behind; undefined = it can. */
export function findContradiction({ hardState, base, end }: LogState): string | undefined {
  if (hardState.commit < base.index)
    return `entries up to ${base.index} were compacted, but only ${hardState.commit} committed`;
  if (hardState.commit > end.index)
    return `entry ${hardState.commit} was committed, but the log ends at ${end.index}`;
  if (hardState.term < end.term)
    return `the current term is ${hardState.term}, the last entry's ${end.term}`;
  return undefined;
}

/**
 * The state that `batch` leads to. `kept` is the end of what it does not cut. Asserts what
 * agreement promises: entries follow one another, nothing committed is cut, terms and commits do
 * not fall, one vote per term.
 */
export function stateAfter(state: LogState, batch: LogWrite, kept: LogPlace): LogState {
  const before = state.hardState;
  const given = batch.hardState ?? before;
  // The log may have been compacted beyond what was known to be committed when this was handed over.
  const hardState = { ...given, commit: higher(given.commit, state.base.index) };
  assert(hardState.term >= before.term, `term fell from ${before.term} to ${hardState.term}`);
  assert(hardState.commit >= before.commit, `commit fell: ${before.commit}, ${hardState.commit}`);
  if (hardState.term === before.term && before.vote !== undefined)
    assert(
      hardState.vote === before.vote,
      `votes for ${before.vote} and ${hardState.vote} in term ${before.term}`,
    );
  if (batch.truncateFrom !== undefined) {
    assert(
      batch.truncateFrom > before.commit,
      `cuts from ${batch.truncateFrom}, but ${before.commit} is committed`,
    );
    assert(
      batch.truncateFrom === kept.index + 1,
      `cuts from ${batch.truncateFrom}, keeps up to ${kept.index}`,
    );
  }
  const after = { hardState, base: state.base, end: endOf(batch.entries, kept) };
  const contradiction = findContradiction(after);
  assert(contradiction === undefined, contradiction ?? '');
  return after;
}

function endOf(entries: readonly Entry[], kept: LogPlace): LogPlace {
  let end = kept;
  for (const entry of entries) {
    const record = recordOf(entry);
    assert(record.sealed, `entry ${entry.index} is not sealed`);
    assert(record.index === entry.index, `entry ${entry.index} carries record ${record.index}`);
    assert(record.term === entry.term, `entry of term ${entry.term}, record of ${record.term}`);
    const problem = findBreak(end, record);
    assert(problem === undefined, problem ?? '');
    end = endAfter(record);
  }
  return end;
}

/** The state once everything up to `place` is dropped; a snapshot proves that it was committed. */
export const compacted = (state: LogState, place: LogPlace): LogState => ({
  hardState: committedTo(state.hardState, place),
  base: place,
  end: state.end,
});

/** The state of a log that has nothing but begins after `place`, everything up to which is committed. */
export function restartedAt(place: LogPlace, hardState: HardState): LogState {
  const { index, term: inTerm, chain } = place;
  const base = { index, term: inTerm, chain };
  return { hardState: committedTo(hardState, place), base, end: base };
}

/**
 * `hardState` with what a snapshot at `place` proves: that was committed, in a term that has been. What may have been
 * forgotten is in doubt all the same.
 */
export function committedTo(hardState: HardState, place: EntryId): HardState {
  const isLater = place.term > hardState.term;
  return {
    ...hardState,
    term: isLater ? place.term : hardState.term,
    vote: isLater ? undefined : hardState.vote,
    commit: higher(hardState.commit, place.index),
  };
}

/**
 * Collects what `LogStore.load` answers while the log passes by, oldest first, without holding all
 * of it.
 */
export class TailCollector {
  readonly #terms: TermStart[] = [];
  readonly #configurations: Entry[] = [];
  #tail: Entry[] = [];
  #tailBytes = 0;
  /** Entries at the front of `#tail` that no longer fit; dropped many at a time. */
  #surplus = 0;
  readonly #keepFrom: number;

  /** Entries from `keepFrom` on are kept whatever they weigh: the core needs all that may not be committed. */
  constructor(keepFrom: number) {
    this.#keepFrom = keepFrom;
  }

  add(record: EntryRecord): void {
    if (this.#terms.at(-1)?.term !== record.term)
      this.#terms.push({ from: record.index, term: record.term });
    const entry = entryOf(record);
    if (record.kind === 'configuration') this.#configurations.push(entry);
    this.#tail.push(entry);
    this.#tailBytes += memoryBytesOf(entry);
    while (this.#tailBytes > LOG_MEMORY_BYTES_MAX) {
      const oldest = this.#tail[this.#surplus];
      if (oldest === undefined || oldest.index >= this.#keepFrom) break;
      this.#tailBytes -= memoryBytesOf(oldest);
      this.#surplus += 1;
    }
    if (this.#surplus * 2 > this.#tail.length) this.#drop();
  }

  finish(): Pick<Restored, 'tail' | 'terms' | 'configurations'> {
    this.#drop();
    return { tail: this.#tail, terms: this.#terms, configurations: this.#configurations };
  }

  #drop(): void {
    this.#tail = this.#tail.slice(this.#surplus);
    this.#surplus = 0;
  }
}
