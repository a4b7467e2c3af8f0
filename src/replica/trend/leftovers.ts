import {
  CLOCK_RULE,
  clockDedupKey,
  dedupKey,
  scoreDedupKey,
  trendDedupKey,
} from '../../analytics/alerts.ts';
import { conditionOf, type RuleSet } from '../../base/rules/rules.ts';
import { scoreConditionOf } from '../../base/rules/score-rules.ts';
import { trendConditionOf } from '../../base/rules/trend-rules.ts';
import type { OpenBook, OpenCondition } from './open-book.ts';

/**
 * Conditions that are open in the store though no rule in force would raise them: their rule was removed while nobody
 * judged by it, so nobody has cleared them. Alerts that no rule has raised are somebody else's, and stay.
 */

/** Those about a patient at a device for whom this replica begins to speak: nobody else does. */
export function leftAtSource(
  open: OpenBook,
  { rules, missing, trends = [] }: RuleSet,
  source: { readonly patient: string; readonly device: string },
): readonly string[] {
  const keys = new Set([
    ...[...rules, ...missing].map((rule) => dedupKey(rule, source)),
    ...trends.map((rule) => trendDedupKey(rule, source)),
    clockDedupKey(source),
  ]);
  return keysWithout(open, keys, source.patient, source.device);
}

/** The same of a patient as a whole. */
export const leftOfPatient = (
  open: OpenBook,
  { scores = [] }: RuleSet,
  patient: string,
): readonly string[] =>
  keysWithout(
    open,
    new Set(scores.map((rule) => scoreDedupKey(rule, patient))),
    patient,
    undefined,
  );

const keysWithout = (
  open: OpenBook,
  keys: ReadonlySet<string>,
  patient: string,
  device: string | undefined,
): readonly string[] =>
  [...open.of(patient, device)]
    .filter(({ key, rule }) => rule !== undefined && !keys.has(key))
    .map(({ key }) => key);

/** Those whose rule was in one set and is not in the next, or is about another condition there. */
export function leftByChange(open: OpenBook, before: RuleSet, after: RuleSet): readonly string[] {
  const [were, are] = [conditionsOf(before), conditionsOf(after)];
  const gone = new Set([...were.keys()].filter((id) => were.get(id) !== are.get(id)));
  if (gone.size === 0) return [];
  return leftBy(open, are)
    .filter(({ rule = '' }) => gone.has(rule))
    .map(({ key }) => key);
}

/** All that no rule in force would raise: of streams that may come again, and of such that never will. */
export const leftInAll = (open: OpenBook, rules: RuleSet): readonly OpenCondition[] =>
  leftBy(open, conditionsOf(rules)).filter(({ rule }) => rule !== CLOCK_RULE);

const leftBy = (open: OpenBook, known: ReadonlyMap<string, string>): readonly OpenCondition[] =>
  [...open.byRule()].flatMap(({ rule, condition, raised }) =>
    known.get(rule) === condition ? [] : [...raised],
  );

/** By id of the rule. */
const conditionsOf = ({ rules, missing, trends = [], scores = [] }: RuleSet): Map<string, string> =>
  new Map([
    ...[...rules, ...missing].map((rule) => [rule.id, conditionOf(rule)] as const),
    ...trends.map((rule) => [rule.id, trendConditionOf(rule)] as const),
    ...scores.map((rule) => [rule.id, scoreConditionOf(rule)] as const),
  ]);
