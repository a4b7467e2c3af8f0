import { unixMillis } from '../../base/ids.ts';
import { NAME_CHARS_MAX } from '../../base/limits.ts';
import type { Command } from '../../statemachine/commands.ts';
import type { AlertFilter } from '../../statemachine/types.ts';
import {
  asArray,
  asBoolean,
  asDedupKey,
  asFields,
  asInstant,
  asLine,
  asName,
  asOneOf,
  refuse,
  type Unchecked,
} from '../check.ts';
import type { Building } from './command-body.ts';
import { isRare, parseRareCommand } from './command-shapes.ts';
import { parseCondition } from './parse-condition.ts';
import { KINDS, PRIORITIES, STATES } from './words.ts';

/**
 * Untrusted values become checked types here and in parse-*.ts, nowhere else. Requests: BAD_REQUEST
 * with the field's name as the API has it, and unknown fields are refused.
 */

const names = <T>(...fields: readonly (keyof T & string)[]): ReadonlySet<string> => new Set(fields);

/**
 * A command in the form of the API, from a caller that the compiler did not check: JSON, a plain
 * JavaScript program. A command that passed here can be encoded.
 * @throws TocsinError BAD_REQUEST naming the field
 */
export function parseCommand(type: Command['type'], value: unknown): Command {
  if (!isRare(type)) return parseCondition(type, value);
  return parseRareCommand(type, asFields('request', type, value, undefined));
}

const FILTER = names<AlertFilter>(
  'open',
  'states',
  'priorities',
  'kinds',
  'dedupKey',
  'unit',
  'bed',
  'patient',
  'device',
  'text',
  'raisedFrom',
  'raisedUntil',
  'stale',
);

/** @throws TocsinError BAD_REQUEST naming the field */
export function parseFilter(value: unknown): AlertFilter {
  const fields: Unchecked<AlertFilter> = asFields('request', 'filter', value, FILTER);
  const { open, states, priorities, kinds, dedupKey } = fields;
  const filter: Building<AlertFilter> = {};
  if (open !== undefined) filter.open = asBoolean('request', 'open', open);
  if (states !== undefined) filter.states = asWords('states', states, STATES);
  if (priorities !== undefined) filter.priorities = asWords('priorities', priorities, PRIORITIES);
  if (kinds !== undefined) filter.kinds = asWords('kinds', kinds, KINDS);
  if (dedupKey !== undefined) filter.dedupKey = asDedupKey('request', 'dedupKey', dedupKey);
  for (const place of ['unit', 'bed', 'patient', 'device'] as const)
    if (fields[place] !== undefined) filter[place] = asName('request', place, fields[place]);
  const { text, stale } = fields;
  if (text !== undefined) filter.text = asLine('request', 'text', text, 1, NAME_CHARS_MAX);
  for (const bound of ['raisedFrom', 'raisedUntil'] as const)
    if (fields[bound] !== undefined)
      filter[bound] = unixMillis(asInstant('request', bound, fields[bound]));
  if (stale !== undefined) filter.stale = asBoolean('request', 'stale', stale);
  const { raisedFrom = 0, raisedUntil = Number.POSITIVE_INFINITY } = filter;
  if (raisedFrom >= raisedUntil)
    refuse('request', 'raisedUntil', 'must lie after raisedFrom: nothing could match');
  return filter;
}

/** Each word at most once: a filter is a set. */
function asWords<T extends string>(
  field: string,
  value: unknown,
  words: readonly T[],
): readonly T[] {
  const found = asArray('request', field, value, words.length).map((word) =>
    asOneOf('request', field, word, words),
  );
  if (new Set(found).size !== found.length) refuse('request', field, 'names a word twice');
  return found;
}
