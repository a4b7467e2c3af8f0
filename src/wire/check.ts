import { TocsinError } from '../base/errors.ts';
import {
  DEDUP_KEY_CHARS_MAX,
  NAME_CHARS_MAX,
  TEXT_CHARS_MAX,
  UNIX_MILLIS_MAX,
} from '../base/limits.ts';

/**
 * Small checks that turn one untrusted value into a typed one, or throw an error that names the
 * field. In a request the asker is at fault (BAD_REQUEST) and a field that nobody knows is refused,
 * because ignoring it could mean the opposite of what was meant; in an answer the bytes are at
 * fault (BODY_MALFORMED) and an unknown field is a newer server's and passes.
 */
export type Origin = 'request' | 'answer';

export type Fields = Readonly<Record<string, unknown>>;
/** The names of T, nothing known about the values. */
export type Unchecked<T> = { readonly [K in keyof T]?: unknown };

export function refuse(origin: Origin, field: string, what: string): never {
  throw new TocsinError(
    origin === 'request' ? 'BAD_REQUEST' : 'BODY_MALFORMED',
    `${field}: ${what}`,
  );
}

/** An object. `known` are the fields a request may have; undefined = any. */
export function asFields(
  origin: Origin,
  field: string,
  value: unknown,
  known: ReadonlySet<string> | undefined,
): Fields {
  if (typeof value !== 'object' || value === null || Array.isArray(value))
    refuse(origin, field, 'must be an object');
  const fields = value as Fields;
  if (origin === 'request' && known !== undefined)
    for (const key in fields)
      if (!known.has(key))
        refuse(origin, field, `unknown field ${JSON.stringify(key.slice(0, 64))}`);
  return fields;
}

export function asArray(
  origin: Origin,
  field: string,
  value: unknown,
  countMax: number,
): readonly unknown[] {
  if (!Array.isArray(value)) refuse(origin, field, 'must be an array');
  const items: readonly unknown[] = value;
  if (items.length > countMax) refuse(origin, field, `${items.length} items, at most ${countMax}`);
  return items;
}

export function asBoolean(origin: Origin, field: string, value: unknown): boolean {
  if (typeof value !== 'boolean') refuse(origin, field, 'must be true or false');
  return value;
}

/** A whole number from `min` to `max`. */
export function asWhole(
  origin: Origin,
  field: string,
  value: unknown,
  min: number,
  max: number,
): number {
  if (typeof value !== 'number' || !Number.isSafeInteger(value))
    refuse(origin, field, 'must be a whole number');
  if (value < min || value > max) refuse(origin, field, `must be from ${min} to ${max}`);
  return value;
}

/** Milliseconds since 1970 that a Date can hold. */
export const asInstant = (origin: Origin, field: string, value: unknown): number =>
  asWhole(origin, field, value, 0, UNIX_MILLIS_MAX);

export function asFinite(origin: Origin, field: string, value: unknown): number {
  if (typeof value !== 'number' || !Number.isFinite(value))
    refuse(origin, field, 'must be a finite number');
  return value;
}

/** One of a closed set of words. */
export function asOneOf<T extends string>(
  origin: Origin,
  field: string,
  value: unknown,
  words: readonly T[],
): T {
  for (const word of words) if (word === value) return word;
  return refuse(origin, field, `must be one of ${words.join(', ')}`);
}

/** A word of a closed set by its place in it. */
export function asWordAt<T extends string>(
  origin: Origin,
  field: string,
  value: unknown,
  words: readonly T[],
): T {
  const word = typeof value === 'number' ? words[value] : undefined;
  return word ?? refuse(origin, field, `must be one of ${words.join(', ')}`);
}

/** A short designation: 1 … 128 UTF-16 units, no control characters, well-formed. */
export const asName = (origin: Origin, field: string, value: unknown): string =>
  asLine(origin, field, value, 1, NAME_CHARS_MAX);

export const asDedupKey = (origin: Origin, field: string, value: unknown): string =>
  asLine(origin, field, value, 1, DEDUP_KEY_CHARS_MAX);

/** Text on one line: no control characters at all. */
export function asLine(
  origin: Origin,
  field: string,
  value: unknown,
  charsMin: number,
  charsMax: number,
): string {
  const text = asSized(origin, field, value, charsMin, charsMax);
  for (let i = 0; i < text.length; i += 1) {
    const unit = text.charCodeAt(i);
    if (unit >= 0x20 && unit < 0x7f) continue;
    if (unit < 0xa0) refuse(origin, field, 'must not hold control characters');
    if (origin === 'request' && isDeceptive(unit)) refuse(origin, field, DECEPTIVE);
    if (unit >= 0xd800 && unit < 0xe000) i = overPair(origin, field, text, i);
  }
  return text;
}

/**
 * What makes a line look like another one where it is shown: embeddings, overrides and isolates of direction, and
 * separators of lines and paragraphs. Marks of direction alone are left to those whose script needs them.
 */
const isDeceptive = (unit: number): boolean =>
  (unit >= 0x2028 && unit <= 0x202e) || (unit >= 0x2066 && unit <= 0x2069);

const DECEPTIVE = 'must not hold characters that change how the text around them is shown';

/** Prose: tab and line feed are allowed, other control characters are not. May be empty. */
export function asText(origin: Origin, field: string, value: unknown): string {
  const text = asSized(origin, field, value, 0, TEXT_CHARS_MAX);
  for (let i = 0; i < text.length; i += 1) {
    const unit = text.charCodeAt(i);
    if (unit >= 0x20 && unit < 0x7f) continue;
    if (unit < 0x20 && unit !== 0x09 && unit !== 0x0a)
      refuse(origin, field, 'must not hold control characters');
    if (origin === 'request' && unit >= 0x7f && unit < 0xa0)
      refuse(origin, field, 'must not hold control characters');
    if (origin === 'request' && isDeceptive(unit)) refuse(origin, field, DECEPTIVE);
    if (unit >= 0xd800 && unit < 0xe000) i = overPair(origin, field, text, i);
  }
  return text;
}

function asSized(
  origin: Origin,
  field: string,
  value: unknown,
  charsMin: number,
  charsMax: number,
): string {
  if (typeof value !== 'string') refuse(origin, field, 'must be a text');
  if (value.length < charsMin) refuse(origin, field, 'must not be empty');
  if (value.length > charsMax)
    refuse(origin, field, `has ${value.length} characters, at most ${charsMax}`);
  return value;
}

/** Where the surrogate pair at `i` ends. */
function overPair(origin: Origin, field: string, text: string, i: number): number {
  const second = i + 1 < text.length ? text.charCodeAt(i + 1) : 0;
  if (text.charCodeAt(i) >= 0xdc00 || second < 0xdc00 || second >= 0xe000)
    refuse(origin, field, 'must not hold half of a surrogate pair');
  return i + 1;
}

/**
 * A text that `asText` accepts, as near to `text` as can be: for messages that quote what nobody
 * has checked.
 */
export function toText(text: string, charsMax: number): string {
  let result = '';
  for (const char of text.slice(0, charsMax)) {
    const point = char.codePointAt(0) ?? 0;
    if (point >= 0xd800 && point < 0xe000) result += '\ufffd';
    else result += point < 0x20 && point !== 0x09 && point !== 0x0a ? ' ' : char;
  }
  return result;
}
