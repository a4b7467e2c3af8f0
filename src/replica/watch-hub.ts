import type { Clock, Timer } from '../base/clock.ts';
import { ALERTS_GROUP, millis, type Revision, revision } from '../base/ids.ts';
import {
  WATCH_FRAME_BYTES_MAX,
  WATCH_PROGRESS_MS,
  WATCH_UNSENT_BYTES_MAX,
} from '../base/limits.ts';
import { matches } from '../statemachine/filter.ts';
import type { History } from '../statemachine/history.ts';
import type { AlertMachine } from '../statemachine/machine.ts';
import type { Alert, AlertEvent, AlertFilter, AlertId } from '../statemachine/types.ts';
import type { Channel } from '../transport/types.ts';
import {
  encodeCompacted,
  encodeCompactedAlert,
  encodeEvent,
  encodeProgress,
} from '../wire/answers.ts';
import { FrameType } from '../wire/frame.ts';

/** One watcher: a cursor into the shared history. It has no queue of its own that could grow. */
interface Watch {
  readonly id: number;
  readonly channel: Channel;
  readonly filter: AlertFilter;
  /** The next revision to be told. */
  next: Revision;
  /** A state that takes the place of events no longer kept, while it is being sent. */
  state: { readonly alerts: readonly Alert[]; at: number; readonly revision: Revision } | undefined;
  /** The newest revision that the watcher has been told everything up to; undefined = nothing yet. */
  told: Revision | undefined;
}

/**
 * Tells watchers the history as it grows. A slow watcher falls behind in the history, and is given the current state
 * when the history no longer reaches back to it; it never makes a write, or another watcher, wait.
 */
export class WatchHub {
  readonly #machine: AlertMachine;
  readonly #history: History;
  readonly #clock: Clock;
  readonly #watches: Map<Channel, Map<number, Watch>> = new Map();
  /** Each event is encoded once, for all its watchers. */
  readonly #encoded: WeakMap<AlertEvent, Uint8Array> = new WeakMap();
  readonly #progress: Timer;
  #wake: Timer | undefined;

  constructor(machine: AlertMachine, history: History, clock: Clock) {
    this.#machine = machine;
    this.#history = history;
    this.#clock = clock;
    this.#progress = clock.every(millis(WATCH_PROGRESS_MS), () => this.#tellProgress());
  }

  countOf(channel: Channel): number {
    return this.#watches.get(channel)?.size ?? 0;
  }

  add(channel: Channel, id: number, from: Revision | undefined, filter: AlertFilter): void {
    let ofChannel = this.#watches.get(channel);
    if (ofChannel === undefined) {
      ofChannel = new Map();
      this.#watches.set(channel, ofChannel);
    }
    const next = from ?? revision(this.#history.newest + 1);
    const watch: Watch = { id, channel, filter, next, state: undefined, told: undefined };
    ofChannel.set(id, watch);
    this.#tell(watch);
    if (from === undefined) this.#tellProgressTo(watch);
  }

  remove(channel: Channel, id: number): void {
    this.#watches.get(channel)?.delete(id);
  }

  removeAll(channel: Channel): void {
    this.#watches.delete(channel);
  }

  /** The socket of this channel takes more again. */
  drained(channel: Channel): void {
    for (const watch of this.#watches.get(channel)?.values() ?? []) this.#tell(watch);
  }

  /** The history has grown. */
  wake(): void {
    if (this.#watches.size === 0 || this.#wake !== undefined) return;
    this.#wake = this.#clock.soon(() => {
      this.#wake = undefined;
      for (const watch of this.#all()) this.#tell(watch);
    });
  }

  close(): void {
    this.#progress.cancel();
    this.#wake?.cancel();
    this.#watches.clear();
  }

  *#all(): Generator<Watch> {
    for (const ofChannel of this.#watches.values()) yield* ofChannel.values();
  }

  /** Tells one watcher what it lacks, as far as its socket takes it. */
  #tell(watch: Watch): void {
    while (watch.channel.queuedBytes < WATCH_UNSENT_BYTES_MAX) {
      if (watch.state === undefined && watch.next < this.#history.oldest) this.#compact(watch);
      const items = watch.state === undefined ? this.#takeEvents(watch) : takeState(watch);
      if (items === undefined) return;
      if (items.length > 0 && !this.#send(watch, items)) return;
    }
  }

  /** Events that match, up to a frame's worth; undefined when the watcher is up to date. */
  #takeEvents(watch: Watch): readonly Uint8Array[] | undefined {
    if (watch.next > this.#history.newest) return undefined;
    const items: Uint8Array[] = [];
    let bytes = 0;
    while (watch.next <= this.#history.newest && bytes < WATCH_FRAME_BYTES_MAX) {
      const event = this.#history.at(watch.next);
      watch.next = revision(watch.next + 1);
      if (event === undefined || !matches(event.alert, watch.filter)) continue;
      const item = this.#encode(event);
      items.push(item);
      bytes += item.byteLength;
      watch.told = event.revision;
    }
    return items;
  }

  #compact(watch: Watch): void {
    const alerts: Alert[] = [];
    let after: AlertId | undefined;
    do {
      const page = this.#machine.list(watch.filter, {
        limit: 1000,
        ...(after === undefined ? {} : { after }),
      });
      for (const alert of page.alerts) alerts.push(alert);
      after = page.next;
    } while (after !== undefined);
    watch.state = { alerts, at: 0, revision: this.#machine.revision };
    watch.next = revision(this.#machine.revision + 1);
  }

  #encode(event: AlertEvent): Uint8Array {
    const known = this.#encoded.get(event);
    if (known !== undefined) return known;
    const item = encodeEvent(event);
    this.#encoded.set(event, item);
    return item;
  }

  #send(watch: Watch, items: readonly Uint8Array[]): boolean {
    const { channel, id } = watch;
    if (channel.send(FrameType.WATCH_MESSAGES, ALERTS_GROUP, id, items)) return true;
    // The cursor has moved past what could not be sent: this watcher must begin again, elsewhere in time.
    channel.close();
    return false;
  }

  #tellProgress(): void {
    for (const watch of this.#all()) {
      this.#tell(watch);
      this.#tellProgressTo(watch);
    }
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

/** The next piece of a state, and its end after the last one. */
function takeState(watch: Watch): readonly Uint8Array[] | undefined {
  const { state } = watch;
  if (state === undefined) return undefined;
  const items: Uint8Array[] = [];
  let bytes = 0;
  while (state.at < state.alerts.length && bytes < WATCH_FRAME_BYTES_MAX) {
    const item = encodeCompactedAlert(state.alerts[state.at] as Alert);
    items.push(item);
    bytes += item.byteLength;
    state.at += 1;
  }
  if (state.at === state.alerts.length) {
    items.push(encodeCompacted(state.revision));
    watch.told = state.revision;
    watch.state = undefined;
  }
  return items;
}
