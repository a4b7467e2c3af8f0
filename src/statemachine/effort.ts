import type { UnixMillis } from '../base/ids.ts';
import { LOOKS_PER_CHANGE, SWEEP_EFFORT_PER_STEP, SWEEP_LOOKS_AT_ONCE } from '../base/limits.ts';
import { millisAfter } from './timers.ts';

/** What one entry may still do beside its commands. All that it changes counts, what it looks at a little. */
export class Effort {
  #left = 0;
  #isWhole = false;

  /** An entry begins. */
  renew(max: number): void {
    this.#left = max;
  }

  /** Something was changed. */
  spend(): void {
    this.#left -= 1;
  }

  /** Something was looked at. */
  look(): void {
    this.#left -= 1 / LOOKS_PER_CHANGE;
  }

  /** Whether what is not done yet is left to the next entry. */
  get isSpent(): boolean {
    return this.#left <= 0;
  }

  /** When what is left goes on: in this entry, if it may do more, or in the next one. */
  againAt(time: UnixMillis): UnixMillis {
    return this.isSpent ? millisAfter(time, 1) : time;
  }

  /** What `steps` does is seen as one: each walk in it goes on for as long as the entry may. */
  whole(steps: () => void): void {
    this.#isWhole = true;
    try {
      steps();
    } finally {
      this.#isWhole = false;
    }
  }

  /**
   * Visits alerts, which may not be open any more, in the order of their numbers, above `done`, as `next` finds them: as many as a short step does,
   * and so many in any case, so that what is about few alerts is done at once. Answers the number of the last one visited; undefined =
   * there are no more.
   */
  walk(
    done: number,
    next: (after: number) => readonly number[],
    visit: (number: number) => void,
    looksMin: number = SWEEP_LOOKS_AT_ONCE,
  ): number | undefined {
    const enough = this.#isWhole ? 0 : this.#left - SWEEP_EFFORT_PER_STEP;
    let last = done;
    for (let looks = 0; ; ) {
      const numbers = next(last);
      if (numbers.length === 0) return undefined;
      for (const number of numbers) {
        if (looks >= looksMin && this.#left <= enough) return last;
        looks += 1;
        this.look();
        last = number;
        visit(number);
      }
    }
  }
}
