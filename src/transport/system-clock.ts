import { assert } from '../base/assert.ts';
import type { Clock, Timer } from '../base/clock.ts';
import { type Millis, millis, type UnixMillis, unixMillis } from '../base/ids.ts';

/** The longest that one timer of the machine can wait; above it, it would fire at once. */
const TIMER_MS_MAX = 2 ** 31 - 1;

/**
 * The machine's clock. Its timers keep the process alive: whoever sets one calls it off, so a process that does not end
 * shows what was left running instead of hiding it.
 */
export class SystemClock implements Clock {
  monotonic(): Millis {
    return millis(performance.now());
  }

  wall(): UnixMillis {
    return unixMillis(Date.now());
  }

  after(delay: Millis, task: () => void): Timer {
    assert(delay >= 0 && Number.isFinite(delay), `delay of ${delay} ms`);
    return new MachineTimer(delay, task);
  }

  every(period: Millis, task: () => void): Timer {
    assert(period >= 1 && period <= TIMER_MS_MAX, `period of ${period} ms`);
    const interval = setInterval(task, period);
    return { cancel: () => clearInterval(interval) };
  }

  soon(task: () => void): Timer {
    const immediate = setImmediate(task);
    return { cancel: () => clearImmediate(immediate) };
  }
}

/**
 * The machine counts whole milliseconds from the start of the turn, so it can fire a little early, and it cannot wait for
 * more than 24 days: it is looked at again whenever it fires. Every call of a client has one, so it makes no closures.
 */
class MachineTimer implements Timer {
  readonly #due: number;
  readonly #task: () => void;
  #timeout: NodeJS.Timeout;

  constructor(delay: Millis, task: () => void) {
    this.#due = performance.now() + delay;
    this.#task = task;
    this.#timeout = this.#arm();
  }

  cancel(): void {
    clearTimeout(this.#timeout);
  }

  static #fire(timer: MachineTimer): void {
    timer.#look();
  }

  #look(): void {
    if (performance.now() < this.#due) this.#timeout = this.#arm();
    else this.#task();
  }

  #arm(): NodeJS.Timeout {
    const left = Math.ceil(this.#due - performance.now());
    return setTimeout(MachineTimer.#fire, Math.min(Math.max(left, 0), TIMER_MS_MAX), this);
  }
}
