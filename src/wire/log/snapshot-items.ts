import { TocsinError } from '../../base/errors.ts';
import { logIndex } from '../../base/ids.ts';
import { NAME_CHARS_MAX, SNAPSHOT_CHUNK_BYTES } from '../../base/limits.ts';
import type { Last } from '../../statemachine/alerts/records.ts';
import type { CapturedPolicy } from '../../statemachine/beside/policies.ts';
import type { RecordKind } from '../../statemachine/beside/records-beside.ts';
import type { CaptureHeader, SnapshotItem } from '../../statemachine/snapshot/capture.ts';
import type { Done, Kept, Refusal, Reply } from '../../statemachine/types.ts';
import { BodyDecoder, encodeBody } from '../body.ts';
import { readU32, writeU32 } from '../bytes.ts';
import { asDedupKey, asFields, type Unchecked } from '../check.ts';
import { alertBody } from '../clients/alert-body.ts';
import { parseAlert } from '../clients/parse-answers.ts';
import { notification, policy, RECORD_CHECKS } from '../clients/record-shapes.ts';
import { ACTIVATION_MAX, parseAlertId, parseRevision } from '../commands/parse-parts.ts';
import {
  type Check,
  count,
  flag,
  instant,
  line,
  must,
  name,
  ofShape,
  oneOf,
  prose,
  whole,
  withoutUndefined,
} from '../commands/shape.ts';
import { EFFECTS, KEPT_EFFECTS, REFUSALS, STATES } from '../commands/words.ts';

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
  'policy',
  'open',
  'resolved',
  'remembered',
  'notification',
  'record',
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

/** Through the shapes, which put fields in their one order. */
function bodyOf(item: SnapshotItem): unknown {
  switch (item.kind) {
    case 'header':
      return header('answer', item.kind, item.header);
    case 'policy':
      return capturedPolicy('answer', item.kind, item);
    case 'open':
    case 'resolved':
      return alertBody(item.alert);
    case 'remembered':
      return { key: item.dedupKey, ...item.last };
    case 'notification':
      return withoutUndefined(notification('answer', item.kind, item.notification));
    case 'record': {
      const { type, record } = item;
      return { type, record: withoutUndefined(RECORD_CHECKS[type]('answer', type, record)) };
    }
    case 'reply': {
      const { ok: _, ...reply } = item.reply;
      return { key: item.key, print: item.fingerprint, ...reply };
    }
  }
}

function itemOf(kind: SnapshotItem['kind'], value: unknown): SnapshotItem {
  switch (kind) {
    case 'header':
      return { kind, header: header('answer', kind, value) };
    case 'policy':
      return { kind, ...capturedPolicy('answer', kind, value) };
    case 'open':
    case 'resolved':
      return { kind, alert: parseAlert(value) };
    case 'remembered': {
      const { key, ...last } = remembered('answer', kind, value);
      return { kind, dedupKey: key, last };
    }
    case 'notification':
      return { kind, notification: notification('answer', kind, value) };
    case 'record': {
      const { type, record } = typedRecord('answer', kind, value);
      return { kind, type, record: RECORD_CHECKS[type]('answer', type, record) } as SnapshotItem;
    }
    case 'reply': {
      const { key, print } = firstReply('answer', kind, value);
      return { kind, key, fingerprint: print, reply: parseReply(value) };
    }
  }
}

const header: Check<CaptureHeader> = ofShape<CaptureHeader>({
  machineVersion: must(count),
  index: must((origin, field, value) => logIndex(count(origin, field, value))),
  time: must(instant),
  revision: must(parseRevision),
  digest: must(count),
  policiesMade: must(count),
  notificationsMade: must(count),
  recordsMade: must(count),
  policies: must(count),
  open: must(count),
  resolved: must(count),
  remembered: must(count),
  notifications: must(count),
  records: must(count),
  replies: must(count),
});

interface TypedRecord {
  readonly type: RecordKind;
  readonly record: object;
}

const RECORD_KINDS: readonly RecordKind[] = ['silence', 'window', 'source', 'incident'];

const typedRecord: Check<TypedRecord> = ofShape<TypedRecord>({
  type: must(oneOf(RECORD_KINDS)),
  record: must((origin, field, value) => asFields(origin, field, value, undefined)),
});

const capturedPolicy: Check<CapturedPolicy> = ofShape<CapturedPolicy>({
  policy: must(policy),
  isCurrent: must(flag),
});

const remembered: Check<Last & { readonly key: string }> = ofShape<Last & { readonly key: string }>(
  {
    key: must(asDedupKey),
    id: must(parseAlertId),
    occurrence: must(count),
    endedAt: must(instant),
    flaps: must(count),
  },
);

const firstReply: Check<{ readonly key: string; readonly print: number }> = ofShape<{
  readonly key: string;
  readonly print: number;
}>({ key: must(line(1, NAME_CHARS_MAX)), print: must(count) });

function parseReply(value: unknown): Reply {
  const { code, alertId } = asFields('answer', 'reply', value, undefined) as Unchecked<
    Done & Refusal
  >;
  if (code !== undefined) return { ok: false, ...refusal('answer', 'reply', value) };
  if (alertId !== undefined) return { ok: true, ...done('answer', 'reply', value) };
  return { ok: true, ...kept('answer', 'reply', value) };
}

const refusal: Check<Omit<Refusal, 'ok'>> = ofShape<Omit<Refusal, 'ok'>>({
  code: must(oneOf(REFUSALS)),
  message: must(prose),
});

const done: Check<Omit<Done, 'ok'>> = ofShape<Omit<Done, 'ok'>>({
  effect: must(oneOf(EFFECTS)),
  alertId: must(parseAlertId),
  activation: must(whole(0, ACTIVATION_MAX)),
  revision: must(parseRevision),
  state: must(oneOf(STATES)),
});

const kept: Check<Omit<Kept, 'ok'>> = ofShape<Omit<Kept, 'ok'>>({
  effect: must(oneOf(KEPT_EFFECTS)),
  id: must(name),
  version: must(count),
});
