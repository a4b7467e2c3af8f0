import type { Revision } from '../../base/ids.ts';
import { revision } from '../../base/ids.ts';
import { LIST_PAGE_MAX, PAGE_BYTES_MAX } from '../../base/limits.ts';
import type { AlertHistory, Answer, Consistency } from '../../statemachine/alert-api.ts';
import type { AlertEvent, AlertId } from '../../statemachine/types.ts';
import { decodeBody, encodeBody } from '../body.ts';
import { readU32, readU64, writeU32, writeU64 } from '../bytes.ts';
import { parseAlertId, parseRevision } from '../commands/parse-parts.ts';
import { type Check, may, must, ofShape, whole } from '../commands/shape.ts';
import { eventBody } from './alert-body.ts';
import { parseConsistency } from './consistency.ts';
import { encodePlain, Items, malformed, readRevision } from './items.ts';
import { parseEvent } from './parse-answers.ts';

/** HISTORY, the question what happened to one alert, and its ANSWER. Layouts in FORMAT.md, "Requests" and "Answers". */

export interface HistoryRequest {
  readonly id: AlertId;
  /** The newest step asked for; absent = the newest there is. */
  readonly from?: Revision;
  readonly limit: number;
  readonly consistency: Consistency;
}

const request: Check<HistoryRequest> = ofShape<HistoryRequest>({
  id: must(parseAlertId),
  from: may(parseRevision),
  limit: must(whole(1, LIST_PAGE_MAX)),
  consistency: must((_origin, _field, value) => parseConsistency(value)),
});

/** @throws TocsinError BAD_REQUEST naming the field */
export const encodeHistory = (value: HistoryRequest): Uint8Array =>
  encodeBody(request('request', 'history', value));

/** @throws TocsinError BAD_REQUEST, BODY_MALFORMED */
export const decodeHistory = (body: Uint8Array): HistoryRequest =>
  request('request', 'history', decodeBody(body));

const HEADER_BYTES = 24;
const UNKNOWN = 0;
const WHOLE = 1;
const COMPACTED = 2;

/** The ANSWER to HISTORY, made a step at a time, the newest first. Of one that would be too long for a frame the oldest are left out. */
export class HistoryAnswer {
  /** The newest first. */
  readonly #items: Uint8Array[] = [];
  #bytes = 0;

  /** Takes in the step before. Whether there is room for one more. */
  add(event: AlertEvent): boolean {
    const item = encodePlain(encodeBody(eventBody(event)));
    this.#items.push(item);
    this.#bytes += item.byteLength;
    return this.#bytes < PAGE_BYTES_MAX;
  }

  /** `answer` is of the steps that were added, or of which the newest were: its `next` is the one before them. */
  finish({ value, revision: at }: Answer<AlertHistory | undefined>): readonly Uint8Array[] {
    const header = new Uint8Array(HEADER_BYTES);
    const left = value?.events.at(-1 - this.#items.length);
    writeU64(header, 0, at);
    writeU64(header, 8, left?.revision ?? value?.next ?? 0);
    writeU32(header, 16, this.#items.length);
    const isCompacted = value?.isCompacted === true && left === undefined;
    writeU32(header, 20, value === undefined ? UNKNOWN : isCompacted ? COMPACTED : WHOLE);
    return [header, ...this.#items.toReversed()];
  }
}

/** The same at once. */
export function encodeHistoryAnswer(
  answer: Answer<AlertHistory | undefined>,
): readonly Uint8Array[] {
  const body = new HistoryAnswer();
  for (const event of answer.value?.events.toReversed() ?? []) if (!body.add(event)) break;
  return body.finish(answer);
}

/** @throws TocsinError BODY_MALFORMED */
export function decodeHistoryAnswer(body: Uint8Array): Answer<AlertHistory | undefined> {
  if (body.byteLength < HEADER_BYTES) throw malformed(`only ${body.byteLength} bytes`);
  const at = readRevision(body, 0);
  const next = readU64(body, 8);
  const count = readU32(body, 16);
  const extent = readU32(body, 20);
  if (Number.isNaN(next)) throw malformed('next is not a safe integer');
  if (extent > COMPACTED) throw malformed(`extent ${extent} is not known`);
  if (count > LIST_PAGE_MAX) throw malformed(`${count} events, at most ${LIST_PAGE_MAX}`);
  const events: AlertEvent[] = [];
  const items = new Items(body, HEADER_BYTES);
  while (items.next()) events.push(parseEvent(items.decode(0)));
  if (events.length !== count) throw malformed(`${events.length} events, ${count} announced`);
  const value = {
    events,
    next: next === 0 ? undefined : revision(next),
    isCompacted: extent === COMPACTED,
  };
  return { value: extent === UNKNOWN ? undefined : value, revision: at };
}
