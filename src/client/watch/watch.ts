import { must } from '../../base/assert.ts';
import type { Clock, Timer } from '../../base/clock.ts';
import { TocsinError } from '../../base/errors.ts';
import { millis, type Revision } from '../../base/ids.ts';
import { WATCH_MALFORMED_MAX, WATCH_SILENCE_MS } from '../../base/limits.ts';
import type { Prng } from '../../base/prng.ts';
import type { WatchMessage } from '../../statemachine/alert-api.ts';
import type { AlertFilter } from '../../statemachine/types.ts';
import { encodeWatch } from '../../wire/clients/client-messages.ts';
import { type WatchItems, WatchReader } from '../../wire/clients/watch-messages.ts';
import { FrameType } from '../../wire/frame.ts';
import type { AbortListeners } from '../abort-listeners.ts';
import { Backoff } from '../connection/backoff.ts';
import { type Connection, expectType } from '../connection/connection.ts';
import type { LeaderFinder } from '../connection/leader-finder.ts';
import { asTocsinError, verdictOf } from '../failures.ts';
import { WatchBuffer } from './watch-buffer.ts';
import { WatchPosition } from './watch-position.ts';

export interface WatchRequest {
  readonly from: Revision | undefined;
  readonly filter: AlertFilter | undefined;
  readonly signal: AbortSignal | undefined;
}

export interface WatchParts {
  readonly finder: LeaderFinder;
  readonly clock: Clock;
  readonly prng: Prng;
  /** Shared by all the watches of a client, as are `aborts`. */
  readonly items: WatchItems;
  readonly aborts: AbortListeners;
  /** Called once, when the watch has ended. */
  readonly onEnd: (watch: Watch) => void;
}

interface Waiter {
  readonly resolve: (result: IteratorResult<WatchMessage, undefined>) => void;
  readonly reject: (error: TocsinError) => void;
}

/** The stream that is open now. */
interface Stream {
  readonly connection: Connection;
  readonly id: number;
}

/**
 * One iteration over the alert history. It begins with the first `next`, and goes on over other connections and other
 * replicas from where it was interrupted: no event twice, none left out. While the consumer is slow, it lets the server
 * go, and comes back when what is here has been taken.
 */
export class Watch implements AsyncIterator<WatchMessage, undefined> {
  readonly #request: WatchRequest;
  readonly #parts: WatchParts;
  readonly #position: WatchPosition;
  readonly #backoff: Backoff;
  readonly #buffer = new WatchBuffer();
  readonly #onAbort = (): void => this.#end();
  #waiters: Waiter[] = [];
  #phase: 'new' | 'connecting' | 'streaming' | 'full' | 'ended' = 'new';
  #stream: Stream | undefined;
  #failure: TocsinError | undefined;
  /** The replica that told nothing, or not the right thing. */
  #avoid: string | undefined;
  #malformed = 0;
  #pause: Timer | undefined;
  #watchdog: Timer | undefined;
  #heardAt = 0;

  constructor(request: WatchRequest, parts: WatchParts) {
    this.#request = request;
    this.#parts = parts;
    this.#position = new WatchPosition(request.from, request.filter !== undefined);
    this.#backoff = new Backoff(parts.prng);
  }

  next(): Promise<IteratorResult<WatchMessage, undefined>> {
    if (this.#phase === 'new') this.#begin();
    const message = this.#buffer.shift();
    if (message !== undefined) {
      if (this.#phase === 'full' && this.#buffer.isEmpty) this.#connect();
      return Promise.resolve({ value: message, done: false });
    }
    if (this.#phase === 'ended') return this.#afterEnd();
    return new Promise((resolve, reject) => this.#waiters.push({ resolve, reject }));
  }

  return(): Promise<IteratorResult<WatchMessage, undefined>> {
    this.#end();
    return Promise.resolve({ value: undefined, done: true });
  }

  /** Ends it with an error, which the consumer is told once. */
  fail(error: TocsinError): void {
    if (this.#phase !== 'ended') this.#failure = error;
    this.#end();
  }

  #afterEnd(): Promise<IteratorResult<WatchMessage, undefined>> {
    const failure = this.#failure;
    this.#failure = undefined;
    if (failure !== undefined) return Promise.reject(failure);
    return Promise.resolve({ value: undefined, done: true });
  }

  #begin(): void {
    const { signal } = this.#request;
    if (signal?.aborted) {
      this.#end();
      return;
    }
    if (signal !== undefined) this.#parts.aborts.add(signal, this.#onAbort);
    this.#connect();
  }

  #end(): void {
    if (this.#phase === 'ended') return;
    this.#phase = 'ended';
    this.#detach();
    this.#pause?.cancel();
    const { signal } = this.#request;
    if (signal !== undefined) this.#parts.aborts.remove(signal, this.#onAbort);
    this.#buffer.clear();
    const waiters = this.#waiters;
    this.#waiters = [];
    for (const { resolve, reject } of waiters) this.#afterEnd().then(resolve, reject);
    this.#parts.onEnd(this);
  }

  #connect(): void {
    this.#phase = 'connecting';
    this.#parts.finder.any(this.#avoid).then(
      (connection) => this.#open(connection),
      (error: unknown) => this.#retryAfter(asTocsinError(error)),
    );
  }

  #open(connection: Connection): void {
    if (this.#phase !== 'connecting') return;
    const reader = new WatchReader(this.#parts.items);
    const { next } = this.#position;
    const body = encodeWatch({ from: next, filter: this.#request.filter });
    const id = connection.send(FrameType.WATCH, [body], {
      isStream: true,
      answered: (type, bytes) => {
        expectType(type, FrameType.WATCH_MESSAGES);
        this.#take(reader.read(bytes), bytes.byteLength);
      },
      failed: (error) => this.#failed(connection, error),
      lost: (error) => this.#lost(connection, error),
    });
    if (id === undefined) {
      if (connection.isOpen) connection.whenRoom(() => this.#open(connection));
      else this.#retryAfter(new TocsinError('CONNECTION_LOST', 'the connection broke'));
      return;
    }
    this.#phase = 'streaming';
    this.#stream = { connection, id };
    this.#heardAt = this.#parts.clock.monotonic();
    this.#watch(millis(WATCH_SILENCE_MS));
  }

  /** @throws TocsinError BODY_MALFORMED when something was left out */
  #take(messages: readonly WatchMessage[], bytes: number): void {
    this.#heardAt = this.#parts.clock.monotonic();
    const fresh: WatchMessage[] = [];
    try {
      for (const message of messages) if (this.#position.take(message)) fresh.push(message);
    } finally {
      // What came before a gap is good, and the position is already behind it.
      this.#tell(fresh, bytes);
    }
    if (!this.#buffer.isFull) return;
    this.#detach();
    this.#phase = 'full';
  }

  #tell(fresh: readonly WatchMessage[], bytes: number): void {
    if (fresh.length === 0) return;
    this.#backoff.reset();
    this.#malformed = 0;
    this.#avoid = undefined;
    // While somebody waits, nothing else does.
    const count = Math.min(this.#waiters.length, fresh.length);
    for (const [at, { resolve }] of this.#waiters.splice(0, count).entries())
      resolve({ value: must(fresh[at], 'fewer messages than waiters'), done: false });
    this.#buffer.push(fresh.slice(count), bytes);
  }

  #failed(connection: Connection, error: TocsinError): void {
    this.#detach();
    if (verdictOf(error.code) === 'final') {
      this.fail(error);
      return;
    }
    this.#avoid = connection.address;
    this.#retryAfter(error);
  }

  #lost(connection: Connection, error: TocsinError): void {
    this.#detach();
    this.#avoid = connection.address;
    if (error.code === 'BODY_MALFORMED') this.#malformed += 1;
    if (this.#malformed >= WATCH_MALFORMED_MAX) this.fail(error);
    else this.#retryAfter(error);
  }

  #retryAfter(error: TocsinError): void {
    if (this.#phase === 'ended') return;
    if (error.code === 'CLOSED') {
      this.fail(error);
      return;
    }
    this.#phase = 'connecting';
    this.#pause = this.#parts.clock.after(this.#backoff.next(), () => this.#connect());
  }

  /** Lets the stream go, if there is one. */
  #detach(): void {
    this.#watchdog?.cancel();
    const stream = this.#stream;
    this.#stream = undefined;
    stream?.connection.forget(stream.id);
  }

  #watch(delay: number): void {
    this.#watchdog = this.#parts.clock.after(millis(delay), () => {
      const silentMs = this.#parts.clock.monotonic() - this.#heardAt;
      if (silentMs < millis(WATCH_SILENCE_MS)) this.#watch(millis(WATCH_SILENCE_MS) - silentMs);
      else this.#silent();
    });
  }

  /** The connection may be alive, but this replica does not tell what happens. */
  #silent(): void {
    const stream = this.#stream;
    this.#detach();
    this.#avoid = stream?.connection.address;
    this.#retryAfter(new TocsinError('CONNECTION_LOST', 'the watch went silent'));
  }
}
