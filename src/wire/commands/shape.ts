import { TocsinError } from '../../base/errors.ts';
import { type UnixMillis, unixMillis } from '../../base/ids.ts';
import {
  asArray,
  asBoolean,
  asFields,
  asInstant,
  asName,
  asOneOf,
  asText,
  asWhole,
  type Origin,
  refuse,
} from '../check.ts';

/**
 * Checked types by description: what each field of a record has to be. For records that are rare; those that come with
 * every alert have readers of their own, which are faster.
 */
export type Check<T> = (origin: Origin, field: string, value: unknown) => T;

interface Rule<T> {
  readonly check: Check<Exclude<T, undefined>>;
  /** What a field that is absent becomes: nothing, or a field that is undefined; undefined here = it must be there. */
  readonly absent: 'absent' | 'undefined' | undefined;
}

/** The rule of each field, in the order in which they are written. */
export type Shape<T> = { readonly [K in keyof T]-?: Rule<T[K]> };

export const must = <T>(check: Check<Exclude<T, undefined>>): Rule<T> => ({
  check,
  absent: undefined,
});
/** A field that may be left out. */
export const may = <T>(check: Check<Exclude<T, undefined>>): Rule<T> => ({
  check,
  absent: 'absent',
});
/** A field that is always there, and undefined when it was left out. */
export const orUndefined = <T>(check: Check<Exclude<T, undefined>>): Rule<T> => ({
  check,
  absent: 'undefined',
});

/** An object of this shape, its fields in the order of the shape. */
export function ofShape<T extends object>(shape: Shape<T>): Check<T> {
  const rules = Object.entries(shape) as [keyof T & string, Rule<unknown>][];
  const known = new Set<string>(rules.map(([key]) => key));
  return (origin, field, value) => {
    const fields = asFields(origin, field, value, known);
    const result: Record<string, unknown> = {};
    for (const [key, { check, absent }] of rules) {
      const given = fields[key];
      if (given !== undefined) result[key] = check(origin, key, given);
      else if (absent === 'undefined') result[key] = undefined;
      else if (absent === undefined) refuse(origin, key, 'is missing');
    }
    return result as T;
  };
}

/** The fields of a record as a body holds them: in the order they have, without what is undefined, within records too. */
export const withoutUndefined = (record: object): Readonly<Record<string, unknown>> =>
  Object.fromEntries(
    Object.entries(record)
      .filter(([, value]) => value !== undefined)
      .map(([key, value]) => [key, isRecord(value) ? withoutUndefined(value) : value]),
  );

const isRecord = (value: unknown): value is object =>
  typeof value === 'object' && value !== null && !Array.isArray(value);

export const name: Check<string> = asName;
export const prose: Check<string> = asText;
export const flag: Check<boolean> = asBoolean;
export const instant: Check<UnixMillis> = (origin, field, value) =>
  unixMillis(asInstant(origin, field, value));
export const count: Check<number> = (origin, field, value) =>
  asWhole(origin, field, value, 0, Number.MAX_SAFE_INTEGER);

/** Prose that says something. */
export const reason: Check<string> = (origin, field, value) => {
  const text = asText(origin, field, value);
  if (text.trim() === '') refuse(origin, field, 'must not be empty');
  return text;
};

/** True, or left out: one spelling for each value. */
export const mark: Check<boolean> = (origin, field, value) => {
  if (value !== true) refuse(origin, field, 'must be true or absent');
  return true;
};

export const whole =
  (min: number, max: number): Check<number> =>
  (origin, field, value) =>
    asWhole(origin, field, value, min, max);

export const oneOf =
  <T extends string>(words: readonly T[]): Check<T> =>
  (origin, field, value) =>
    asOneOf(origin, field, value, words);

export const listOf =
  <T>(check: Check<T>, countMin: number, countMax: number): Check<readonly T[]> =>
  (origin, field, value) => {
    const items = asArray(origin, field, value, countMax);
    if (items.length < countMin) refuse(origin, field, `must have at least ${countMin} items`);
    return items.map((item, at) => {
      try {
        return check(origin, field, item);
      } catch (error) {
        throw inPlace(error, field, at);
      }
    });
  };

/** Which of many alike it is: `steps[2]: targets[0]: must be …`. */
function inPlace(error: unknown, field: string, at: number): unknown {
  if (!TocsinError.is(error)) return error;
  const { code, message } = error;
  const what = message.startsWith(`${field}: `) ? message.slice(field.length + 2) : message;
  return new TocsinError(code, `${field}[${at}]: ${what}`, { cause: error });
}
