import { alertRequest } from '../../src/analytics/alerts.ts';
import { LimitEngine, type Transition } from '../../src/analytics/limits.ts';
import { must } from '../../src/base/assert.ts';
import type { RuleSet } from '../../src/base/rules/rules.ts';
import { type BedIdentity, WARD_METRICS, type Ward } from '../input/ward.ts';
import type { AlertSender } from '../pipeline/alert-sender.ts';
import { pauseUntil } from './waiting.ts';

export interface WardFeedOptions {
  readonly ward: Ward;
  readonly rules: RuleSet;
  readonly sender: AlertSender;
  /** Milliseconds from one second of ward time to the next. */
  readonly stepMs: number;
  /** Milliseconds since 1970. */
  readonly wall: () => number;
}

export interface FeedCounts {
  readonly samples: number;
  /** Samples that a disturbance made up. */
  readonly artefacts: number;
  /** Samples that a lost sensor left out. */
  readonly missing: number;
}

/** Plays the ward through the rules into the sender, at its own pace or that of the store, whichever is slower. */
export class WardFeed {
  readonly #options: WardFeedOptions;
  readonly #engine: LimitEngine;
  readonly #values: Float64Array;
  readonly #counts = { samples: 0, artefacts: 0, missing: 0 };

  constructor(options: WardFeedOptions) {
    this.#options = options;
    this.#engine = new LimitEngine(options.rules, WARD_METRICS);
    this.#values = new Float64Array(options.ward.beds.length * WARD_METRICS.length).fill(
      Number.NaN,
    );
  }

  get counts(): FeedCounts {
    return this.#counts;
  }

  get beds(): readonly BedIdentity[] {
    return this.#options.ward.beds;
  }

  /** The newest sample of each of WARD_METRICS of a bed. */
  valuesOf(bed: number): readonly number[] {
    const from = bed * WARD_METRICS.length;
    return [...this.#values.subarray(from, from + WARD_METRICS.length)];
  }

  /** Plays until `signal` aborts. */
  async run(signal: AbortSignal): Promise<void> {
    const { stepMs, sender, rules } = this.#options;
    let dueAt = performance.now();
    while (!signal.aborted) {
      for (const transition of this.#step()) {
        const source = must(this.beds[transition.subject], `no bed ${transition.subject}`);
        await sender.send(alertRequest(transition, source, rules.revision));
        if (signal.aborted) return;
      }
      // What was missed while the store was slow is not made up for.
      dueAt = Math.max(dueAt + stepMs, performance.now());
      await pauseUntil(dueAt, signal);
    }
  }

  #step(): readonly Transition[] {
    const { ward, wall } = this.#options;
    const transitions: Transition[] = [];
    const now = wall();
    ward.step((bed, metric, value, artefact) => {
      this.#values[bed * WARD_METRICS.length + metric] = value;
      this.#counts.samples += 1;
      if (artefact) this.#counts.artefacts += 1;
      if (Number.isNaN(value)) this.#counts.missing += 1;
      this.#engine.sample(bed, metric, now, value, (transition) => transitions.push(transition));
    });
    return transitions;
  }
}
