import { TocsinError } from '../../base/errors.ts';
import { type LogIndex, logIndex } from '../../base/ids.ts';
import { NAME_CHARS_MAX, SNAPSHOT_CHUNKS_MAX } from '../../base/limits.ts';
import type { Entry } from '../../raft/types.ts';
import { decodeBody, encodeBody } from '../body.ts';
import { readU64, writeU64 } from '../bytes.ts';
import { asFields, asLine, asWhole, type Unchecked } from '../check.ts';
import { EntryRecord, entryOf, recordLength, recordOf } from '../log/record.ts';

/** What replicas ask each other on the bulk lane. Layouts in FORMAT.md, "Bulk lane". */

/** Asks for what a snapshot is, or for a piece of it. The answer is a snapshot's meta, or the bytes of a chunk. */
export type SnapshotFetch =
  | {
      readonly what: 'newest';
      /** It must reach this entry. */
      readonly reaching: LogIndex;
    }
  | { readonly what: 'chunk'; readonly id: string; readonly chunk: number };

export const encodeSnapshotFetch = (fetch: SnapshotFetch): Uint8Array =>
  encodeBody(
    fetch.what === 'newest' ? { reaching: fetch.reaching } : { id: fetch.id, chunk: fetch.chunk },
  );

/** @throws TocsinError BAD_REQUEST, BODY_MALFORMED */
export function decodeSnapshotFetch(body: Uint8Array): SnapshotFetch {
  const fields: Unchecked<{ reaching: number; id: string; chunk: number }> = asFields(
    'request',
    'fetch',
    decodeBody(body),
    FETCH,
  );
  if (fields.id === undefined) {
    const least = asWhole('request', 'reaching', fields.reaching, 0, Number.MAX_SAFE_INTEGER);
    return { what: 'newest', reaching: logIndex(least) };
  }
  return {
    what: 'chunk',
    id: asLine('request', 'id', fields.id, 1, NAME_CHARS_MAX),
    chunk: asWhole('request', 'chunk', fields.chunk, 0, SNAPSHOT_CHUNKS_MAX - 1),
  };
}

const FETCH: ReadonlySet<string> = new Set(['reaching', 'id', 'chunk']);

/** Asks for entries that were lost: the newest of `from` … `to` that fit. `chainAfter` is what entry `to` must hash to. */
export interface RepairFetch {
  readonly from: LogIndex;
  readonly to: LogIndex;
  readonly chainAfter: number;
}

/** Whether there are such entries, and if not, why. */
export type RepairAnswer =
  | { readonly found: 'entries'; readonly entries: readonly Entry[] }
  | { readonly found: 'absent' | 'damaged' | 'unsure' | 'compacted' };

const FOUND: readonly RepairAnswer['found'][] = [
  'entries',
  'absent',
  'damaged',
  'compacted',
  'unsure',
];
const REPAIR_BYTES = 24;

export function encodeRepairFetch({ from, to, chainAfter }: RepairFetch): Uint8Array {
  const bytes = new Uint8Array(REPAIR_BYTES);
  writeU64(bytes, 0, from);
  writeU64(bytes, 8, to);
  writeU64(bytes, 16, chainAfter);
  return bytes;
}

/** @throws TocsinError BODY_MALFORMED */
export function decodeRepairFetch(body: Uint8Array): RepairFetch {
  if (body.byteLength !== REPAIR_BYTES) throw malformed(`${body.byteLength} bytes`);
  const [from = 0, to = 0, chainAfter = 0] = [0, 8, 16].map((at) => readU64(body, at));
  if ([from, to, chainAfter].some(Number.isNaN)) throw malformed('not a safe integer');
  if (from < 1 || to < from) throw malformed(`entries ${from} to ${to}`);
  return { from: logIndex(from), to: logIndex(to), chainAfter };
}

export function encodeRepairAnswer(answer: RepairAnswer): readonly Uint8Array[] {
  const head = Uint8Array.of(FOUND.indexOf(answer.found));
  if (answer.found !== 'entries') return [head];
  return [head, ...answer.entries.map((entry) => recordOf(entry).bytes)];
}

/** The records are verified each; whether they are those that were asked for is for the log to say. @throws TocsinError BODY_MALFORMED */
export function decodeRepairAnswer(body: Uint8Array): RepairAnswer {
  const [code] = body;
  if (code === undefined) throw malformed('no answer');
  const found = FOUND[code];
  // Whatever a later version says, it neither gives the entries nor says that it has none.
  if (found === undefined) return { found: 'unsure' };
  if (found !== 'entries') {
    if (body.byteLength > 1) throw malformed(`${body.byteLength} bytes`);
    return { found };
  }
  const entries: Entry[] = [];
  for (let at = 1; at < body.byteLength; ) {
    const length = recordLength(body, at);
    if (length === undefined || at + length > body.byteLength)
      throw malformed(`no whole record at byte ${at}`);
    entries.push(entryOf(EntryRecord.parse(body.subarray(at, at + length))));
    at += length;
  }
  if (entries.length === 0) throw malformed('entries, and there are none');
  return { found, entries };
}

const malformed = (what: string): TocsinError =>
  new TocsinError('BODY_MALFORMED', `repair: ${what}`);
