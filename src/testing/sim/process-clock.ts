import type { Clock, Timer } from '../../base/clock.ts';
import { type Millis, millis, type UnixMillis, unixMillis } from '../../base/ids.ts';

/** By the true time; without an end while it lasts. */
interface Standstill {
  readonly from: number;
  readonly to: number | undefined;
}

interface Held {
  readonly run: () => void;
}

/**
 * The clock as one process sees it: running fast or slow, its wall clock off and jumping, and standing still while the
 * process is stopped, though time goes on.
 */
export class ProcessClock implements Clock {
  /** Of the wall clock alone, in milliseconds. */
  offset = 0;
  /** By the true time, how long a turn of its loop takes: what is to run soon runs so much later, in order. */
  turnMs = 0;
  readonly #clock: Clock;
  /** Milliseconds it counts in one. */
  readonly #rate: number;
  readonly #bornAt: number;
  #stood: Standstill = { from: Number.POSITIVE_INFINITY, to: Number.NEGATIVE_INFINITY };
  #due: Held[] = [];

  constructor(clock: Clock, rate: number) {
    this.#clock = clock;
    this.#rate = rate;
    this.#bornAt = clock.monotonic();
  }

  get isPaused(): boolean {
    return this.#stood.to === undefined;
  }

  /** When it stood still the last time. */
  get stood(): Standstill {
    return this.#stood;
  }

  pause(): void {
    if (!this.isPaused) this.#stood = { from: this.#clock.monotonic(), to: undefined };
  }

  /** What became due meanwhile runs first, in order; of a periodic task once, as Node's timers do. */
  resume(): void {
    if (!this.isPaused) return;
    this.#stood = { from: this.#stood.from, to: this.#clock.monotonic() };
    const due = this.#due;
    this.#due = [];
    for (const { run } of due) run();
  }

  monotonic(): Millis {
    return millis(this.#bornAt + (this.#clock.monotonic() - this.#bornAt) * this.#rate);
  }
  wall(): UnixMillis {
    return unixMillis(Math.max(0, this.#clock.wall() + Math.floor(this.offset)));
  }
  after(delay: Millis, run: () => void): Timer {
    return this.#held((task) => this.#clock.after(millis(delay / this.#rate), task), run);
  }
  every(period: Millis, run: () => void): Timer {
    return this.#held((task) => this.#clock.every(millis(period / this.#rate), task), run);
  }
  soon(run: () => void): Timer {
    const turn = millis(this.turnMs);
    return this.#held(
      (task) => (turn > 0 ? this.#clock.after(turn, task) : this.#clock.soon(task)),
      run,
    );
  }

  #held(set: (task: () => void) => Timer, run: () => void): Timer {
    const held: Held = { run };
    const timer = set(() => {
      if (!this.isPaused) run();
      else if (!this.#due.includes(held)) this.#due.push(held);
    });
    return {
      cancel: () => {
        timer.cancel();
        if (this.#due.length > 0) this.#due = this.#due.filter((other) => other !== held);
      },
    };
  }
}
