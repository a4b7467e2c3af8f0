import type { Clock } from '../base/clock.ts';
import type { Millis } from '../base/ids.ts';
import { SLICE_MS_MAX, SLICE_STEPS_PER_LOOK } from '../base/limits.ts';

/** Divides long work into slices, and leaves the loop to everybody else between them. */
export class Slices {
  readonly #clock: Clock;
  #began: Millis;
  #steps = 0;

  constructor(clock: Clock) {
    this.#clock = clock;
    this.#began = clock.monotonic();
  }

  /** Called after each short step: whether the slice is over, and `next` is to be awaited. */
  step(): boolean {
    this.#steps += 1;
    if (this.#steps % SLICE_STEPS_PER_LOOK !== 0) return false;
    return this.#clock.monotonic() - this.#began >= SLICE_MS_MAX;
  }

  /** Resolves when everybody else had a turn. */
  async next(): Promise<void> {
    await new Promise<void>((resolve) => {
      this.#clock.soon(resolve);
    });
    this.#began = this.#clock.monotonic();
  }
}

/**
 * Long answers to whoever asks, made one after another and a slice in each turn of the loop, however many there are.
 */
export class SlicedWork {
  readonly #clock: Clock;
  /** Makes one step; false = it was the last. */
  readonly #waiting: (() => boolean)[] = [];
  #isScheduled = false;

  constructor(clock: Clock) {
    this.#clock = clock;
  }

  add(step: () => boolean): void {
    this.#waiting.push(step);
    this.#schedule();
  }

  #schedule(): void {
    if (this.#isScheduled || this.#waiting.length === 0) return;
    this.#isScheduled = true;
    this.#clock.soon(() => {
      this.#isScheduled = false;
      this.#slice();
    });
  }

  #slice(): void {
    const end = this.#clock.monotonic() + SLICE_MS_MAX;
    do {
      const step = this.#waiting[0];
      if (step === undefined) return;
      if (!step()) this.#waiting.shift();
    } while (this.#clock.monotonic() < end);
    this.#schedule();
  }
}
