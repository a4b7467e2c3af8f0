import type { Clock } from '../../base/clock.ts';
import { type Millis, millis } from '../../base/ids.ts';
import { LONG_WAIT_AGAIN_MS, LONG_WAIT_MS, TICK_MS } from '../../base/limits.ts';

/** When it is to be said that something takes long: after LONG_WAIT_MS once, and from then on each LONG_WAIT_AGAIN_MS. */
export class LongWait {
  readonly #clock: Pick<Clock, 'monotonic'>;
  #since: Millis | undefined;
  #sayAt = 0;

  constructor(clock: Pick<Clock, 'monotonic'>) {
    this.#clock = clock;
  }

  /** To be called often. Answers for how many whole seconds that has been so, if it is to be said now. */
  look(isWaiting: boolean): number | undefined {
    if (!isWaiting) {
      this.#since = undefined;
      return undefined;
    }
    const now = this.#clock.monotonic();
    if (this.#since === undefined) {
      this.#since = now;
      this.#sayAt = now + LONG_WAIT_MS;
    }
    if (now < this.#sayAt) return undefined;
    // What stood still meanwhile says so once, not once for each time that it missed.
    while (this.#sayAt <= now) this.#sayAt += LONG_WAIT_AGAIN_MS;
    return Math.floor((now - this.#since) / 1_000);
  }
}

/** Says `what` is waited for, if that takes long. */
export async function aloud<T>(
  { clock, log }: { readonly clock: Clock; readonly log: (line: string) => void },
  what: string,
  waiting: Promise<T>,
): Promise<T> {
  const wait = new LongWait(clock);
  const look = (): void => {
    const seconds = wait.look(true);
    if (seconds !== undefined) log(`${what}: ${seconds} s so far`);
  };
  look();
  const timer = clock.every(millis(TICK_MS), look);
  try {
    return await waiting;
  } finally {
    timer.cancel();
  }
}
