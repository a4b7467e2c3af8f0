import fc from 'fast-check';
import { expect, test } from 'vitest';
import type { SnapshotItem } from '../../src/statemachine/snapshot/capture.ts';
import { ChunkPacker, decodeChunk } from '../../src/wire/log/snapshot-items.ts';
import { alert, reply } from './arbitraries.ts';
import { alertId, count, dedupKey, type Gen, record, when } from './basic-arbitraries.ts';
import { codeOf } from './helpers.ts';
import { anyRecord, notification, policy } from './rare-arbitraries.ts';

const hex = fc.string({
  unit: fc.constantFrom(...'0123456789abcdef'),
  minLength: 32,
  maxLength: 32,
});
const counts = Object.fromEntries(
  [
    'machineVersion',
    'index',
    'revision',
    'digest',
    'policiesMade',
    'notificationsMade',
    'recordsMade',
    'policies',
    'open',
    'resolved',
    'remembered',
    'notifications',
    'records',
    'replies',
    'sessionReplies',
  ].map((field) => [field, count]),
);
const one = (kind: SnapshotItem['kind'], fields: Record<string, Gen<unknown>>) =>
  record<SnapshotItem>({ kind: fc.constant(kind), ...fields }, {});

const item: Gen<SnapshotItem> = fc.oneof(
  one('header', { header: record({ ...counts, time: when }, {}) }),
  one('policy', { policy, isCurrent: fc.boolean() }),
  one('open', { alert }),
  one('resolved', { alert }),
  one('remembered', {
    dedupKey,
    last: record({ id: alertId, occurrence: count, endedAt: when, flaps: count }, {}),
  }),
  one('notification', { notification }),
  anyRecord.map((each): SnapshotItem => ({ kind: 'record', ...each })),
  one('reply', { key: hex, fingerprint: count, reply }),
);

function chunksOf(items: readonly SnapshotItem[]): Uint8Array[] {
  const packer = new ChunkPacker();
  const chunks: Uint8Array[] = [];
  for (const each of items) {
    const full = packer.add(each);
    if (full !== undefined) chunks.push(full);
  }
  const last = packer.end();
  return last === undefined ? chunks : [...chunks, last];
}

test('items come back as they were, and from what came back as the same bytes', () => {
  fc.assert(
    fc.property(fc.array(item, { maxLength: 12 }), (items) => {
      const chunks = chunksOf(items);
      const back = chunks.flatMap((chunk) => [...decodeChunk(chunk)]);
      expect(back).toEqual(items);
      expect(chunksOf(back)).toEqual(chunks);
    }),
    { numRuns: 200 },
  );
});

test('a chunk that is cut short, or of an unknown kind, is refused', () => {
  fc.assert(
    fc.property(item, fc.nat(), (each, at) => {
      const [chunk] = chunksOf([each]) as [Uint8Array];
      const cut = chunk.subarray(0, 1 + (at % (chunk.byteLength - 1)));
      expect(codeOf(() => [...decodeChunk(cut)])).toBe('BODY_MALFORMED');
      const strange = Uint8Array.from(chunk);
      strange[4] = 99;
      expect(codeOf(() => [...decodeChunk(strange)])).toBe('BODY_MALFORMED');
    }),
  );
});

test('whatever became of its bytes, a chunk is read or refused with a code, and nothing else happens', () => {
  let refused = 0;
  fc.assert(
    fc.property(
      fc.array(item, { minLength: 1, maxLength: 4 }),
      fc.array(fc.tuple(fc.nat(), fc.nat(255)), { minLength: 1, maxLength: 3 }),
      (items, changes) => {
        const [chunk] = chunksOf(items) as [Uint8Array];
        const damaged = Uint8Array.from(chunk);
        for (const [at, byte] of changes) damaged[at % damaged.byteLength] = byte;
        const code = codeOf(() => [...decodeChunk(damaged)]);
        if (code !== 'no error') refused += 1;
        expect(['no error', 'BODY_MALFORMED']).toContain(code);
      },
    ),
    { numRuns: 2_000 },
  );
  expect(refused).toBeGreaterThan(500);
});

test('texts that recur are written once a chunk, and shared by what is read', () => {
  fc.assert(
    fc.property(alert, (each) => {
      const one: SnapshotItem = { kind: 'open', alert: { ...each, text: 'Heart rate high' } };
      const [two] = chunksOf([one, one]) as [Uint8Array];
      const [alone] = chunksOf([one]) as [Uint8Array];
      expect(two.byteLength).toBeLessThan(alone.byteLength * 2 - 'Heart rate high'.length);
      expect(Buffer.from(two).toString('latin1').split('Heart rate high').length).toBe(2);
    }),
    { numRuns: 50 },
  );
});

test('an item begins anew what the chunk before called by number', () => {
  const many = Array.from(
    { length: 6_000 },
    (_, n): SnapshotItem =>
      ({
        kind: 'open',
        alert: {
          ...fc.sample(alert, { numRuns: 1, seed: n % 7 })[0],
          text: 'x'.repeat(1_000 + (n % 24)),
        },
      }) as SnapshotItem,
  );
  const chunks = chunksOf(many);
  expect(chunks.length).toBeGreaterThan(1);
  expect(chunks.flatMap((chunk) => [...decodeChunk(chunk)])).toEqual(many);
});
