import { channel } from 'node:diagnostics_channel';
import type { TocsinError } from '../../base/errors.ts';
import { CLIENT_EVENTS_MAX } from '../../base/limits.ts';

/**
 * What becomes of a client's connections. `leader` tells whom writes and linearizable reads go to, undefined while that
 * is being found out; `lagged` stands for so many events that nobody took in time.
 */
export type ConnectionEvent =
  | { readonly type: 'connected'; readonly address: string }
  | { readonly type: 'disconnected'; readonly address: string; readonly reason: TocsinError }
  | { readonly type: 'leader'; readonly address: string | undefined }
  | { readonly type: 'lagged'; readonly missed: number };

/** For instruments: the name of the channel of node:diagnostics_channel on which every event is published. */
const CHANNEL = channel('tocsin:client:connection');

/** Tells each listener everything from its beginning on, the newest of it where it is slow. */
export class ConnectionEvents {
  readonly #listeners = new Set<Listener>();
  readonly #client: string;
  #leader: string | undefined;
  #isClosed = false;

  /** `client` is the name under which a client asks. */
  constructor(client: string) {
    this.#client = client;
  }

  connected(address: string): void {
    this.#publish({ type: 'connected', address });
  }

  disconnected(address: string, reason: TocsinError): void {
    this.#publish({ type: 'disconnected', address, reason });
  }

  /** Says it once, however often it is told. */
  leader(address: string | undefined): void {
    if (address === this.#leader) return;
    this.#leader = address;
    this.#publish({ type: 'leader', address });
  }

  listen(signal: AbortSignal | undefined): AsyncIterableIterator<ConnectionEvent, undefined> {
    const listener = new Listener(signal, () => this.#listeners.delete(listener));
    this.#listeners.add(listener);
    listener.push({ type: 'leader', address: this.#leader });
    if (this.#isClosed || signal?.aborted) listener.end();
    return listener;
  }

  close(): void {
    this.#isClosed = true;
    for (const listener of [...this.#listeners]) listener.end();
  }

  #publish(event: ConnectionEvent): void {
    for (const listener of this.#listeners) listener.push(event);
    if (CHANNEL.hasSubscribers) CHANNEL.publish({ client: this.#client, ...event });
  }
}

type Result = IteratorResult<ConnectionEvent, undefined>;

const DONE: Result = { done: true, value: undefined };

class Listener implements AsyncIterableIterator<ConnectionEvent, undefined> {
  readonly #signal: AbortSignal | undefined;
  readonly #onEnd: () => void;
  readonly #onAbort = (): void => this.end();
  #waiting: ConnectionEvent[] = [];
  #missed = 0;
  readonly #askers: ((result: Result) => void)[] = [];
  #isOver = false;

  constructor(signal: AbortSignal | undefined, onEnd: () => void) {
    this.#signal = signal;
    this.#onEnd = onEnd;
    signal?.addEventListener('abort', this.#onAbort, { once: true });
  }

  push(event: ConnectionEvent): void {
    if (this.#isOver) return;
    const ask = this.#askers.shift();
    if (ask !== undefined) {
      ask({ done: false, value: event });
      return;
    }
    this.#waiting.push(event);
    if (this.#waiting.length <= CLIENT_EVENTS_MAX) return;
    this.#waiting.shift();
    this.#missed += 1;
  }

  end(): void {
    if (this.#isOver) return;
    this.#isOver = true;
    this.#signal?.removeEventListener('abort', this.#onAbort);
    this.#onEnd();
    for (const ask of this.#askers.splice(0)) ask(DONE);
  }

  next(): Promise<Result> {
    if (this.#missed > 0) {
      const value: ConnectionEvent = { type: 'lagged', missed: this.#missed };
      this.#missed = 0;
      return Promise.resolve({ done: false, value });
    }
    const value = this.#waiting.shift();
    if (value !== undefined) return Promise.resolve({ done: false, value });
    if (this.#isOver) return Promise.resolve(DONE);
    return new Promise((resolve) => this.#askers.push(resolve));
  }

  return(): Promise<Result> {
    this.#waiting = [];
    this.end();
    return Promise.resolve(DONE);
  }

  [Symbol.asyncIterator](): this {
    return this;
  }
}
