import { type Millis, millis } from '../../base/ids.ts';
import { BACKOFF_MS_MAX, BACKOFF_MS_MIN } from '../../base/limits.ts';
import type { Prng } from '../../base/prng.ts';

/** How long to wait before the next attempt: doubles with each failure up to a cap, with full jitter. */
export class Backoff {
  readonly #prng: Prng;
  #ceilingMs = BACKOFF_MS_MIN;

  constructor(prng: Prng) {
    this.#prng = prng;
  }

  next(capMs: number = BACKOFF_MS_MAX): Millis {
    const delay = millis(this.#prng.unit() * Math.min(capMs, this.#ceilingMs));
    this.#ceilingMs = Math.min(BACKOFF_MS_MAX, this.#ceilingMs * 2);
    return delay;
  }

  /** Something succeeded: the next failure is a first one. */
  reset(): void {
    this.#ceilingMs = BACKOFF_MS_MIN;
  }
}
