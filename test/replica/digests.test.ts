import fc from 'fast-check';
import { expect, test } from 'vitest';
import { logIndex, replicaId } from '../../src/base/ids.ts';
import { DIGEST_EVERY, DIGESTS_KEPT_MAX, DIGESTS_PER_FRAME_MAX } from '../../src/base/limits.ts';
import { Digests } from '../../src/replica/health/digests.ts';
import { decodeDigests, encodeDigests } from '../../src/wire/peers/digests.ts';

const [one, two, three, four, five] = [
  replicaId(1),
  replicaId(2),
  replicaId(3),
  replicaId(4),
  replicaId(5),
];
const voters = [one, two, three];
const at = (n: number) => logIndex(n * DIGEST_EVERY);

test('with a majority of the same opinion, the others are known to differ', () => {
  const digests = new Digests(one);
  digests.note(at(1), 7);
  expect(digests.judge(voters)).toEqual({ is: 'unknown' });
  digests.heard(two, [{ index: at(1), digest: 7 }]);
  digests.heard(three, [{ index: at(1), digest: 8 }]);
  expect(digests.judge(voters)).toEqual({ is: 'agrees', index: at(1), differing: [three] });
});

test('whoever stands alone against a majority knows it; without a majority nobody is blamed', () => {
  const digests = new Digests(one);
  digests.note(at(1), 7);
  digests.heard(two, [{ index: at(1), digest: 8 }]);
  expect(digests.judge(voters)).toEqual({ is: 'divided', index: at(1) });
  digests.heard(three, [{ index: at(1), digest: 8 }]);
  expect(digests.judge(voters)).toEqual({ is: 'differs', index: at(1), agreeing: [two, three] });
});

test('who has no vote does not count, and compares itself all the same', () => {
  const digests = new Digests(one);
  const others = [two, three, four, five];
  digests.note(at(1), 7);
  for (const peer of others.slice(0, 3)) digests.heard(peer, [{ index: at(1), digest: 8 }]);
  expect(digests.judge(others)).toMatchObject({ is: 'differs' });
});

test('a replaced state has no past', () => {
  const digests = new Digests(one);
  digests.note(at(1), 7);
  digests.heard(two, [{ index: at(1), digest: 8 }]);
  digests.forget(one);
  expect(digests.judge(voters)).toEqual({ is: 'unknown' });
  expect(digests.newest()).toEqual([]);
});

test('what is told is the newest, rises, and comes through the wire as it was', () => {
  fc.assert(
    fc.property(fc.integer({ min: 1, max: 3 * DIGESTS_KEPT_MAX }), (count) => {
      const digests = new Digests(one);
      for (let n = 1; n <= count * DIGEST_EVERY; n += 1) digests.note(logIndex(n), n * 3);
      const told = digests.newest();
      expect(told.length).toBe(Math.min(count, DIGESTS_PER_FRAME_MAX));
      expect(told.at(-1)).toEqual({ index: at(count), digest: 3 * at(count) });
      expect(decodeDigests(encodeDigests(told))).toEqual(told);
    }),
    { numRuns: 20 },
  );
});

test('a verdict is what counting the newest common place says, whatever was heard in between', () => {
  const says = fc.record({ peer: fc.constantFrom(...voters), n: fc.nat(40), digest: fc.nat(1) });
  fc.assert(
    fc.property(fc.array(says, { maxLength: 60 }), (said) => {
      const digests = new Digests(one);
      const held = new Map<string, number>();
      for (const { peer, n, digest } of said) {
        const index = at(n + 1);
        if (peer === one) digests.note(index, digest);
        else digests.heard(peer, [{ index, digest }]);
        held.set(`${index}/${peer}`, digest);
      }
      const decided: string[] = [];
      for (let n = 41; n >= 1; n -= 1) {
        const own = held.get(`${at(n)}/1`);
        if (own === undefined) continue;
        const alike = voters.filter((id) => held.get(`${at(n)}/${id}`) === own).length;
        const unlike = voters.filter((id) => held.get(`${at(n)}/${id}`) === 1 - own).length;
        if (alike >= 2) decided.push('agrees');
        else if (unlike >= 2) decided.push('differs');
        else if (unlike === 1) decided.push('divided');
      }
      expect(digests.judge(voters).is).toBe(decided[0] ?? 'unknown');
    }),
  );
});

test.each([
  ['nothing', new Uint8Array(0)],
  ['half a checkpoint', new Uint8Array(24)],
  ['too many', new Uint8Array(16 * (DIGESTS_PER_FRAME_MAX + 1))],
  ['entry 0', new Uint8Array(16)],
  ['an index beyond integers', new Uint8Array(16).fill(255)],
])('digests with %s are refused', (_what, body) => {
  expect(() => decodeDigests(body)).toThrow(expect.objectContaining({ code: 'BODY_MALFORMED' }));
});
