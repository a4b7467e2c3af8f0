import { describe, expect, test } from 'vitest';
import { asLine, asText } from '../../src/wire/check.ts';

const line = (text: string) => () => asLine('request', 'text', text, 0, 100);
const prose = (text: string) => () => asText('request', 'text', text);
const point = (code: number): string => `a${String.fromCharCode(code)}b`;
const range = (from: number, to: number): string[] =>
  Array.from({ length: to - from + 1 }, (_, at) => point(from + at));

describe('a text that somebody sends', () => {
  test.each([
    ['control characters', [...range(0x7f, 0x9f), ...range(0x00, 0x08)]],
    ['separators, embeddings and overrides', range(0x2028, 0x202e)],
    ['isolates', range(0x2066, 0x2069)],
  ])('holds no %s, which would show it as another one', (_what, texts) => {
    for (const text of texts) {
      expect(line(text), JSON.stringify(text)).toThrow(/must not hold/);
      expect(prose(text), JSON.stringify(text)).toThrow(/must not hold/);
    }
  });

  test.each(['Zürich', 'שלום', 'مرحبا', 'a\u200fb', '血圧', '🫀', 'a\u200db'])(
    'is any of the scripts of the world: %s',
    (text) => {
      expect(line(text)()).toBe(text);
      expect(prose(text)()).toBe(text);
    },
  );

  test('may have lines where it is prose, and only there', () => {
    expect(prose('one\n\ttwo')()).toBe('one\n\ttwo');
    expect(line('one\ntwo')).toThrow(/control characters/);
  });

  test('that was kept by an older version is still read', () => {
    expect(asText('answer', 'text', 'a\u202eb')).toBe('a\u202eb');
  });
});
