import { crc32 } from 'node:zlib';
import { assert } from '../../base/assert.ts';
import { TocsinError } from '../../base/errors.ts';
import { hashText, mix } from '../../base/hash.ts';
import {
  type LogIndex,
  logIndex,
  type Term,
  term,
  type UnixMillis,
  unixMillis,
} from '../../base/ids.ts';
import { ENTRY_BYTES_MAX } from '../../base/limits.ts';
import type { Entry, EntryId, Payload } from '../../raft/types.ts';
import { readU16, readU32, readU64, writeU32, writeU64 } from '../bytes.ts';
import {
  type ClusterMember,
  decodeMembers,
  encodeMembers,
  listsOf,
  type MemberLists,
} from '../peers/members.ts';

/**
 * One log entry as bytes: made once by the leader, and from then on the same bytes are what the
 * disk holds and what followers receive. Layout in FORMAT.md, "Entry record".
 */

export const RECORD_HEADER_BYTES = 64;
const MAGIC = 0x52434f54; // 'TOCR'
const VERSION = 1;

const KINDS = ['noop', 'commands', 'configuration', 'tick'] as const;
export type RecordKind = (typeof KINDS)[number];

/** The chain hash before the first entry of a cluster's log. */
export const genesisChain = (clusterId: string): number => hashText(clusterId);

export class EntryRecord implements Payload {
  readonly bytes: Uint8Array;
  #sealed: boolean;
  /** Of a configuration entry. */
  readonly members: readonly ClusterMember[] | undefined;
  /** The same as agreement counts by it. */
  readonly configuration: MemberLists | undefined;

  private constructor(bytes: Uint8Array, sealed: boolean) {
    this.bytes = bytes;
    this.#sealed = sealed;
    this.members = this.kind === 'configuration' ? decodeMembers(this.body) : undefined;
    this.configuration = this.members && listsOf(this.members);
  }

  /** A configuration entry, without a place in the log yet. */
  static draftConfiguration(time: UnixMillis, members: readonly ClusterMember[]): EntryRecord {
    return EntryRecord.draft('configuration', time, 0, [encodeMembers(members)]);
  }

  /** A record without a place in the log yet. `parts` are command records, copied once, here. */
  static draft(
    kind: RecordKind,
    time: UnixMillis,
    count: number,
    parts: readonly Uint8Array[],
  ): EntryRecord {
    let bodyLength = 0;
    for (const part of parts) bodyLength += part.byteLength;
    const bytes = Buffer.allocUnsafeSlow(RECORD_HEADER_BYTES + bodyLength);
    assert(bytes.byteLength <= ENTRY_BYTES_MAX, `entry of ${bytes.byteLength} bytes is too long`);
    let at = RECORD_HEADER_BYTES;
    for (const part of parts) {
      bytes.set(part, at);
      at += part.byteLength;
    }
    writeU32(bytes, 0, MAGIC);
    bytes[4] = VERSION;
    bytes[5] = KINDS.indexOf(kind);
    bytes[6] = 0;
    bytes[7] = 0;
    writeU32(bytes, 8, bodyLength);
    writeU32(bytes, 12, count);
    writeU64(bytes, 32, time);
    writeU32(bytes, 56, crc32(bytes.subarray(RECORD_HEADER_BYTES)));
    return new EntryRecord(bytes, false);
  }

  /**
   * Reads and verifies one record that fills `bytes`.
   * @throws TocsinError BODY_MALFORMED with what is wrong
   */
  static parse(bytes: Uint8Array): EntryRecord {
    const problem = findProblem(bytes);
    if (problem !== undefined) throw new TocsinError('BODY_MALFORMED', `entry record: ${problem}`);
    return new EntryRecord(bytes, true);
  }

  /** Gives the record its place. From here on its bytes never change. */
  seal(id: EntryId, previousChain: number): void {
    assert(!this.#sealed, 'the record is sealed already');
    writeU64(this.bytes, 16, id.index);
    writeU64(this.bytes, 24, id.term);
    writeU64(this.bytes, 40, previousChain);
    writeU64(this.bytes, 48, chainOf(this.bytes));
    writeU32(this.bytes, 60, crc32(this.bytes.subarray(0, 60)));
    this.#sealed = true;
  }

  get sealed(): boolean {
    return this.#sealed;
  }
  get byteLength(): number {
    return this.bytes.byteLength;
  }
  get kind(): RecordKind {
    return KINDS[this.bytes[5] as number] as RecordKind;
  }
  /** Commands in the body. */
  get count(): number {
    return readU32(this.bytes, 12);
  }
  get index(): LogIndex {
    return logIndex(readU64(this.bytes, 16));
  }
  get term(): Term {
    return term(readU64(this.bytes, 24));
  }
  get time(): UnixMillis {
    return unixMillis(readU64(this.bytes, 32));
  }
  /**
   * Chain hash of the entry before: equal to that entry's `chain`, or the log has been tampered
   * with or lost.
   */
  get previousChain(): number {
    return readU64(this.bytes, 40);
  }
  get chain(): number {
    return readU64(this.bytes, 48);
  }
  get body(): Uint8Array {
    return this.bytes.subarray(RECORD_HEADER_BYTES);
  }
}

/**
 * Length of the whole record whose header begins at `at`, or undefined if no plausible header is
 * there.
 */
export function recordLength(bytes: Uint8Array, at: number): number | undefined {
  if (bytes.byteLength - at < RECORD_HEADER_BYTES || readU32(bytes, at) !== MAGIC) return undefined;
  const length = RECORD_HEADER_BYTES + readU32(bytes, at + 8);
  return length <= ENTRY_BYTES_MAX ? length : undefined;
}

/** The record as the core sees it. */
export const entryOf = (record: EntryRecord): Entry => ({
  index: record.index,
  term: record.term,
  payload: record,
});

/** The core's payloads are always records; the core just does not know it. */
export function recordOf(entry: Entry): EntryRecord {
  assert(entry.payload instanceof EntryRecord, `entry ${entry.index} carries something else`);
  return entry.payload;
}

function chainOf(bytes: Uint8Array): number {
  return mix(
    readU64(bytes, 40),
    readU64(bytes, 16),
    readU64(bytes, 24),
    readU64(bytes, 32),
    (bytes[5] as number) * 2 ** 32 + readU32(bytes, 12),
    readU32(bytes, 8),
    readU32(bytes, 56),
  );
}

function findProblem(bytes: Uint8Array): string | undefined {
  if (bytes.byteLength < RECORD_HEADER_BYTES) return `only ${bytes.byteLength} bytes`;
  if (readU32(bytes, 0) !== MAGIC) return 'wrong magic number';
  if (crc32(bytes.subarray(0, 60)) !== readU32(bytes, 60)) return 'wrong header checksum';
  if (bytes[4] !== VERSION) return `version ${bytes[4]} is not known`;
  if ((bytes[5] as number) >= KINDS.length) return `kind ${bytes[5]} is not known`;
  if (readU16(bytes, 6) !== 0) return 'reserved bytes are not zero';
  if (bytes.byteLength > ENTRY_BYTES_MAX) return `${bytes.byteLength} bytes are over the limit`;
  const bodyLength = bytes.byteLength - RECORD_HEADER_BYTES;
  if (readU32(bytes, 8) !== bodyLength)
    return `body of ${bodyLength} bytes, not ${readU32(bytes, 8)}`;
  for (const at of [16, 24, 32, 40, 48])
    if (Number.isNaN(readU64(bytes, at))) return `field at ${at} is not a safe integer`;
  if (crc32(bytes.subarray(RECORD_HEADER_BYTES)) !== readU32(bytes, 56))
    return 'wrong body checksum';
  if (chainOf(bytes) !== readU64(bytes, 48)) return 'wrong chain hash';
  return undefined;
}
