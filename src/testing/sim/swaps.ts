import type { Clock } from '../../base/clock.ts';
import { millis } from '../../base/ids.ts';
import type { Machine } from './machine.ts';

/** Until whoever gave up has closed what it had open. */
const GIVE_UP_MS = 1;

/** Disks that are in each other's hosts. */
export class Swaps {
  readonly #clock: Clock;
  readonly #crash: (machine: Machine) => void;
  readonly #putBacks: Set<() => void> = new Set();

  constructor(clock: Clock, crash: (machine: Machine) => void) {
    this.#clock = clock;
    this.#crash = crash;
  }

  /** The disks of two hosts change places; the function puts them back. Both processes are down meanwhile, for a moment. */
  swap(one: Machine, other: Machine): () => void {
    this.#change(one, other);
    let isOver = false;
    const putBack = (): void => {
      if (isOver) return;
      // What listens there has to stop listening; and at the wrong place some wait for ever for the others to mend their log.
      const starting = [one, other].filter(({ isStarting }) => isStarting);
      if (starting.length > 0) {
        for (const { giveUp } of starting) giveUp.abort();
        this.#clock.after(millis(GIVE_UP_MS), putBack);
        return;
      }
      isOver = true;
      this.#putBacks.delete(putBack);
      this.#change(one, other);
    };
    this.#putBacks.add(putBack);
    return putBack;
  }

  /** All are put back. */
  end(): void {
    for (const putBack of this.#putBacks) putBack();
  }

  #change(one: Machine, other: Machine): void {
    this.#crash(one);
    this.#crash(other);
    [one.place, other.place] = [other.place, one.place];
  }
}
