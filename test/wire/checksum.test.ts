import { crc32 } from 'node:zlib';
import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { checksum } from '../../src/wire/checksum.ts';
import { TextTable } from '../../src/wire/text-table.ts';

const BYTES_MAX = 32;

test('a checksum is the CRC-32 of zlib, in one piece or several', () => {
  fc.assert(
    fc.property(fc.uint8Array({ maxLength: 300 }), fc.nat(), fc.nat(), (bytes, a, b) => {
      const [start, end] = [a % (bytes.length + 1), b % (bytes.length + 1)].sort((x, y) => x - y);
      const whole = crc32(bytes.subarray(start, end));
      expect(checksum(bytes, start ?? 0, end ?? 0)).toBe(whole);
      const first = checksum(bytes, 0, start ?? 0);
      expect(checksum(bytes, start ?? 0, bytes.length, first)).toBe(crc32(bytes));
    }),
  );
});

test('the check value of CRC-32 is right', () => {
  expect(checksum(Buffer.from('123456789'), 0, 9)).toBe(0xcbf43926);
});

describe('a table of texts', () => {
  test('gives each text as it is, however many share a place', () => {
    const text = fc.string({ unit: 'grapheme-ascii', maxLength: BYTES_MAX });
    fc.assert(
      fc.property(fc.array(text), (texts) => {
        const table = new TextTable(4, BYTES_MAX);
        for (const one of [...texts, ...texts]) {
          const bytes = Buffer.from(`<${one}>`, 'latin1');
          expect(table.text(bytes, 1, one.length)).toBe(one);
        }
      }),
    );
  });

  test('keeps a text when the bytes it was read from change', () => {
    const table = new TextTable(4, BYTES_MAX);
    const bytes = Buffer.from('abc');
    const text = table.text(bytes, 0, 3);
    bytes.write('xyz');
    expect(text).toBe('abc');
    expect(table.text(bytes, 0, 3)).toBe('xyz');
    expect(table.text(Buffer.from('abc'), 0, 3)).toBe('abc');
  });
});
