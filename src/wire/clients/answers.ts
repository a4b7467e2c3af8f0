import {
  ANSWERS_RECENT_MAX,
  CLIENT_RECENT_ALERTS_MAX,
  GETS_PER_FRAME_MAX,
  LIST_PAGE_MAX,
  PAGE_BYTES_MAX,
} from '../../base/limits.ts';
import type { AlertPage, Answer, ListCursor, ListedAlert } from '../../statemachine/alert-api.ts';
import type { AlertSlice } from '../../statemachine/queries/queries.ts';
import type { AlertId } from '../../statemachine/types.ts';
import { decodeBody, encodeBody } from '../body.ts';
import { readU32, readU64, writeU32, writeU64 } from '../bytes.ts';
import { alertNumber } from '../commands/parse-parts.ts';
import { alertBody } from './alert-body.ts';
import { encodePlain, Items, LENGTH_BYTES, malformed, readRevision } from './items.ts';
import { parseStatus } from './parse-answers.ts';
import { Recent } from './recent.ts';
import { parseListed } from './record-shapes.ts';
import type { ReplicaStatus } from './status.ts';

/**
 * What a server answers. Alerts stand one by one, each a small MessagePack body behind its length,
 * so that the bounds on a body hold for an alert and not for a page of a thousand. Layouts in
 * FORMAT.md, "Answers".
 */

const GET_HEADER_BYTES = 12;
const LIST_HEADER_BYTES = 24;
const AGE_UNKNOWN: number = 2 ** 32 - 1;

/**
 * Alerts behind their lengths, the oldest first. An alert is never changed, but replaced; with badges it is made for one
 * answer.
 */
const encoded: Map<ListedAlert, Uint8Array> = new Map();

function encodeAlert(alert: ListedAlert): Uint8Array {
  const known = encoded.get(alert);
  if (known !== undefined) return known;
  const item = encodePlain(encodeBody(alertBody(alert)));
  if (alert.badges !== undefined) return item;
  if (encoded.size >= ANSWERS_RECENT_MAX) {
    const [oldest] = encoded.keys();
    if (oldest !== undefined) encoded.delete(oldest);
  }
  encoded.set(alert, item);
  return item;
}

/** One for each alert asked after, in their order; undefined = there is no such alert. */
export type GetAnswer = Answer<readonly (ListedAlert | undefined)[]>;

const NO_ALERT: Uint8Array = new Uint8Array(LENGTH_BYTES);

/** The ANSWER to GET, made an alert at a time. One that would be too long for a frame ends early: who wants the rest asks again. */
export class GetAnswerBody {
  readonly #parts: Uint8Array[] = [];
  #bytes = 0;

  /** Takes in the next alert. Whether there is room for one more. */
  add(alert: ListedAlert | undefined): boolean {
    const item = alert === undefined ? NO_ALERT : encodeAlert(alert);
    this.#parts.push(item);
    this.#bytes += item.byteLength;
    return this.#bytes < PAGE_BYTES_MAX;
  }

  finish({ revision: at, ageMs }: Omit<GetAnswer, 'value'>): readonly Uint8Array[] {
    const header = new Uint8Array(GET_HEADER_BYTES);
    writeU64(header, 0, at);
    writeAge(header, 8, ageMs);
    return [header, ...this.#parts];
  }
}

/** The same at once. */
export function encodeGetAnswer(answer: GetAnswer): Uint8Array {
  const body = new GetAnswerBody();
  for (const alert of answer.value) if (!body.add(alert)) break;
  return Buffer.concat(body.finish(answer));
}

/** `recent`: alerts that the asker got before. @throws TocsinError BODY_MALFORMED */
export function decodeGetAnswer(
  body: Uint8Array,
  recent: Recent<ListedAlert> = new Recent(CLIENT_RECENT_ALERTS_MAX),
): GetAnswer {
  const { byteLength } = body;
  if (byteLength < GET_HEADER_BYTES) throw malformed(`only ${byteLength} bytes`);
  const value: (ListedAlert | undefined)[] = [];
  for (let at = GET_HEADER_BYTES; at < byteLength; ) {
    if (value.length === GETS_PER_FRAME_MAX)
      throw malformed(`more than ${GETS_PER_FRAME_MAX} alerts`);
    const start = at + LENGTH_BYTES;
    const end = start > byteLength ? start : start + readU32(body, at);
    if (end > byteLength) throw malformed(`alert ${value.length}: ${end - byteLength} bytes short`);
    const read = (): ListedAlert => parseListed(decodeBody(body.subarray(start, end)));
    value.push(start === end ? undefined : recent.get(body, start, end, read));
    at = end;
  }
  return { value, revision: readRevision(body, 0), ...readAge(body, 8) };
}

/**
 * The ANSWER to LIST, made an alert at a time: a thousand of them are too many for one turn of the loop. A page that would
 * be too long for a frame ends early, and its `next` is the last alert that is in it.
 */
export class ListAnswer {
  readonly #parts: Uint8Array[] = [];
  #bytes = 0;
  #count = 0;
  #newest: AlertId | undefined;

  /** Takes in the next alert. Whether there is room for one more. */
  add(alert: ListedAlert): boolean {
    const item = encodeAlert(alert);
    this.#parts.push(item);
    this.#count += 1;
    this.#newest = alert.id;
    this.#bytes += item.byteLength;
    return this.#bytes < PAGE_BYTES_MAX;
  }

  /** `answer` is of the page whose alerts were added, or of which the first were. */
  finish(answer: Answer<AlertSlice>): readonly Uint8Array[] {
    const { alerts } = answer.value;
    const next = this.#count === alerts.length ? answer.value.next : this.#newest;
    const header = new Uint8Array(LIST_HEADER_BYTES);
    writeU64(header, 0, answer.revision);
    writeU64(header, 8, next === undefined ? 0 : alertNumber(next));
    writeU32(header, 16, this.#count);
    writeAge(header, 20, answer.ageMs);
    return [header, ...this.#parts];
  }
}

/** The same at once. */
export function encodeListAnswer(answer: Answer<AlertSlice>): readonly Uint8Array[] {
  const body = new ListAnswer();
  for (const alert of answer.value.alerts) if (!body.add(alert)) break;
  return body.finish(answer);
}

/** `recent`: alerts that the asker got before. @throws TocsinError BODY_MALFORMED */
export function decodeListAnswer(
  body: Uint8Array,
  recent: Recent<ListedAlert> = new Recent(CLIENT_RECENT_ALERTS_MAX),
): Answer<AlertPage> {
  const at = readRevision(body, 0);
  if (body.byteLength < LIST_HEADER_BYTES) throw malformed(`only ${body.byteLength} bytes`);
  const next = readU64(body, 8);
  if (Number.isNaN(next)) throw malformed('next is not a safe integer');
  const count = readU32(body, 16);
  if (count > LIST_PAGE_MAX) throw malformed(`${count} alerts, at most ${LIST_PAGE_MAX}`);
  const alerts: ListedAlert[] = [];
  const items = new Items(body, LIST_HEADER_BYTES);
  while (alerts.length < count) {
    if (!items.next()) throw malformed(`${alerts.length} alerts, ${count} announced`);
    alerts.push(items.recent(0, recent, () => parseListed(items.decode(0))));
  }
  if (items.next()) throw malformed(`more alerts than the ${count} announced`);
  const cursor: ListCursor | undefined = next === 0 ? undefined : `A${next}@${at}`;
  return { value: { alerts, next: cursor }, revision: at, ...readAge(body, 20) };
}

const writeAge = (header: Uint8Array, at: number, ageMs: number | undefined): void =>
  writeU32(header, at, ageMs === undefined ? AGE_UNKNOWN : Math.min(Math.ceil(ageMs), AGE_UNKNOWN));

function readAge(body: Uint8Array, at: number): { readonly ageMs?: number } {
  const ageMs = readU32(body, at);
  return ageMs === AGE_UNKNOWN ? {} : { ageMs };
}

/** The ANSWER to STATUS. */
export function encodeStatusAnswer(status: ReplicaStatus): Uint8Array {
  const { leader, leaderAddress, alarms, incarnation, ...rest } = status;
  return encodeBody({
    ...rest,
    uptimeMs: Math.floor(status.uptimeMs),
    ...(leader === undefined ? {} : { leader }),
    ...(leaderAddress === undefined ? {} : { leaderAddress }),
    ...(incarnation === 0 ? {} : { incarnation }),
    ...(alarms.length === 0 ? {} : { alarms }),
  });
}

/** @throws TocsinError BODY_MALFORMED */
export const decodeStatusAnswer = (body: Uint8Array): ReplicaStatus =>
  parseStatus(decodeBody(body));
