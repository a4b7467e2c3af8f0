import { assert, must } from '../../base/assert.ts';
import type { Clock, Timer } from '../../base/clock.ts';
import { TocsinError } from '../../base/errors.ts';
import { ALERTS_GROUP, millis, type Revision, revision } from '../../base/ids.ts';
import {
  SLICE_MS_MAX,
  SLICE_STEPS_PER_LOOK,
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
  encodeTransaction,
} from '../../wire/clients/watch-messages.ts';
import { FrameType } from '../../wire/frame.ts';
import type { AppliedState } from '../pipeline/applied-state.ts';

/** One watcher: a cursor into the shared history. It has no queue of its own that could grow. */
interface Watch {
  readonly id: number;
  readonly channel: Channel;
  readonly filter: AlertFilter;
  /** The next revision to be told. */
  next: Revision;
  /** A state that takes the place of events no longer kept, while it is being sent. */
  state: WatchState | undefined;
  /** The newest revision that the watcher has been told everything up to; undefined = nothing yet. */
  told: Revision | undefined;
}

/** What is left of a state that is being sent: undefined stands for an alert that does not match. */
interface WatchState {
  readonly rest: Iterator<Alert | undefined, undefined>;
  readonly revision: Revision;
}

/** The watches of one connection. */
interface Line {
  readonly watches: Map<number, Watch>;
  /** The one that a state is being sent to: one at a time, because a state is long. */
  compacting: Watch | undefined;
}

/**
 * Tells watchers the history as it grows. A slow watcher falls behind in the history, and is given the current state
 * when the history no longer reaches back to it; it never makes a write, or another watcher, wait.
 */
export class WatchHub {
  readonly #state: AppliedState;
  readonly #clock: Clock;
  readonly #lines: Map<Channel, Line> = new Map();
  /** Each event is encoded once, for all its watchers. */
  readonly #encoded: WeakMap<AppliedEvent, Uint8Array> = new WeakMap();
  readonly #progress: Timer;
  #turn: Timer | undefined;
  /** The watchers that have not had their turn in this round. */
  #round: Generator<[Line, Watch]> | undefined;
  #again = false;
  #closed = false;

  constructor(state: AppliedState, clock: Clock) {
    this.#state = state;
    this.#clock = clock;
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
      line = { watches: new Map(), compacting: undefined };
      this.#lines.set(channel, line);
    }
    assert(!line.watches.has(id), `watch ${id} is under way already`);
    const next = from ?? revision(this.#history.newest + 1);
    const watch: Watch = { id, channel, filter, next, state: undefined, told: undefined };
    line.watches.set(id, watch);
    if (from === undefined) this.#tellProgressTo(watch);
    else this.wake();
  }

  /** Whether there was such a watch. */
  remove(channel: Channel, id: number): boolean {
    const line = this.#lines.get(channel);
    if (line?.compacting?.id === id) line.compacting = undefined;
    return line?.watches.delete(id) ?? false;
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
  }

  /** The history has grown, or a socket takes more again. */
  wake(): void {
    if (this.#lines.size === 0) return;
    this.#again = true;
    this.#turn ??= this.#clock.soon(() => this.#takeTurns());
  }

  close(): void {
    this.#closed = true;
    this.#progress.cancel();
    this.#turn?.cancel();
    this.#lines.clear();
  }

  *#all(): Generator<[Line, Watch]> {
    for (const line of this.#lines.values())
      for (const watch of line.watches.values()) yield [line, watch];
  }

  /** One frame for each watcher that lacks something, round after round, in slices that leave the loop to others. */
  #takeTurns(): void {
    this.#turn = undefined;
    const began = this.#clock.monotonic();
    const isOver = (): boolean => this.#clock.monotonic() - began > SLICE_MS_MAX;
    do {
      if (this.#round === undefined) {
        this.#round = this.#all();
        this.#again = false;
      }
      const { done, value } = this.#round.next();
      if (done) this.#round = undefined;
      else if (this.#tell(...value, isOver)) this.#again = true;
    } while ((this.#round !== undefined || this.#again) && !isOver());
    if (this.#round !== undefined || this.#again)
      this.#turn ??= this.#clock.soon(() => this.#takeTurns());
  }

  /** Tells one watcher a frame of what it lacks, if its socket takes it. Whether there is more to tell. */
  #tell(line: Line, watch: Watch, isOver: () => boolean): boolean {
    if (watch.channel.queuedBytes >= WATCH_UNSENT_BYTES_MAX) return false;
    if (watch.state === undefined && watch.next < this.#history.oldest) {
      if (line.compacting !== undefined) return false;
      line.compacting = watch;
      this.#compact(watch);
    }
    const items =
      watch.state === undefined ? this.#takeEvents(watch, isOver) : takeState(watch, isOver);
    if (items.length > 0 && !this.#send(watch, items)) return false;
    if (line.compacting === watch && watch.state === undefined) {
      line.compacting = undefined;
      return true; // whoever waited for its turn with a state
    }
    return watch.state !== undefined || watch.next <= this.#history.newest;
  }

  /** Events that match, up to a frame's worth or as long as there is time; of a transaction all or none. */
  #takeEvents(watch: Watch, isOver: () => boolean): readonly Uint8Array[] {
    const items: Uint8Array[] = [];
    const end = Math.min(this.#history.newest, watch.next + WATCH_SCAN_MAX - 1);
    let bytes = 0;
    for (let step = 1; watch.next <= end && bytes < WATCH_FRAME_BYTES_MAX; step += 1) {
      if (step % SLICE_STEPS_PER_LOOK === 0 && isOver()) break;
      const { transaction } = this.#eventAt(watch.next);
      if (transaction === undefined) bytes += this.#takeEvent(watch, items);
      else bytes += this.#takeTransaction(watch, transaction, items);
    }
    return items;
  }

  #takeTransaction(watch: Watch, transaction: Revision, items: Uint8Array[]): number {
    const step: Uint8Array[] = [];
    let bytes = 0;
    do bytes += this.#takeEvent(watch, step);
    while (this.#history.at(watch.next)?.transaction === transaction);
    if (step.length > 1) items.push(encodeTransaction(step.length));
    items.push(...step);
    return bytes;
  }

  /** The next event, if it is about an alert that matches, or did before. Answers how long it is. */
  #takeEvent(watch: Watch, items: Uint8Array[]): number {
    const event = this.#eventAt(watch.next);
    watch.next = revision(watch.next + 1);
    const { before, alert } = event;
    const isIn = matches(alert, watch.filter);
    if (!isIn && !(before !== undefined && matches(before, watch.filter))) return 0;
    const item = this.#encode(event);
    items.push(isIn ? item : asLeaving(item));
    watch.told = event.revision;
    return item.byteLength;
  }

  #eventAt(at: Revision): AppliedEvent {
    return must(this.#history.at(at), `no event ${at}`);
  }

  /** The state of now, whatever is applied while it is sent. */
  #compact(watch: Watch): void {
    const view = this.#state.machine.view();
    watch.state = { rest: view.matching(watch.filter), revision: view.revision };
    watch.next = revision(view.revision + 1);
  }

  #encode(event: AppliedEvent): Uint8Array {
    const known = this.#encoded.get(event);
    if (known !== undefined) return known;
    const item = encodeEvent(event);
    this.#encoded.set(event, item);
    return item;
  }

  #send({ channel, id }: Watch, items: readonly Uint8Array[]): boolean {
    for (const frame of framesOf(items))
      if (!channel.send(FrameType.WATCH_MESSAGES, ALERTS_GROUP, id, frame)) {
        // The cursor has moved past what could not be sent: this watcher must begin again, elsewhere in time.
        channel.close();
        return false;
      }
    return true;
  }

  #tellProgress(): void {
    for (const [, watch] of this.#all()) this.#tellProgressTo(watch);
    this.wake();
  }

  #tellProgressTo(watch: Watch): void {
    const upTo = revision(watch.next - 1);
    if (watch.state !== undefined || watch.channel.queuedBytes >= WATCH_UNSENT_BYTES_MAX) return;
    // A watcher that asked for the future has been told nothing yet.
    if (upTo > this.#history.newest || (watch.told ?? 0) > upTo) return;
    watch.told = upTo;
    this.#send(watch, [encodeProgress(upTo)]);
  }
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
function takeState(watch: Watch, isOver: () => boolean): readonly Uint8Array[] {
  const state = must(watch.state, `watch ${watch.id} is sent no state`);
  const items: Uint8Array[] = [];
  let bytes = 0;
  for (let step = 1; step <= WATCH_SCAN_MAX && bytes < WATCH_FRAME_BYTES_MAX; step += 1) {
    if (step % SLICE_STEPS_PER_LOOK === 0 && isOver()) break;
    const { done, value: alert } = state.rest.next();
    if (done) {
      items.push(encodeCompacted(state.revision));
      watch.told = state.revision;
      watch.state = undefined;
      break;
    }
    if (alert === undefined) continue;
    const item = encodeCompactedAlert(alert);
    items.push(item);
    bytes += item.byteLength;
  }
  return items;
}
