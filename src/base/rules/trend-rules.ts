import type { MetricName } from './metrics.ts';
import type { RulePriority, Side } from './rules.ts';

/** Rules about how a value changes. Advisory, but for a signal that stands still, which is technical: limits come first. */

interface Common {
  /** Unique in the set; stands in each alert's cause. */
  readonly id: string;
  readonly metric: MetricName;
  readonly priority: RulePriority;
  /** What is wrong, for people. @defaultValue made from the kind and its figures */
  readonly text?: string;
  /** Starts at so many consecutive findings: samples for `stuck` and `rate`, blocks for the others. */
  readonly startAfter: number;
  readonly endAfter: number;
}

/** Exactly the same value again and again: a sensor, not a patient. */
export interface StuckRule extends Common {
  readonly kind: 'stuck';
}

/** A change of at least `perMinute` units a minute over `overSeconds`. */
export interface RateRule extends Common {
  readonly kind: 'rate';
  readonly side: Side;
  readonly perMinute: number;
  readonly overSeconds: number;
}

/** The median of a block further than `limit` standard deviations from what is usual for the patient. */
export interface ZscoreRule extends Common {
  readonly kind: 'zscore';
  readonly limit: number;
}

/** A moving average of these with this weight, further than `limit` of its own standard deviations. */
export interface EwmaRule extends Common {
  readonly kind: 'ewma';
  readonly weight: number;
  readonly limit: number;
}

/** A cumulative sum of these beyond `limit`. */
export interface CusumRule extends Common {
  readonly kind: 'cusum';
  readonly slack: number;
  readonly limit: number;
}

/** A line through the latest `points` blocks that surely moves, and reaches `limit` within so many minutes. */
export interface SlopeRule extends Common {
  readonly kind: 'slope';
  readonly side: Side;
  readonly limit: number;
  readonly withinMinutes: number;
  readonly points: number;
}

export type TrendRule = StuckRule | RateRule | ZscoreRule | EwmaRule | CusumRule | SlopeRule;

/** The condition a rule is about: `HR:CUSUM`, `SpO2:SLOPE:LO`. */
export const trendConditionOf = (rule: TrendRule): string =>
  `${rule.metric}:${rule.kind.toUpperCase()}${'side' in rule ? `:${rule.side}` : ''}`;

/** What a rule waits for, in words. */
export function describeTrendRule(rule: TrendRule): string {
  const { metric } = rule;
  switch (rule.kind) {
    case 'stuck':
      return `${metric} is the same ${rule.startAfter} samples in a row`;
    case 'rate':
      return `${metric} ${rule.side === 'HI' ? 'rises' : 'falls'} by ${rule.perMinute} a minute or more over ${rule.overSeconds} s`;
    case 'zscore':
      return `${metric} is ${rule.limit} or more standard deviations from what is usual for the patient`;
    case 'ewma':
      return `the moving average of ${metric} (weight ${rule.weight}) is ${rule.limit} or more of its standard deviations from the usual`;
    case 'cusum':
      return `deviations of ${metric} beyond ${rule.slack} standard deviations add up to ${rule.limit}`;
    case 'slope':
      return `${metric} surely ${rule.side === 'HI' ? 'rises' : 'falls'} and reaches ${rule.limit} within ${rule.withinMinutes} min`;
  }
}
