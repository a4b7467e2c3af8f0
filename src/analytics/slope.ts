/** A line through the latest values of a series, by least squares, with the confidence that it rises or falls at all. */

const MINUTE_MS = 60_000;

/** Of Student's distribution, both sides, 95 %: by degrees of freedom from 1 on; above the last one it is near 1.96. */
const STUDENT_95 = [
  12.706, 4.303, 3.182, 2.776, 2.571, 2.447, 2.365, 2.306, 2.262, 2.228, 2.201, 2.179, 2.16, 2.145,
  2.131, 2.12, 2.11, 2.101, 2.093, 2.086, 2.08, 2.074, 2.069, 2.064, 2.06, 2.056, 2.052, 2.048,
  2.045, 2.042,
] as const;

export class Slope {
  /** Units a minute; NaN until there are three values. */
  perMinute: number = Number.NaN;
  /** Half the width of the 95 % confidence interval of that. */
  margin: number = Number.NaN;
  /** Where the line is at the latest value. */
  level: number = Number.NaN;
  readonly #times: Float64Array;
  readonly #values: Float64Array;
  #next = 0;
  #held = 0;

  /** Looks back over so many values. */
  constructor(points: number) {
    this.#times = new Float64Array(points);
    this.#values = new Float64Array(points);
  }

  get isFull(): boolean {
    return this.#held === this.#times.length;
  }

  /** Whether the line surely rises or surely falls. */
  get isSure(): boolean {
    return Math.abs(this.perMinute) > this.margin;
  }

  add(time: number, value: number): void {
    this.#times[this.#next] = time;
    this.#values[this.#next] = value;
    this.#next = (this.#next + 1) % this.#times.length;
    this.#held = Math.min(this.#held + 1, this.#times.length);
    this.#fit(time);
  }

  /** Minutes until the line reaches the limit; Infinity = never, or nobody can be sure that it moves. */
  minutesTo(limit: number): number {
    if (!this.isSure) return Infinity;
    const minutes = (limit - this.level) / this.perMinute;
    return minutes >= 0 ? minutes : Infinity;
  }

  /** Times count back from `now`, so that the sums stay small. */
  #fit(now: number): void {
    const n = this.#held;
    let sumX = 0;
    let sumY = 0;
    for (let i = 0; i < n; i += 1) {
      sumX += ((this.#times[i] as number) - now) / MINUTE_MS;
      sumY += this.#values[i] as number;
    }
    const [meanX, meanY] = [sumX / n, sumY / n];
    let xx = 0;
    let xy = 0;
    let yy = 0;
    for (let i = 0; i < n; i += 1) {
      const x = ((this.#times[i] as number) - now) / MINUTE_MS - meanX;
      const y = (this.#values[i] as number) - meanY;
      xx += x * x;
      xy += x * y;
      yy += y * y;
    }
    if (n < 3 || xx === 0) return;
    this.perMinute = xy / xx;
    this.level = meanY - this.perMinute * meanX;
    const left = Math.max(0, yy - this.perMinute * xy);
    const student = STUDENT_95[Math.min(n - 3, STUDENT_95.length - 1)] as number;
    this.margin = student * Math.sqrt(left / (n - 2) / xx);
  }
}
