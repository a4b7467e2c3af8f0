import { TocsinError } from '../base/errors.ts';
import { logIndex, unixMillis } from '../base/ids.ts';
import { NAME_CHARS_MAX, SNAPSHOT_CHUNK_BYTES } from '../base/limits.ts';
import type { CaptureHeader, SnapshotItem } from '../statemachine/capture.ts';
import type { Reply } from '../statemachine/types.ts';
import { alertBody } from './alert-body.ts';
import { BodyDecoder, encodeBody } from './body.ts';
import { readU32, writeU32 } from './bytes.ts';
import {
  asDedupKey,
  asFields,
  asInstant,
  asLine,
  asOneOf,
  asText,
  asWhole,
  type Unchecked,
} from './check.ts';
import { parseAlert } from './parse-answers.ts';
import { ACTIVATION_MAX, parseAlertId, parseRevision } from './parse-parts.ts';
import { EFFECTS, REFUSALS, STATES } from './words.ts';

/**
 * The items of a capture as bytes, and as chunks of a snapshot. Equal items give equal bytes, and the same items are cut
 * into the same chunks everywhere: two replicas that capture at the same index have the same snapshot. Layout in
 * FORMAT.md, "Snapshot chunk".
 */

const LENGTH_BYTES = 4;
const HEADER_BYTES: number = LENGTH_BYTES + 1;

/** The number of a kind is its place. */
const KINDS: readonly SnapshotItem['kind'][] = [
  'header',
  'open',
  'resolved',
  'remembered',
  'reply',
];

/** Gathers items into chunks. */
export class ChunkPacker {
  #parts: Uint8Array[] = [];
  #bytes = 0;

  /** The chunk that the item no longer fits, if it does not. */
  add(item: SnapshotItem): Uint8Array | undefined {
    const body = encodeBody(bodyOf(item));
    const length = HEADER_BYTES + body.byteLength;
    const full = this.#bytes + length > SNAPSHOT_CHUNK_BYTES ? this.end() : undefined;
    const header = new Uint8Array(HEADER_BYTES);
    writeU32(header, 0, body.byteLength);
    header[LENGTH_BYTES] = KINDS.indexOf(item.kind);
    this.#parts.push(header, body);
    this.#bytes += length;
    return full;
  }

  /** The last chunk; undefined when nothing is left. */
  end(): Uint8Array | undefined {
    if (this.#bytes === 0) return undefined;
    const chunk = Buffer.concat(this.#parts, this.#bytes);
    this.#parts = [];
    this.#bytes = 0;
    return chunk;
  }
}

/**
 * The items of one chunk, in order; to be taken a slice at a time.
 * @throws TocsinError BODY_MALFORMED
 */
export function* decodeChunk(chunk: Uint8Array): Generator<SnapshotItem, undefined> {
  const decoder = new BodyDecoder(chunk);
  for (let at = 0; at < chunk.byteLength; ) {
    const left = chunk.byteLength - at - HEADER_BYTES;
    if (left < 0) throw malformed(`${left + HEADER_BYTES} bytes too many`);
    const length = readU32(chunk, at);
    if (length > left) throw malformed(`item of ${length} bytes at ${at}, ${left} left`);
    const kind = KINDS[chunk[at + LENGTH_BYTES] as number];
    if (kind === undefined) throw malformed(`item kind ${chunk[at + LENGTH_BYTES]} is not known`);
    at += HEADER_BYTES;
    yield itemOf(kind, decoder.decode(at, at + length));
    at += length;
  }
  return undefined;
}

const malformed = (what: string): TocsinError => new TocsinError('BODY_MALFORMED', what);

function bodyOf(item: SnapshotItem): unknown {
  switch (item.kind) {
    case 'header':
      return item.header;
    case 'open':
    case 'resolved':
      return alertBody(item.alert);
    case 'remembered':
      return { key: item.dedupKey, id: item.last.id, occurrence: item.last.occurrence };
    case 'reply':
      return { key: item.key, print: item.fingerprint, ...replyBody(item.reply) };
  }
}

const replyBody = (reply: Reply): object =>
  reply.ok
    ? {
        effect: reply.effect,
        id: reply.alertId,
        activation: reply.activation,
        revision: reply.revision,
        state: reply.state,
      }
    : { code: reply.code, message: reply.message };

function itemOf(kind: SnapshotItem['kind'], value: unknown): SnapshotItem {
  switch (kind) {
    case 'header':
      return { kind, header: parseHeader(value) };
    case 'open':
    case 'resolved':
      return { kind, alert: parseAlert(value) };
    case 'remembered':
      return parseRemembered(value);
    case 'reply':
      return parseReplyItem(value);
  }
}

const fields = <K extends string>(value: unknown): { readonly [name in K]?: unknown } =>
  asFields('answer', 'item', value, undefined) as { readonly [name in K]?: unknown };

const count = (field: string, value: unknown): number =>
  asWhole('answer', field, value, 0, Number.MAX_SAFE_INTEGER);

function parseHeader(value: unknown): CaptureHeader {
  const header: Unchecked<CaptureHeader> = fields<keyof CaptureHeader>(value);
  return {
    machineVersion: count('machineVersion', header.machineVersion),
    index: logIndex(count('index', header.index)),
    time: unixMillis(asInstant('answer', 'time', header.time)),
    revision: parseRevision('answer', 'revision', header.revision),
    digest: count('digest', header.digest),
    open: count('open', header.open),
    resolved: count('resolved', header.resolved),
    remembered: count('remembered', header.remembered),
    replies: count('replies', header.replies),
  };
}

function parseRemembered(value: unknown): SnapshotItem {
  const { key, id, occurrence } = fields<'key' | 'id' | 'occurrence'>(value);
  const last = {
    id: parseAlertId('answer', 'id', id),
    occurrence: count('occurrence', occurrence),
  };
  return { kind: 'remembered', dedupKey: asDedupKey('answer', 'key', key), last };
}

function parseReplyItem(value: unknown): SnapshotItem {
  const { key, print } = fields<'key' | 'print'>(value);
  return {
    kind: 'reply',
    key: asLine('answer', 'key', key, 1, NAME_CHARS_MAX),
    fingerprint: count('print', print),
    reply: parseReply(value),
  };
}

function parseReply(value: unknown): Reply {
  const reply = fields<'code' | 'message' | 'effect' | 'id' | 'activation' | 'revision' | 'state'>(
    value,
  );
  if (reply.code !== undefined)
    return {
      ok: false,
      code: asOneOf('answer', 'code', reply.code, REFUSALS),
      message: asText('answer', 'message', reply.message),
    };
  return {
    ok: true,
    effect: asOneOf('answer', 'effect', reply.effect, EFFECTS),
    alertId: parseAlertId('answer', 'id', reply.id),
    activation: asWhole('answer', 'activation', reply.activation, 0, ACTIVATION_MAX),
    revision: parseRevision('answer', 'revision', reply.revision),
    state: asOneOf('answer', 'state', reply.state, STATES),
  };
}
