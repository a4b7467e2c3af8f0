import type { Clock, Timer } from '../../src/base/clock.ts';
import { type Millis, millis, type UnixMillis, unixMillis } from '../../src/base/ids.ts';

interface Task {
  readonly due: number;
  readonly order: number;
  readonly run: () => void;
}

/** 2026-01-01T00:00Z. */
const WALL_ORIGIN = 1_767_225_600_000;

/** All microtasks, and whatever they start. */
const quiet = (): Promise<void> => new Promise((resolve) => setImmediate(resolve));

/** A clock that stands still until nothing else is left to do, and then jumps to the next timer. */
export class VirtualClock implements Clock {
  #now = 0;
  #order = 0;
  #tasks: Task[] = [];
  #soon: Task[] = [];

  monotonic(): Millis {
    return millis(this.#now);
  }

  wall(): UnixMillis {
    return unixMillis(WALL_ORIGIN + Math.floor(this.#now));
  }

  after(delay: Millis, run: () => void): Timer {
    const task = { due: this.#now + delay, order: this.#order, run };
    this.#order += 1;
    const at = this.#tasks.findIndex(({ due }) => due > task.due);
    this.#tasks.splice(at < 0 ? this.#tasks.length : at, 0, task);
    return { cancel: () => this.#forget(task) };
  }

  every(period: Millis, run: () => void): Timer {
    let timer: Timer = { cancel: () => {} };
    const arm = (): void => {
      timer = this.after(period, () => {
        arm();
        run();
      });
    };
    arm();
    return { cancel: () => timer.cancel() };
  }

  soon(run: () => void): Timer {
    const task = { due: this.#now, order: this.#order, run };
    this.#order += 1;
    this.#soon.push(task);
    return { cancel: () => this.#forget(task) };
  }

  /** Timers that are set and not yet due. */
  get pending(): number {
    return this.#tasks.length + this.#soon.length;
  }

  /** Lets time pass until the promise is settled; fails if nothing more happens, or after `limitMs`. */
  async settle<T>(promise: Promise<T>, limitMs = 120_000): Promise<T> {
    let isSettled = false;
    const mark = (): void => {
      isSettled = true;
    };
    promise.then(mark, mark);
    const end = this.#now + limitMs;
    while (!isSettled) {
      await quiet();
      if (isSettled) break;
      if (!this.#step(end)) throw new Error(`nothing settles it by ${this.#now} ms`);
    }
    return promise;
  }

  /** Lets time pass. */
  async run(durationMs: number): Promise<void> {
    const end = this.#now + durationMs;
    do await quiet();
    while (this.#step(end));
    this.#now = end;
  }

  /** Runs what is next, if it is due by `end`. */
  #step(end: number): boolean {
    const soon = this.#soon;
    if (soon.length > 0) {
      this.#soon = [];
      for (const { run } of soon) run();
      return true;
    }
    const [task] = this.#tasks;
    if (task === undefined || task.due > end) return false;
    this.#tasks.shift();
    this.#now = Math.max(this.#now, task.due);
    task.run();
    return true;
  }

  #forget(task: Task): void {
    this.#tasks = this.#tasks.filter((known) => known !== task);
    this.#soon = this.#soon.filter((known) => known !== task);
  }
}

/** A clock that a reading moves on: work takes time. */
export class BusyClock extends VirtualClock {
  readings = 0;
  stepMs = 0;
  override monotonic(): Millis {
    this.readings += 1;
    return millis(super.monotonic() + this.readings * this.stepMs);
  }
}
