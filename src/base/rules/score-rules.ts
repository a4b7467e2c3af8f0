import type { RulePriority } from './rules.ts';

/** Rules about scores that are made of several vital signs of a patient, from whichever devices they come. */

interface Common {
  /** Unique in the set; stands in each alert's cause. */
  readonly id: string;
  readonly priority: RulePriority;
  /** What is wrong, for people. @defaultValue made from the score and its limit */
  readonly text?: string;
  /** The condition is on at this score and above. */
  readonly limit: number;
  /** Starts when the score has been so for this long, 0 … RUN_SAMPLES_MAX. */
  readonly startAfterSeconds: number;
  readonly endAfterSeconds: number;
  /** An input that is older is used, and the alert says that it is stale. */
  readonly validMinutes: number;
  /** Tells rules about the same score apart, for example `emergency`. Part of the alert's dedup key. */
  readonly instance?: string;
}

/** National Early Warning Score 2, 0 … 20. */
export interface News2Rule extends Common {
  readonly kind: 'news2';
  /** So many points of a single parameter are enough too. @defaultValue none are */
  readonly singleLimit?: number;
  /** SpO2 scale; a profile can say otherwise for its patients. @defaultValue 1 */
  readonly scale?: 1 | 2;
}

/** Modified Early Warning Score, qSOFA, or heart rate over systolic pressure. */
export interface BedsideRule extends Common {
  readonly kind: 'mews' | 'qsofa' | 'shock-index';
}

/** The mean NEWS2 of the last minutes, while the emergency threshold is not reached, which speaks for itself. Advisory. */
export interface EarlyWarningRule extends Common {
  readonly kind: 'early-warning';
  readonly windowMinutes: number;
  /** The least number of minutes with a score in the window. */
  readonly scoresMin: number;
}

export type ScoreRule = News2Rule | BedsideRule | EarlyWarningRule;
export type ScoreKind = ScoreRule['kind'];

export const SCORE_KINDS: readonly ScoreKind[] = [
  'news2',
  'mews',
  'qsofa',
  'shock-index',
  'early-warning',
];

const CONDITIONS: Readonly<Record<ScoreKind, string>> = {
  news2: 'NEWS2',
  mews: 'MEWS',
  qsofa: 'QSOFA',
  'shock-index': 'SHOCK_INDEX',
  'early-warning': 'EARLY_WARNING',
};

/** What the score is called, as in the metric of an alert's cause. */
export const scoreNameOf = ({ kind }: ScoreRule): string => CONDITIONS[kind];

/** The condition a rule is about, unique in a set: `NEWS2`, `NEWS2/emergency`. */
export const scoreConditionOf = (rule: ScoreRule): string =>
  rule.instance === undefined ? scoreNameOf(rule) : `${scoreNameOf(rule)}/${rule.instance}`;

/** What a rule waits for, in words. */
export function describeScoreRule(rule: ScoreRule): string {
  if (rule.kind === 'early-warning')
    return `the mean NEWS2 of ${rule.windowMinutes} min is ${rule.limit} or more, before 7 is reached`;
  const single = rule.kind === 'news2' ? rule.singleLimit : undefined;
  const or = single === undefined ? '' : `, or a single parameter gives ${single} points or more`;
  return `${scoreNameOf(rule)} is ${rule.limit} or more${or}`;
}
