import { TocsinError } from '../../base/errors.ts';
import { EntryRecord, recordLength } from '../../wire/log/record.ts';
import { decodeIdentity } from '../identity.ts';
import {
  decodeState,
  STATE_RECORD_BYTES,
  type StateCopy,
  type StoredState,
} from '../log/state-record.ts';
import type { Identity } from '../types.ts';
import { LOG_BLOCK_BYTES, LOG_HEADER_BYTES } from './level-log.ts';

/**
 * Finds our records in files of LevelDB that are damaged, by their magic numbers: each vouches for itself, so neither an
 * index nor a checksum of LevelDB's is needed. It does not compress what it holds for us, so in a table each record lies in
 * one piece; in a log file once the headers of the fragments are taken out.
 */
export interface Carved {
  /** In order of place; also such as were replaced or deleted later. */
  readonly entries: readonly CarvedEntry[];
  readonly states: readonly StoredState[];
  readonly identity: Identity | undefined;
  /** Nothing stands behind the newest state: no later write was begun. */
  readonly endsInState: boolean;
}

export interface CarvedEntry {
  readonly at: number;
  readonly record: EntryRecord;
}

export function carve(bytes: Buffer): Carved {
  const entries: CarvedEntry[] = [];
  for (let at = bytes.indexOf('TOCR'); at >= 0; ) {
    const record = entryAt(bytes, at);
    if (record !== undefined) entries.push({ at, record });
    at = bytes.indexOf('TOCR', at + (record?.byteLength ?? 1));
  }
  const states: StoredState[] = [];
  let newest = -1;
  let newestEnd = 0;
  for (let at = bytes.indexOf('TOCH'); at >= 0; at = bytes.indexOf('TOCH', at + 1)) {
    const state = decodeState(
      bytes.subarray(at, at + STATE_RECORD_BYTES),
      bytes[at + 5] as StateCopy,
    );
    if (typeof state === 'string') continue;
    states.push(state);
    if (state.sequence < newest) continue;
    newest = state.sequence;
    newestEnd = at + STATE_RECORD_BYTES;
  }
  const endsInState = newest >= 0 && newestEnd === bytes.length;
  return { entries, states, identity: identityIn(bytes), endsInState };
}

/** What a log file of LevelDB holds, without the headers of its fragments; where one is damaged, the rest of its block as it is. */
export function joinFragments(bytes: Buffer): Buffer {
  const pieces: Buffer[] = [];
  for (let block = 0; block < bytes.length; block += LOG_BLOCK_BYTES) {
    const end = Math.min(block + LOG_BLOCK_BYTES, bytes.length);
    for (let at = block; at + LOG_HEADER_BYTES <= end; ) {
      const length = bytes.readUInt16LE(at + 4);
      const type = bytes[at + 6] as number;
      const from = at + LOG_HEADER_BYTES;
      const isPlausible = type >= 1 && type <= 4 && from + length <= end;
      pieces.push(bytes.subarray(from, isPlausible ? from + length : end));
      at = isPlausible ? from + length : end;
    }
  }
  return Buffer.concat(pieces);
}

function entryAt(bytes: Buffer, at: number): EntryRecord | undefined {
  const length = recordLength(bytes, at);
  return length === undefined || at + length > bytes.length
    ? undefined
    : orNothing(() => EntryRecord.parse(bytes.subarray(at, at + length)));
}

function identityIn(bytes: Buffer): Identity | undefined {
  for (let at = bytes.indexOf('TOCI'); at >= 0; at = bytes.indexOf('TOCI', at + 1)) {
    if (at + 16 > bytes.length) return undefined;
    const length = 16 + bytes.readUInt32LE(at + 8);
    const identity = orNothing(() => decodeIdentity(bytes.subarray(at, at + length)));
    if (identity !== undefined) return identity;
  }
  return undefined;
}

function orNothing<T>(parse: () => T): T | undefined {
  try {
    return parse();
  } catch (error) {
    if (!TocsinError.is(error)) throw error;
    return undefined;
  }
}
