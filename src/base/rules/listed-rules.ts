import type { LimitProfile, LimitRule, MissingRule, RuleSet } from './rules.ts';
import type { ScoreRule } from './score-rules.ts';
import type { TrendRule } from './trend-rules.ts';

/** Rules one by one, as they are kept in the replicated state, and the set that they make. */

/** A rule and the list of a set that it belongs to. */
export type ListedRule =
  | ({ readonly list: 'rules' } & LimitRule)
  | ({ readonly list: 'missing' } & MissingRule)
  | ({ readonly list: 'trends' } & TrendRule)
  | ({ readonly list: 'scores' } & ScoreRule)
  | ({ readonly list: 'profiles' } & LimitProfile);

export type RuleList = ListedRule['list'];

export const RULE_LISTS: readonly RuleList[] = ['rules', 'missing', 'trends', 'scores', 'profiles'];

/** What a rule is called; a profile has a name instead of an id, and shares its room with them. */
export const idOfRule = (rule: ListedRule): string =>
  rule.list === 'profiles' ? rule.name : rule.id;

/** A rule in force. */
export interface KeptRule {
  readonly id: string;
  /** Rises with every change of any rule, so one that comes back after it was removed is another. */
  readonly version: number;
  readonly rule: ListedRule;
}

/** All that is in force, as a set whose alerts name the version of each rule. */
export function setOfRules(name: string, kept: readonly KeptRule[]): RuleSet {
  const listed = kept.map(({ rule }) => rule);
  return {
    version: 1,
    name,
    revision: kept.reduce((newest, { version }) => Math.max(newest, version), 1),
    rules: listed.filter((rule) => rule.list === 'rules'),
    missing: listed.filter((rule) => rule.list === 'missing'),
    trends: listed.filter((rule) => rule.list === 'trends'),
    scores: listed.filter((rule) => rule.list === 'scores'),
    profiles: listed.filter((rule) => rule.list === 'profiles'),
    versions: Object.fromEntries(kept.map(({ id, version }) => [id, version])),
  };
}

/** The rules of a set one by one, profiles last: they name others. */
export const rulesOfSet = (set: RuleSet): readonly ListedRule[] => [
  ...set.rules.map((rule) => ({ ...rule, list: 'rules' as const })),
  ...set.missing.map((rule) => ({ ...rule, list: 'missing' as const })),
  ...(set.trends ?? []).map((rule) => ({ ...rule, list: 'trends' as const })),
  ...(set.scores ?? []).map((rule) => ({ ...rule, list: 'scores' as const })),
  ...(set.profiles ?? []).map((rule) => ({ ...rule, list: 'profiles' as const })),
];
