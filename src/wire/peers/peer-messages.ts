import { assert } from '../../base/assert.ts';
import { TocsinError } from '../../base/errors.ts';
import {
  type LogIndex,
  logIndex,
  type ReplicaId,
  replicaId,
  type Term,
  term,
} from '../../base/ids.ts';
import { APPEND_ENTRIES_MAX, FRAME_BYTES_MAX } from '../../base/limits.ts';
import type { AppendRequest, Entry, EntryId, Message } from '../../raft/types.ts';
import { readU16, readU32, readU64, writeU16, writeU32, writeU64 } from '../bytes.ts';
import { FrameType } from '../frame.ts';
import { EntryRecord, entryOf, recordLength, recordOf } from '../log/record.ts';

/**
 * The messages of agreement as bytes: fixed layouts, no MessagePack. Layouts in FORMAT.md, "Peer
 * messages".
 */

const ENVELOPE_BYTES = 16;
const APPEND_HEADER_BYTES = 48;

const FLAG_1 = 1;
const FLAG_2 = 2;

export interface EncodedPeerMessage {
  readonly type: FrameType;
  /** Parts of the body, in order; an append's records are the entries' own bytes. */
  readonly body: readonly Uint8Array[];
}

export function encodePeerMessage(message: Message): EncodedPeerMessage {
  switch (message.type) {
    case 'vote-request': {
      const flags = (message.pre ? FLAG_1 : 0) | (message.transfer ? FLAG_2 : 0);
      const bytes = envelope(message, 32, flags);
      writeId(bytes, 16, message.last);
      return { type: FrameType.VOTE_REQUEST, body: [bytes] };
    }
    case 'vote-reply': {
      const flags = (message.pre ? FLAG_1 : 0) | (message.granted ? FLAG_2 : 0);
      return { type: FrameType.VOTE_REPLY, body: [envelope(message, 16, flags)] };
    }
    case 'append-request':
      return { type: FrameType.APPEND_REQUEST, body: encodeAppend(message) };
    case 'append-reply': {
      const flags = (message.accepted ? FLAG_1 : 0) | (message.reverted === true ? FLAG_2 : 0);
      const bytes = envelope(message, 40, flags);
      writeU64(bytes, 16, message.index);
      writeId(bytes, 24, message.hint);
      return { type: FrameType.APPEND_REPLY, body: [bytes] };
    }
    case 'heartbeat': {
      const bytes = envelope(message, 56, 0);
      writeU64(bytes, 16, message.commit);
      writeU64(bytes, 24, message.round);
      writeU64(bytes, 32, message.stamp);
      writeU64(bytes, 40, message.echo);
      writeU64(bytes, 48, message.reached);
      return { type: FrameType.HEARTBEAT, body: [bytes] };
    }
    case 'heartbeat-reply': {
      const bytes = envelope(message, 40, message.declines === true ? FLAG_1 : 0);
      writeU64(bytes, 16, message.round);
      writeU64(bytes, 24, message.stamp);
      writeU64(bytes, 32, message.beat);
      return { type: FrameType.HEARTBEAT_REPLY, body: [bytes] };
    }
    case 'read-index': {
      const bytes = envelope(message, 24, 0);
      writeU64(bytes, 16, message.sequence);
      return { type: FrameType.READ_INDEX, body: [bytes] };
    }
    case 'read-index-reply': {
      const bytes = envelope(message, 32, message.accepted ? FLAG_1 : 0);
      writeU64(bytes, 16, message.sequence);
      writeU64(bytes, 24, message.index);
      return { type: FrameType.READ_INDEX_REPLY, body: [bytes] };
    }
    case 'timeout-now':
    case 'snapshot-offer': {
      const bytes = envelope(message, 32, 0);
      writeId(bytes, 16, message.last);
      const type = message.type === 'timeout-now' ? 'TIMEOUT_NOW' : 'SNAPSHOT_OFFER';
      return { type: FrameType[type], body: [bytes] };
    }
  }
}

/**
 * The message in a body. What it promises by its type holds: an append's entries are contiguous
 * from `prev.index + 1`, their terms never fall nor pass the message's, each record is whole,
 * unaltered and chained to the one before. That the first is chained to the log of the receiver is
 * for the receiver to check. Records are pieces of `body`.
 * @throws TocsinError BODY_MALFORMED; FRAME_UNKNOWN_TYPE for a type that is not a peer's
 */
export function decodePeerMessage(type: FrameType, body: Uint8Array): Message {
  switch (type) {
    case FrameType.VOTE_REQUEST: {
      const flags = checkEnvelope(body, 32, FLAG_1 | FLAG_2);
      const pre = (flags & FLAG_1) !== 0;
      const transfer = (flags & FLAG_2) !== 0;
      return {
        type: 'vote-request',
        ...readEnvelope(body),
        pre,
        last: readPast(body, 16),
        transfer,
      };
    }
    case FrameType.VOTE_REPLY: {
      const flags = checkEnvelope(body, 16, FLAG_1 | FLAG_2);
      const pre = (flags & FLAG_1) !== 0;
      return { type: 'vote-reply', ...readEnvelope(body), pre, granted: (flags & FLAG_2) !== 0 };
    }
    case FrameType.APPEND_REQUEST:
      return decodeAppend(body);
    case FrameType.APPEND_REPLY:
      return decodeAppendReply(body);
    case FrameType.HEARTBEAT:
      return decodeHeartbeat(body);
    case FrameType.HEARTBEAT_REPLY: {
      const declines = checkEnvelope(body, 40, FLAG_1) === FLAG_1 ? true : undefined;
      return {
        type: 'heartbeat-reply',
        ...readEnvelope(body),
        round: readWhole(body, 16),
        stamp: readWhole(body, 24),
        beat: readWhole(body, 32),
        declines,
      };
    }
    case FrameType.READ_INDEX:
      checkEnvelope(body, 24, 0);
      return { type: 'read-index', ...readEnvelope(body), sequence: readWhole(body, 16) };
    case FrameType.READ_INDEX_REPLY: {
      const accepted = checkEnvelope(body, 32, FLAG_1) === FLAG_1;
      const sequence = readWhole(body, 16);
      const index = readIndex(body, 24);
      return { type: 'read-index-reply', ...readEnvelope(body), sequence, accepted, index };
    }
    case FrameType.TIMEOUT_NOW:
      checkEnvelope(body, 32, 0);
      return { type: 'timeout-now', ...readEnvelope(body), last: readPast(body, 16) };
    case FrameType.SNAPSHOT_OFFER:
      checkEnvelope(body, 32, 0);
      return { type: 'snapshot-offer', ...readEnvelope(body), last: readPast(body, 16) };
    default:
      throw new TocsinError('FRAME_UNKNOWN_TYPE', `frame type ${type} is not a peer's`);
  }
}

function decodeAppendReply(body: Uint8Array): Message {
  const flags = checkEnvelope(body, 40, FLAG_1 | FLAG_2);
  if (flags === (FLAG_1 | FLAG_2)) throw malformed('accepted, and yet reverted');
  return {
    type: 'append-reply',
    ...readEnvelope(body),
    accepted: flags === FLAG_1,
    index: readIndex(body, 16),
    hint: readId(body, 24),
    ...(flags === FLAG_2 ? { reverted: true } : {}),
  };
}

function decodeHeartbeat(body: Uint8Array): Message {
  checkEnvelope(body, 56, 0);
  return {
    type: 'heartbeat',
    ...readEnvelope(body),
    commit: readIndex(body, 16),
    round: readWhole(body, 24),
    stamp: readWhole(body, 32),
    echo: readWhole(body, 40),
    reached: readIndex(body, 48),
  };
}

function encodeAppend(message: AppendRequest): readonly Uint8Array[] {
  const { entries } = message;
  assert(
    entries.length <= APPEND_ENTRIES_MAX,
    `append of ${entries.length} entries is over ${APPEND_ENTRIES_MAX}`,
  );
  const header = envelope(message, APPEND_HEADER_BYTES, 0);
  writeId(header, 16, message.prev);
  writeU64(header, 32, message.commit);
  writeU32(header, 40, entries.length);
  return [header, ...entries.map((entry) => recordOf(entry).bytes)];
}

function decodeAppend(body: Uint8Array): AppendRequest {
  if (body.byteLength > FRAME_BYTES_MAX) throw malformed(`append of ${body.byteLength} bytes`);
  if (body.byteLength < APPEND_HEADER_BYTES) throw malformed(`only ${body.byteLength} bytes`);
  checkEnvelope(body, body.byteLength, 0);
  const count = readU32(body, 40);
  if (count > APPEND_ENTRIES_MAX)
    throw malformed(`${count} entries, at most ${APPEND_ENTRIES_MAX}`);
  if (readU32(body, 44) !== 0) throw malformed('reserved bytes are not zero');
  const sender = readEnvelope(body);
  const prev = readPast(body, 16);
  const commit = readIndex(body, 32);
  return {
    type: 'append-request',
    ...sender,
    prev,
    entries: readEntries(body, count, prev, sender.term),
    commit,
  };
}

function readEntries(
  body: Uint8Array,
  count: number,
  prev: EntryId,
  termMax: Term,
): readonly Entry[] {
  const entries: Entry[] = [];
  let before: EntryRecord | undefined;
  let last = prev;
  let at = APPEND_HEADER_BYTES;
  for (let i = 0; i < count; i += 1) {
    const length = recordLength(body, at);
    if (length === undefined || at + length > body.byteLength)
      throw malformed(`entry ${i}: no whole record at byte ${at}`);
    const record = EntryRecord.parse(body.subarray(at, at + length));
    const entry = entryOf(record);
    if (entry.index !== last.index + 1)
      throw malformed(`entry ${i}: index ${entry.index} after ${last.index}`);
    if (entry.term < last.term || entry.term > termMax)
      throw malformed(`entry ${i}: term ${entry.term} is not from ${last.term} to ${termMax}`);
    if (before !== undefined && record.previousChain !== before.chain)
      throw malformed(`entry ${i}: chain is broken`);
    entries.push(entry);
    before = record;
    last = entry;
    at += length;
  }
  if (at !== body.byteLength) throw malformed(`${body.byteLength - at} bytes too many`);
  return entries;
}

interface Sender {
  readonly from: ReplicaId;
  readonly to: ReplicaId;
  readonly term: Term;
}

function envelope(sender: Sender, length: number, flags: number): Uint8Array {
  const bytes = new Uint8Array(length);
  writeU64(bytes, 0, sender.term);
  writeU16(bytes, 8, sender.from);
  writeU16(bytes, 10, sender.to);
  bytes[12] = flags;
  return bytes;
}

/** The flags, after what all messages have in common was found right. */
function checkEnvelope(body: Uint8Array, length: number, flagsKnown: number): number {
  if (body.byteLength !== length || length < ENVELOPE_BYTES)
    throw malformed(`${body.byteLength} bytes, not ${length}`);
  const flags = body[12] as number;
  if ((flags & ~flagsKnown) !== 0) throw malformed(`flags ${flags} are not known`);
  if (body[13] !== 0 || body[14] !== 0 || body[15] !== 0)
    throw malformed('reserved bytes are not zero');
  return flags;
}

function readEnvelope(body: Uint8Array): Sender {
  const from = readU16(body, 8);
  const to = readU16(body, 10);
  if (from === 0 || to === 0) throw malformed('replica id 0 does not exist');
  return { from: replicaId(from), to: replicaId(to), term: term(readWhole(body, 0)) };
}

function readWhole(body: Uint8Array, at: number): number {
  const value = readU64(body, at);
  if (Number.isNaN(value)) throw malformed(`field at ${at} is not a safe integer`);
  return value;
}

const readIndex = (body: Uint8Array, at: number): LogIndex => logIndex(readWhole(body, at));

const readId = (body: Uint8Array, at: number): EntryId => ({
  index: readIndex(body, at),
  term: term(readWhole(body, at + 8)),
});

/**
 * Names an entry that the sender holds: {0, 0} or a real place, of a term no later than the
 * sender's.
 */
function readPast(body: Uint8Array, at: number): EntryId {
  const id = readId(body, at);
  if ((id.index === 0) !== (id.term === 0))
    throw malformed(`no entry has index ${id.index} and term ${id.term}`);
  if (id.term > readWhole(body, 0)) throw malformed(`term ${id.term} is later than the sender's`);
  return id;
}

function writeId(bytes: Uint8Array, at: number, id: EntryId): void {
  writeU64(bytes, at, id.index);
  writeU64(bytes, at + 8, id.term);
}

const malformed = (what: string): TocsinError =>
  new TocsinError('BODY_MALFORMED', `peer message: ${what}`);
