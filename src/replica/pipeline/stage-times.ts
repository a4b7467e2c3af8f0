import { createHistogram, type RecordableHistogram } from 'node:perf_hooks';
import type { Millis } from '../../base/ids.ts';
import type { StageTime } from '../../wire/clients/status.ts';

const NANOSECONDS_PER_MS = 1e6;
const LONGEST_NS = 60_000 * NANOSECONDS_PER_MS;
const FIGURES = 2;

/** How long one part of the way takes. Histograms of the runtime: an entry costs each a tenth of a microsecond. */
class Stage {
  readonly #histogram: RecordableHistogram = createHistogram({
    highest: LONGEST_NS,
    figures: FIGURES,
  });

  add(ms: number): void {
    const ns = Math.round(ms * NANOSECONDS_PER_MS);
    this.#histogram.record(Math.min(Math.max(ns, 1), LONGEST_NS));
  }

  summaryAs(name: StageTime['name']): StageTime {
    const { count } = this.#histogram;
    const usAt = (percentile: number): number =>
      count === 0 ? 0 : Math.round(this.#histogram.percentile(percentile) / 1e3);
    return { name, count, p50Us: usAt(50), p99Us: usAt(99) };
  }
}

/**
 * Where the time of a command goes on the replica that leads: an entry at a time, as it comes by. Always on, for it is
 * wanted when nobody thought of switching it on.
 */
export class StageTimes {
  readonly #queue = new Stage();
  readonly #sync = new Stage();
  readonly #quorum = new Stage();
  readonly #apply = new Stage();

  /** Of the command of an entry that waited longest, until the disk was free. */
  queued(ms: Millis): void {
    this.#queue.add(ms);
  }
  /** One write of this replica's own disk, until it was durable. */
  synced(ms: Millis): void {
    this.#sync.add(ms);
  }
  /** From its place in the log until a quorum had the entry. */
  agreed(ms: Millis): void {
    this.#quorum.add(ms);
  }
  /** From then until all of it was applied, and the replies were on their way. */
  applied(ms: Millis): void {
    this.#apply.add(ms);
  }

  get summary(): readonly StageTime[] {
    return [
      this.#queue.summaryAs('queue'),
      this.#sync.summaryAs('sync'),
      this.#quorum.summaryAs('quorum'),
      this.#apply.summaryAs('apply'),
    ];
  }
}
