import { TocsinError } from '../../base/errors.ts';
import { revision } from '../../base/ids.ts';
import { LIST_PAGE_MAX, PAGE_BYTES_MAX } from '../../base/limits.ts';
import type { Answer, Consistency, RecordPage } from '../../statemachine/alert-api.ts';
import type { QueryKind, QueryTypes } from '../../statemachine/beside/records-beside.ts';
import { BodyDecoder, decodeBody, encodeBody } from '../body.ts';
import { readU32, readU64, writeU32, writeU64 } from '../bytes.ts';
import {
  type Check,
  count,
  must,
  ofShape,
  oneOf,
  whole,
  withoutUndefined,
} from '../commands/shape.ts';
import { parseConsistency } from './consistency.ts';
import { notification, policy, RECORD_CHECKS } from './record-shapes.ts';

/** RECORDS, the question for records beside the alerts, and its ANSWER. Layouts in FORMAT.md, "Requests" and "Answers". */

export const QUERY_KINDS: readonly QueryKind[] = [
  'policy',
  'notification',
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
];

export interface RecordsRequest {
  readonly kind: QueryKind;
  /** Where the page begins: 0, or the `next` of the page before. */
  readonly after: number;
  readonly limit: number;
  readonly consistency: Consistency;
}

const request: Check<RecordsRequest> = ofShape<RecordsRequest>({
  kind: must(oneOf(QUERY_KINDS)),
  after: must(count),
  limit: must(whole(1, LIST_PAGE_MAX)),
  consistency: must((_origin, _field, value) => parseConsistency(value)),
});

/** @throws TocsinError BAD_REQUEST naming the field */
export const encodeRecords = (value: RecordsRequest): Uint8Array =>
  encodeBody(request('request', 'records', value));

/** @throws TocsinError BAD_REQUEST, BODY_MALFORMED */
export const decodeRecords = (body: Uint8Array): RecordsRequest =>
  request('request', 'records', decodeBody(body));

type Checks = { readonly [K in QueryKind]: Check<QueryTypes[K]> };
const CHECKS: Checks = { policy, notification, ...RECORD_CHECKS };

const HEADER_BYTES = 20;
const LENGTH_BYTES = 4;

/** The ANSWER to RECORDS, made a record at a time. A page that would be too long for a frame ends early. */
export class RecordsAnswer<K extends QueryKind> {
  readonly #kind: K;
  readonly #parts: Uint8Array[] = [];
  #bytes = 0;
  #count = 0;

  constructor(kind: K) {
    this.#kind = kind;
  }

  /** Takes in the next record. Whether there is room for one more. */
  add(record: QueryTypes[K]): boolean {
    const kind = this.#kind;
    const body = encodeBody(withoutUndefined(CHECKS[kind]('answer', kind, record)));
    const length = new Uint8Array(LENGTH_BYTES);
    writeU32(length, 0, body.byteLength);
    this.#parts.push(length, body);
    this.#count += 1;
    this.#bytes += LENGTH_BYTES + body.byteLength;
    return this.#bytes < PAGE_BYTES_MAX;
  }

  /** `answer` is of the page whose records were added, or of which the first were: `next` is then `nextOf` how many. */
  finish(
    { value, revision: at }: Answer<RecordPage<K>>,
    nextOf: (countInPage: number) => number,
  ): readonly Uint8Array[] {
    const isWhole = this.#count === value.records.length;
    const header = new Uint8Array(HEADER_BYTES);
    writeU64(header, 0, at);
    writeU64(header, 8, isWhole ? (value.next ?? 0) : nextOf(this.#count));
    writeU32(header, 16, this.#count);
    return [header, ...this.#parts];
  }
}

/** The same at once. */
export function encodeRecordsAnswer<K extends QueryKind>(
  kind: K,
  answer: Answer<RecordPage<K>>,
  nextOf: (countInPage: number) => number,
): readonly Uint8Array[] {
  const body = new RecordsAnswer(kind);
  for (const record of answer.value.records) if (!body.add(record)) break;
  return body.finish(answer, nextOf);
}

/** @throws TocsinError BODY_MALFORMED */
export function decodeRecordsAnswer<K extends QueryKind>(
  kind: K,
  body: Uint8Array,
): Answer<RecordPage<K>> {
  if (body.byteLength < HEADER_BYTES) throw malformed(`only ${body.byteLength} bytes`);
  const at = readU64(body, 0);
  const next = readU64(body, 8);
  const inPage = readU32(body, 16);
  if (Number.isNaN(at) || Number.isNaN(next)) throw malformed('a number is not a safe integer');
  if (inPage > LIST_PAGE_MAX) throw malformed(`${inPage} records, at most ${LIST_PAGE_MAX}`);
  const decoder = new BodyDecoder(body);
  const records: QueryTypes[K][] = [];
  let place = HEADER_BYTES;
  while (records.length < inPage) {
    const left = body.byteLength - place - LENGTH_BYTES;
    const length = left < 0 ? 0 : readU32(body, place);
    if (left < 0 || length > left)
      throw malformed(`${records.length} records, ${inPage} announced`);
    place += LENGTH_BYTES;
    records.push(CHECKS[kind]('answer', kind, decoder.decode(place, place + length)));
    place += length;
  }
  if (place !== body.byteLength) throw malformed(`${body.byteLength - place} bytes too many`);
  return { value: { records, next: next === 0 ? undefined : next }, revision: revision(at) };
}

const malformed = (what: string): TocsinError => new TocsinError('BODY_MALFORMED', what);
