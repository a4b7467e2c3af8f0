import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import {
  oneOf,
  parseAddresses,
  parseAlertId,
  parseDuration,
  parseHexId,
  parseInstant,
  parseLabel,
  parseMembers,
  parseNumber,
  parseRef,
  parseReplicaId,
  someOf,
  whole,
} from '../../../cli/commands/values.ts';
import { didYouMean } from '../../../cli/input/suggest.ts';

const parsePriority = oneOf(['high', 'medium', 'low']);
const parseStates = (text: string): unknown => someOf(['LATCHED', 'RTN_UNACK'])(text, undefined);
const parseLabels = (text: string): unknown => parseLabel(text, undefined);

/** What commander takes for a value it can report. */
const REFUSAL = { code: 'commander.invalidArgument' };
const isRefusal = (error: unknown): boolean =>
  error instanceof Error && 'code' in error && error.code === REFUSAL.code;

type Parse = (text: string) => unknown;

const GOOD: readonly (readonly [string, Parse, string, unknown])[] = [
  ['a duration', parseDuration, '500ms', 500],
  ['a duration', parseDuration, '10s', 10_000],
  ['a duration', parseDuration, '1.5s', 1_500],
  ['a duration', parseDuration, '2m', 120_000],
  ['a duration', parseDuration, '1h', 3_600_000],
  ['a whole number', whole(0), '0', 0],
  ['a whole number', whole(1, 1_000), '1000', 1_000],
  ['a replica id', parseReplicaId, '65535', 65_535],
  ['a number', parseNumber, '-3', -3],
  ['a number', parseNumber, '36.6', 36.6],
  ['a number', parseNumber, '1e3', 1_000],
  ['a word', parsePriority, 'HIGH', 'high'],
  ['words', parseStates, 'latched,rtn-unack,LATCHED', ['LATCHED', 'RTN_UNACK']],
  ['a cluster id', parseHexId, 'a'.repeat(32), 'a'.repeat(32)],
  ['an alert id', parseAlertId, 'A1042', 'A1042'],
  ['a reference', parseRef, 'A1042', { id: 'A1042' }],
  ['a reference', parseRef, 'A01', { dedupKey: 'A01' }],
  ['a reference', parseRef, 'bed:B12', { dedupKey: 'bed:B12' }],
  ['an instant', parseInstant, '2026-03-01T03:04:05Z', 1_772_334_245_000],
  ['an instant', parseInstant, '2026-03-01T04:04:05.250+01:00', 1_772_334_245_250],
  ['an instant', parseInstant, '1772334245000', 1_772_334_245_000],
  ['an instant', parseInstant, '2028-02-29T00:00Z', Date.UTC(2028, 1, 29)],
  ['a label', parseLabels, 'a=b=c', { a: 'b=c' }],
  ['a label', parseLabels, 'a=', { a: '' }],
  ['addresses', parseAddresses, '/a, /b,/a', ['/a', '/b']],
  [
    'members',
    parseMembers,
    '2=/b,1=/a',
    [
      { id: 1, address: '/a' },
      { id: 2, address: '/b' },
    ],
  ],
];

const BAD: readonly (readonly [string, Parse, readonly string[]])[] = [
  [
    'a duration',
    parseDuration,
    ['', '10', 's', '-1s', '0s', '0.1ms', '61m', '1h30m', '1e3s', ' 1s'],
  ],
  ['a whole number', whole(1, 9), ['', '0', '10', '1.0', '-1', '+1', '0x1', ' 1', '1e0', '٣']],
  ['a whole number', whole(0), ['9007199254740992', '99999999999999999999']],
  ['a replica id', parseReplicaId, ['0', '65536']],
  ['a number', parseNumber, ['', 'NaN', 'Infinity', '1e999', '0x10', '1,5', '.', '--1']],
  ['a word', parsePriority, ['', 'urgent', 'high,low']],
  ['words', parseStates, ['', 'LATCHED,', 'OPEN']],
  ['a cluster id', parseHexId, ['', 'A'.repeat(32), 'a'.repeat(31), 'a'.repeat(33)]],
  ['an alert id', parseAlertId, ['', 'A', 'A0', 'A01', 'a1', '1', 'A1.5', 'A9007199254740993']],
  ['a reference', parseRef, ['']],
  [
    'an instant',
    parseInstant,
    ['', 'now', '2026-03-01', '2026-03-01T03:04:05', '2026-13-01T00:00Z'],
  ],
  ['an instant', parseInstant, ['2026-02-29T00:00Z', '2026-04-31T00:00Z', '2026-04-00T00:00Z']],
  ['an instant', parseInstant, ['8640000000000001', '-1', '1969-12-31T23:59:59Z']],
  ['a label', parseLabels, ['', 'a', '=b']],
  [
    'addresses',
    parseAddresses,
    ['', '/a,,/b', ',', Array.from({ length: 64 }, (_, i) => i).join()],
  ],
  ['members', parseMembers, ['', '/a', '1=', '1=/a,', '0=/a', 'x=/a', '1=/a 2=/b']],
];

describe('flags mean', () => {
  test.each(GOOD)('%s (%s): %s', (_what, parse, text, value) => {
    expect(parse(text)).toEqual(value);
  });
});

describe('refused with a sentence:', () => {
  test.each(
    BAD.flatMap(([what, parse, texts]) => texts.map((text) => [what, text, parse] as const)),
  )('%s: "%s"', (_what, text, parse) => {
    expect(() => parse(text)).toThrow(expect.objectContaining(REFUSAL));
  });
});

test('no text makes a parser fail in any other way', () => {
  const parsers = [...GOOD.map(([, parse]) => parse), ...BAD.map(([, parse]) => parse)];
  const anyText = fc
    .array(fc.oneof(fc.constantFrom(...'0A=,/.-:TZ\0'), fc.integer({ min: 0, max: 0x10ffff })))
    .map((parts) =>
      parts.map((one) => (typeof one === 'string' ? one : String.fromCodePoint(one))).join(''),
    );
  fc.assert(
    fc.property(anyText, fc.constantFrom(...parsers), (text, parse) => {
      try {
        parse(text);
      } catch (error) {
        if (!isRefusal(error)) throw error;
      }
    }),
    { numRuns: 500 },
  );
});

test('a label is not given twice, and names of objects are names like others', () => {
  expect(() => parseLabel('a=2', { a: '1' })).toThrow('given twice');
  expect(Object.entries(parseLabel('__proto__=x', { constructor: 'y' }))).toEqual([
    ['constructor', 'y'],
    ['__proto__', 'x'],
  ]);
});

test('a word that is nearly right is suggested', () => {
  expect(() => parsePriority('hihg')).toThrow('(did you mean "high"?)');
});

test('any two letters may have changed places', () => {
  const words = ['get', 'list', 'acknowledge', 'transfer'];
  fc.assert(
    fc.property(fc.constantFrom(...words), fc.nat(), (word, place) => {
      const at = place % (word.length - 1);
      const typed = `${word.slice(0, at)}${word[at + 1]}${word[at]}${word.slice(at + 2)}`;
      expect(didYouMean(typed, words)).toBe(` (did you mean "${word}"?)`);
    }),
  );
});
