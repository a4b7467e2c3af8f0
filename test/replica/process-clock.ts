import type { Clock, Timer } from '../../src/base/clock.ts';
import { type Millis, type UnixMillis, unixMillis } from '../../src/base/ids.ts';

/** The clock as one process sees it: while the process is paused time goes on, but nothing of its own runs. */
export class ProcessClock implements Clock {
  /** Of the wall clock alone, in milliseconds. */
  offset = 0;
  readonly #clock: Clock;
  #paused = false;
  #due: { readonly run: () => void }[] = [];

  constructor(clock: Clock) {
    this.#clock = clock;
  }

  get paused(): boolean {
    return this.#paused;
  }

  pause(): void {
    this.#paused = true;
  }

  /** What became due meanwhile runs first, in order; of a periodic task once, as with Node's timers. */
  resume(): void {
    this.#paused = false;
    const due = this.#due;
    this.#due = [];
    for (const { run } of due) run();
  }

  monotonic(): Millis {
    return this.#clock.monotonic();
  }
  wall(): UnixMillis {
    return unixMillis(this.#clock.wall() + this.offset);
  }
  after(delay: Millis, run: () => void): Timer {
    return this.#held((task) => this.#clock.after(delay, task), run);
  }
  every(period: Millis, run: () => void): Timer {
    return this.#held((task) => this.#clock.every(period, task), run);
  }
  soon(run: () => void): Timer {
    return this.#held((task) => this.#clock.soon(task), run);
  }

  #held(set: (task: () => void) => Timer, run: () => void): Timer {
    const held = { run };
    const timer = set(() => {
      if (!this.#paused) run();
      else if (!this.#due.includes(held)) this.#due.push(held);
    });
    return {
      cancel: () => {
        timer.cancel();
        this.#due = this.#due.filter((other) => other !== held);
      },
    };
  }
}
