import { readFile, stat } from 'node:fs/promises';
import { parseDocument } from 'yaml';
import type { z } from 'zod';
import { TocsinError } from '../../src/base/errors.ts';
import { RULES_FILE_BYTES_MAX } from '../../src/base/limits.ts';
import { type ListedRule, rulesOfSet } from '../../src/base/rules/listed-rules.ts';
import { findFault } from '../../src/base/rules/rule-faults.ts';
import { findProblem, type RuleSet } from '../../src/base/rules/rules.ts';
import { firstLine } from './first-line.ts';
import { reasonOf } from './lines.ts';
import { plainWords } from './plain-words.ts';
import { fieldsOf, listFor, RULE_SCHEMAS, RULE_SET_SCHEMA } from './rule-schemas.ts';
import { didYouMean } from './suggest.ts';

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
  const parsed = RULE_SET_SCHEMA.safeParse(raw, plainWords());
  if (!parsed.success) {
    const issue = parsed.error.issues[0];
    throw badRules(path, issue === undefined ? 'is not a rule set' : describe(issue, raw));
  }
  const set: RuleSet = parsed.data;
  checkFigures(set, path, raw);
  const problem = findProblem(set);
  if (problem !== undefined) {
    const where = placeOf([problem.list, problem.index, problem.field], raw);
    throw badRules(path, `${where}: ${problem.message}`);
  }
  return set;
}

/**
 * One rule, as it would stand in a file; what it has tells the list that it belongs to.
 * @throws TocsinError BAD_RULES
 */
export function parseRule(text: string, path: string): ListedRule {
  const raw = parseText(text, path);
  if (typeof raw !== 'object' || raw === null || Array.isArray(raw))
    throw badRules(path, 'is not a map');
  const list = listFor(raw);
  const parsed = RULE_SCHEMAS[list].safeParse(raw, plainWords());
  const at = { [list]: [raw] };
  if (!parsed.success) {
    const issue = parsed.error.issues[0];
    const what = issue && describe({ ...issue, path: [list, 0, ...issue.path] }, at);
    throw badRules(path, what ?? 'is not a rule');
  }
  const rule = { list, ...parsed.data } as ListedRule;
  const fault = findFault(rule);
  if (fault !== undefined)
    throw badRules(path, `${placeOf([list, 0, fault.field], at)}: ${fault.message}`);
  return rule;
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
function checkFigures(set: RuleSet, path: string, raw: unknown): void {
  const indexes = new Map<string, number>();
  for (const rule of rulesOfSet(set)) {
    const index = indexes.get(rule.list) ?? 0;
    indexes.set(rule.list, index + 1);
    const fault = findFault(rule);
    if (fault === undefined) continue;
    throw badRules(path, `${placeOf([rule.list, index, fault.field], raw)}: ${fault.message}`);
  }
}

function describe(issue: z.core.$ZodIssue, raw: unknown): string {
  if (issue.code !== 'unrecognized_keys') return `${placeOf(issue.path, raw)}: ${issue.message}`;
  const key = issue.keys[0] ?? '';
  const message = `unknown field${didYouMean(key, fieldsOf(String(issue.path[0])))}`;
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

const badRules = (path: string, what: string, cause?: unknown): TocsinError =>
  new TocsinError('BAD_RULES', `${path}: ${what}`, { cause });
