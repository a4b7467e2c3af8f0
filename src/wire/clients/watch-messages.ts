import { assert } from '../../base/assert.ts';
import type { Revision } from '../../base/ids.ts';
import {
  CLIENT_RECENT_EVENTS_MAX,
  COMPACTED_ALERTS_MAX,
  TRANSACTION_EVENTS_MAX,
} from '../../base/limits.ts';
import type { WatchMessage } from '../../statemachine/alert-api.ts';
import type { Alert, AlertEvent } from '../../statemachine/types.ts';
import { encodeBody } from '../body.ts';
import { writeU32, writeU64 } from '../bytes.ts';
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

type EventMessage = WatchMessage & { readonly type: 'event' };

/**
 * Reads the WATCH_MESSAGES of one watch. A state that came in pieces is one message, told when it is whole; the events of a
 * transaction are told when all of them are there.
 */
export class WatchReader {
  readonly #recent: Recent<AlertEvent>;
  #alerts: Alert[] = [];
  /** The events so far of a transaction of which more are to come, and how many. */
  #together: EventMessage[] = [];
  #missing = 0;

  /** `recent`: of all the watches that are told the same. */
  constructor(recent: Recent<AlertEvent> = new Recent(CLIENT_RECENT_EVENTS_MAX)) {
    this.#recent = recent;
  }

  /** @throws TocsinError BODY_MALFORMED; the watch is of no use afterwards */
  read(body: Uint8Array): WatchMessage[] {
    const messages: WatchMessage[] = [];
    const items = new Items(body, 0);
    while (items.next()) {
      const kind = items.first();
      if (kind === EVENT || kind === LEAVING_EVENT) messages.push(...this.#readEvent(items, kind));
      else if (kind === TRANSACTION) this.#beginTransaction(items.count());
      else messages.push(...this.#readOther(items, kind));
    }
    return messages;
  }

  #readEvent(items: Items, kind: number): readonly EventMessage[] {
    if (this.#alerts.length > 0) throw malformed('a state was broken off');
    const event = items.recent(1, this.#recent, () => parseEvent(items.decode(1)));
    const leaves = kind === LEAVING_EVENT ? ({ leaves: true } as const) : {};
    if (this.#missing === 0) return [{ type: 'event', event, ...leaves }];
    this.#missing -= 1;
    const more = this.#missing > 0 ? ({ more: true } as const) : {};
    this.#together.push({ type: 'event', event, ...leaves, ...more });
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

  #readOther(items: Items, kind: number): readonly WatchMessage[] {
    if (this.#missing > 0) throw malformed('a transaction was broken off');
    if (kind === COMPACTED_ALERT) {
      if (this.#alerts.length === COMPACTED_ALERTS_MAX)
        throw malformed(`a state of more than ${COMPACTED_ALERTS_MAX} alerts`);
      this.#alerts.push(parseAlert(items.decode(1)));
      return [];
    }
    if (kind === COMPACTED) {
      const alerts = this.#alerts;
      this.#alerts = [];
      return [{ type: 'compacted', revision: items.revision(), alerts }];
    }
    if (this.#alerts.length > 0) throw malformed('a state was broken off');
    if (kind === PROGRESS) return [{ type: 'progress', revision: items.revision() }];
    throw malformed(`watch message kind ${kind} is not known`);
  }
}

function encodeU64(value: number): Uint8Array {
  const bytes = new Uint8Array(8);
  writeU64(bytes, 0, value);
  return bytes;
}
