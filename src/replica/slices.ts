import type { Clock } from '../base/clock.ts';
import { type Millis, millis } from '../base/ids.ts';
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

/** Makes one step; false = it was the last. One that is long in itself asks whether the slice is over. */
export type Step = (isOver: () => boolean) => boolean;

/**
 * Long answers to whoever asks, made one after another and a slice in each turn of the loop, however many there are.
 */
export class SlicedWork {
  readonly #clock: Clock;
  readonly #waiting: Step[] = [];
  /** When the slice under way ends. */
  #end: Millis;
  readonly #isOver = (): boolean => this.#clock.monotonic() >= this.#end;
  #isScheduled = false;

  constructor(clock: Clock) {
    this.#clock = clock;
    this.#end = clock.monotonic();
  }

  add(step: Step): void {
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
    this.#end = millis(this.#clock.monotonic() + SLICE_MS_MAX);
    do {
      const step = this.#waiting[0];
      if (step === undefined) return;
      if (!step(this.#isOver)) this.#waiting.shift();
    } while (!this.#isOver());
    this.#schedule();
  }
}
