import type { Clock, Timer } from '../base/clock.ts';
import type { TocsinError } from '../base/errors.ts';
import { type Millis, millis } from '../base/ids.ts';
import { cancelled, timeIsUp } from './failures.ts';

export interface LimitOptions {
  readonly clock: Clock;
  readonly timeoutMs: number;
  readonly signal: AbortSignal | undefined;
}

/** The end of one call that only reads: by its time, its caller or the client; then every wait in it ends. */
export class CallLimit {
  readonly #clock: Clock;
  readonly #timeoutMs: number;
  readonly #signal: AbortSignal | undefined;
  readonly #timer: Timer;
  readonly #onAbort = (): void => {
    if (this.#signal !== undefined) this.stop(cancelled(this.#signal));
  };
  #stopped: TocsinError | undefined;
  #wait: ((reason: TocsinError) => void) | undefined;
  /** The newest failure, for the message when the time is up. */
  last: TocsinError | undefined;

  constructor({ clock, timeoutMs, signal }: LimitOptions) {
    this.#clock = clock;
    this.#timeoutMs = timeoutMs;
    this.#signal = signal;
    this.#timer = clock.after(millis(timeoutMs), () =>
      this.stop(timeIsUp(this.#timeoutMs, this.last)),
    );
    signal?.addEventListener('abort', this.#onAbort);
    if (signal?.aborted) this.#onAbort();
  }

  get stopped(): TocsinError | undefined {
    return this.#stopped;
  }

  stop(reason: TocsinError): void {
    if (this.#stopped !== undefined) return;
    this.#stopped = reason;
    this.#wait?.(reason);
  }

  /** The promise's outcome, or the reason of the end if that comes first. One wait at a time. */
  within<T>(promise: Promise<T>): Promise<T> {
    if (this.#stopped !== undefined) {
      promise.catch(() => {}); // Nobody waits for it any more, so nobody is told how it ends.
      return Promise.reject(this.#stopped);
    }
    return new Promise((resolve, reject) => {
      this.#wait = reject;
      promise.then(resolve, reject);
    });
  }

  pause(delay: Millis): Promise<void> {
    let timer: Timer | undefined;
    const over = new Promise<void>((resolve) => {
      timer = this.#clock.after(delay, resolve);
    });
    return this.within(over).finally(() => timer?.cancel());
  }

  /** Must be called when the call is over. */
  end(): void {
    this.#timer.cancel();
    this.#signal?.removeEventListener('abort', this.#onAbort);
    this.#wait = undefined;
  }
}
