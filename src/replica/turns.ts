import type { Clock } from '../base/clock.ts';
import { type Millis, millis } from '../base/ids.ts';
import { STEPS_PER_LOOK, TURN_LEFT_SHARE, TURN_MS_MAX } from '../base/limits.ts';

/** Whether a share of the turn is over: to be asked after each step. `isLong`: the step can be long in itself. */
export type IsOver = (isLong?: boolean) => boolean;
/** Makes steps until its share of the turn is over. False = there is nothing left to do. */
export type Work = (isOver: IsOver) => boolean;

/**
 * What one turn of the loop has time for, shared by all work that can be long: what is applied, taken of clients, listed, told to
 * watchers, written of a snapshot. Each has an equal part of what is left of the turn, in the order in which it came; what is not done by then goes
 * behind the others, into the next turn.
 */
export class Turns {
  readonly #clock: Clock;
  readonly #stepsMax: number;
  readonly #waiting: Work[] = [];
  /** When this turn has done enough; undefined = it has done nothing yet. */
  #end: Millis | undefined;
  /** What came in began it: those who wait have what is left. */
  #isEarly = false;
  #shareEnd: Millis = millis(0);
  #steps = 0;
  /** Short steps of this share since the last look at the clock. */
  #unlooked = 0;
  #isScheduled = false;
  readonly #isShareOver: IsOver = (isLong = false) => {
    this.#steps += 1;
    if (this.#steps >= this.#stepsMax) return true;
    this.#unlooked = isLong ? 0 : (this.#unlooked + 1) % STEPS_PER_LOOK;
    return this.#unlooked === 0 && this.#clock.monotonic() >= this.#shareEnd;
  };

  /** `stepsMax`: a turn has done enough after so many, whatever the clock says. */
  constructor(clock: Clock, stepsMax: number = Number.POSITIVE_INFINITY) {
    this.#clock = clock;
    this.#stepsMax = stepsMax;
  }

  /** Begins now if the turn has time, and goes on in later ones. */
  now(work: Work): void {
    const end = this.#begun(true);
    if (this.#isEnough(end) || this.#share(work, end)) this.#waiting.push(work);
  }

  /** Begins when those who wait have their turn. */
  later(work: Work): void {
    this.#waiting.push(work);
    this.#schedule();
  }

  /** As `now`; resolves when the work is done, and rejects with what it throws. */
  done(work: Work): Promise<void> {
    return new Promise((resolve, reject) => {
      this.now((isOver) => {
        try {
          if (work(isOver)) return true;
          resolve();
        } catch (error) {
          reject(error);
        }
        return false;
      });
    });
  }

  /** Makes something in one step, which may be long: it has a share of a later turn, not what is left of this one. */
  make<T>(step: () => T | Promise<T>): Promise<T> {
    return new Promise((resolve, reject) => {
      this.later((isOver) => {
        try {
          resolve(step());
        } catch (error) {
          reject(error);
        }
        isOver();
        return false;
      });
    });
  }

  #begun(isEarly: boolean): Millis {
    if (this.#end === undefined) {
      this.#end = millis(this.#clock.monotonic() + TURN_MS_MAX);
      this.#isEarly = isEarly;
      this.#steps = 0;
    }
    this.#schedule();
    return this.#end;
  }

  #isEnough(end: Millis): boolean {
    return this.#steps >= this.#stepsMax || this.#clock.monotonic() >= end;
  }

  #schedule(): void {
    if (this.#isScheduled) return;
    this.#isScheduled = true;
    this.#clock.soon(() => {
      this.#isScheduled = false;
      if (!this.#isEarly || this.#waiting.length === 0) this.#end = undefined;
      this.#isEarly = false;
      if (this.#waiting.length === 0) return;
      if (this.#end !== undefined && this.#isEnough(this.#end)) this.#schedule();
      else this.#shareOut();
    });
  }

  /** One share at least, however late it is: something is done in each turn. Some of it is left for what comes in after. */
  #shareOut(): void {
    const end = millis(this.#begun(false) - TURN_MS_MAX * TURN_LEFT_SHARE);
    let without = this.#waiting.length;
    do {
      const work = this.#waiting.shift();
      if (work === undefined) return;
      const now = this.#clock.monotonic();
      const share = millis(now + (end - now) / Math.max(without, 1));
      without -= 1;
      let isMore = true;
      try {
        isMore = this.#share(work, share);
      } finally {
        // What throws keeps its place: whoever asked for it counts on that.
        if (isMore) this.#waiting.push(work);
      }
    } while (!this.#isEnough(end));
  }

  /** Whether there is more to do. */
  #share(work: Work, end: Millis): boolean {
    const outer = this.#shareEnd;
    this.#shareEnd = end;
    this.#unlooked = 0;
    try {
      return work(this.#isShareOver);
    } finally {
      this.#shareEnd = outer;
    }
  }
}
