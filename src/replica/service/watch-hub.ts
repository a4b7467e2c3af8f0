import { assert, must } from '../../base/assert.ts';
import type { Clock, Timer } from '../../base/clock.ts';
import { TocsinError } from '../../base/errors.ts';
import { ALERTS_GROUP, millis, type Revision, revision } from '../../base/ids.ts';
import {
  WATCH_FRAME_BYTES_MAX,
  WATCH_PROGRESS_MS,
  WATCH_SCAN_MAX,
  WATCH_UNSENT_BYTES_MAX,
} from '../../base/limits.ts';
import { matches } from '../../statemachine/queries/filter.ts';
import type { History } from '../../statemachine/queries/history.ts';
import type { Alert, AlertFilter, AppliedEvent } from '../../statemachine/types.ts';
import type { Channel } from '../../transport/types.ts';
import { encodeFail } from '../../wire/clients/client-messages.ts';
import {
  asLeaving,
  encodeCompacted,
  encodeCompactedAlert,
  encodeEvent,
  encodeProgress,
  encodeShared,
  encodeTransaction,
} from '../../wire/clients/watch-messages.ts';
import { FrameType } from '../../wire/frame.ts';
import type { AppliedState } from '../pipeline/applied-state.ts';
import type { Turns, Work } from '../turns.ts';

/**
 * A cursor into the shared history, and the watches of one connection that are told the same from there on. It has no
 * queue of its own that could grow.
 */
interface Cursor {
  readonly ids: Set<number>;
  readonly channel: Channel;
  readonly filter: AlertFilter;
  /** The same for equal filters. */
  readonly filterKey: string;
  /** The next revision to be told. */
  next: Revision;
  /** A state that takes the place of events no longer kept, while it is being sent. */
  state: WatchState | undefined;
  /** The newest revision that its watches have been told everything up to; undefined = nothing yet. */
  told: Revision | undefined;
}

/** What is left of a state that is being sent: undefined stands for an alert that does not match. */
interface WatchState {
  readonly rest: Iterator<Alert | undefined, undefined>;
  readonly revision: Revision;
}

/** The watches of one connection. */
interface Line {
  /** By their ids. */
  readonly watches: Map<number, Cursor>;
  readonly cursors: Set<Cursor>;
  /** Of each filter the one that was told everything first: others who come as far go on with it. */
  readonly foremost: Map<string, Cursor>;
  /** The one that a state is being sent to: one at a time, because a state is long. */
  compacting: Cursor | undefined;
}

/**
 * Tells watchers the history as it grows. A slow watcher falls behind in the history, and is given the current state
 * when the history no longer reaches back to it; it never makes a write, or another watcher, wait.
 */
export class WatchHub {
  readonly #state: AppliedState;
  readonly #lines: Map<Channel, Line> = new Map();
  /** Each event is encoded once, for all its watchers. */
  readonly #encoded: WeakMap<AppliedEvent, Uint8Array> = new WeakMap();
  readonly #progress: Timer;
  readonly #turns: Turns;
  /** Its work waits for a turn. */
  #isDue = false;
  /** The watchers that have not had their turn in this round. */
  #round: Generator<[Line, Cursor]> | undefined;
  #again = false;
  /** Those that have yet to hear how far they have been told. */
  #unheard: Generator<[Line, Cursor]> | undefined;
  #closed = false;

  constructor(state: AppliedState, clock: Clock, turns: Turns) {
    this.#state = state;
    this.#turns = turns;
    this.#progress = clock.every(millis(WATCH_PROGRESS_MS), () => this.#tellProgress());
  }

  get #history(): History {
    return this.#state.history;
  }

  countOf(channel: Channel): number {
    return this.#lines.get(channel)?.watches.size ?? 0;
  }

  /** @throws TocsinError UNAVAILABLE once closed */
  add(channel: Channel, id: number, from: Revision | undefined, filter: AlertFilter): void {
    if (this.#closed) throw new TocsinError('UNAVAILABLE', 'the replica is stopping');
    let line = this.#lines.get(channel);
    if (line === undefined) {
      line = {
        watches: new Map(),
        cursors: new Set(),
        foremost: new Map(),
        compacting: undefined,
      };
      this.#lines.set(channel, line);
    }
    assert(!line.watches.has(id), `watch ${id} is under way already`);
    const next = from ?? revision(this.#history.newest + 1);
    const cursor: Cursor = {
      ids: new Set([id]),
      channel,
      filter,
      filterKey: JSON.stringify(filter),
      next,
      state: undefined,
      told: undefined,
    };
    line.watches.set(id, cursor);
    line.cursors.add(cursor);
    if (from !== undefined) this.wake();
    else {
      this.#sendProgress(cursor);
      joinForemost(line, cursor);
    }
  }

  /** Whether there was such a watch. */
  remove(channel: Channel, id: number): boolean {
    const line = this.#lines.get(channel);
    const cursor = line?.watches.get(id);
    if (line === undefined || cursor === undefined) return false;
    line.watches.delete(id);
    cursor.ids.delete(id);
    if (cursor.ids.size === 0) drop(line, cursor);
    return true;
  }

  removeAll(channel: Channel): void {
    this.#lines.delete(channel);
  }

  /** Nobody can be told anything that is true: every watcher is let go, to go on elsewhere. */
  dismiss(why: TocsinError): void {
    for (const [channel, { watches }] of this.#lines)
      for (const id of watches.keys())
        channel.send(FrameType.FAIL, ALERTS_GROUP, id, [encodeFail(why)]);
    this.#lines.clear();
    // Those that a round had got to are told nothing after this either.
    this.#round = undefined;
    this.#unheard = undefined;
  }

  /** The history has grown, or a socket takes more again. */
  wake(): void {
    if (this.#lines.size === 0) return;
    this.#again = true;
    if (this.#isDue) return;
    this.#isDue = true;
    this.#turns.later(this.#work);
  }

  close(): void {
    this.#closed = true;
    this.#progress.cancel();
    this.#lines.clear();
  }

  *#all(): Generator<[Line, Cursor]> {
    for (const line of this.#lines.values())
      for (const cursor of line.cursors) yield [line, cursor];
  }

  /** One frame for each cursor that lacks something, round after round. */
  readonly #work: Work = (isOver) => {
    if (this.#closed) return false;
    do {
      if (this.#round === undefined) {
        this.#round = this.#all();
        this.#again = false;
      }
      const { done, value } = this.#round.next();
      if (done) this.#round = undefined;
      else if (this.#tell(...value, isOver)) this.#again = true;
    } while ((this.#round !== undefined || this.#again) && !isOver(true));
    this.#isDue = this.#round !== undefined || this.#again;
    return this.#isDue;
  };

  /** Tells the watches of a cursor a frame of what they lack, if their socket takes it. Whether there is more to tell. */
  #tell(line: Line, cursor: Cursor, isOver: () => boolean): boolean {
    if (cursor.channel.queuedBytes >= WATCH_UNSENT_BYTES_MAX) return false;
    if (cursor.state === undefined && cursor.next < this.#history.oldest) {
      if (line.compacting !== undefined) return false;
      line.compacting = cursor;
      this.#compact(cursor);
    }
    const items =
      cursor.state === undefined ? this.#takeEvents(cursor, isOver) : takeState(cursor, isOver);
    if (items.length > 0 && !this.#send(cursor, items)) return false;
    if (line.compacting === cursor && cursor.state === undefined) {
      line.compacting = undefined;
      return true; // whoever waited for its turn with a state
    }
    if (cursor.state !== undefined || cursor.next <= this.#history.newest) return true;
    joinForemost(line, cursor);
    return false;
  }

  /** Events that match, up to a frame's worth or as long as there is time; of a transaction all or none. */
  #takeEvents(cursor: Cursor, isOver: () => boolean): readonly Uint8Array[] {
    const items: Uint8Array[] = [];
    const end = Math.min(this.#history.newest, cursor.next + WATCH_SCAN_MAX - 1);
    let bytes = 0;
    while (cursor.next <= end && bytes < WATCH_FRAME_BYTES_MAX) {
      const { transaction } = this.#eventAt(cursor.next);
      if (transaction === undefined) bytes += this.#takeEvent(cursor, items);
      else bytes += this.#takeTransaction(cursor, transaction, items);
      if (isOver()) break;
    }
    return items;
  }

  #takeTransaction(cursor: Cursor, transaction: Revision, items: Uint8Array[]): number {
    const step: Uint8Array[] = [];
    let bytes = 0;
    do bytes += this.#takeEvent(cursor, step);
    while (this.#history.at(cursor.next)?.transaction === transaction);
    if (step.length > 1) items.push(encodeTransaction(step.length));
    items.push(...step);
    return bytes;
  }

  /** The next event, if it is about an alert that matches, or did before. Answers how long it is. */
  #takeEvent(cursor: Cursor, items: Uint8Array[]): number {
    const event = this.#eventAt(cursor.next);
    cursor.next = revision(cursor.next + 1);
    const { before, alert } = event;
    const isIn = matches(alert, cursor.filter);
    if (!isIn && !(before !== undefined && matches(before, cursor.filter))) return 0;
    const item = this.#encode(event);
    items.push(isIn ? item : asLeaving(item));
    cursor.told = event.revision;
    return item.byteLength;
  }

  #eventAt(at: Revision): AppliedEvent {
    return must(this.#history.at(at), `no event ${at}`);
  }

  /** The state of now, whatever is applied while it is sent. */
  #compact(cursor: Cursor): void {
    const view = this.#state.machine.view();
    cursor.state = { rest: view.matching(cursor.filter), revision: view.revision };
    cursor.next = revision(view.revision + 1);
  }

  #encode(event: AppliedEvent): Uint8Array {
    const known = this.#encoded.get(event);
    if (known !== undefined) return known;
    const item = encodeEvent(event);
    this.#encoded.set(event, item);
    return item;
  }

  #send({ channel, ids }: Cursor, items: readonly Uint8Array[]): boolean {
    for (const frame of framesOf(items))
      if (!sendFrame(channel, [...ids], frame)) {
        // The cursor has moved past what could not be sent: this watcher must begin again, elsewhere in time.
        channel.close();
        return false;
      }
    return true;
  }

  #tellProgress(): void {
    if (this.#unheard !== undefined || this.#lines.size === 0) return;
    this.#unheard = this.#all();
    this.#turns.later(this.#progressWork);
  }

  readonly #progressWork: Work = (isOver) => {
    if (this.#closed) return false;
    do {
      const next = this.#unheard?.next();
      if (next === undefined || next.done) {
        this.#unheard = undefined;
        this.wake();
        return false;
      }
      this.#tellProgressTo(next.value[1]);
    } while (!isOver());
    return true;
  };

  #tellProgressTo(cursor: Cursor): void {
    const upTo = revision(cursor.next - 1);
    if (cursor.state !== undefined || cursor.channel.queuedBytes >= WATCH_UNSENT_BYTES_MAX) return;
    // A watcher that asked for the future has been told nothing yet.
    if (upTo > this.#history.newest || (cursor.told ?? 0) > upTo) return;
    this.#sendProgress(cursor);
  }

  #sendProgress(cursor: Cursor): void {
    cursor.told = revision(cursor.next - 1);
    this.#send(cursor, [encodeProgress(cursor.told)]);
  }
}

function sendFrame(
  channel: Channel,
  ids: readonly number[],
  items: readonly Uint8Array[],
): boolean {
  const [only = 0, ...others] = ids;
  return others.length === 0
    ? channel.send(FrameType.WATCH_MESSAGES, ALERTS_GROUP, only, items)
    : channel.send(FrameType.WATCH_SHARED, ALERTS_GROUP, 0, encodeShared(ids, items));
}

/** Whoever has been told everything goes on together with those who have, through the same filter. */
function joinForemost(line: Line, cursor: Cursor): void {
  const { filterKey, ids } = cursor;
  const foremost = line.foremost.get(filterKey);
  if (foremost === cursor) return;
  if (foremost === undefined || foremost.next !== cursor.next || foremost.state !== undefined) {
    line.foremost.set(filterKey, cursor);
    return;
  }
  for (const id of ids) {
    foremost.ids.add(id);
    line.watches.set(id, foremost);
  }
  drop(line, cursor);
}

function drop(line: Line, cursor: Cursor): void {
  line.cursors.delete(cursor);
  if (line.foremost.get(cursor.filterKey) === cursor) line.foremost.delete(cursor.filterKey);
  if (line.compacting === cursor) line.compacting = undefined;
}

/** Cuts items into frames: a transaction may be more than one holds. */
function* framesOf(items: readonly Uint8Array[]): Generator<readonly Uint8Array[]> {
  let frame: Uint8Array[] = [];
  let bytes = 0;
  for (const item of items) {
    frame.push(item);
    bytes += item.byteLength;
    if (bytes < WATCH_FRAME_BYTES_MAX) continue;
    yield frame;
    frame = [];
    bytes = 0;
  }
  if (frame.length > 0) yield frame;
}

/** The next piece of a state, and its end after the last one. */
function takeState(cursor: Cursor, isOver: () => boolean): readonly Uint8Array[] {
  const state = must(cursor.state, 'no state is being sent');
  const items: Uint8Array[] = [];
  let bytes = 0;
  for (let step = 1; step <= WATCH_SCAN_MAX && bytes < WATCH_FRAME_BYTES_MAX; step += 1) {
    if (step > 1 && isOver()) break;
    const { done, value: alert } = state.rest.next();
    if (done) {
      items.push(encodeCompacted(state.revision));
      cursor.told = state.revision;
      cursor.state = undefined;
      break;
    }
    if (alert === undefined) continue;
    const item = encodeCompactedAlert(alert);
    items.push(item);
    bytes += item.byteLength;
  }
  return items;
}
