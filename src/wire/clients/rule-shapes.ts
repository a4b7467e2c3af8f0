import {
  RULE_NAME_CHARS_MAX,
  RULE_PATIENTS_MAX,
  RULE_PROFILE_LIMITS_MAX,
} from '../../base/limits.ts';
import { type KeptRule, type ListedRule, RULE_LISTS } from '../../base/rules/listed-rules.ts';
import { isMetricName, METRIC_NAMES, type MetricName } from '../../base/rules/metrics.ts';
import type { LimitProfile, RulePriority, Side } from '../../base/rules/rules.ts';
import { SCORE_KINDS } from '../../base/rules/score-rules.ts';
import type { TrendRule } from '../../base/rules/trend-rules.ts';
import { asFields, asFinite, asLine, asOneOf, refuse } from '../check.ts';
import {
  type Check,
  count,
  flag,
  listOf,
  may,
  must,
  name,
  ofShape,
  oneOf,
  reason,
} from '../commands/shape.ts';

/** Rules by description, as commands bring them and as snapshots and answers hold them. Ranges are the machine's to judge. */

const PRIORITIES: readonly RulePriority[] = ['high', 'medium', 'low'];
const SIDES: readonly Side[] = ['HI', 'LO'];
const SCALES = [1, 2] as const;
const TREND_KINDS: readonly TrendRule['kind'][] = [
  'stuck',
  'rate',
  'zscore',
  'ewma',
  'cusum',
  'slope',
];

const number: Check<number> = asFinite;
const word: Check<string> = (origin, field, value) => {
  const text = asLine(origin, field, value, 1, RULE_NAME_CHARS_MAX);
  if (!/^[A-Za-z0-9][A-Za-z0-9_.-]*$/.test(text))
    refuse(origin, field, 'may hold letters, digits, ".", "_" and "-" only');
  // As the key of a map it would be refused.
  if (text === 'constructor' || text === 'prototype') refuse(origin, field, `cannot be ${text}`);
  return text;
};
const metric: Check<MetricName> = (origin, field, value) => {
  const text = name(origin, field, value);
  return isMetricName(text)
    ? text
    : refuse(origin, field, `must be one of ${METRIC_NAMES.join(', ')}`);
};
const scale: Check<1 | 2> = (origin, field, value) =>
  SCALES.find((one) => one === value) ?? refuse(origin, field, 'must be 1 or 2');

const common = { id: must(word), priority: must(oneOf(PRIORITIES)), text: may(reason) };
const counted = { startAfter: must(number), endAfter: must(number) };
const sampled = { ...common, metric: must(metric), ...counted };
const side = must(oneOf(SIDES));

type Checks<K extends string> = { readonly [T in K]: Check<object> };

const TRENDS: Checks<TrendRule['kind']> = {
  stuck: trend({}),
  rate: trend({ side, perMinute: must(number), overSeconds: must(number) }),
  zscore: trend({ limit: must(number) }),
  ewma: trend({ weight: must(number), limit: must(number) }),
  cusum: trend({ slack: must(number), limit: must(number) }),
  slope: trend({
    side,
    limit: must(number),
    withinMinutes: must(number),
    points: must(number),
  }),
};

function trend(more: object): Check<object> {
  return ofShape<object>({ list: must(name), kind: must(name), ...sampled, ...more });
}

const score = (more: object): Check<object> =>
  ofShape<object>({
    list: must(name),
    kind: must(name),
    ...common,
    limit: must(number),
    startAfterSeconds: must(number),
    endAfterSeconds: must(number),
    validMinutes: must(number),
    instance: may(word),
    ...more,
  });

const SCORES: Checks<(typeof SCORE_KINDS)[number]> = {
  news2: score({ singleLimit: may(number), scale: may(scale) }),
  mews: score({}),
  qsofa: score({}),
  'shock-index': score({}),
  'early-warning': score({ windowMinutes: must(number), scoresMin: must(number) }),
};

/** Limits by the ids of rules, in the order of these: equal profiles have equal bytes. */
const limits: Check<LimitProfile['limits']> = (origin, field, value) => {
  const fields = asFields(origin, field, value, undefined);
  const ids = Object.keys(fields).sort();
  if (ids.length > RULE_PROFILE_LIMITS_MAX)
    refuse(origin, field, `${ids.length} limits, at most ${RULE_PROFILE_LIMITS_MAX}`);
  return Object.fromEntries(
    ids.map((id) => [word(origin, field, id), number(origin, `${field}.${id}`, fields[id])]),
  );
};

const BY_LIST: Checks<ListedRule['list']> = {
  rules: ofShape<object>({
    list: must(name),
    ...sampled,
    side,
    limit: must(number),
    hysteresis: may(number),
    instance: may(word),
    latching: may(flag),
    acknowledgementRequired: may(flag),
  }),
  missing: ofShape<object>({ list: must(name), ...sampled }),
  trends: (origin, field, value) =>
    TRENDS[kindOf(origin, field, value, TREND_KINDS)](origin, field, value),
  scores: (origin, field, value) =>
    SCORES[kindOf(origin, field, value, SCORE_KINDS)](origin, field, value),
  profiles: ofShape<object>({
    list: must(name),
    name: must(word),
    limits: must(limits),
    scale: may(scale),
    patients: must(listOf(name, 0, RULE_PATIENTS_MAX)),
  }),
};

function kindOf<K extends string>(
  origin: Parameters<Check<object>>[0],
  field: string,
  value: unknown,
  kinds: readonly K[],
): K {
  return asOneOf(origin, 'kind', asFields(origin, field, value, undefined)['kind'], kinds);
}

/** A rule with the list that it belongs to, which decides what fields it has. */
export const listedRule: Check<ListedRule> = (origin, field, value) => {
  const { list } = asFields(origin, field, value, undefined) as { readonly list?: unknown };
  const check = BY_LIST[asOneOf(origin, 'list', list, RULE_LISTS)];
  return check(origin, field, value) as ListedRule;
};

export const keptRule: Check<KeptRule> = ofShape<KeptRule>({
  id: must(word),
  version: must(count),
  rule: must(listedRule),
});
