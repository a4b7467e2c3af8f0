import { type Millis, millis } from '../../base/ids.ts';
import type { Prng } from '../../base/prng.ts';

const FIRST_MS = 10;
const CAP_MS = 500;

/** How long to wait before the next attempt: doubles with each failure up to a cap, with full jitter. */
export class Backoff {
  readonly #prng: Prng;
  #ceilingMs = FIRST_MS;

  constructor(prng: Prng) {
    this.#prng = prng;
  }

  next(): Millis {
    const delay = millis(this.#prng.unit() * this.#ceilingMs);
    this.#ceilingMs = Math.min(CAP_MS, this.#ceilingMs * 2);
    return delay;
  }

  /** Something succeeded: the next failure is a first one. */
  reset(): void {
    this.#ceilingMs = FIRST_MS;
  }
}
