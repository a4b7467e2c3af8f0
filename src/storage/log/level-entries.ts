import { assert, BugError } from '../../base/assert.ts';
import { TocsinError } from '../../base/errors.ts';
import { logIndex } from '../../base/ids.ts';
import {
  COMPACT_ENTRIES_MAX,
  LOG_READ_BYTES_MAX,
  LOG_SCAN_ENTRIES,
  READ_BYTES_PER_TURN_MAX,
} from '../../base/limits.ts';
import type { Entry } from '../../raft/types.ts';
import { EntryRecord, entryOf, recordOf } from '../../wire/log/record.ts';
import {
  type Database,
  ENTRY_KEYS_BEGIN,
  ENTRY_KEYS_END,
  entryKey,
  entryKeyIndex,
  faultOf,
  type KeyRange,
} from '../level/level.ts';
import type { LogPlace } from '../types.ts';
import { endAfter, findBreak, type LogState } from './log-state.ts';

/**
 * Everything behind `from` is looked at: a key that is of no entry counts as one behind all others, a record that is not
 * whole is undefined.
 * @throws TocsinError DISK_FAILED
 */
export function surveyEntries(
  database: Database,
  from: number,
  visit: (index: number, record: EntryRecord | undefined) => void,
): Promise<void> {
  return pages(
    database,
    { gte: entryKey(from), lt: ENTRY_KEYS_END },
    LOG_READ_BYTES_MAX,
    (key, value) => {
      const record = recordIn(key, value);
      const index = entryKeyIndex(key) ?? Number.POSITIVE_INFINITY;
      visit(index, typeof record === 'string' ? undefined : record);
      return true;
    },
  );
}

/**
 * Records `from` … `to` that are whole, until `visit` wants no more, or so many bytes are read but at least one record.
 * Answers whether it came to the end.
 * @throws TocsinError DISK_FAILED
 */
export async function surveySome(
  database: Database,
  from: number,
  to: number,
  bytesMax: number,
  visit: (record: EntryRecord) => boolean,
): Promise<{ readonly bytes: number; readonly ended: boolean }> {
  let bytes = 0;
  let ended = true;
  if (from > to) return { bytes, ended };
  const range = { gte: entryKey(from), lte: entryKey(to) };
  await pages(database, range, Math.min(bytesMax, LOG_READ_BYTES_MAX), (key, value) => {
    bytes += value.byteLength;
    const record = recordIn(key, value);
    if (typeof record === 'string') return true;
    const isLast = record.index === to;
    ended = visit(record) && (bytes < bytesMax || isLast);
    return ended;
  });
  return { bytes, ended };
}

/**
 * Records from `to` down to `from`, as far as they are whole and each is the one that the next one follows; the first must
 * have `chain`. `visit` answers whether it wants more.
 * @throws TocsinError DISK_FAILED
 */
export async function descendEntries(
  database: Database,
  from: number,
  to: number,
  chain: number,
  visit: (record: EntryRecord) => boolean,
): Promise<void> {
  let expected = { index: to, chain };
  const range = { gte: entryKey(from), lte: entryKey(to), reverse: true };
  await pages(database, range, LOG_READ_BYTES_MAX, (key, value) => {
    const record = recordIn(key, value);
    if (typeof record === 'string') return false;
    if (record.index !== expected.index || record.chain !== expected.chain) return false;
    expected = { index: record.index - 1, chain: record.previousChain };
    return visit(record);
  });
}

/**
 * Hands the records `from` … `to` that are there to `visit`, in order, each verified by itself. `visit` answers whether
 * it wants more.
 * @throws TocsinError DATA_CORRUPT, DISK_FAILED
 */
function scanEntries(
  database: Database,
  from: number,
  to: number,
  pageBytes: number,
  visit: (record: EntryRecord) => boolean,
): Promise<void> {
  const range = { gte: entryKey(from), lte: entryKey(to) };
  return pages(database, range, pageBytes, (key, value) => visit(parseEntry(key, value)));
}

async function pages(
  database: Database,
  range: KeyRange,
  pageBytes: number,
  visit: (key: Uint8Array, value: Uint8Array) => boolean,
): Promise<void> {
  const iterator = database.iterator({
    ...range,
    fillCache: false,
    highWaterMarkBytes: Math.min(pageBytes, READ_BYTES_PER_TURN_MAX),
  });
  try {
    for (;;) {
      const page = await iterator.nextv(LOG_SCAN_ENTRIES);
      if (page.length === 0) return;
      for (const [key, value] of page) if (!visit(key, value)) return;
    }
  } catch (error) {
    if (error instanceof BugError) throw error;
    throw faultOf(error, 'reading the log');
  } finally {
    await iterator.close();
  }
}

/**
 * Entries `from` … `to` of a log that begins after `base`, as many as fit `bytesMax`, at least one.
 * @throws TocsinError DATA_CORRUPT (damaged, missing, or not those that belong there), DISK_FAILED
 */
export async function readEntries(
  database: Database,
  base: LogPlace,
  from: number,
  to: number,
  bytesMax: number,
): Promise<Entry[]> {
  const entries: Entry[] = [];
  let bytes = 0;
  // The entry before is read too: its chain hash vouches for the first one.
  let end: LogPlace | undefined = from === base.index + 1 ? base : undefined;
  const first = end === undefined ? from - 1 : from;
  const pageBytes = Math.min(bytesMax, LOG_READ_BYTES_MAX);
  await scanEntries(database, first, to, pageBytes, (record) => {
    const problem = end === undefined ? findMisplaced(first, record) : findBreak(end, record);
    if (problem !== undefined) throw corrupt(problem);
    end = endAfter(record);
    if (record.index < from) return true;
    bytes += record.byteLength;
    if (entries.length > 0 && bytes > bytesMax) return false;
    entries.push(entryOf(record));
    return bytes < bytesMax;
  });
  const last = entries.at(-1)?.index ?? from - 1;
  if (last < to && bytes < bytesMax) throw corrupt(`entry ${last + 1} is missing`);
  return entries;
}

/**
 * Where a log ends once it is cut from `from` on. Of an entry there that has rotted, the one that takes the place of what is cut
 * says what it was.
 */
export async function placeBefore(
  database: Database,
  from: number,
  { base, end }: Pick<LogState, 'base' | 'end'>,
  next?: Entry,
): Promise<LogPlace> {
  if (from > end.index) return end;
  assert(from > base.index, `cut from ${from}, the log begins after ${base.index}`);
  if (from === base.index + 1) return base;
  const record = await recordAt(database, from - 1);
  if (typeof record !== 'string') return endAfter(record);
  if (next?.index !== from) throw corrupt(record);
  return { index: logIndex(from - 1), term: next.term, chain: recordOf(next).previousChain };
}

/** Whether the log goes through that very place. @throws TocsinError DATA_CORRUPT, DISK_FAILED */
export async function holds(
  database: Database,
  { base, end }: Pick<LogState, 'base' | 'end'>,
  { index, chain }: LogPlace,
): Promise<boolean> {
  if (index > end.index || index < base.index) return false;
  if (index === base.index) return base.chain === chain;
  if (index === end.index) return end.chain === chain;
  const record = await recordAt(database, index);
  if (typeof record !== 'string') return record.chain === chain;
  const next = await recordAt(database, index + 1);
  // A snapshot holds the entry itself; but whether this log goes on from it must be known.
  if (typeof next === 'string') throw corrupt(record);
  return next.previousChain === chain;
}

/**
 * Index, term and chain hash of an entry.
 * @throws TocsinError DATA_CORRUPT (damaged, or missing), DISK_FAILED
 */
export async function readPlace(database: Database, index: number): Promise<LogPlace> {
  const record = await recordAt(database, index);
  if (typeof record === 'string') throw corrupt(record);
  return endAfter(record);
}

/** Whether an entry is there, and whole by itself. @throws TocsinError DISK_FAILED */
export const isWhole = async (database: Database, index: number): Promise<boolean> =>
  typeof (await recordAt(database, index)) !== 'string';

/** Removes what a log that begins later has left behind, a slice at a time, off the loop. Not synced: nobody reads it. */
export async function clearEntries(
  database: Database,
  from: number,
  to: number,
  goOn: () => boolean,
): Promise<void> {
  for (let at = from; at <= to && goOn(); at += COMPACT_ENTRIES_MAX) {
    const last = Math.min(to, at + COMPACT_ENTRIES_MAX - 1);
    await database.clear({ gte: entryKey(at), lte: entryKey(last) });
  }
}

/** Removes everything behind `index`. */
export const clearBehind = (database: Database, index: number): Promise<void> =>
  database.clear({ gte: entryKey(index + 1), lt: ENTRY_KEYS_END });

/** The index of the first entry that is there, damaged or not. */
export async function firstIndex(database: Database): Promise<number | undefined> {
  const range = { gte: ENTRY_KEYS_BEGIN, lt: ENTRY_KEYS_END, limit: 1 };
  const keys = await database
    .keys(range)
    .all()
    .catch((error: unknown) => {
      throw faultOf(error, 'reading the log');
    });
  const first = keys[0];
  return first === undefined ? undefined : entryKeyIndex(first);
}

/** The record of an entry, or what is wrong with it. @throws TocsinError DISK_FAILED */
async function recordAt(database: Database, index: number): Promise<EntryRecord | string> {
  const key = entryKey(index);
  const value = await database.get(key).catch((error: unknown) => {
    throw faultOf(error, `reading entry ${index}`);
  });
  return value === undefined ? `entry ${index} is missing` : recordIn(key, value);
}

/** @throws TocsinError DATA_CORRUPT */
function parseEntry(key: Uint8Array, value: Uint8Array): EntryRecord {
  const record = recordIn(key, value);
  if (typeof record === 'string') throw corrupt(record);
  return record;
}

/** The record under a key of the log, or what is wrong with it. */
function recordIn(key: Uint8Array, value: Uint8Array): EntryRecord | string {
  const index = entryKeyIndex(key);
  if (index === undefined) return `key ${Buffer.from(key).toString('hex')} is not of an entry`;
  try {
    const record = EntryRecord.parse(value);
    return findMisplaced(index, record) ?? record;
  } catch (error) {
    if (!TocsinError.is(error)) throw error;
    return `entry ${index}: ${error.message}`;
  }
}

const findMisplaced = (index: number, record: EntryRecord): string | undefined =>
  record.index === index ? undefined : `entry ${record.index} stands where ${index} belongs`;

const corrupt = (what: string): TocsinError => new TocsinError('DATA_CORRUPT', what);
