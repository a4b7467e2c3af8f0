import { setMaxListeners } from 'node:events';
import { setTimeout as pause } from 'node:timers/promises';
import type { Prng } from '../../src/base/prng.ts';
import type { TestCluster } from '../cluster.ts';
import { FAULTS, type NemesisName } from './table.ts';

/** A fault, and when it was there, in milliseconds since the run began. */
export interface Span {
  readonly name: NemesisName;
  readonly where: string;
  /** Replicas that it was about. */
  readonly sites: readonly number[];
  readonly from: number;
  to: number;
}

export interface NemesisParts {
  readonly cluster: TestCluster;
  readonly prng: Prng;
  /** Milliseconds since the run began. */
  readonly now: () => number;
  readonly log: (line: string) => void;
}

/** Strikes one fault after another, several at once, until told to stop. */
export class Nemesis {
  readonly spans: Span[] = [];
  readonly counts: Record<string, number> = {};
  /** What cannot be done here, and why. */
  readonly leftOut: Record<string, string> = {};
  readonly #parts: NemesisParts;
  readonly #pending: Set<Promise<void>> = new Set();

  constructor(parts: NemesisParts) {
    this.#parts = parts;
  }

  /** Resolves when `stop` was raised and every fault has ended. */
  async run(
    names: readonly NemesisName[],
    intervalMs: number,
    lastsMs: number,
    stop: AbortSignal,
  ): Promise<void> {
    const { prng } = this.#parts;
    // Each fault under way listens to it.
    setMaxListeners(0, stop);
    const drawn = names.filter((name) => this.#canStrike(name));
    while (drawn.length > 0 && !stop.aborted) {
      await sleep(this.#exponential(intervalMs), stop);
      if (stop.aborted) break;
      const striking = this.#strike(prng.pick(drawn), this.#exponential(lastsMs), stop);
      this.#pending.add(striking);
      // One that fails stays, and is told below.
      striking.then(
        () => this.#pending.delete(striking),
        () => {},
      );
    }
    await Promise.all(this.#pending);
  }

  /** Whether it can break anything here; if not, that is told. */
  #canStrike(name: NemesisName): boolean {
    const { cluster, log } = this.#parts;
    const { replicasMin = 1, lacks } = FAULTS[name];
    const size = cluster.members.length;
    const lacking = size < replicasMin ? `breaks nothing of ${size} replicas` : lacks?.(cluster);
    if (lacking === undefined) return true;
    this.leftOut[name] = lacking;
    log(`${name} left out: ${lacking}`);
    return false;
  }

  async #strike(name: NemesisName, lastsMs: number, stop: AbortSignal): Promise<void> {
    const { cluster, prng, now, log } = this.#parts;
    const { running } = cluster;
    if (running.length === 0) return;
    const from = now();
    const struck = await FAULTS[name].begin({ cluster, prng }, prng.pick(running));
    if (struck === undefined) return;
    const { where, sites, end } = struck;
    const span: Span = { name, where, sites, from, to: Number.POSITIVE_INFINITY };
    this.spans.push(span);
    this.counts[name] = (this.counts[name] ?? 0) + 1;
    log(`${name} (${where}) for ${Math.round(lastsMs)} ms`);
    await sleep(lastsMs, stop);
    await end();
    span.to = now();
  }

  #exponential(mean: number): number {
    return -Math.log(1 - this.#parts.prng.unit()) * mean;
  }
}

async function sleep(ms: number, stop: AbortSignal): Promise<void> {
  await pause(ms, undefined, { signal: stop }).catch(() => {});
}
