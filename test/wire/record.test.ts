import { crc32 } from 'node:zlib';
import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { logIndex, term, unixMillis } from '../../src/base/ids.ts';
import { ENTRY_BYTES_MAX } from '../../src/base/limits.ts';
import {
  EntryRecord,
  entryOf,
  genesisChain,
  RECORD_HEADER_BYTES,
  recordLength,
  recordOf,
} from '../../src/wire/log/record.ts';
import { anIndex, aTerm, when } from './arbitraries.ts';
import { codeOf, copyOf, join, messageOf } from './helpers.ts';

const chain = fc.integer({ min: 0, max: Number.MAX_SAFE_INTEGER });
const parts = fc.array(fc.uint8Array({ maxLength: 40 }), { maxLength: 4 });
const kind = fc.constantFrom('noop' as const, 'commands' as const);

function sealed(body = 'some commands'): EntryRecord {
  const record = EntryRecord.draft('commands', unixMillis(5), 1, [Buffer.from(body)]);
  record.seal({ index: logIndex(7), term: term(3) }, 99);
  return record;
}

describe('an entry record', () => {
  test('says after parsing what it was made of', () => {
    fc.assert(
      fc.property(
        kind,
        when,
        parts,
        anIndex,
        aTerm,
        chain,
        (itsKind, time, body, index, t, before) => {
          const made = EntryRecord.draft(itsKind, time, body.length, body);
          expect(made.sealed).toBe(false);
          made.seal({ index, term: t }, before);
          const read = EntryRecord.parse(copyOf(made.bytes));
          expect(read.sealed).toBe(true);
          expect([read.kind, read.time, read.count]).toEqual([itsKind, time, body.length]);
          expect([read.index, read.term, read.previousChain]).toEqual([index, t, before]);
          expect(read.chain).toBe(made.chain);
          expect(copyOf(read.body)).toEqual(join(body));
          expect(recordOf(entryOf(read))).toBe(read);
          expect(recordLength(made.bytes, 0)).toBe(made.byteLength);
        },
      ),
    );
  });

  test('with any bit flipped is refused', () => {
    const good = sealed().bytes;
    for (let bit = 0; bit < good.byteLength * 8; bit += 1) {
      const flipped = copyOf(good);
      flipped[bit >> 3] = (flipped[bit >> 3] as number) ^ (1 << (bit & 7));
      expect(codeOf(() => EntryRecord.parse(flipped))).toBe('BODY_MALFORMED');
    }
  });

  test('with any two bits flipped in its header is refused', () => {
    const good = sealed().bytes;
    const bit = fc.nat({ max: RECORD_HEADER_BYTES * 8 - 1 });
    fc.assert(
      fc.property(bit, bit, (one, other) => {
        fc.pre(one !== other);
        const flipped = copyOf(good);
        for (const at of [one, other])
          flipped[at >> 3] = (flipped[at >> 3] as number) ^ (1 << (at & 7));
        expect(codeOf(() => EntryRecord.parse(flipped))).toBe('BODY_MALFORMED');
      }),
    );
  });

  test('cut short or with a byte more is refused', () => {
    const good = sealed().bytes;
    for (let length = 0; length < good.byteLength; length += 1)
      expect(codeOf(() => EntryRecord.parse(good.subarray(0, length)))).toBe('BODY_MALFORMED');
    expect(messageOf(() => EntryRecord.parse(join([good, new Uint8Array(1)])))).toMatch(/body of/);
  });

  test('of random bytes is refused', () => {
    fc.assert(
      fc.property(fc.uint8Array({ maxLength: 200 }), (bytes) => {
        expect(codeOf(() => EntryRecord.parse(bytes))).toBe('BODY_MALFORMED');
        expect(recordLength(bytes, 0)).toBeUndefined();
      }),
    );
  });

  test.each([
    ['version 2', 4, 2, /version 2/],
    ['kind 4', 5, 4, /kind 4/],
    ['a reserved byte', 6, 1, /reserved/],
    ['another count, which the chain holds', 12, 9, /chain/],
    ['another time, which the chain holds', 32, 9, /chain/],
    ['another place, which the chain holds', 16, 9, /chain/],
    ['another past, which the chain holds', 40, 9, /chain/],
  ])('forged with a good checksum but %s is refused', (_what, at, value, why) => {
    const bytes = copyOf(sealed().bytes);
    bytes[at] = value;
    Buffer.from(bytes.buffer).writeUInt32LE(crc32(bytes.subarray(0, 60)), 60);
    expect(messageOf(() => EntryRecord.parse(bytes))).toMatch(why);
  });

  test('chains hold the order of entries and the cluster they belong to', () => {
    const ids = ['a', 'b'].map((cluster) => genesisChain(cluster.repeat(32)));
    expect(new Set(ids).size).toBe(2);
    const make = (before: number): number => {
      const record = EntryRecord.draft('noop', unixMillis(5), 0, []);
      record.seal({ index: logIndex(1), term: term(1) }, before);
      return record.chain;
    };
    expect(new Set(ids.map(make)).size).toBe(2);
  });

  test('cannot be sealed twice, nor be longer than an entry may be', () => {
    const record = sealed();
    expect(() => record.seal({ index: logIndex(8), term: term(3) }, 1)).toThrow(/sealed already/);
    const long = new Uint8Array(ENTRY_BYTES_MAX - RECORD_HEADER_BYTES + 1);
    expect(() => EntryRecord.draft('commands', unixMillis(1), 1, [long])).toThrow(/too long/);
  });

  test('a length is believed only up to the limit', () => {
    const bytes = copyOf(sealed().bytes);
    Buffer.from(bytes.buffer).writeUInt32LE(ENTRY_BYTES_MAX, 8);
    expect(recordLength(bytes, 0)).toBeUndefined();
    expect(recordLength(bytes, 1)).toBeUndefined();
    expect(recordLength(bytes, bytes.byteLength)).toBeUndefined();
  });
});
