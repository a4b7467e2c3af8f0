import type { Clock, Timer } from '../../src/base/clock.ts';
import { type Code, TocsinError } from '../../src/base/errors.ts';
import { millis } from '../../src/base/ids.ts';
import { setOfRules } from '../../src/base/rules/listed-rules.ts';
import type { RuleSet } from '../../src/base/rules/rules.ts';
import { TREND_LEFTOVERS_MS } from '../../src/base/trend-limits.ts';
import { leftInAll } from '../../src/replica/trend/leftovers.ts';
import type { OpenBook, OpenCondition } from '../../src/replica/trend/open-book.ts';
import type { AlertApi, CareApi } from '../../src/statemachine/alert-api.ts';
import type { SeriesRegistry } from '../../src/trend/series.ts';
import { rulesInForce } from '../rule/in-force.ts';

export interface LeftoverClearingOptions {
  readonly client: Pick<AlertApi, 'clear'> & Pick<CareApi, 'records'>;
  /** What is open in the store. */
  readonly book: OpenBook;
  /** Of whose samples trends know. */
  readonly registry: SeriesRegistry;
  readonly clock: Clock;
  readonly log: (line: string) => void;
}

/** Somebody else was faster, or the condition has just changed: it is looked at again. */
const NOT_NOW: ReadonlySet<Code> = new Set([
  'ALERT_NOT_FOUND',
  'ALREADY_RESOLVED',
  'REVISION_MISMATCH',
]);

/**
 * Clears what a removed rule has left open of streams that may never come again: their rule was removed, or made to be about
 * another condition, while nobody judged by it. Whether it was is asked of the cluster, since the rules that this replica
 * has applied may be old ones; and an alert is cleared only as it was when that was asked, so one that a rule raised since
 * stays. Alerts about sources of which trends know nothing are somebody else's.
 */
export class LeftoverClearing {
  readonly #options: LeftoverClearingOptions;
  readonly #timer: Timer;
  /** Patients, and patients at devices, of the series up to `#known`. */
  readonly #sources: Set<string> = new Set();
  #known = 0;
  #rules: RuleSet | undefined;
  #looking: Promise<void> | undefined;
  /** What was said of those that cannot be cleared. */
  #said = '';

  constructor(options: LeftoverClearingOptions) {
    this.#options = options;
    this.#timer = options.clock.every(millis(TREND_LEFTOVERS_MS), () => {
      this.#looking ??= this.#look().finally(() => {
        this.#looking = undefined;
      });
    });
  }

  /** This replica judges by these from now on. */
  use(rules: RuleSet): void {
    this.#rules = rules;
  }

  async close(): Promise<void> {
    this.#timer.cancel();
    await this.#looking;
  }

  async #look(): Promise<void> {
    const suspects = this.#suspects();
    if (suspects.length === 0) return;
    try {
      const kept = await rulesInForce(this.#options.client, { consistency: 'linearizable' });
      // Without any each replica judges by a file of its own, of which the others know nothing.
      if (kept.length === 0) this.#sayLeft(suspects);
      else await this.#clear(suspects, setOfRules('cluster', kept));
    } catch (error) {
      if (!TocsinError.is(error)) throw error;
      this.#options.log(`looking for alerts of removed rules: ${error.code}: ${error.message}`);
    }
  }

  #suspects(): readonly OpenCondition[] {
    if (this.#rules === undefined) return [];
    const left = leftInAll(this.#options.book, this.#rules);
    return left.length === 0 ? left : left.filter((open) => this.#isKnown(open));
  }

  #isKnown({ patient, device }: OpenCondition): boolean {
    const { registry } = this.#options;
    for (; this.#known < registry.size; this.#known += 1) {
      const info = registry.at(this.#known)?.info;
      if (info === undefined) continue;
      this.#sources.add(nameOf(info.patient, undefined));
      this.#sources.add(nameOf(info.patient, info.device));
    }
    return this.#sources.has(nameOf(patient, device));
  }

  async #clear(suspects: readonly OpenCondition[], rules: RuleSet): Promise<void> {
    const { book, client, log } = this.#options;
    const left = new Set(leftInAll(book, rules));
    for (const { key, rule, revision } of suspects.filter((open) => left.has(open))) {
      try {
        await client.clear({ target: { dedupKey: key }, expectedRevision: revision });
        log(`${key} is cleared: its rule ${rule} is no longer in force`);
      } catch (error) {
        if (!TocsinError.is(error)) throw error;
        if (!NOT_NOW.has(error.code)) throw error;
      }
    }
  }

  #sayLeft([first, ...others]: readonly OpenCondition[]): void {
    const more = others.length === 0 ? '' : ` and ${others.length} more`;
    const said = `no rule here raises ${first?.key}${more}, and none is in force in the cluster: cleared when samples come, else by whoever knows`;
    if (said !== this.#said) this.#options.log(said);
    this.#said = said;
  }
}

const nameOf = (patient: string, device: string | undefined): string =>
  JSON.stringify([patient, device ?? null]);
