import { BugError } from '../base/assert.ts';
import { TocsinError } from '../base/errors.ts';
import { COMPACT_ENTRIES_MAX } from '../base/limits.ts';
import { EntryRecord } from '../wire/record.ts';
import {
  type Database,
  ENTRY_KEYS_BEGIN,
  ENTRY_KEYS_END,
  entryKey,
  entryKeyIndex,
  faultOf,
} from './level.ts';
import { endAfter } from './log-state.ts';
import type { LogPlace } from './types.ts';

/** Entries taken from LevelDB at a time, so that a scan lets others use the loop in between. */
const SCAN_ENTRIES = 256;

/**
 * Hands the records `from` … `to` that are there to `visit`, in order, each verified by itself. `visit` answers whether
 * it wants more. Without `to`, whatever has a key behind the first one is looked at.
 * @throws TocsinError DATA_CORRUPT, DISK_FAILED
 */
export async function scanEntries(
  database: Database,
  from: number,
  to: number | undefined,
  pageBytes: number,
  visit: (record: EntryRecord) => boolean,
): Promise<void> {
  const iterator = database.iterator({
    gte: entryKey(from),
    ...(to === undefined ? { lt: ENTRY_KEYS_END } : { lte: entryKey(to) }),
    fillCache: false,
    highWaterMarkBytes: pageBytes,
  });
  try {
    for (;;) {
      const page = await iterator.nextv(SCAN_ENTRIES);
      if (page.length === 0) return;
      for (const [key, value] of page) if (!visit(parseEntry(key, value))) return;
    }
  } catch (error) {
    if (error instanceof BugError) throw error;
    throw faultOf(error, 'reading the log');
  } finally {
    await iterator.close();
  }
}

/**
 * Index, term and chain hash of an entry.
 * @throws TocsinError DATA_CORRUPT (damaged, or missing), DISK_FAILED
 */
export async function readPlace(database: Database, index: number): Promise<LogPlace> {
  const key = entryKey(index);
  const value = await database.get(key).catch((error: unknown) => {
    throw faultOf(error, `reading entry ${index}`);
  });
  if (value === undefined) throw corrupt(`entry ${index} is missing`);
  return endAfter(parseEntry(key, value));
}

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

/** @throws TocsinError DATA_CORRUPT */
export function parseEntry(key: Uint8Array, value: Uint8Array): EntryRecord {
  const index = entryKeyIndex(key);
  if (index === undefined)
    throw corrupt(`key ${Buffer.from(key).toString('hex')} is not of an entry`);
  let record: EntryRecord;
  try {
    record = EntryRecord.parse(value);
  } catch (error) {
    if (!TocsinError.is(error)) throw error;
    throw new TocsinError('DATA_CORRUPT', `entry ${index}: ${error.message}`, { cause: error });
  }
  const problem = findMisplaced(index, record);
  if (problem !== undefined) throw corrupt(problem);
  return record;
}

export const findMisplaced = (index: number, record: EntryRecord): string | undefined =>
  record.index === index ? undefined : `entry ${record.index} stands where ${index} belongs`;

const corrupt = (what: string): TocsinError => new TocsinError('DATA_CORRUPT', what);
