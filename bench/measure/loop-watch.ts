import { CollectionTrace } from './collections.ts';
import type { StallRow } from './results.ts';
import { between, cpuMs, lookNow, ownOf, type Span } from './thread-time.ts';

/** Shorter turns are not kept. */
const INTERESTING_MS = 0.2;
/** What no turn is to take. */
export const LONG_MS = 5;

/**
 * Watches the loop. A turn that waits for a core, or for another thread, is no longer for any fault of its own: what counts is what the thread ran
 * (Linux tells; elsewhere what the process took of the processor, which is more). What of it the collector of garbage ran is told apart.
 */
export class LoopWatch {
  readonly #turns: Span[] = [];
  readonly #trace: CollectionTrace;
  readonly #began = performance.now();
  readonly #cpuAtStart = cpuMs();
  #last = lookNow();
  #isRunning = true;

  private constructor(trace: CollectionTrace) {
    this.#trace = trace;
    const look = (): void => {
      if (!this.#isRunning) return;
      const [last, now] = [this.#last, lookNow()];
      if (now.began - last.ended > INTERESTING_MS) this.#turns.push(between(last, now));
      this.#last = now;
      setImmediate(look);
    };
    setImmediate(look);
  }

  static async begin(): Promise<LoopWatch> {
    const trace = new CollectionTrace();
    await trace.begin();
    return new LoopWatch(trace);
  }

  /** What was seen since it began. */
  async end(what: string): Promise<StallRow> {
    this.#isRunning = false;
    const [wallMs, used, turns] = [performance.now() - this.#began, cpuMs(), this.#turns];
    const collections = await this.#trace.end();
    const own = turns.map((turn) => ownOf(turn, collections)).sort((a, b) => a - b);
    const at = (share: number): number => tenths(own[Math.floor(own.length * share)] ?? 0);
    const collected = collections.map(({ ran }) => ran);
    return {
      what,
      wallMs: Math.round(wallMs),
      cpuMs: Math.round(used - this.#cpuAtStart),
      p99Ms: at(0.99),
      p999Ms: at(0.999),
      longestMs: tenths(own.at(-1) ?? 0),
      long: own.filter((ms) => ms > LONG_MS).length,
      longCollected: turns.filter(({ ran }) => ran > LONG_MS).length,
      collectingMs: Math.round(collected.reduce((sum, ms) => sum + ms, 0)),
      longestCollectingMs: Math.round(Math.max(0, ...collected)),
      residentMiB: Math.round(process.memoryUsage.rss() / 2 ** 20),
    };
  }
}

const tenths = (value: number): number => Math.round(value * 10) / 10;
