import { createHistogram, type RecordableHistogram } from 'node:perf_hooks';
import type { FrameMeter } from '../../src/replica/trend/trend-session.ts';
import { ThreadTimes } from './thread-times.ts';

/**
 * Set to 1 by a benchmark that wants frames measured and heaps told of: two looks at the kernel's figures for each frame are
 * nobody else's to pay.
 */
export const FRAME_TIMES_VARIABLE = 'TOCSIN_TREND_FRAME_TIMES';

const NANOSECONDS_PER_MS = 1e6;
/** Within which each sample is to be judged. */
const GOAL_NS: number = NANOSECONDS_PER_MS;
/** In which streams are taken up, some hundreds in each: a second of 100,000 samples. */
const FIRST_FRAMES = 100;

/**
 * How long the trend tier takes for a frame of samples, from its bytes to the last rule: each sample of it has been kept and
 * judged by then. Apart from the time by the clock it tells that without what the thread had to wait for a core meanwhile,
 * which is the machine's and not this program's.
 */
export class Handling implements FrameMeter {
  readonly #elapsed: RecordableHistogram = createHistogram({ figures: 3 });
  readonly #own: RecordableHistogram = createHistogram({ figures: 3 });
  readonly #thread = new ThreadTimes();
  #samples = 0;
  #late = 0;
  #lateAtFirst = 0;
  #began = 0;
  #waitedNs = 0;

  begin(): void {
    this.#thread.look();
    this.#waitedNs = this.#thread.waitedNs;
    this.#began = performance.now();
  }

  end(samples: number): void {
    const elapsedNs = Math.round((performance.now() - this.#began) * NANOSECONDS_PER_MS);
    this.#thread.look();
    const ownNs = elapsedNs - (this.#thread.waitedNs - this.#waitedNs);
    this.#samples += samples;
    this.#elapsed.record(Math.max(1, elapsedNs));
    this.#own.record(Math.max(1, ownNs));
    if (ownNs <= GOAL_NS) return;
    this.#late += 1;
    if (this.#own.count <= FIRST_FRAMES) this.#lateAtFirst += 1;
  }

  /** In lines; none when nothing came. */
  summary(): readonly string[] {
    this.#thread.look();
    const { ranNs, waitedNs } = this.#thread;
    this.#thread.close();
    if (this.#samples === 0) return [];
    return [
      `${this.#samples} samples judged in ${this.#elapsed.count} frames: a frame ${timesOf(this.#elapsed)}`,
      `without waiting for a core: a frame ${timesOf(this.#own)}; over 1 ms ${this.#late}, of the first ${FIRST_FRAMES} ${this.#lateAtFirst}`,
      `on a core ${inSeconds(ranNs)} s, waited for one ${inSeconds(waitedNs)} s`,
    ];
  }
}

function timesOf(times: RecordableHistogram): string {
  const at = (percentile: number): string =>
    (times.percentile(percentile) / NANOSECONDS_PER_MS).toFixed(3);
  return `p50 ${at(50)} ms, p99 ${at(99)} ms, p99.9 ${at(99.9)} ms, at most ${at(100)} ms`;
}

const inSeconds = (ns: number): string => (ns / 1e9).toFixed(1);
