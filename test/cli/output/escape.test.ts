import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { printable, printableJson } from '../../../cli/output/escape.ts';
import { toJsonDocument, toSafeJson } from '../../../cli/output/json.ts';

/** Said a second time, in numbers: what a terminal must never get. */
const isDangerous = (point: number): boolean =>
  point < 0x20 ||
  (point >= 0x7f && point < 0xa0) ||
  point === 0x61c ||
  point === 0x200b ||
  point === 0x200e ||
  point === 0x200f ||
  (point >= 0x2028 && point <= 0x202e) ||
  (point >= 0x2060 && point <= 0x206f) ||
  (point >= 0xd800 && point < 0xe000) ||
  point === 0xfeff ||
  (point >= 0xfff9 && point <= 0xfffb) ||
  (point >= 0xe0001 && point <= 0xe007f);

const dangers = (text: string): string[] =>
  [...text].filter((char) => isDangerous(char.codePointAt(0) ?? 0));

const anyText = fc.oneof(
  fc.array(fc.integer({ min: 0, max: 0x10ffff })).map((points) => String.fromCodePoint(...points)),
  fc.array(fc.integer({ min: 0, max: 0xffff })).map((units) => String.fromCharCode(...units)),
  fc
    .array(
      fc.constantFrom('\u001b[2J', '\u202e', '\u2066', '\u0007', '\r', '\u009b', '\ud800', 'é'),
    )
    .map((parts) => parts.join('')),
);

describe('text of others', () => {
  test('never changes how a terminal behaves', () => {
    fc.assert(fc.property(anyText, (text) => dangers(printable(text)).length === 0));
  });

  test('is left alone where it is safe', () => {
    fc.assert(
      fc.property(fc.string({ unit: 'grapheme-ascii' }), (text) => {
        expect(printable(text)).toBe(text);
      }),
    );
  });

  test.each([
    ['hides nothing behind a tag that is no character yet', '\u{e0002}', '\\u{e0002}'],
    ['clears no screen', '\u001b[2J', '\\x1b[2J'],
    ['sets no title', '\u001b]0;pwned\u0007', '\\x1b]0;pwned\\x07'],
    ['has no 8-bit control either', '\u009b31m', '\\x9b31m'],
    ['stays on its line', 'a\r\nb\tc', 'a\\r\\nb\\tc'],
    ['keeps its direction', 'a\u202eb\u2066c', 'a\\u{202e}b\\u{2066}c'],
    ['hides nothing', 'a\u200bb\ufeffc\u{e0041}', 'a\\u{200b}b\\u{feff}c\\u{e0041}'],
    ['may be of any script', 'Größe 心拍数 ضربان قلب 👩‍⚕️', 'Größe 心拍数 ضربان قلب 👩‍⚕️'],
    ['may be broken', '\ud83d', '\\u{d83d}'],
  ])('%s', (_claim, text, shown) => {
    expect(printable(text)).toBe(shown);
  });
});

describe('JSON', () => {
  test('is safe for a terminal, and the same value', () => {
    fc.assert(
      fc.property(fc.jsonValue(), anyText, (value, text) => {
        const all = { value, text };
        const same: unknown = JSON.parse(JSON.stringify(all));
        expect(JSON.parse(toSafeJson(all))).toEqual(same);
        expect(JSON.parse(toJsonDocument(all))).toEqual(same);
        expect(dangers(toSafeJson(all))).toEqual([]);
        expect(dangers(toJsonDocument(all).replaceAll('\n', ''))).toEqual([]);
      }),
    );
  });

  test('escapes in the way of JSON', () => {
    expect(printableJson('"\u202e\u{e0041}"')).toBe('"\\u202e\\udb40\\udc41"');
  });
});
