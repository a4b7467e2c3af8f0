import { assert } from './assert.ts';
import type { Clock, Timer } from './clock.ts';
import { type Millis, millis, type UnixMillis, unixMillis } from './ids.ts';

interface Task {
  readonly due: number;
  readonly order: number;
  readonly run: () => void;
  cancelled: boolean;
}

/** 2026-01-01T00:00Z. */
const WALL_ORIGIN = 1_767_225_600_000;
const MICROSECOND = 0.001;

/** Time that stands still while anything is left to do, and then jumps to what is next: whoever has it runs one task at a time. */
export class JumpingClock implements Clock {
  #now = 0;
  #order = 0;
  /** A heap by due time, then by order of the calls. */
  readonly #heap: Task[] = [];
  #soon: Task[] = [];
  #soonAt = 0;

  monotonic(): Millis {
    return millis(this.#now);
  }
  wall(): UnixMillis {
    return unixMillis(WALL_ORIGIN + Math.floor(this.#now));
  }

  /** Tasks that wait, those called off and not yet passed by included. */
  get pending(): number {
    return this.#heap.length + this.#soon.length - this.#soonAt;
  }

  after(delay: Millis, run: () => void): Timer {
    assert(delay >= 0, `a delay of ${delay} ms`);
    // Never less than a microsecond: what waits for the rest of a time must not be woken just before it is over.
    const due = this.#now + Math.max(delay, MICROSECOND);
    const task = { due, order: this.#order, run, cancelled: false };
    this.#order += 1;
    push(this.#heap, task);
    return cancelling(task);
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
    const task = { due: this.#now, order: 0, run, cancelled: false };
    this.#soon.push(task);
    return cancelling(task);
  }

  /** Runs what is next, if it is due by `end`; else it is `end`, and false. */
  runNext(end: number): boolean {
    const task = this.#next(end);
    this.#now = Math.max(this.#now, task?.due ?? end);
    task?.run();
    return task !== undefined;
  }

  #next(end: number): Task | undefined {
    while (this.#soonAt < this.#soon.length) {
      const task = this.#soon[this.#soonAt] as Task;
      this.#soonAt += 1;
      if (!task.cancelled) return task;
    }
    this.#soon = [];
    this.#soonAt = 0;
    for (let task = this.#heap[0]; task !== undefined; task = this.#heap[0]) {
      if (task.due > end && !task.cancelled) return undefined;
      pop(this.#heap);
      if (!task.cancelled) return task;
    }
    return undefined;
  }
}

const cancelling = (task: Task): Timer => ({
  cancel: () => {
    task.cancelled = true;
  },
});

const isBefore = (a: Task, b: Task): boolean =>
  a.due < b.due || (a.due === b.due && a.order < b.order);

function push(heap: Task[], task: Task): void {
  let at = heap.length;
  while (at > 0) {
    const above = (at - 1) >> 1;
    const parent = heap[above] as Task;
    if (!isBefore(task, parent)) break;
    heap[at] = parent;
    at = above;
  }
  heap[at] = task;
}

function pop(heap: Task[]): void {
  const last = heap.pop();
  if (last === undefined || heap.length === 0) return;
  let at = 0;
  for (;;) {
    let below = at * 2 + 1;
    if (below >= heap.length) break;
    const right = below + 1;
    if (right < heap.length && isBefore(heap[right] as Task, heap[below] as Task)) below = right;
    if (!isBefore(heap[below] as Task, last)) break;
    heap[at] = heap[below] as Task;
    at = below;
  }
  heap[at] = last;
}
