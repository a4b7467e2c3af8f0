import { type Millis, millis } from '../../base/ids.ts';
import type { Prng } from '../../base/prng.ts';

const FIRST_MS = 10;
const CAP_MS = 500;
/** While nobody leads: an election is over in less than the usual cap, and to ask again costs its replicas little. */
export const SEEKING_CAP_MS = 150;

/** How long to wait before the next attempt: doubles with each failure up to a cap, with full jitter. */
export class Backoff {
  readonly #prng: Prng;
  #ceilingMs = FIRST_MS;

  constructor(prng: Prng) {
    this.#prng = prng;
  }

  next(capMs: number = CAP_MS): Millis {
    const delay = millis(this.#prng.unit() * Math.min(capMs, this.#ceilingMs));
    this.#ceilingMs = Math.min(CAP_MS, this.#ceilingMs * 2);
    return delay;
  }

  /** Something succeeded: the next failure is a first one. */
  reset(): void {
    this.#ceilingMs = FIRST_MS;
  }
}
