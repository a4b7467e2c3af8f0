import { logIndex } from '../../base/ids.ts';
import { DEDUP_KEY_CHARS_MAX, NAME_CHARS_MAX, SNAPSHOT_CHUNK_BYTES } from '../../base/limits.ts';
import type { CapturedPolicy } from '../../statemachine/beside/policies.ts';
import type { RecordKind } from '../../statemachine/beside/records-beside.ts';
import type { CaptureHeader, SnapshotItem } from '../../statemachine/snapshot/capture.ts';
import { BodyDecoder, encodeBody } from '../body.ts';
import { readU32 } from '../bytes.ts';
import { asFields } from '../check.ts';
import { notification, policy, RECORD_CHECKS } from '../clients/record-shapes.ts';
import { alertNumber, parseRevision } from '../commands/parse-parts.ts';
import {
  type Check,
  count,
  flag,
  instant,
  must,
  ofShape,
  oneOf,
  withoutUndefined,
} from '../commands/shape.ts';
import { readAlert, writeAlert } from './alert-item.ts';
import { ItemReader, malformed } from './item-reader.ts';
import { ItemWriter } from './item-writer.ts';
import { readReply, writeReply } from './reply-item.ts';

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
  readonly #out = new ItemWriter();

  /** The chunk that the item no longer fits, if it does not. */
  add(item: SnapshotItem): Uint8Array | undefined {
    const before = this.#out.length;
    this.#write(item);
    if (this.#out.length <= SNAPSHOT_CHUNK_BYTES || before === 0) return undefined;
    const full = this.#out.take(before);
    // Once more: what it called by number is not in this chunk.
    this.#write(item);
    return full;
  }

  /** The last chunk; undefined when nothing is left. */
  end(): Uint8Array | undefined {
    return this.#out.length === 0 ? undefined : this.#out.take(this.#out.length);
  }

  #write(item: SnapshotItem): void {
    const out = this.#out;
    const at = out.length;
    out.u32(0);
    out.byte(KINDS.indexOf(item.kind));
    writeItem(out, item);
    out.patchU32(at, out.length - at - HEADER_BYTES);
  }
}

/**
 * The items of one chunk, in order; to be taken a slice at a time.
 * @throws TocsinError BODY_MALFORMED
 */
export function* decodeChunk(chunk: Uint8Array): Generator<SnapshotItem, undefined> {
  const decoder = new BodyDecoder(chunk);
  const reader = new ItemReader(chunk);
  for (let at = 0; at < chunk.byteLength; ) {
    const left = chunk.byteLength - at - HEADER_BYTES;
    if (left < 0) throw malformed(`${left + HEADER_BYTES} bytes too many`);
    const length = readU32(chunk, at);
    if (length > left) throw malformed(`item of ${length} bytes at ${at}, ${left} left`);
    const kind = KINDS[chunk[at + LENGTH_BYTES] as number];
    if (kind === undefined) throw malformed(`item kind ${chunk[at + LENGTH_BYTES]} is not known`);
    at += HEADER_BYTES;
    if (isMany(kind)) {
      reader.begin(at, at + length);
      yield readItem(reader, kind);
      reader.finish();
    } else yield itemOf(kind, decoder.decode(at, at + length));
    at += length;
  }
  return undefined;
}

/** The kinds of which there are very many: their fields stand by place. Those of the others have names. */
type Many = 'open' | 'resolved' | 'remembered' | 'reply';

const isMany = (kind: SnapshotItem['kind']): kind is Many =>
  kind === 'open' || kind === 'resolved' || kind === 'remembered' || kind === 'reply';

function writeItem(out: ItemWriter, item: SnapshotItem): void {
  switch (item.kind) {
    case 'open':
    case 'resolved':
      writeAlert(out, item.alert);
      return;
    case 'remembered': {
      const { id, occurrence, endedAt, flaps } = item.last;
      out.unique(item.dedupKey);
      out.whole(alertNumber(id));
      out.whole(occurrence);
      out.whole(endedAt);
      out.whole(flaps);
      return;
    }
    case 'reply':
      out.unique(item.key);
      out.whole(item.fingerprint);
      writeReply(out, item.reply);
      return;
    default:
      out.bytes(encodeBody(bodyOf(item)));
  }
}

function readItem(input: ItemReader, kind: Many): SnapshotItem {
  switch (kind) {
    case 'open':
    case 'resolved':
      return { kind, alert: readAlert(input) };
    case 'remembered': {
      const dedupKey = input.uniqueLine(DEDUP_KEY_CHARS_MAX);
      const id = input.alertId();
      const occurrence = input.whole();
      const endedAt = input.instant();
      return { kind, dedupKey, last: { id, occurrence, endedAt, flaps: input.whole() } };
    }
    case 'reply': {
      const key = input.uniqueLine(NAME_CHARS_MAX);
      return { kind, key, fingerprint: input.whole(), reply: readReply(input) };
    }
  }
}

type Few = Exclude<SnapshotItem, { readonly kind: Many }>;

/** Through the shapes, which put fields in their one order. */
function bodyOf(item: Few): unknown {
  switch (item.kind) {
    case 'header':
      return header('answer', item.kind, item.header);
    case 'policy':
      return capturedPolicy('answer', item.kind, item);
    case 'notification':
      return withoutUndefined(notification('answer', item.kind, item.notification));
    case 'record': {
      const { type, record } = item;
      return { type, record: withoutUndefined(RECORD_CHECKS[type]('answer', type, record)) };
    }
  }
}

function itemOf(kind: Few['kind'], value: unknown): SnapshotItem {
  switch (kind) {
    case 'header':
      return { kind, header: header('answer', kind, value) };
    case 'policy':
      return { kind, ...capturedPolicy('answer', kind, value) };
    case 'notification':
      return { kind, notification: notification('answer', kind, value) };
    case 'record': {
      const { type, record } = typedRecord('answer', kind, value);
      return { kind, type, record: RECORD_CHECKS[type]('answer', type, record) } as SnapshotItem;
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
  sessionReplies: must(count),
});

interface TypedRecord {
  readonly type: RecordKind;
  readonly record: object;
}

const RECORD_KINDS: readonly RecordKind[] = [
  'silence',
  'window',
  'source',
  'incident',
  'rule',
  'schedule',
  'session',
  'inhibition',
  'tally',
  'bed',
  'patient',
  'device',
  'sweep',
];

const typedRecord: Check<TypedRecord> = ofShape<TypedRecord>({
  type: must(oneOf(RECORD_KINDS)),
  record: must((origin, field, value) => asFields(origin, field, value, undefined)),
});

const capturedPolicy: Check<CapturedPolicy> = ofShape<CapturedPolicy>({
  policy: must(policy),
  isCurrent: must(flag),
});
