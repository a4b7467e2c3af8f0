import { readFile, stat } from 'node:fs/promises';
import { parseDocument } from 'yaml';
import { z } from 'zod';
import { TocsinError } from '../../src/base/errors.ts';
import {
  NAME_CHARS_MAX,
  RULES_FILE_BYTES_MAX,
  RULES_PER_SET_MAX,
  RUN_SAMPLES_MAX,
  TEXT_CHARS_MAX,
} from '../../src/base/limits.ts';
import {
  isMetricName,
  METRIC_NAMES,
  METRICS,
  type MetricName,
} from '../../src/base/rules/metrics.ts';
import { findProblem, type LimitRule, type RuleSet } from '../../src/base/rules/rules.ts';
import { reasonOf } from './lines.ts';
import { didYouMean } from './suggest.ts';

const PRIORITIES = ['high', 'medium', 'low'] as const;
const SIDES = ['HI', 'LO'] as const;

const nameOf = z
  .string()
  .max(32, 'is longer than 32 characters')
  .regex(/^[A-Za-z0-9][A-Za-z0-9_.-]*$/, 'may hold letters, digits, ".", "_" and "-" only');
const samples = z
  .int('is not a whole number of samples')
  .min(1, 'is below 1')
  .max(RUN_SAMPLES_MAX, `is above ${RUN_SAMPLES_MAX}`);
const metric = z.custom<MetricName>((value) => typeof value === 'string' && isMetricName(value), {
  error: ({ input }) => notOneOf(input, METRIC_NAMES),
});
const common = {
  id: nameOf,
  metric,
  startAfter: samples,
  priority: z.enum(PRIORITIES, { error: ({ input }) => notOneOf(input, PRIORITIES) }),
  text: z.string().min(1, 'is empty').max(TEXT_CHARS_MAX).exactOptional(),
};
const limitRule = z.strictObject({
  ...common,
  side: z.enum(SIDES, { error: ({ input }) => notOneOf(input, SIDES) }),
  limit: z.number(),
  hysteresis: z.number().min(0, 'is below 0').exactOptional(),
  endAfter: samples,
  instance: nameOf.exactOptional(),
  latching: z.boolean().exactOptional(),
  acknowledgementRequired: z.boolean().exactOptional(),
});
const missingRule = z.strictObject({ ...common, endAfter: samples.default(1) });
const { startAfter: _samples, ...named } = common;
const trendCommon = { ...named, startAfter: samples.default(1), endAfter: samples.default(1) };
const side = z.enum(SIDES, { error: ({ input }) => notOneOf(input, SIDES) });
const above = (least: number, most: number) =>
  z.number().min(least, `is below ${least}`).max(most, `is above ${most}`);
const trendRule = z.discriminatedUnion(
  'kind',
  [
    z.strictObject({ ...trendCommon, kind: z.literal('stuck'), startAfter: samples }),
    z.strictObject({
      ...trendCommon,
      kind: z.literal('rate'),
      side,
      perMinute: above(0.01, 1_000),
      overSeconds: above(5, 3_600),
    }),
    z.strictObject({ ...trendCommon, kind: z.literal('zscore'), limit: above(1, 100) }),
    z.strictObject({
      ...trendCommon,
      kind: z.literal('ewma'),
      weight: above(0.01, 1),
      limit: above(1, 100),
    }),
    z.strictObject({
      ...trendCommon,
      kind: z.literal('cusum'),
      slack: above(0, 10),
      limit: above(1, 100),
    }),
    z.strictObject({
      ...trendCommon,
      kind: z.literal('slope'),
      side,
      limit: z.number(),
      withinMinutes: above(1, 240),
      points: z.int('is not a whole number').min(3, 'is below 3').max(120, 'is above 120'),
    }),
  ],
  { error: 'is not one of stuck, rate, zscore, ewma, cusum, slope' },
);
const ruleSet = z.strictObject({
  version: z.literal(1, { error: 'is not 1, the only version of the format' }),
  name: z.string().min(1, 'is empty').max(NAME_CHARS_MAX),
  revision: z.int().min(1, 'is below 1').default(1),
  rules: z.array(limitRule).max(RULES_PER_SET_MAX),
  missing: z.array(missingRule).max(RULES_PER_SET_MAX).default([]),
  profiles: z
    .array(
      z.strictObject({
        name: nameOf,
        limits: z.record(nameOf, z.number()),
        patients: z.array(z.string().min(1, 'is empty').max(NAME_CHARS_MAX)),
      }),
    )
    .max(RULES_PER_SET_MAX)
    .exactOptional(),
  trends: z.array(trendRule).max(RULES_PER_SET_MAX).exactOptional(),
});

/**
 * Reads a rule set from a JSON or YAML file.
 * @throws TocsinError BAD_RULES naming the file, the rule and the field
 */
export async function loadRules(path: string): Promise<RuleSet> {
  let text: string;
  try {
    const { size } = await stat(path);
    if (size > RULES_FILE_BYTES_MAX)
      throw badRules(path, `is ${size} bytes long; at most ${RULES_FILE_BYTES_MAX} are read`);
    text = new TextDecoder('utf-8', { fatal: true }).decode(await readFile(path));
  } catch (error) {
    if (TocsinError.is(error)) throw error;
    throw badRules(path, `cannot be read: ${reasonOf(error)}`, error);
  }
  return parseRules(text, path);
}

/**
 * The same from a text; `path` is for messages, and `.json` at its end asks for strict JSON.
 * @throws TocsinError BAD_RULES
 */
export function parseRules(text: string, path: string): RuleSet {
  const raw = parseText(text, path);
  const parsed = ruleSet.safeParse(raw);
  if (!parsed.success) {
    const issue = parsed.error.issues[0];
    throw badRules(path, issue === undefined ? 'is not a rule set' : describe(issue, raw));
  }
  const set: RuleSet = parsed.data;
  for (const [index, rule] of set.rules.entries()) checkLimit(path, rule, index);
  const problem = findProblem(set);
  if (problem !== undefined) {
    const where = placeOf([problem.list, problem.index, problem.field], raw);
    throw badRules(path, `${where}: ${problem.message}`);
  }
  return set;
}

function parseText(text: string, path: string): unknown {
  if (path.toLowerCase().endsWith('.json')) {
    try {
      JSON.parse(text);
    } catch (error) {
      throw badRules(path, `is not JSON: ${reasonOf(error)}`, error);
    }
  }
  // JSON is read as YAML too: unlike JSON.parse it refuses a key that stands twice.
  const document = parseDocument(text, { prettyErrors: true, logLevel: 'error' });
  const error = document.errors[0];
  if (error !== undefined) throw badRules(path, `is not YAML: ${firstLine(error.message)}`, error);
  try {
    return document.toJS({ maxAliasCount: 100 });
  } catch (cause) {
    throw badRules(path, `is not YAML: ${firstLine(reasonOf(cause))}`, cause);
  }
}

/** A limit that no patient can reach is a rule that never speaks. */
function checkLimit(path: string, rule: LimitRule, index: number): void {
  const { limitMin, limitMax, unit } = METRICS[rule.metric];
  if (rule.limit >= limitMin && rule.limit <= limitMax) return;
  const where = placeOf(['rules', index, 'limit'], { rules: { [index]: rule } });
  const message = `${rule.limit} is not between ${limitMin} and ${limitMax} ${unit}`;
  throw badRules(path, `${where}: ${message}`);
}

function describe(issue: z.core.$ZodIssue, raw: unknown): string {
  if (issue.code !== 'unrecognized_keys') return `${placeOf(issue.path, raw)}: ${issue.message}`;
  const key = issue.keys[0] ?? '';
  const [list] = issue.path;
  const known =
    list === 'rules' ? limitRule.shape : list === 'missing' ? missingRule.shape : ruleSet.shape;
  const message = `unknown field${didYouMean(key, Object.keys(known))}`;
  return `${placeOf([...issue.path, key], raw)}: ${message}`;
}

/** `rules[2] (hr-high), field limit`. */
function placeOf(path: readonly PropertyKey[], raw: unknown): string {
  const [list, index, ...fields] = path;
  if (typeof index !== 'number')
    return path.length === 0 ? 'file' : `field ${path.map(String).join('.')}`;
  const id = memberOf(memberOf(memberOf(raw, list), index), 'id');
  const name = typeof id === 'string' ? ` (${id.slice(0, 32)})` : '';
  const field = fields.length === 0 ? '' : `, field ${fields.map(String).join('.')}`;
  return `${String(list)}[${index}]${name}${field}`;
}

function memberOf(value: unknown, key: PropertyKey | undefined): unknown {
  if (typeof value !== 'object' || value === null || key === undefined) return undefined;
  return Object.getOwnPropertyDescriptor(value, key)?.value;
}

function notOneOf(input: unknown, known: readonly string[]): string {
  if (input === undefined) return 'is missing';
  const hint = typeof input === 'string' ? didYouMean(input, known) : '';
  return `${JSON.stringify(input)?.slice(0, 40)} is not one of ${known.join(', ')}${hint}`;
}

const firstLine = (message: string): string => message.split('\n', 1)[0]?.replace(/:$/, '') ?? '';

const badRules = (path: string, what: string, cause?: unknown): TocsinError =>
  new TocsinError('BAD_RULES', `${path}: ${what}`, { cause });
