const SLOTS = 32;
const MINUTE_MS = 60_000;

/** The change of a value over a stretch of time, in units a minute, from 32 values spread over the stretch. */
export class RateWindow {
  readonly #overMs: number;
  readonly #times: Float64Array = new Float64Array(SLOTS).fill(Number.NaN);
  readonly #values: Float64Array = new Float64Array(SLOTS);
  #next = 0;
  #storedAt = -Infinity;

  constructor(overMs: number) {
    this.#overMs = overMs;
  }

  /** NaN until the stretch is nearly filled. */
  add(time: number, value: number): number {
    const oldest = this.#times[this.#next] as number;
    const before = this.#values[this.#next] as number;
    if (time - this.#storedAt >= this.#overMs / SLOTS) {
      this.#times[this.#next] = time;
      this.#values[this.#next] = value;
      this.#next = (this.#next + 1) % SLOTS;
      this.#storedAt = time;
    }
    const elapsed = time - oldest;
    // After a gap the oldest value is too old to say how fast it went.
    if (!(elapsed >= this.#overMs * 0.9 && elapsed <= this.#overMs * 2)) return Number.NaN;
    return ((value - before) / elapsed) * MINUTE_MS;
  }
}
