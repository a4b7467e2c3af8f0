import { crc32 } from 'node:zlib';
import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { isCode, TocsinError } from '../../src/base/errors.ts';
import { replicaId } from '../../src/base/ids.ts';
import {
  decodeIdentity,
  encodeIdentity,
  findIdentityProblem,
  newClusterId,
  newIncarnation,
} from '../../src/storage/identity.ts';
import type { Identity } from '../../src/storage/types.ts';
import { identity } from './folders.ts';

describe('the identity record', () => {
  const identities = fc
    .record({
      clusterId: fc.string({
        unit: fc.constantFrom(...'0123456789abcdef'),
        minLength: 32,
        maxLength: 32,
      }),
      incarnation: fc.integer({ min: 1, max: Number.MAX_SAFE_INTEGER }),
      ids: fc.uniqueArray(fc.integer({ min: 1, max: 65_535 }), { minLength: 1, maxLength: 9 }),
    })
    .map(({ clusterId, incarnation, ids }): Identity => {
      const members = ids
        .toSorted((a, b) => a - b)
        .map((id) => ({ id: replicaId(id), address: `/dns4/röntgen-${id}/tcp/7400` }));
      return { clusterId, incarnation, replicaId: replicaId(ids[0]!), members };
    });

  test('comes back as it was', () => {
    fc.assert(
      fc.property(identities, (given) => {
        expect(findIdentityProblem(given)).toBeUndefined();
        expect(decodeIdentity(encodeIdentity(given))).toEqual(given);
      }),
    );
  });

  test('cut anywhere, or with any bit flipped, it is DATA_CORRUPT', () => {
    const bytes = encodeIdentity(identity);
    const corrupt = expect.objectContaining({ code: 'DATA_CORRUPT' });
    for (let length = 0; length < bytes.byteLength; length += 1)
      expect(() => decodeIdentity(bytes.subarray(0, length))).toThrow(corrupt);
    for (let bit = 0; bit < bytes.byteLength * 8; bit += 1) {
      const other = Uint8Array.from(bytes);
      other[bit >> 3]! ^= 1 << (bit & 7);
      expect(() => decodeIdentity(other), `bit ${bit}`).toThrow(corrupt);
    }
  });

  test('any bytes and any JSON under a right checksum end in a code, never in a crash', () => {
    const sealed = (body: Uint8Array): Uint8Array => {
      const bytes = Buffer.concat([Buffer.from(encodeIdentity(identity)).subarray(0, 16), body]);
      bytes.writeUInt32LE(body.byteLength, 8);
      bytes.writeUInt32LE(crc32(body, crc32(bytes.subarray(0, 12))), 12);
      return bytes;
    };
    const bodies = fc.oneof(
      fc.uint8Array({ maxLength: 64 }),
      fc.json().map((text) => Buffer.from(text)),
      fc
        .record(
          {
            clusterId: fc.anything(),
            replicaId: fc.anything(),
            incarnation: fc.anything(),
            members: fc.array(fc.anything()),
          },
          { requiredKeys: [] },
        )
        .map((value) =>
          Buffer.from(JSON.stringify(value, (_k, v) => (typeof v === 'bigint' ? 1 : v))),
        ),
    );
    fc.assert(
      fc.property(bodies, (body) => {
        try {
          decodeIdentity(sealed(body));
        } catch (error) {
          expect(TocsinError.is(error) && isCode(error.code)).toBe(true);
        }
      }),
      { numRuns: 300 },
    );
  });

  test('ids are drawn anew each time', () => {
    const drawn = Array.from({ length: 100 }, newClusterId);
    expect(new Set(drawn).size).toBe(100);
    for (const id of drawn) expect(id).toMatch(/^[0-9a-f]{32}$/);
    const incarnations = Array.from({ length: 100 }, newIncarnation);
    expect(new Set(incarnations).size).toBe(100);
    for (const each of incarnations) expect(Number.isSafeInteger(each) && each >= 1).toBe(true);
  });
});
