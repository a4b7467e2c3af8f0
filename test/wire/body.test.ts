import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { BODY_DEPTH_MAX, BODY_ITEMS_MAX, BODY_MAP_KEYS_MAX } from '../../src/base/limits.ts';
import { BodyDecoder, decodeBody, encodeBody } from '../../src/wire/body.ts';
import { bodyValue } from './arbitraries.ts';
import { bytesOf, codeOf, copyOf, messageOf } from './helpers.ts';

describe('a body', () => {
  test('comes back as it was', () => {
    fc.assert(
      fc.property(bodyValue, (value) => {
        expect(decodeBody(encodeBody(value))).toEqual(value);
      }),
    );
  });

  test('is decoded from the middle of other bytes, and the bytes are left as they were', () => {
    fc.assert(
      fc.property(bodyValue, fc.uint8Array({ maxLength: 9 }), fc.uint8Array(), (value, a, z) => {
        const body = encodeBody(value);
        const all = new Uint8Array(Buffer.concat([a, body, z]));
        const before = copyOf(all);
        const decoder = new BodyDecoder(all);
        expect(decoder.decode(a.byteLength, a.byteLength + body.byteLength)).toEqual(value);
        expect(Object.keys(all).length).toBe(all.byteLength);
        expect(all).toEqual(before);
      }),
    );
  });

  test('cut short anywhere is refused', () => {
    fc.assert(
      fc.property(bodyValue, (value) => {
        const body = encodeBody(value);
        for (let length = 0; length < body.byteLength; length += 1 + (length >> 6))
          expect(codeOf(() => decodeBody(body.subarray(0, length)))).toBe('BODY_MALFORMED');
      }),
    );
  });

  test('with bytes behind it is refused', () => {
    fc.assert(
      fc.property(bodyValue, fc.uint8Array({ minLength: 1 }), (value, more) => {
        const body = Buffer.concat([encodeBody(value), more]);
        expect(codeOf(() => decodeBody(body))).toBe('BODY_MALFORMED');
      }),
    );
  });

  test('of random bytes is refused or decodes to what encodes and decodes to the same', () => {
    fc.assert(
      fc.property(fc.uint8Array({ maxLength: 200 }), (bytes) => {
        const decode = (): void => {
          const value = decodeBody(bytes);
          expect(decodeBody(encodeBody(value))).toEqual(value);
        };
        expect(['no error', 'BODY_MALFORMED']).toContain(codeOf(decode));
        expect(messageOf(decode), 'the look before left it to the decoder').not.toBe(
          'not MessagePack',
        );
      }),
      { numRuns: 800 },
    );
  });

  test('with some bytes changed is refused or decodes to what encodes and decodes to the same', () => {
    const change = fc.tuple(fc.nat(), fc.integer({ min: 0, max: 255 }));
    fc.assert(
      fc.property(bodyValue, fc.array(change, { minLength: 1, maxLength: 4 }), (value, changes) => {
        const bytes = copyOf(encodeBody(value));
        for (const [at, byte] of changes) bytes[at % bytes.byteLength] = byte;
        const decode = (): void => {
          const decoded = decodeBody(bytes);
          expect(decodeBody(encodeBody(decoded))).toEqual(decoded);
        };
        expect(['no error', 'BODY_MALFORMED']).toContain(codeOf(decode));
        expect(messageOf(decode), 'the look before left it to the decoder').not.toBe(
          'not MessagePack',
        );
      }),
      { numRuns: 800 },
    );
  });

  test('with a negative zero in it is encoded as zero', () => {
    expect(decodeBody(encodeBody({ value: -0 }))).toEqual({ value: 0 });
  });

  test('encoded before does not change when another is encoded, however long', () => {
    const first = encodeBody({ text: 'first' });
    const copy = copyOf(first);
    const long = encodeBody('x'.repeat(3_000_000));
    const last = encodeBody({ text: 'last' });
    expect(copyOf(first)).toEqual(copy);
    expect(decodeBody(long)).toHaveLength(3_000_000);
    expect(last.buffer.byteLength).toBeLessThanOrEqual(32 * 1024);
  });
});

describe('allowed:', () => {
  const allowed = (name: string, hex: string, value: unknown): void =>
    test(name, () => expect(decodeBody(bytesOf(hex))).toEqual(value));

  allowed('nil', 'c0', null);
  allowed('float 32', 'ca 3fc00000', 1.5);
  allowed('float 64', 'cb 3ff8000000000000', 1.5);
  allowed('the greatest safe integer', 'cf 001fffffffffffff', Number.MAX_SAFE_INTEGER);
  allowed('the same, signed', 'd3 001fffffffffffff', Number.MAX_SAFE_INTEGER);
  allowed('the least safe integer', 'd3 ffe0000000000001', Number.MIN_SAFE_INTEGER);
  allowed('a text with a longer header than it needs', 'db 00000001 61', 'a');
  allowed('an empty key', '81 a0 01', { '': 1 });
  allowed('a long key', `81 d9 20 ${'61'.repeat(32)} 01`, { ['a'.repeat(32)]: 1 });
  allowed('the same key in different maps', '92 81 a161 01 81 a161 02', [{ a: 1 }, { a: 2 }]);
  allowed('the same key inside', '81 a161 81 a161 02', { a: { a: 2 } });
  allowed('a key again after an inner map', '82 a161 81 a162 01 a162 02', { a: { b: 1 }, b: 2 });
  allowed('keys with the same ends', '82 a3616263 01 a3616463 02', { abc: 1, adc: 2 });
  allowed('four-byte UTF-8', 'a4 f09fab80', '🫀');
  allowed('the deepest nesting', `${'91'.repeat(BODY_DEPTH_MAX)}01`, nested(BODY_DEPTH_MAX));
  allowed('the most keys', hexOfMap(BODY_MAP_KEYS_MAX), mapOf(BODY_MAP_KEYS_MAX));
});

describe('refused at once:', () => {
  const refused = (name: string, bytes: Uint8Array | string, why: RegExp): void =>
    test(name, () => {
      const body = typeof bytes === 'string' ? bytesOf(bytes) : bytes;
      const memory = process.memoryUsage().arrayBuffers;
      const started = performance.now();
      expect(messageOf(() => decodeBody(body))).toMatch(why);
      expect(performance.now() - started).toBeLessThan(1_000);
      expect(process.memoryUsage().arrayBuffers - memory).toBeLessThan(1_000_000);
    });

  refused('nothing', '', /too early at byte 0/);
  refused('an array that announces 33,554,431', 'dd 01ffffff', /too few bytes/);
  refused('an array that announces 2³²−1', 'dd ffffffff', /too few bytes/);
  refused('a map that announces 2³²−1', 'df ffffffff', /keys/);
  refused('a map that announces more than is there', 'de 0040 a161 01', /too few bytes/);
  refused('a text that announces 2³²−1', 'db ffffffff', /announced/);
  refused('a text that announces 2³¹', 'db 80000000', /announced/);
  refused('one nesting too deep', `${'91'.repeat(BODY_DEPTH_MAX + 1)}01`, /nested deeper/);
  refused('200,000 nested arrays', new Uint8Array(200_000).fill(0x91), /nested deeper/);
  refused('200,000 nested maps', Buffer.from('81a161'.repeat(200_000), 'hex'), /nested deeper/);
  refused(
    'a million items',
    new Uint8Array(1_000_005)
      .fill(1)
      .with(0, 0xdd)
      .with(1, 0)
      .with(2, 0x0f)
      .with(3, 0x42)
      .with(4, 0x40),
    /items/,
  );
  refused('many arrays that together announce too much', manyArrays(), /items/);
  refused('a map of too many keys', hexOfMap(BODY_MAP_KEYS_MAX + 1), /keys/);
  refused('bin 8', 'c4 01 00', /0xc4 is not allowed/);
  refused('bin 16', 'c5 0001 00', /not allowed/);
  refused('bin 32', 'c6 00000001 00', /not allowed/);
  refused('the unused byte', 'c1', /not allowed/);
  refused('ext 8', 'c7 01 69 00', /not allowed/);
  refused('ext 16', 'c8 0001 69 00', /not allowed/);
  refused('ext 32', 'c9 00000001 69 00', /not allowed/);
  refused('a record definition of msgpackr', 'd4 72 40 91 a161 01', /not allowed/);
  refused('a long record definition', 'd5 72 40 01 91 a161 01', /not allowed/);
  refused('undefined of msgpackr', 'd4 00 00', /not allowed/);
  refused('a timestamp', 'd6 ff 00000000', /not allowed/);
  refused('a regular expression of msgpackr', 'c7 04 78 92 a161 a0', /not allowed/);
  refused('a Set of msgpackr', 'd4 73 00 91 01', /not allowed/);
  refused('an Error of msgpackr', 'd4 65 00 93 a145 a161 c0', /not allowed/);
  refused('a reference of msgpackr', '91 d6 70 00000001', /not allowed/);
  refused('bundled strings of msgpackr', 'd6 62 00000000', /not allowed/);
  refused('a big integer of msgpackr', 'c7 01 42 01', /not allowed/);
  refused('an integer of 2⁵³', 'cf 0020000000000000', /integer beyond/);
  refused('an integer of 2⁶⁴−1', 'cf ffffffffffffffff', /integer beyond/);
  refused('an integer of −2⁵³', 'd3 ffe0000000000000', /integer beyond/);
  refused('an integer of −2⁶³', 'd3 8000000000000000', /integer beyond/);
  refused('a signed integer of 2⁵³', 'd3 0020000000000000', /integer beyond/);
  refused('NaN', 'cb 7ff8000000000000', /finite/);
  refused('another NaN', 'cb fff0000000000001', /finite/);
  refused('infinity', 'cb 7ff0000000000000', /finite/);
  refused('minus infinity', 'cb fff0000000000000', /finite/);
  refused('NaN in 32 bits', 'ca 7fc00000', /finite/);
  refused('negative zero', 'cb 8000000000000000', /negative zero/);
  refused('negative zero in 32 bits', 'ca 80000000', /negative zero/);
  refused('infinity in 32 bits', 'ca ff800000', /finite/);
  refused('a key that is a number', '81 01 01', /key is not a text/);
  refused('a key that is nil', '81 c0 01', /key is not a text/);
  refused('a key that is an array', '81 90 01', /key is not a text/);
  refused('a key that is bin', '81 c4 01 61 01', /key is not a text/);
  refused('a key twice', '82 a161 01 a161 02', /twice at byte 4/);
  refused('an empty key twice', '82 a0 01 a0 02', /twice/);
  refused('a key twice in two spellings', '82 a161 01 d9 01 61 02', /twice/);
  refused('a key twice around an inner map', '82 a161 81 a162 01 a161 02', /twice/);
  refused('__proto__', `81 a9 ${hexOf('__proto__')} 80`, /forbidden/);
  refused('__proto__ in a longer spelling', `81 d9 09 ${hexOf('__proto__')} 80`, /forbidden/);
  refused('constructor', `81 ab ${hexOf('constructor')} 80`, /forbidden/);
  refused('prototype', `81 a9 ${hexOf('prototype')} 80`, /forbidden/);
  refused('a lonely continuation byte', 'a1 80', /UTF-8/);
  refused('an overlong slash', 'a2 c0af', /UTF-8/);
  refused('an overlong nul', 'a3 e08080', /UTF-8/);
  refused('a surrogate', 'a3 eda080', /UTF-8/);
  refused('beyond U+10FFFF', 'a4 f4908080', /UTF-8/);
  refused('a character cut off by the end of its text', '92 a1 c3 a9', /UTF-8|early|many/);
  refused('bad UTF-8 in a long text', `d9 80 ${'61'.repeat(127)}ff`, /UTF-8/);
  refused('bad UTF-8 in a key', '81 a1 ff 01', /UTF-8/);
  refused('a map that ends after a key', '81 a161', /early|few/);
});

function hexOf(text: string): string {
  return Buffer.from(text).toString('hex');
}

function nested(depth: number): unknown {
  let value: unknown = 1;
  for (let i = 0; i < depth; i += 1) value = [value];
  return value;
}

function mapOf(count: number): Record<string, number> {
  return Object.fromEntries(Array.from({ length: count }, (_, i) => [`k${100 + i}`, 1]));
}

function hexOfMap(count: number): string {
  const pairs = Object.keys(mapOf(count)).map((name) => `a4${hexOf(name)}01`);
  return `de${count.toString(16).padStart(4, '0')}${pairs.join('')}`;
}

/**
 * 16 arrays of 15 arrays of … each announcing what it really has, more than BODY_ITEMS_MAX in all.
 */
function manyArrays(): Uint8Array {
  const inner = Buffer.concat([Buffer.from('dc1000', 'hex'), Buffer.alloc(4096, 1)]);
  const count = Math.ceil(BODY_ITEMS_MAX / 4096) + 1;
  const header = Buffer.from([0xdc, count >> 8, count & 0xff]);
  return Buffer.concat([header, ...Array.from({ length: count }, () => inner)]);
}
