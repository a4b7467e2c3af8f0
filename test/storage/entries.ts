import { createHash } from 'node:crypto';
import { type LogIndex, logIndex, term, unixMillis } from '../../src/base/ids.ts';
import type { Entry, HardState } from '../../src/raft/types.ts';
import { emptyEnd, endAfter } from '../../src/storage/log/log-state.ts';
import type { LogPlace, LogStore } from '../../src/storage/types.ts';
import { EntryRecord, entryOf, recordOf } from '../../src/wire/log/record.ts';

export const CLUSTER = '0123456789abcdef0123456789abcdef';

export const at = (index: number): LogIndex => logIndex(index);

export const hard = (inTerm: number, commit = 0, vote?: HardState['vote']): HardState => ({
  term: term(inTerm),
  vote,
  commit: logIndex(commit),
});

/**
 * Well-formed entries right after `end`, one for each body length; contents differ by index and
 * term.
 */
export function entriesAfter(end: LogPlace, inTerm: number, sizes: readonly number[]): Entry[] {
  let last = end;
  return sizes.map((size) => {
    const body = new Uint8Array(size).fill((last.index * 31 + inTerm) & 0xff);
    const record = EntryRecord.draft('commands', unixMillis(1_700_000_000_000), 1, [body]);
    record.seal({ index: logIndex(last.index + 1), term: term(inTerm) }, last.chain);
    last = endAfter(record);
    return entryOf(record);
  });
}

/** Where `entries` end, which start at 1. */
export function endOfAll(entries: readonly Entry[]): LogPlace {
  const last = entries.at(-1);
  return last === undefined ? emptyEnd(CLUSTER) : endAfter(recordOf(last));
}

export const emptyLogEnd: LogPlace = emptyEnd(CLUSTER);

/** A log of entries of term 1, one for each list of commands, all of one instant or `msBetween` apart. */
export function batches(lists: readonly (readonly Uint8Array[])[], msBetween = 0): Entry[] {
  let end: LogPlace = emptyLogEnd;
  return lists.map((bodies, n) => {
    const time = unixMillis(1_700_000_000_000 + n * msBetween);
    const record = EntryRecord.draft('commands', time, bodies.length, bodies);
    record.seal({ index: at(end.index + 1), term: hard(1).term }, end.chain);
    end = endAfter(record);
    return entryOf(record);
  });
}

/** A comparable form: place, and a hash of all bytes. */
export const digest = (entries: readonly Entry[]): string[] =>
  entries.map((entry) => {
    const hash = createHash('sha1').update(recordOf(entry).bytes).digest('hex');
    return `${entry.index}@${entry.term} ${hash}`;
  });

/** What one write asks for, with nothing where nothing is said. */
export const writing = (
  entries: readonly Entry[],
  hardState?: HardState,
  truncateFrom?: number,
): Parameters<LogStore['write']>[0] => ({
  hardState,
  truncateFrom: truncateFrom === undefined ? undefined : logIndex(truncateFrom),
  entries,
});

/** Drops the entries up to `index`, which must be whole. */
export const compactTo = async (store: LogStore, index: number): Promise<void> =>
  store.compact(await store.placeAt(at(index)));
