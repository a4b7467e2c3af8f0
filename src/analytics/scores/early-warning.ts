import { NEWS2_EMERGENCY } from './news2.ts';

/**
 * Advisory warnings that a score is about to reach the emergency threshold, and how good they were. Nothing here is a claim
 * about patients: it counts, on recorded stays, what a warning would have been worth.
 */

export interface ScoredAt {
  /** Milliseconds. */
  readonly at: number;
  readonly aggregate: number;
}

export interface WarningRule {
  /** The mean of the scores of so long a time … */
  readonly windowMs: number;
  /** … of which there are at least so many … */
  readonly scoresMin: number;
  /** … is at least this. */
  readonly threshold: number;
}

const HOUR_MS = 3_600_000;
/** A warning has come true if the threshold is reached within this time after it. */
export const HORIZON_MS: number = 12 * HOUR_MS;
/** After a warning none is given for so long. */
const QUIET_MS = 6 * HOUR_MS;
/** A crossing counts after so long below the threshold: else it is the same deterioration. */
const CALM_MS = 4 * HOUR_MS;

/** When the rule would have warned: only while the emergency threshold is not reached, which speaks for itself. */
export function warningsOf(scores: readonly ScoredAt[], rule: WarningRule): readonly number[] {
  const warnings: number[] = [];
  const window = new WarningWindow(rule, scores.length);
  for (const { at, aggregate } of scores) {
    window.add(at, aggregate);
    const isQuiet = at - (warnings.at(-1) ?? -Infinity) < QUIET_MS;
    if (!isQuiet && window.isBad) warnings.push(at);
  }
  return warnings;
}

/** The scores of the latest window of time, and whether they warn. O(1) a score; holds at most so many. */
export class WarningWindow {
  /** NaN while there are too few scores. */
  mean: number = Number.NaN;
  readonly #rule: WarningRule;
  readonly #times: Float64Array;
  readonly #scores: Float64Array;
  #first = 0;
  #count = 0;
  #sum = 0;
  #latest = 0;

  constructor(rule: WarningRule, scoresMax: number) {
    this.#rule = rule;
    this.#times = new Float64Array(scoresMax);
    this.#scores = new Float64Array(scoresMax);
  }

  /** Once the emergency threshold is reached, that speaks for itself. */
  get isBad(): boolean {
    return this.#latest < NEWS2_EMERGENCY && this.mean >= this.#rule.threshold;
  }

  add(at: number, aggregate: number): void {
    const size = this.#times.length;
    if (this.#count === size) this.#drop();
    const place = (this.#first + this.#count) % size;
    this.#times[place] = at;
    this.#scores[place] = aggregate;
    this.#count += 1;
    this.#sum += aggregate;
    this.#latest = aggregate;
    while ((this.#times[this.#first] as number) <= at - this.#rule.windowMs) this.#drop();
    this.mean = this.#count < this.#rule.scoresMin ? Number.NaN : this.#sum / this.#count;
  }

  #drop(): void {
    this.#sum -= this.#scores[this.#first] as number;
    this.#first = (this.#first + 1) % this.#times.length;
    this.#count -= 1;
  }
}

/** When the emergency threshold was crossed after a calm time. */
export function crossingsOf(scores: readonly ScoredAt[]): readonly number[] {
  const crossings: number[] = [];
  const begin = scores[0]?.at ?? 0;
  let highAt = -Infinity;
  for (const { at, aggregate } of scores) {
    if (aggregate < NEWS2_EMERGENCY) continue;
    if (at - Math.max(highAt, begin) >= CALM_MS) crossings.push(at);
    highAt = at;
  }
  return crossings;
}

export interface WarningReport {
  readonly stays: number;
  readonly crossings: number;
  /** Crossings that a warning preceded within the horizon. */
  readonly warned: number;
  /** Warnings that no crossing followed within the horizon; those near the end of a record are not counted. */
  readonly falseWarnings: number;
  readonly warnings: number;
  /** Time below the emergency threshold, in days. */
  readonly daysAtRisk: number;
  /** From the first warning within the horizon to the crossing, in hours, ascending. */
  readonly leadHours: readonly number[];
}

/** What warnings by this rule were worth over these stays. */
export function reportOf(
  stays: readonly (readonly ScoredAt[])[],
  rule: WarningRule,
): WarningReport {
  const leadHours: number[] = [];
  let [crossings, warnings, falseWarnings, daysAtRisk] = [0, 0, 0, 0];
  for (const scores of stays) {
    const given = warningsOf(scores, rule);
    const reached = crossingsOf(scores);
    const end = scores.at(-1)?.at ?? 0;
    crossings += reached.length;
    warnings += given.length;
    daysAtRisk += timeBelow(scores) / (24 * HOUR_MS);
    for (const at of reached) {
      const warning = given.find((one) => one < at && one >= at - HORIZON_MS);
      if (warning !== undefined) leadHours.push((at - warning) / HOUR_MS);
    }
    for (const one of given) {
      const isFollowed = scores.some(
        ({ at, aggregate }) => at > one && at <= one + HORIZON_MS && aggregate >= NEWS2_EMERGENCY,
      );
      if (!isFollowed && one + HORIZON_MS <= end) falseWarnings += 1;
    }
  }
  return {
    stays: stays.length,
    crossings,
    warned: leadHours.length,
    falseWarnings,
    warnings,
    daysAtRisk,
    leadHours: leadHours.sort((a, b) => a - b),
  };
}

/** Each score holds until the next one. */
function timeBelow(scores: readonly ScoredAt[]): number {
  let total = 0;
  for (const [at, score] of scores.entries())
    if (score.aggregate < NEWS2_EMERGENCY) total += (scores[at + 1]?.at ?? score.at) - score.at;
  return total;
}

const CANDIDATES: readonly WarningRule[] = [2, 4, 6].flatMap((hours) =>
  [4, 4.5, 5, 5.5, 6].map((threshold) => ({
    windowMs: hours * HOUR_MS,
    scoresMin: 2,
    threshold,
  })),
);

/** Of the rules that give at most so many false warnings a day at risk, the one that finds the most crossings. */
export function tune(
  stays: readonly (readonly ScoredAt[])[],
  falsePerDayMax: number,
): WarningRule | undefined {
  let best: { readonly rule: WarningRule; readonly warned: number } | undefined;
  for (const rule of CANDIDATES) {
    const { warned, falseWarnings, daysAtRisk } = reportOf(stays, rule);
    if (falseWarnings > falsePerDayMax * daysAtRisk) continue;
    if (best === undefined || warned > best.warned) best = { rule, warned };
  }
  return best?.rule;
}
