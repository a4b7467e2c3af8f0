import type { Alert } from '../../src/statemachine/types.ts';
import type { ClusterView } from '../output/cluster.ts';

/** One look at a cluster. */
export interface Look {
  /** By a monotonic clock, in milliseconds. */
  readonly at: number;
  /** Undefined = no replica could be asked. */
  readonly view: ClusterView | undefined;
  /** Milliseconds of a linearizable read; undefined = there was no answer. */
  readonly readMs: number | undefined;
  /**
   * Open alerts, those that nobody acknowledged first; without `readMs` as one replica has them, which may be old.
   * Undefined = nobody has said.
   */
  readonly alerts: readonly Alert[] | undefined;
  readonly problem: string | undefined;
}

/** What follows from the looks so far. */
export interface Rates {
  /** Undefined = it takes two looks to know. */
  readonly commitsPerSecond: number | undefined;
  readonly eventsPerSecond: number | undefined;
  readonly read: { readonly now: number; readonly p50: number; readonly p99: number } | undefined;
  /** Looks of the last ones that had no answer. */
  readonly unanswered: number;
  readonly looks: number;
}

const LOOKS_KEPT_MAX = 120;

/** Remembers the newest looks. */
export class Gauge {
  readonly #looks: Look[] = [];

  take(look: Look): void {
    this.#looks.push(look);
    if (this.#looks.length > LOOKS_KEPT_MAX) this.#looks.shift();
  }

  get rates(): Rates {
    const looks = this.#looks;
    const known = looks.filter(({ view }) => view !== undefined).slice(-RATE_LOOKS);
    const [first, last] = [known[0], known.at(-1)];
    const reads = looks.flatMap(({ readMs }) => readMs ?? []);
    const sorted = reads.toSorted((a, b) => a - b);
    const now = looks.at(-1)?.readMs;
    return {
      commitsPerSecond: rate(first, last, ({ commit }) => commit),
      eventsPerSecond: rate(first, last, revisionOf),
      read:
        now === undefined
          ? undefined
          : { now, p50: percentile(sorted, 0.5), p99: percentile(sorted, 0.99) },
      unanswered: looks.length - reads.length,
      looks: looks.length,
    };
  }
}

/** Over so many looks a rate is told: less is restless, more is late. */
const RATE_LOOKS = 5;

const revisionOf = ({ members }: ClusterView): number =>
  Math.max(0, ...members.map(({ status }) => status?.revision ?? 0));

function rate(
  first: Look | undefined,
  last: Look | undefined,
  read: (view: ClusterView) => number,
): number | undefined {
  if (first?.view === undefined || last?.view === undefined || last.at <= first.at)
    return undefined;
  return Math.max(0, ((read(last.view) - read(first.view)) * 1_000) / (last.at - first.at));
}

const percentile = (sorted: readonly number[], share: number): number =>
  sorted[Math.min(sorted.length - 1, Math.floor(sorted.length * share))] ?? 0;
