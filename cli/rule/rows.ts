import { METRICS } from '../../src/base/rules/metrics.ts';
import {
  conditionOf,
  type LimitRule,
  type MissingRule,
  type RuleSet,
} from '../../src/base/rules/rules.ts';
import {
  describeTrendRule,
  type TrendRule,
  trendConditionOf,
} from '../../src/base/rules/trend-rules.ts';

/** A rule in a line. */
export interface RuleRow {
  readonly id: string;
  readonly condition: string;
  readonly priority: string;
  /** What it waits for, in words. */
  readonly says: string;
}

export const ruleRows = (set: RuleSet): readonly RuleRow[] => [
  ...[...set.rules, ...set.missing].map((rule) => ({
    id: rule.id,
    condition: conditionOf(rule),
    priority: rule.priority,
    says: describeRule(rule),
  })),
  ...(set.trends ?? []).map((rule) => ({
    id: rule.id,
    condition: trendConditionOf(rule),
    priority: rule.priority,
    says: describeTrend(rule),
  })),
];

function describeRule(rule: LimitRule | MissingRule): string {
  const { metric, startAfter, endAfter } = rule;
  const ends = `ends after ${endAfter}`;
  if (!('side' in rule))
    return `${metric} has no value ${startAfter} times in a row; ${ends} values`;
  const relation = rule.side === 'HI' ? 'at or above' : 'at or below';
  const back = rule.hysteresis === undefined ? '' : ` that are ${rule.hysteresis} back inside`;
  return `${metric} is ${relation} ${rule.limit} ${METRICS[metric].unit} ${startAfter} times in a row; ${ends}${back}`;
}

const describeTrend = (rule: TrendRule): string =>
  `${describeTrendRule(rule)}; starts after ${rule.startAfter}, ends after ${rule.endAfter}`;
