import { z } from 'zod';
import {
  NAME_CHARS_MAX,
  RULE_NAME_CHARS_MAX,
  RULE_PATIENTS_MAX,
  RULES_PER_SET_MAX,
  TEXT_CHARS_MAX,
} from '../../src/base/limits.ts';
import type { RuleList } from '../../src/base/rules/listed-rules.ts';
import { isMetricName, METRIC_NAMES, type MetricName } from '../../src/base/rules/metrics.ts';
import type { RuleSet } from '../../src/base/rules/rules.ts';
import { SCORE_KINDS } from '../../src/base/rules/score-rules.ts';
import { didYouMean } from './suggest.ts';

/** Rules as people write them: fields, types, and what is left to its default. Figures are judged by `findFault`. */

const PRIORITIES = ['high', 'medium', 'low'] as const;
const SIDES = ['HI', 'LO'] as const;

const nameOf = z
  .string()
  .max(RULE_NAME_CHARS_MAX, `is longer than ${RULE_NAME_CHARS_MAX} characters`)
  .regex(/^[A-Za-z0-9][A-Za-z0-9_.-]*$/, 'may hold letters, digits, ".", "_" and "-" only');
const metric = z.custom<MetricName>((value) => typeof value === 'string' && isMetricName(value), {
  error: ({ input }) => notOneOf(input, METRIC_NAMES),
});
const side = z.enum(SIDES, { error: ({ input }) => notOneOf(input, SIDES) });
const named = {
  id: nameOf,
  priority: z.enum(PRIORITIES, { error: ({ input }) => notOneOf(input, PRIORITIES) }),
  text: z.string().min(1, 'is empty').max(TEXT_CHARS_MAX).exactOptional(),
};
const number = z.number();

const limitRule = z.strictObject({
  ...named,
  metric,
  startAfter: number,
  side,
  limit: number,
  hysteresis: number.exactOptional(),
  endAfter: number,
  instance: nameOf.exactOptional(),
  latching: z.boolean().exactOptional(),
  acknowledgementRequired: z.boolean().exactOptional(),
});
const missingRule = z.strictObject({
  ...named,
  metric,
  startAfter: number,
  endAfter: number.default(1),
});

const trend = { ...named, metric, startAfter: number.default(1), endAfter: number.default(1) };
const trendRule = z.discriminatedUnion(
  'kind',
  [
    z.strictObject({ ...trend, kind: z.literal('stuck'), startAfter: number }),
    z.strictObject({
      ...trend,
      kind: z.literal('rate'),
      side,
      perMinute: number,
      overSeconds: number,
    }),
    z.strictObject({ ...trend, kind: z.literal('zscore'), limit: number }),
    z.strictObject({ ...trend, kind: z.literal('ewma'), weight: number, limit: number }),
    z.strictObject({ ...trend, kind: z.literal('cusum'), slack: number, limit: number }),
    z.strictObject({
      ...trend,
      kind: z.literal('slope'),
      side,
      limit: number,
      withinMinutes: number,
      points: number,
    }),
  ],
  { error: 'is not one of stuck, rate, zscore, ewma, cusum, slope' },
);

const score = {
  ...named,
  limit: number,
  startAfterSeconds: number.default(0),
  endAfterSeconds: number.default(0),
  validMinutes: number.default(720),
  instance: nameOf.exactOptional(),
};
const scale = z.literal([1, 2], { error: 'is not 1 or 2' });
const scoreRule = z.discriminatedUnion(
  'kind',
  [
    z.strictObject({
      ...score,
      kind: z.literal('news2'),
      singleLimit: number.exactOptional(),
      scale: scale.exactOptional(),
    }),
    z.strictObject({ ...score, kind: z.literal(['mews', 'qsofa', 'shock-index']) }),
    z.strictObject({
      ...score,
      kind: z.literal('early-warning'),
      windowMinutes: number,
      scoresMin: number.default(2),
    }),
  ],
  { error: `is not one of ${SCORE_KINDS.join(', ')}` },
);

const profile = z.strictObject({
  name: nameOf,
  limits: z.record(nameOf, number).default({}),
  scale: scale.exactOptional(),
  patients: z.array(z.string().min(1, 'is empty').max(NAME_CHARS_MAX)).max(RULE_PATIENTS_MAX),
});

/** One rule of each list. */
export const RULE_SCHEMAS: Readonly<Record<RuleList, z.ZodType<object>>> = {
  rules: limitRule,
  missing: missingRule,
  trends: trendRule,
  scores: scoreRule,
  profiles: profile,
};

const ruleSet = z.strictObject({
  version: z.literal(1, { error: 'is not 1, the only version of the format' }),
  name: z.string().min(1, 'is empty').max(NAME_CHARS_MAX),
  revision: z.int().min(1, 'is below 1').default(1),
  rules: z.array(limitRule).max(RULES_PER_SET_MAX),
  missing: z.array(missingRule).max(RULES_PER_SET_MAX).default([]),
  profiles: z.array(profile).max(RULES_PER_SET_MAX).exactOptional(),
  trends: z.array(trendRule).max(RULES_PER_SET_MAX).exactOptional(),
  scores: z.array(scoreRule).max(RULES_PER_SET_MAX).exactOptional(),
});

export const RULE_SET_SCHEMA: z.ZodType<RuleSet> = ruleSet;

/** The fields of a rule of this list, for suggestions. */
export function fieldsOf(list: string): readonly string[] {
  if (list === 'rules') return Object.keys(limitRule.shape);
  if (list === 'missing') return Object.keys(missingRule.shape);
  if (list === 'profiles') return Object.keys(profile.shape);
  if (list === 'trends') return optionFields(trendRule.options);
  if (list === 'scores') return optionFields(scoreRule.options);
  return Object.keys(ruleSet.shape);
}

const optionFields = (options: readonly { readonly shape: object }[]): readonly string[] => [
  ...new Set(options.flatMap(({ shape }) => Object.keys(shape))),
];

/** The list that a rule belongs to, told by what it has. */
export function listFor(rule: object): RuleList {
  if ('patients' in rule) return 'profiles';
  if ('kind' in rule) return SCORE_KINDS.some((kind) => kind === rule.kind) ? 'scores' : 'trends';
  return 'side' in rule || 'limit' in rule ? 'rules' : 'missing';
}

function notOneOf(input: unknown, known: readonly string[]): string {
  if (input === undefined) return 'is missing';
  const hint = typeof input === 'string' ? didYouMean(input, known) : '';
  return `${JSON.stringify(input)?.slice(0, 40)} is not one of ${known.join(', ')}${hint}`;
}
