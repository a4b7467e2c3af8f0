import fc from 'fast-check';
import { expect, test } from 'vitest';
import { logIndex, replicaId, revision, term, unixMillis } from '../../src/base/ids.ts';
import { encodeBody } from '../../src/wire/body.ts';
import { EntryRecord } from '../../src/wire/log/record.ts';
import {
  decodeSnapshotMeta,
  encodeSnapshotMeta,
  snapshotBytes,
  snapshotId,
} from '../../src/wire/log/snapshot-meta.ts';
import {
  type ClusterMember,
  decodeMembers,
  encodeMembers,
  type MemberRole,
} from '../../src/wire/peers/members.ts';
import { codeOf, copyOf, messageOf } from './helpers.ts';

const ROLES: readonly MemberRole[] = ['voter', 'outgoing', 'learner', 'learner-next'];
const member = fc.record({
  id: fc.integer({ min: 2, max: 65_535 }).map(replicaId),
  address: fc.constantFrom('/ip4/10.0.0.1/tcp/7400', '/dns4/icu-3/tcp/1'),
  incarnation: fc.maxSafeNat(),
  roles: fc.subarray([...ROLES], { minLength: 1 }),
  priority: fc.integer({ min: 0, max: 1000 }),
});
const voter: ClusterMember = {
  id: replicaId(1),
  address: '/ip4/10.0.0.9/tcp/7400',
  incarnation: 5,
  roles: ['voter'],
  priority: 0,
};
const someMembers = fc
  .uniqueArray(member, { selector: ({ id }) => id, maxLength: 9 })
  .map((all): ClusterMember[] => [voter, ...all.sort((a, b) => a.id - b.id)]);

const hash = fc.array(fc.constantFrom(...'0123456789abcdef'), { minLength: 64, maxLength: 64 });
const count = fc.maxSafeNat();
const place = fc.integer({ min: 1, max: Number.MAX_SAFE_INTEGER });
const snapshot = fc
  .record({
    index: place.map(logIndex),
    term: place.map(term),
    chain: count,
    members: someMembers,
    revision: count.map(revision),
    digest: count,
    machineVersion: count,
    chunks: fc.array(
      fc.record({
        bytes: fc.integer({ min: 1, max: 2 ** 20 }),
        crc: fc.integer({ min: 0, max: 2 ** 32 - 1 }),
      }),
      { maxLength: 50 },
    ),
    hash: hash.map((digits) => digits.join('')),
  })
  .map((meta) => ({ id: snapshotId(meta.index, meta.term, meta.hash), ...meta }));

test('members come back as they were, and an entry carries them', () => {
  fc.assert(
    fc.property(someMembers, (members) => {
      expect(decodeMembers(encodeMembers(members))).toEqual(members);
      const draft = EntryRecord.draftConfiguration(unixMillis(3), members);
      draft.seal({ index: logIndex(4), term: term(2) }, 1);
      const read = EntryRecord.parse(copyOf(draft.bytes));
      expect(read.members).toEqual(members);
      const withRole = (role: MemberRole): number[] =>
        members.filter(({ roles }) => roles.includes(role)).map(({ id }) => id);
      expect(read.configuration).toEqual({
        voters: withRole('voter'),
        outgoing: withRole('outgoing'),
        learners: withRole('learner'),
        learnersNext: withRole('learner-next'),
      });
    }),
  );
});

test('entries of other kinds have no configuration', () => {
  const record = EntryRecord.draft('noop', unixMillis(3), 0, []);
  expect([record.members, record.configuration]).toEqual([undefined, undefined]);
});

test('what a snapshot says of itself comes back as it was', () => {
  fc.assert(
    fc.property(snapshot, (meta) => {
      expect(decodeSnapshotMeta(encodeSnapshotMeta(meta))).toEqual(meta);
      expect(snapshotBytes(meta)).toBe(meta.chunks.reduce((sum, { bytes }) => sum + bytes, 0));
    }),
  );
});

const plain = { id: 1, addr: '/ip4/1.2.3.4/tcp/1', inc: 0, roles: 1, prio: 0 };
test.each([
  ['no list', {}, /members: must be an array/],
  ['nobody who votes', { members: [{ ...plain, roles: 4 }] }, /nobody votes/],
  ['nobody at all', { members: [] }, /nobody votes/],
  ['a replica twice', { members: [plain, plain] }, /replica 1 is out of order/],
  ['no role', { members: [{ ...plain, roles: 0 }] }, /roles: /],
  ['an unknown role', { members: [{ ...plain, roles: 17 }] }, /roles: /],
  ['no address', { members: [{ ...plain, addr: '' }] }, /addr: /],
  ['replica 0', { members: [{ ...plain, id: 0 }] }, /id: /],
  ['an endless list', { members: Array.from({ length: 64 }, () => plain) }, /at most 63/],
])('members with %s are malformed', (_what, value, message) => {
  const decode = (): unknown => decodeMembers(encodeBody(value));
  expect(codeOf(decode)).toBe('BODY_MALFORMED');
  expect(messageOf(decode)).toMatch(message);
});

const snapshotBody = {
  index: 1,
  term: 1,
  chain: 0,
  members: [plain],
  rev: 0,
  digest: 0,
  machine: 1,
  chunks: [1, 2],
  hash: 'a'.repeat(64),
};
test.each([
  ['no entry in it', { index: 0 }, /index: /],
  ['half a chunk', { chunks: [1] }, /chunks: must be pairs/],
  ['an empty chunk', { chunks: [0, 1] }, /chunk bytes: /],
  ['a chunk over the limit', { chunks: [2 ** 20 + 1, 1] }, /chunk bytes: /],
  ['a long checksum', { chunks: [1, 2 ** 32] }, /chunk crc: /],
  ['a short hash', { hash: 'a' }, /hash: /],
  ['a hash in capitals', { hash: 'A'.repeat(64) }, /hash: must be 64 hex digits/],
])('a snapshot with %s is malformed', (_what, change, message) => {
  expect(decodeSnapshotMeta(encodeBody(snapshotBody)).id).toBe(`1-1-${'a'.repeat(16)}`);
  const decode = (): unknown => decodeSnapshotMeta(encodeBody({ ...snapshotBody, ...change }));
  expect(codeOf(decode)).toBe('BODY_MALFORMED');
  expect(messageOf(decode)).toMatch(message);
});
