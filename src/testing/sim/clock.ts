import { JumpingClock } from '../../base/jumping-clock.ts';
import { SystemClock } from '../../transport/system-clock.ts';

/** Steps after which whoever else waits for this process gets a turn. */
const STEPS_PER_TURN = 20_000;
const LOOP = new SystemClock();
const NOW: Promise<void> = Promise.resolve();

/**
 * The time of a run: one task at a time, and after each everything that promises have made ready, so that a run is the same
 * whenever it is repeated.
 */
export class SimClock extends JumpingClock {
  /** Called after each task, with the time of it. */
  onStep: (now: number) => void = () => {};
  steps = 0;

  /** Lets time pass for `duration` milliseconds, or until `isOver` says so after a task. Rejects with what a task throws. */
  run(duration: number, isOver: () => boolean = () => false): Promise<void> {
    const end = this.monotonic() + duration;
    return new Promise((resolve, reject) => {
      const step = (): void => {
        try {
          if (this.#runUnless(isOver, end)) again();
          else resolve();
        } catch (error) {
          reject(error);
        }
      };
      // A tick runs when the microtasks are done, all of them; so this is the cheapest way to wait for every promise.
      const again = (): void => {
        if (this.steps % STEPS_PER_TURN === 0) LOOP.soon(step);
        else void NOW.then(soon);
      };
      const soon = (): void => process.nextTick(step);
      again();
    });
  }

  /** One task, if it is not over; false when there is nothing more to do by then. */
  #runUnless(isOver: () => boolean, end: number): boolean {
    if (isOver() || !this.runNext(end)) return false;
    this.steps += 1;
    this.onStep(this.monotonic());
    return true;
  }
}
