import { createHistogram, type RecordableHistogram } from 'node:perf_hooks';

/** Latencies of one run, in milliseconds. */
export interface LatencySummary {
  readonly count: number;
  readonly p50: number;
  readonly p90: number;
  readonly p99: number;
  readonly p999: number;
  readonly max: number;
  readonly mean: number;
}

const NANOSECONDS_PER_MS = 1e6;
const LONGEST_NS = 60_000 * NANOSECONDS_PER_MS;

/** A high dynamic range histogram (three significant digits) of what one kind of operation took. */
export class Latencies {
  readonly #histogram: RecordableHistogram = createHistogram({ highest: LONGEST_NS, figures: 3 });

  /** `ms` from the moment the operation was due, not from when it could be sent: a stall counts for all it delayed. */
  add(ms: number): void {
    const ns = Math.round(ms * NANOSECONDS_PER_MS);
    this.#histogram.record(Math.min(Math.max(ns, 1), LONGEST_NS));
  }

  summary(): LatencySummary {
    const at = (percentile: number): number =>
      this.#histogram.count === 0 ? 0 : inMs(this.#histogram.percentile(percentile));
    return {
      count: this.#histogram.count,
      p50: at(50),
      p90: at(90),
      p99: at(99),
      p999: at(99.9),
      max: at(100),
      mean: this.#histogram.count === 0 ? 0 : inMs(this.#histogram.mean),
    };
  }
}

const inMs = (ns: number): number => Math.round(ns / 1e3) / 1e3;
