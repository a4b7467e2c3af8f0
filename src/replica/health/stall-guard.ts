import type { Clock } from '../../base/clock.ts';
import { type Millis, millis } from '../../base/ids.ts';
import { STALL_MS_MAX, TICK_MS } from '../../base/limits.ts';

/**
 * Notices that the event loop, or the whole process, stood still: ticks come late then. Time that passed unseen is no
 * silence of the others, and an own reign that went through it is only a memory.
 */
export class StallGuard {
  readonly #clock: Clock;
  #ticked: Millis;
  #count = 0;
  #longest: Millis = millis(0);

  constructor(clock: Clock) {
    this.#clock = clock;
    this.#ticked = clock.monotonic();
  }

  /** How often the loop stood still for too long. */
  get count(): number {
    return this.#count;
  }

  /** The longest time that a tick came late. */
  get longest(): Millis {
    return this.#longest;
  }

  /** Called once a tick. Answers how late it comes if that is too late, else undefined. */
  tick(): Millis | undefined {
    const now = this.#clock.monotonic();
    const late = millis(Math.max(0, now - this.#ticked - TICK_MS));
    this.#ticked = now;
    if (late > this.#longest) this.#longest = late;
    if (late < STALL_MS_MAX) return undefined;
    this.#count += 1;
    return late;
  }
}
