import { InvalidArgumentError } from 'commander';
import { REPLICA_ID_MAX } from '../../src/base/ids.ts';
import { LABELS_MAX, MEMBERS_MAX, REQUEST_MS_MAX, UNIX_MILLIS_MAX } from '../../src/base/limits.ts';
import type { ListCursor } from '../../src/statemachine/alert-api.ts';
import type { AlertId, AlertRef } from '../../src/statemachine/types.ts';
import { repeatable } from '../input/repeatable.ts';
import { didYouMean } from '../input/suggest.ts';

/** What the value of a flag means. Each throws commander's InvalidArgumentError, which names the flag. */

const invalid = (what: string): InvalidArgumentError => new InvalidArgumentError(what);

const UNITS_MS: Readonly<Record<string, number>> = { ms: 1, s: 1_000, m: 60_000, h: 3_600_000 };

/** `500ms`, `10s`, `2m`, `1h`: in milliseconds. */
export function parseDuration(text: string): number {
  const [, digits, unit] = /^(\d{1,9}(?:\.\d{1,3})?)(ms|s|m|h)$/.exec(text) ?? [];
  const duration = Math.round(Number(digits) * (UNITS_MS[unit ?? ''] ?? Number.NaN));
  if (!(duration >= 1 && duration <= REQUEST_MS_MAX))
    throw invalid('It must be a duration from 1ms to 1h, such as 500ms, 10s or 2m.');
  return duration;
}

/** A whole number in its plain spelling. */
export const whole =
  (min: number, max: number = Number.MAX_SAFE_INTEGER) =>
  (text: string): number => {
    const value = /^\d{1,16}$/.test(text) ? Number(text) : Number.NaN;
    if (Number.isSafeInteger(value) && value >= min && value <= max) return value;
    const range = max === Number.MAX_SAFE_INTEGER ? `of at least ${min}` : `from ${min} to ${max}`;
    throw invalid(`It must be a whole number ${range}.`);
  };

export const parseReplicaId: (text: string) => number = whole(1, REPLICA_ID_MAX);

/** A finite number in decimal notation. */
export function parseNumber(text: string): number {
  const value = /^[-+]?(\d+\.?\d*|\.\d+)(e[-+]?\d+)?$/i.test(text) ? Number(text) : Number.NaN;
  if (!Number.isFinite(value)) throw invalid('It must be a number, such as 141 or 36.6.');
  return value;
}

export function parseText(text: string): string {
  if (text === '') throw invalid('It must not be empty.');
  return text;
}

/** A parser that knows all that it takes, for who suggests words. */
export type Choice<P> = P & { readonly words: readonly string[] };

/** One of a closed set of words, in any case, with - for _. */
export const oneOf = <T extends string>(words: readonly T[]): Choice<(text: string) => T> => {
  const parse = (text: string): T => {
    const word = words.find(
      (known) => known.toLowerCase() === text.toLowerCase().replaceAll('-', '_'),
    );
    if (word !== undefined) return word;
    throw invalid(`It must be one of ${words.join(', ')}${didYouMean(text, words)}.`);
  };
  return Object.assign(parse, { words });
};

/** Some of a closed set of words, with commas between them; the flag may be repeated. */
export const someOf = <T extends string>(
  words: readonly T[],
): Choice<(text: string, before: readonly T[] | undefined) => readonly T[]> => {
  const parse = oneOf(words);
  const parseAll = (text: string, before: readonly T[] = []): readonly T[] => [
    ...new Set([...before, ...text.split(',').map((one) => parse(one.trim()))]),
  ];
  return Object.assign(repeatable(parseAll), { words });
};

export const parseHexId = (text: string): string => {
  if (/^[0-9a-f]{32}$/.test(text)) return text;
  throw invalid('It must be 32 hex digits, as tocsin format prints them.');
};

export function parseAlertId(text: string): AlertId {
  const id = idOf(text);
  if (id === undefined) throw invalid('It must be an alert id such as A1042.');
  return id;
}

/** An alert id, or the `next` of a page. */
export function parseAfter(text: string): AlertId | ListCursor {
  const [id = '', at, ...rest] = text.split('@');
  if (
    idOf(id) === undefined ||
    rest.length > 0 ||
    (at !== undefined && !/^[1-9]\d{0,15}$/.test(at))
  )
    throw invalid('It must be an alert id such as A1042, or what a page ended with: A1042@5310.');
  return text as AlertId | ListCursor;
}

/** An alert id, or the dedup key of an open alert. */
export function parseRef(text: string): AlertRef {
  if (text === '') throw invalid('It must be an alert id such as A1042, or a dedup key.');
  const id = idOf(text);
  return id === undefined ? { dedupKey: text } : { id };
}

/** The id that somebody may have meant who wrote a key that nothing is open under: `a1` for A1. */
export function idMeantBy(ref: AlertRef): AlertId | undefined {
  return 'dedupKey' in ref ? idOf(ref.dedupKey.trim().toUpperCase()) : undefined;
}

function idOf(text: string): AlertId | undefined {
  const number = Number(text.slice(1));
  const isId = Number.isSafeInteger(number) && number >= 1 && `A${number}` === text;
  return isId ? `A${number}` : undefined;
}

const ISO = /^\d{4}-\d\d-\d\dT\d\d:\d\d(:\d\d(\.\d{1,3})?)?(Z|[-+]\d\d:\d\d)$/;

/** Not 31 February, which would be taken for a day of March. */
const isDay = (text: string): boolean =>
  new Date(Date.parse(text)).toJSON()?.startsWith(text) === true;

/** An instant as ISO 8601 with its offset, or as milliseconds since 1970. */
export function parseInstant(text: string): number {
  const time =
    ISO.test(text) && isDay(text.slice(0, 10))
      ? Date.parse(text)
      : /^\d{1,16}$/.test(text)
        ? Number(text)
        : Number.NaN;
  if (!(time >= 0 && time <= UNIX_MILLIS_MAX))
    throw invalid('It must be a time such as 2026-03-01T03:04:05Z, or milliseconds since 1970.');
  return time;
}

export type Labels = Readonly<Record<string, string>>;

/** `name=value`; the flag is repeated for more. */
export const parseLabel: (text: string, before: Labels | undefined) => Labels =
  repeatable(addLabel);

function addLabel(text: string, before: Labels | undefined): Labels {
  const at = text.indexOf('=');
  if (at < 1) throw invalid('It must be name=value.');
  const name = text.slice(0, at);
  if (before !== undefined && Object.hasOwn(before, name))
    throw invalid(`Label ${name} is given twice.`);
  const labels = Object.fromEntries([...Object.entries(before ?? {}), [name, text.slice(at + 1)]]);
  if (Object.keys(labels).length > LABELS_MAX) throw invalid(`There are more than ${LABELS_MAX}.`);
  return labels;
}

/** Any text, as it stands; the flag is repeated for more. */
export const parseTexts: (text: string, before?: readonly string[]) => readonly string[] =
  repeatable(addText);

function addText(text: string, before: readonly string[] = []): readonly string[] {
  return [...before, parseText(text)];
}

/** What stands between commas; blanks around them, and nothing between two, mean nothing. */
export const betweenCommas = (text: string): readonly string[] =>
  text
    .split(',')
    .map((one) => one.trim())
    .filter((one) => one !== '');

/** Texts with commas between them, each once; the flag may be repeated. */
export const parseTextList: (text: string, before?: readonly string[]) => readonly string[] =
  repeatable(addTextList);

function addTextList(text: string, before: readonly string[] = []): readonly string[] {
  return [...new Set([...before, ...text.split(',').map((one) => parseText(one.trim()))])];
}

/** Addresses with commas between them, as they stand; the flag may be repeated. */
export const parseAddresses: (text: string, before?: readonly string[]) => readonly string[] =
  repeatable(addAddresses);

function addAddresses(text: string, before: readonly string[] = []): readonly string[] {
  const addresses = [...before, ...text.split(',').map((one) => one.trim())];
  if (addresses.includes('')) throw invalid('It must be addresses with commas between them.');
  if (addresses.length > MEMBERS_MAX) throw invalid(`There are more than ${MEMBERS_MAX}.`);
  return [...new Set(addresses)];
}

export interface MemberText {
  readonly id: number;
  readonly address: string;
}

/** `1=/ip4/10.0.0.1/tcp/7400,2=…`: in order of id; the addresses as they stand. The flag may be repeated. */
export const parseMembers: (text: string, before?: readonly MemberText[]) => readonly MemberText[] =
  repeatable(addMembers);

function addMembers(text: string, before: readonly MemberText[] = []): readonly MemberText[] {
  const added = text.split(',').map((one): MemberText => {
    const [, id = '', address = ''] = /^\s*(\d+)=(\S+)\s*$/.exec(one) ?? [];
    if (address === '') throw invalid('It must be ID=ADDRESS,ID=ADDRESS,… for all members.');
    return { id: parseReplicaId(id), address };
  });
  const members = [...before, ...added];
  if (members.length > MEMBERS_MAX) throw invalid(`There are more than ${MEMBERS_MAX}.`);
  return members.toSorted((a, b) => a.id - b.id);
}
