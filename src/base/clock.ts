import type { Millis, UnixMillis } from './ids.ts';

/** A timer that can be called off. Calling it off twice, or after it fired, is harmless. */
export interface Timer {
  cancel(): void;
}

/**
 * Time as a parameter. Production passes the machine's clock, the simulator a virtual one; nothing else in `src/`
 * reads the time or sets a timer.
 */
export interface Clock {
  /** For durations: never jumps back; its origin means nothing. */
  monotonic(): Millis;
  /** For people and for stamps on log entries: may jump either way, never decides an election. */
  wall(): UnixMillis;
  /** Runs `task` once, `delay` milliseconds from now or later. */
  after(delay: Millis, task: () => void): Timer;
  /** Runs `task` each `period` milliseconds until called off. */
  every(period: Millis, task: () => void): Timer;
  /** Runs `task` once, after what this turn of the loop has received is taken in. */
  soon(task: () => void): Timer;
}
