import { assert } from '../../base/assert.ts';
import type { Revision } from '../../base/ids.ts';
import {
  CLIENT_RECENT_EVENTS_MAX,
  COMPACTED_ALERTS_MAX,
  TRANSACTION_EVENTS_MAX,
  WATCHES_PER_CONNECTION_MAX,
} from '../../base/limits.ts';
import type { WatchMessage } from '../../statemachine/alert-api.ts';
import type { Alert, AlertEvent } from '../../statemachine/types.ts';
import { encodeBody } from '../body.ts';
import { readU32, readU64, writeU32, writeU64 } from '../bytes.ts';
import { alertBody, eventBody } from './alert-body.ts';
import { encodeItem, Items, LENGTH_BYTES, malformed } from './items.ts';
import { parseAlert, parseEvent } from './parse-answers.ts';
import { Recent } from './recent.ts';

/** What watchers are told, as items of WATCH_MESSAGES. Layouts in FORMAT.md, "Answers". */

const EVENT = 1;
const PROGRESS = 2;
const COMPACTED_ALERT = 3;
const COMPACTED = 4;
const LEAVING_EVENT = 5;
const TRANSACTION = 6;

/** In front of WATCH_SHARED: how many watches, and the id of each. */
const COUNT_BYTES = 4;
const ID_BYTES = 8;

/** One item of WATCH_MESSAGES. The same bytes serve every watcher of the event. */
export const encodeEvent = (event: AlertEvent): Uint8Array =>
  encodeItem(EVENT, encodeBody(eventBody(event)));

/** The item of an event, for a watcher whose filter the event takes the alert out of. */
export function asLeaving(item: Uint8Array): Uint8Array {
  const leaving = Uint8Array.from(item); // `slice` of a Buffer would be the same bytes
  leaving[LENGTH_BYTES] = LEAVING_EVENT;
  return leaving;
}

/** The next `count` items, which are events, are of one transaction: the reader tells them when it has them all. */
export function encodeTransaction(count: number): Uint8Array {
  assert(count >= 2 && count <= TRANSACTION_EVENTS_MAX, `a transaction of ${count} events`);
  const bytes = new Uint8Array(4);
  writeU32(bytes, 0, count);
  return encodeItem(TRANSACTION, bytes);
}

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
  let isWithin = false;
  for (const [at, message] of messages.entries())
    switch (message.type) {
      case 'event': {
        if (message.more && !isWithin) items.push(encodeTransaction(countOf(messages, at)));
        isWithin = message.more === true;
        const item = encodeEvent(message.event);
        items.push(message.leaves ? asLeaving(item) : item);
        break;
      }
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

/** How many messages from here on belong together. */
const countOf = (messages: readonly WatchMessage[], from: number): number =>
  messages.findIndex((one, at) => at >= from && !(one.type === 'event' && one.more)) - from + 1;

/**
 * The body of WATCH_SHARED: the same items for several watches of a connection, `ids`, which are at least two.
 */
export function encodeShared(
  ids: readonly number[],
  items: readonly Uint8Array[],
): readonly Uint8Array[] {
  assert(ids.length >= 2 && ids.length <= WATCHES_PER_CONNECTION_MAX, `${ids.length} watches`);
  const head = Buffer.allocUnsafe(COUNT_BYTES + ids.length * ID_BYTES);
  writeU32(head, 0, ids.length);
  for (const [at, id] of ids.entries()) writeU64(head, COUNT_BYTES + at * ID_BYTES, id);
  return [head, ...items];
}

/** Whom a WATCH_SHARED tells, and what: the body of WATCH_MESSAGES for each of them. */
export interface Shared {
  readonly ids: readonly number[];
  readonly messages: Uint8Array;
}

/** @throws TocsinError BODY_MALFORMED */
export function decodeShared(body: Uint8Array): Shared {
  const { byteLength } = body;
  const count = byteLength < COUNT_BYTES ? 0 : readU32(body, 0);
  if (count < 2 || count > WATCHES_PER_CONNECTION_MAX) throw malformed(`told to ${count} watches`);
  const end = COUNT_BYTES + count * ID_BYTES;
  if (end > byteLength) throw malformed(`${count} watches in ${byteLength} bytes`);
  const ids: number[] = [];
  for (let at = COUNT_BYTES; at < end; at += ID_BYTES) {
    const id = readU64(body, at);
    if (Number.isNaN(id)) throw malformed('the id of a watch is not a safe integer');
    ids.push(id);
  }
  return { ids, messages: body.subarray(end) };
}

type EventMessage = WatchMessage & { readonly type: 'event' };
type ProgressMessage = WatchMessage & { readonly type: 'progress' };

/** What an item says by itself. */
type Item =
  | EventMessage
  | ProgressMessage
  /** Of a state. */
  | { readonly type: 'alert'; readonly alert: Alert }
  | { readonly type: 'state'; readonly revision: Revision }
  /** The next so many events belong together. */
  | { readonly type: 'transaction'; readonly count: number };

interface Read {
  readonly items: readonly Item[];
  /** The same, where each stands for itself. */
  readonly messages: readonly WatchMessage[] | undefined;
}

const isMessage = (item: Item): item is EventMessage | ProgressMessage =>
  item.type === 'event' || item.type === 'progress';

/**
 * Reads the items of WATCH_MESSAGES for all the watches of a client: bytes that are told to many of them are read once.
 */
export class WatchItems {
  readonly #recent: Recent<AlertEvent>;
  /** The body that was read last: others may be told the same one next. */
  #body: Uint8Array | undefined;
  #read: Read = { items: [], messages: [] };

  constructor(recent: Recent<AlertEvent> = new Recent(CLIENT_RECENT_EVENTS_MAX)) {
    this.#recent = recent;
  }

  /** @throws TocsinError BODY_MALFORMED */
  read(body: Uint8Array): Read {
    if (body === this.#body) return this.#read;
    const items: Item[] = [];
    const at = new Items(body, 0);
    while (at.next()) items.push(this.#itemAt(at));
    this.#read = { items, messages: items.every(isMessage) ? items : undefined };
    this.#body = body;
    return this.#read;
  }

  #itemAt(items: Items): Item {
    const kind = items.first();
    switch (kind) {
      case EVENT:
        return { type: 'event', event: this.#eventAt(items) };
      case LEAVING_EVENT:
        return { type: 'event', event: this.#eventAt(items), leaves: true };
      case PROGRESS:
        return { type: 'progress', revision: items.revision() };
      case COMPACTED_ALERT:
        return { type: 'alert', alert: parseAlert(items.decode(1)) };
      case COMPACTED:
        return { type: 'state', revision: items.revision() };
      case TRANSACTION:
        return { type: 'transaction', count: items.count() };
      default:
        throw malformed(`watch message kind ${kind} is not known`);
    }
  }

  #eventAt(items: Items): AlertEvent {
    return items.recent(1, this.#recent, () => parseEvent(items.decode(1)));
  }
}

/**
 * Reads the WATCH_MESSAGES of one watch. A state that came in pieces is one message, told when it is whole; the events of a
 * transaction are told when all of them are there.
 */
export class WatchReader {
  readonly #items: WatchItems;
  #alerts: Alert[] = [];
  /** The events so far of a transaction of which more are to come, and how many. */
  #together: EventMessage[] = [];
  #missing = 0;

  /** `items`: of all the watches that are told the same. */
  constructor(items: WatchItems = new WatchItems()) {
    this.#items = items;
  }

  /** @throws TocsinError BODY_MALFORMED; the watch is of no use afterwards */
  read(body: Uint8Array): readonly WatchMessage[] {
    const { items, messages } = this.#items.read(body);
    const isWhole = this.#missing === 0 && this.#alerts.length === 0;
    if (isWhole && messages !== undefined) return messages;
    const told: WatchMessage[] = [];
    for (const item of items)
      if (item.type === 'event') told.push(...this.#takeEvent(item));
      else if (item.type === 'transaction') this.#beginTransaction(item.count);
      else told.push(...this.#takeOther(item));
    return told;
  }

  #takeEvent(message: EventMessage): readonly EventMessage[] {
    if (this.#alerts.length > 0) throw malformed('a state was broken off');
    if (this.#missing === 0) return [message];
    this.#missing -= 1;
    this.#together.push(this.#missing > 0 ? { ...message, more: true } : message);
    if (this.#missing > 0) return [];
    const whole = this.#together;
    this.#together = [];
    return whole;
  }

  #beginTransaction(count: number): void {
    if (this.#missing > 0 || this.#alerts.length > 0) throw malformed('something was broken off');
    if (count < 2 || count > TRANSACTION_EVENTS_MAX)
      throw malformed(`a transaction of ${count} events`);
    this.#missing = count;
  }

  #takeOther(item: Exclude<Item, { type: 'event' | 'transaction' }>): readonly WatchMessage[] {
    if (this.#missing > 0) throw malformed('a transaction was broken off');
    if (item.type === 'alert') {
      if (this.#alerts.length === COMPACTED_ALERTS_MAX)
        throw malformed(`a state of more than ${COMPACTED_ALERTS_MAX} alerts`);
      this.#alerts.push(item.alert);
      return [];
    }
    if (item.type === 'state') {
      const alerts = this.#alerts;
      this.#alerts = [];
      return [{ type: 'compacted', revision: item.revision, alerts }];
    }
    if (this.#alerts.length > 0) throw malformed('a state was broken off');
    return [item];
  }
}

function encodeU64(value: number): Uint8Array {
  const bytes = new Uint8Array(8);
  writeU64(bytes, 0, value);
  return bytes;
}
