import { assert, must } from '../base/assert.ts';
import { type LogIndex, logIndex, type Term, term } from '../base/ids.ts';
import { LOG_ENTRY_MEMORY_BYTES } from '../base/limits.ts';
import type { Entry, EntryId } from './types.ts';

/** Where a run of entries of one term begins. */
export interface TermRun {
  readonly from: number;
  readonly term: number;
}

/** What an entry takes in memory: its bytes, and the objects around them, which outweigh a small one. */
export const memoryBytesOf = ({ payload }: Entry): number =>
  LOG_ENTRY_MEMORY_BYTES + payload.byteLength;

/**
 * The log as the core sees it: the term of every place from its base on, and the newest entries themselves. Always:
 *
 *   base ≤ committed ≤ last        committed … last are in memory, but for the base
 *
 * The base is the entry that the log begins after: {0, 0}, or the newest one that compaction left to a snapshot.
 *
 * NOT promised: committed ≤ durable. A quorum can commit an entry this replica has not synced.
 */
export class RaftLog {
  /** Entries in memory, contiguous, the newest last. */
  readonly #entries: Entry[];
  /** One run per term, in order, over the whole log: terms change seldom. */
  readonly #runs: { readonly from: number; readonly term: Term }[];
  #base: EntryId;
  #committed: LogIndex;
  #bytes = 0;
  #uncommittedBytes = 0;

  /** `runs` cover everything after the base, `tail` the newest part of it. */
  constructor(
    tail: readonly Entry[],
    runs: readonly TermRun[],
    committed: LogIndex,
    base: EntryId = { index: logIndex(0), term: term(0) },
  ) {
    this.#base = base;
    this.#entries = [...tail];
    this.#runs = runs.map((run) => ({ from: run.from, term: term(run.term) }));
    for (const entry of tail) this.#bytes += memoryBytesOf(entry);
    const newest = tail.at(-1);
    assert(
      (newest === undefined) === (runs.length === 0),
      'a log has entries and terms, or neither',
    );
    if (newest !== undefined) {
      assert(this.termAt(newest.index) === newest.term, `term of ${newest.index} is told two ways`);
      assert((runs[0] as TermRun).term >= base.term, `term fell from ${base.term} after the base`);
    }
    assert(
      committed <= this.last.index,
      `committed ${committed} is past the end ${this.last.index}`,
    );
    assert(committed >= base.index, `committed ${committed} is before the base ${base.index}`);
    this.#committed = committed;
    for (const { index, payload } of tail)
      if (index > committed) this.#uncommittedBytes += payload.byteLength;
    assert(
      this.firstInMemory <= Math.max(committed, base.index + 1),
      `memory begins at ${this.firstInMemory}, after the committed ${committed}`,
    );
    assert(this.firstInMemory > base.index, `memory begins before the base ${base.index}`);
  }

  /** The entry that the log begins after. */
  get base(): EntryId {
    return this.#base;
  }
  get last(): EntryId {
    return this.#entries.at(-1) ?? this.#base;
  }
  get firstInMemory(): LogIndex {
    return this.#entries[0]?.index ?? logIndex(this.last.index + 1);
  }
  get committed(): LogIndex {
    return this.#committed;
  }
  /** What the entries in memory take there. */
  get bytes(): number {
    return this.#bytes;
  }
  /** Of entries beyond the commit index, whoever proposed them. */
  get uncommittedBytes(): number {
    return this.#uncommittedBytes;
  }

  /** The term of the entry at `index`, the base included; undefined before the base and after the last. */
  termAt(index: number): Term | undefined {
    if (index === this.#base.index) return this.#base.term;
    if (index < this.#base.index || index > this.last.index) return undefined;
    return must(this.#runs[this.#runOf(index)], 'no term for index %', index).term;
  }

  /** Whether this log holds that very entry. */
  holds(id: EntryId): boolean {
    return this.termAt(id.index) === id.term;
  }

  /** Whether a log that ends in `other` is at least as new as this one (§5.4.1). */
  isUpToDate(other: EntryId): boolean {
    const { index, term: lastTerm } = this.last;
    return other.term > lastTerm || (other.term === lastTerm && other.index >= index);
  }

  /**
   * The newest place at or below `index` whose term is not above `limit`: below it two logs may still agree, above it
   * they cannot. {0, 0} if that is before the base. Skips whole terms at a time (§5.3, the last paragraph).
   */
  lastAtOrBelow(index: number, limit: number): EntryId {
    const base = this.#base;
    let at = Math.min(index, this.last.index);
    while (at > base.index) {
      const run = must(this.#runs[this.#runOf(at)], 'no term for index %', at);
      if (run.term <= limit) return { index: logIndex(at), term: run.term };
      at = run.from - 1;
    }
    if (index >= base.index && base.term <= limit) return base;
    return { index: logIndex(0), term: term(0) };
  }

  entryAt(index: number): Entry | undefined {
    return this.#entries[index - this.firstInMemory];
  }

  /**
   * Entries from `from`, as many as fit the bounds but at least one; empty when there are none; undefined when memory
   * no longer holds them.
   */
  slice(from: number, countMax: number, bytesMax: number): readonly Entry[] | undefined {
    const start = from - this.firstInMemory;
    if (start < 0) return undefined;
    let bytes = 0;
    let end = start;
    while (end < this.#entries.length && end - start < countMax) {
      bytes += (this.#entries[end] as Entry).payload.byteLength;
      if (bytes > bytesMax && end > start) break;
      end += 1;
    }
    return this.#entries.slice(start, end);
  }

  append(entry: Entry): void {
    const { index, term: lastTerm } = this.last;
    assert(entry.index === index + 1, 'entry % does not follow %', entry.index, index);
    assert(entry.term >= lastTerm, 'term fell from % to %', lastTerm, entry.term);
    if (this.#runs.at(-1)?.term !== entry.term)
      this.#runs.push({ from: entry.index, term: entry.term });
    this.#entries.push(entry);
    this.#bytes += memoryBytesOf(entry);
    this.#uncommittedBytes += entry.payload.byteLength;
  }

  /** Removes `from` and everything after it. */
  truncate(from: LogIndex): void {
    assert(from > this.#committed, `truncating ${from} would cut committed ${this.#committed}`);
    assert(from <= this.last.index, `nothing to truncate at ${from}, last is ${this.last.index}`);
    const removed = this.#entries.splice(from - this.firstInMemory);
    for (const entry of removed) {
      this.#bytes -= memoryBytesOf(entry);
      this.#uncommittedBytes -= entry.payload.byteLength;
    }
    while ((this.#runs.at(-1)?.from ?? 0) >= from) this.#runs.pop();
    // Every place from the commit index on stays in memory, but for the base; so the end still shows its term.
    assert(
      this.#entries.length > 0 || from === this.#base.index + 1,
      `truncating ${from} left the end unknown`,
    );
  }

  commitTo(index: LogIndex): void {
    assert(index >= this.#committed, 'commit fell from % to %', this.#committed, index);
    assert(index <= this.last.index, 'commit % is past the last entry %', index, this.last.index);
    for (let at = this.#committed + 1; at <= index; at += 1)
      this.#uncommittedBytes -= must(this.entryAt(at), 'no entry at %', at).payload.byteLength;
    this.#committed = index;
  }

  /**
   * Forgets the oldest entries below `below` until they take at most `bytesMax` of memory, when they take an eighth more: many at
   * a time, since each time all that stay are moved. Their terms stay known.
   */
  evict(below: number, bytesMax: number): void {
    if (this.#bytes <= bytesMax + Math.floor(bytesMax / 8)) return;
    const first = this.firstInMemory;
    const keepFrom = Math.min(below, this.#committed, this.last.index);
    let bytes = this.#bytes;
    let count = 0;
    while (bytes > bytesMax && first + count < keepFrom) {
      bytes -= memoryBytesOf(this.#entries[count] as Entry);
      count += 1;
    }
    if (count === 0) return;
    this.#entries.splice(0, count);
    this.#bytes = bytes;
  }

  /** A snapshot stands for everything up to `index`: the log begins after it. */
  compact(index: LogIndex): void {
    assert(index <= this.#committed, `compacting ${index}, but only ${this.#committed} committed`);
    if (index <= this.#base.index) return;
    const base: EntryId = { index, term: must(this.termAt(index), `no term for index ${index}`) };
    const gone = Math.max(0, index - this.firstInMemory + 1);
    for (const entry of this.#entries.splice(0, gone)) this.#bytes -= memoryBytesOf(entry);
    const first = this.#entries.length === 0 ? this.#runs.length : this.#runOf(index + 1);
    const [run, ...later] = this.#runs.splice(0).slice(first);
    if (run !== undefined) this.#runs.push({ from: index + 1, term: run.term }, ...later);
    this.#base = base;
  }

  /** Forgets everything: a snapshot of something else stands for it, and the log begins after that. */
  reset(base: EntryId): void {
    assert(base.index > this.#committed, `${base.index} would undo committed ${this.#committed}`);
    this.#base = base;
    this.#entries.length = 0;
    this.#runs.length = 0;
    this.#bytes = 0;
    this.#uncommittedBytes = 0;
    this.#committed = base.index;
  }

  /** Place in the run table of the run that holds `index`. */
  #runOf(index: number): number {
    let low = 0;
    let high = this.#runs.length - 1;
    while (low < high) {
      const middle = (low + high + 1) >>> 1;
      if ((this.#runs[middle] as TermRun).from <= index) low = middle;
      else high = middle - 1;
    }
    return low;
  }
}
