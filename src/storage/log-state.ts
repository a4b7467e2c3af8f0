import { assert } from '../base/assert.ts';
import { type LogIndex, logIndex, type Term, term } from '../base/ids.ts';
import { LOG_MEMORY_BYTES_MAX } from '../base/limits.ts';
import type { Entry, HardState } from '../raft/types.ts';
import { type EntryRecord, entryOf, genesisChain, recordOf } from '../wire/record.ts';
import type { LogWrite, TermStart } from './types.ts';

/** The place after which the next entry belongs: index, term and chain hash of the last one. */
export interface LogEnd {
  readonly index: LogIndex;
  readonly term: Term;
  readonly chain: number;
}

/** What one write replaces by the next: everything durable, except the entries themselves. */
export interface LogState {
  readonly hardState: HardState;
  readonly end: LogEnd;
}

/** The end of a log without entries. */
export const emptyEnd = (clusterId: string): LogEnd => ({
  index: logIndex(0),
  term: term(0),
  chain: genesisChain(clusterId),
});

/** A replica that has just been formatted. */
export const emptyState = (clusterId: string): LogState => ({
  hardState: { term: term(0), vote: undefined, commit: logIndex(0) },
  end: emptyEnd(clusterId),
});

export const endAfter = (record: EntryRecord): LogEnd => ({
  index: record.index,
  term: record.term,
  chain: record.chain,
});

/** Why `record` cannot be the entry right after `end`; undefined = it is. */
export function findBreak(end: LogEnd, record: EntryRecord): string | undefined {
  const next = end.index + 1;
  if (record.index !== next) return `entry ${record.index} stands where ${next} belongs`;
  if (record.term < end.term)
    return `entry ${next} is of term ${record.term}, the one before of ${end.term}`;
  if (record.previousChain !== end.chain)
    return `entry ${next} follows chain ${record.previousChain}, not ${end.chain}`;
  return undefined;
}

/** Why such a state cannot be what a write left behind; undefined = it can. */
export function findContradiction({ hardState, end }: LogState): string | undefined {
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
export function stateAfter(state: LogState, batch: LogWrite, kept: LogEnd): LogState {
  const before = state.hardState;
  const hardState = batch.hardState ?? before;
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
  const after = { hardState, end: endOf(batch.entries, kept) };
  const contradiction = findContradiction(after);
  assert(contradiction === undefined, contradiction ?? '');
  return after;
}

function endOf(entries: readonly Entry[], kept: LogEnd): LogEnd {
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

/**
 * Collects what `LogStore.load` answers while the log passes by, oldest first, without holding all
 * of it.
 */
export class TailCollector {
  readonly #terms: TermStart[] = [];
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
    this.#tail.push(entryOf(record));
    this.#tailBytes += record.byteLength;
    while (this.#tailBytes > LOG_MEMORY_BYTES_MAX) {
      const oldest = this.#tail[this.#surplus];
      if (oldest === undefined || oldest.index >= this.#keepFrom) break;
      this.#tailBytes -= oldest.payload.byteLength;
      this.#surplus += 1;
    }
    if (this.#surplus * 2 > this.#tail.length) this.#drop();
  }

  finish(): { readonly tail: readonly Entry[]; readonly terms: readonly TermStart[] } {
    this.#drop();
    return { tail: this.#tail, terms: this.#terms };
  }

  #drop(): void {
    this.#tail = this.#tail.slice(this.#surplus);
    this.#surplus = 0;
  }
}
