import { TocsinError } from '../../base/errors.ts';
import { type Revision, revision } from '../../base/ids.ts';
import { COMPACTED_ALERTS_MAX, LIST_PAGE_MAX, PAGE_BYTES_MAX } from '../../base/limits.ts';
import type { AlertPage, Answer, ListedAlert, WatchMessage } from '../../statemachine/alert-api.ts';
import type { Alert, AlertEvent, AlertId } from '../../statemachine/types.ts';
import { BodyDecoder, decodeBody, encodeBody } from '../body.ts';
import { readU32, readU64, writeU32, writeU64 } from '../bytes.ts';
import { alertNumber } from '../commands/parse-parts.ts';
import { alertBody, eventBody } from './alert-body.ts';
import { parseAlert, parseEvent, parseStatus } from './parse-answers.ts';
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
const LENGTH_BYTES = 4;

/** The ANSWER to GET. */
export function encodeGetAnswer(answer: Answer<ListedAlert | undefined>): readonly Uint8Array[] {
  const header = new Uint8Array(GET_HEADER_BYTES);
  writeU64(header, 0, answer.revision);
  writeAge(header, 8, answer.ageMs);
  return answer.value === undefined ? [header] : [header, encodeBody(alertBody(answer.value))];
}

/** @throws TocsinError BODY_MALFORMED */
export function decodeGetAnswer(body: Uint8Array): Answer<ListedAlert | undefined> {
  if (body.byteLength < GET_HEADER_BYTES) throw malformed(`only ${body.byteLength} bytes`);
  const at = readRevision(body, 0);
  const rest = body.subarray(GET_HEADER_BYTES);
  const value = rest.byteLength === 0 ? undefined : parseListed(decodeBody(rest));
  return { value, revision: at, ...readAge(body, 8) };
}

/**
 * The ANSWER to LIST. A page that would be too long for a frame ends early, and its `next` is the
 * last alert that is in it.
 */
export function encodeListAnswer(answer: Answer<AlertPage>): readonly Uint8Array[] {
  const header = new Uint8Array(LIST_HEADER_BYTES);
  const parts: Uint8Array[] = [header];
  const { alerts } = answer.value;
  let next = answer.value.next;
  let bytes = 0;
  let count = 0;
  for (const alert of alerts) {
    const body = encodeBody(alertBody(alert));
    const length = new Uint8Array(LENGTH_BYTES);
    writeU32(length, 0, body.byteLength);
    parts.push(length, body);
    count += 1;
    bytes += LENGTH_BYTES + body.byteLength;
    if (bytes < PAGE_BYTES_MAX || count === alerts.length) continue;
    next = alert.id;
    break;
  }
  writeU64(header, 0, answer.revision);
  writeU64(header, 8, next === undefined ? 0 : alertNumber(next));
  writeU32(header, 16, count);
  writeAge(header, 20, answer.ageMs);
  return parts;
}

/** @throws TocsinError BODY_MALFORMED */
export function decodeListAnswer(body: Uint8Array): Answer<AlertPage> {
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
    alerts.push(parseListed(items.decode(0)));
  }
  if (items.next()) throw malformed(`more alerts than the ${count} announced`);
  const nextId: AlertId | undefined = next === 0 ? undefined : `A${next}`;
  return { value: { alerts, next: nextId }, revision: at, ...readAge(body, 20) };
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

const EVENT = 1;
const PROGRESS = 2;
const COMPACTED_ALERT = 3;
const COMPACTED = 4;

/** One item of WATCH_MESSAGES. The same bytes serve every watcher of the event. */
export const encodeEvent = (event: AlertEvent): Uint8Array =>
  encodeItem(EVENT, encodeBody(eventBody(event)));

export const encodeProgress = (upTo: Revision): Uint8Array => encodeItem(PROGRESS, encodeU64(upTo));

/**
 * One alert of a state that replaces events no longer kept. All of them come first, then
 * `encodeCompacted`.
 */
export const encodeCompactedAlert = (alert: Alert): Uint8Array =>
  encodeItem(COMPACTED_ALERT, encodeBody(alertBody(alert)));

/** The end of such a state: as of `upTo`. */
export const encodeCompacted = (upTo: Revision): Uint8Array =>
  encodeItem(COMPACTED, encodeU64(upTo));

/**
 * The items of messages, in order. Joined in any number of frames they say the same; it is for the
 * caller to see that no frame passes its limit, and, where a state is large, to make its items a
 * few at a time.
 */
export function encodeWatchMessages(messages: readonly WatchMessage[]): readonly Uint8Array[] {
  const items: Uint8Array[] = [];
  for (const message of messages)
    switch (message.type) {
      case 'event':
        items.push(encodeEvent(message.event));
        break;
      case 'progress':
        items.push(encodeProgress(message.revision));
        break;
      case 'compacted':
        for (const alert of message.alerts) items.push(encodeCompactedAlert(alert));
        items.push(encodeCompacted(message.revision));
        break;
    }
  return items;
}

/**
 * Reads the WATCH_MESSAGES of one watch. A state that came in pieces is one message, told when it
 * is whole.
 */
export class WatchReader {
  #alerts: Alert[] = [];

  /** @throws TocsinError BODY_MALFORMED; the watch is of no use afterwards */
  read(body: Uint8Array): WatchMessage[] {
    const messages: WatchMessage[] = [];
    const items = new Items(body, 0);
    while (items.next()) {
      const message = this.#readItem(items);
      if (message !== undefined) messages.push(message);
    }
    return messages;
  }

  #readItem(items: Items): WatchMessage | undefined {
    const kind = items.first();
    if (kind === COMPACTED_ALERT) {
      if (this.#alerts.length === COMPACTED_ALERTS_MAX)
        throw malformed(`a state of more than ${COMPACTED_ALERTS_MAX} alerts`);
      this.#alerts.push(parseAlert(items.decode(1)));
      return undefined;
    }
    if (kind === COMPACTED) {
      const alerts = this.#alerts;
      this.#alerts = [];
      return { type: 'compacted', revision: items.revision(), alerts };
    }
    if (this.#alerts.length > 0) throw malformed('a state was broken off');
    if (kind === EVENT) return { type: 'event', event: parseEvent(items.decode(1)) };
    if (kind === PROGRESS) return { type: 'progress', revision: items.revision() };
    throw malformed(`watch message kind ${kind} is not known`);
  }
}

/** Items behind their lengths, one after another to the end of a body. */
class Items {
  readonly #body: Uint8Array;
  readonly #decoder: BodyDecoder;
  #start: number;
  #end: number;

  constructor(body: Uint8Array, at: number) {
    this.#body = body;
    this.#decoder = new BodyDecoder(body);
    this.#start = at;
    this.#end = at;
  }

  /** Moves to the next item; false at the end. */
  next(): boolean {
    const left = this.#body.byteLength - this.#end;
    if (left === 0) return false;
    if (left < LENGTH_BYTES) throw malformed(`${left} bytes too many`);
    const length = readU32(this.#body, this.#end);
    if (length === 0 || length > left - LENGTH_BYTES)
      throw malformed(`item of ${length} bytes at ${this.#end}, ${left - LENGTH_BYTES} left`);
    this.#start = this.#end + LENGTH_BYTES;
    this.#end = this.#start + length;
    return true;
  }

  first(): number {
    return this.#body[this.#start] as number;
  }

  /** The MessagePack value behind the item's first `skip` bytes. */
  decode(skip: number): unknown {
    return this.#decoder.decode(this.#start + skip, this.#end);
  }

  revision(): Revision {
    if (this.#end - this.#start !== 9) throw malformed('a revision is 8 bytes');
    return readRevision(this.#body, this.#start + 1);
  }
}

function encodeItem(kind: number, payload: Uint8Array): Uint8Array {
  const item = Buffer.allocUnsafe(LENGTH_BYTES + 1 + payload.byteLength);
  writeU32(item, 0, 1 + payload.byteLength);
  item[LENGTH_BYTES] = kind;
  item.set(payload, LENGTH_BYTES + 1);
  return item;
}

function encodeU64(value: number): Uint8Array {
  const bytes = new Uint8Array(8);
  writeU64(bytes, 0, value);
  return bytes;
}

function readRevision(body: Uint8Array, at: number): Revision {
  if (body.byteLength < at + 8) throw malformed(`only ${body.byteLength} bytes`);
  const value = readU64(body, at);
  if (Number.isNaN(value)) throw malformed('revision is not a safe integer');
  return revision(value);
}

const malformed = (what: string): TocsinError => new TocsinError('BODY_MALFORMED', what);
