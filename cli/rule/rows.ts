import { METRICS } from '../../src/base/rules/metrics.ts';
import {
  conditionOf,
  type LimitRule,
  type MissingRule,
  type RuleSet,
  versionOf,
} from '../../src/base/rules/rules.ts';
import {
  describeScoreRule,
  type ScoreRule,
  scoreConditionOf,
} from '../../src/base/rules/score-rules.ts';
import {
  describeTrendRule,
  type TrendRule,
  trendConditionOf,
} from '../../src/base/rules/trend-rules.ts';

/** A rule in a line. */
export interface RuleRow {
  readonly id: string;
  /** As alerts name it. */
  readonly version: number;
  readonly condition: string;
  readonly priority: string;
  /** What it waits for, in words. */
  readonly says: string;
}

export const ruleRows = (set: RuleSet): readonly RuleRow[] => [
  ...[...set.rules, ...set.missing].map((rule) => ({
    id: rule.id,
    version: versionOf(set, rule.id),
    condition: conditionOf(rule),
    priority: rule.priority,
    says: describeRule(rule),
  })),
  ...(set.trends ?? []).map((rule) => ({
    id: rule.id,
    version: versionOf(set, rule.id),
    condition: trendConditionOf(rule),
    priority: rule.priority,
    says: describeTrend(rule),
  })),
  ...(set.scores ?? []).map((rule) => ({
    id: rule.id,
    version: versionOf(set, rule.id),
    condition: scoreConditionOf(rule),
    priority: rule.priority,
    says: describeScore(rule),
  })),
];

const describeScore = (rule: ScoreRule): string =>
  `${describeScoreRule(rule)}; for ${rule.startAfterSeconds} s, and ends after ${rule.endAfterSeconds} s`;

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
