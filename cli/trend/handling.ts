import { createHistogram, type RecordableHistogram } from 'node:perf_hooks';

const NANOSECONDS_PER_MS = 1e6;

/** How long the trend tier takes for a frame of samples: each sample of it has been kept and judged by then. */
export class Handling {
  readonly #times: RecordableHistogram = createHistogram({ figures: 3 });
  #samples = 0;

  add(samples: number, elapsedMs: number): void {
    this.#samples += samples;
    this.#times.record(Math.max(1, Math.round(elapsedMs * NANOSECONDS_PER_MS)));
  }

  /** In a line; undefined when nothing came. */
  summary(): string | undefined {
    if (this.#samples === 0) return undefined;
    const at = (percentile: number): string =>
      (this.#times.percentile(percentile) / NANOSECONDS_PER_MS).toFixed(3);
    return (
      `${this.#samples} samples judged in ${this.#times.count} frames: a frame p50 ${at(50)} ms, ` +
      `p99 ${at(99)} ms, p99.9 ${at(99.9)} ms, at most ${at(100)} ms`
    );
  }
}
