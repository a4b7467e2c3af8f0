import fc from 'fast-check';
import { expect, test } from 'vitest';
import { majorityOf, quorumValue, voteResult } from '../../src/raft/quorum.ts';

const sizes = [1, 2, 3, 4, 5, 6, 7];

test('any two majorities of a cluster share a member, and no smaller number has that', () => {
  for (const size of sizes) {
    expect(majorityOf(size) * 2).toBeGreaterThan(size);
    expect((majorityOf(size) - 1) * 2).toBeLessThanOrEqual(size);
  }
});

test('a ballot is won or lost exactly when no further vote can change that', () => {
  for (const size of sizes) {
    const voters = Array.from({ length: size }, (_, at) => at);
    for (let code = 0; code < 3 ** size; code += 1) {
      const said = voters.map((voter) => Math.floor(code / 3 ** voter) % 3);
      const votes = new Map(
        voters.flatMap((voter) => (said[voter] === 2 ? [] : [[voter, said[voter] === 1] as const])),
      );
      const yes = said.filter((each) => each === 1).length;
      const silent = said.filter((each) => each === 2).length;
      const expected = yes * 2 > size ? 'won' : (yes + silent) * 2 > size ? 'pending' : 'lost';
      expect(voteResult(voters, votes), `${said}`).toBe(expected);
    }
  }
});

test('votes of strangers do not count', () => {
  const votes = new Map([
    [1, true],
    [8, true],
    [9, true],
  ]);
  expect(voteResult([1, 2, 3], votes)).toBe('pending');
});

test('the quorum value is the highest that more than half have reached', () => {
  fc.assert(
    fc.property(fc.array(fc.nat(20), { minLength: 1, maxLength: 9 }), (values) => {
      const voters = values.map((_, at) => at);
      const holders = (value: number): number => values.filter((each) => each >= value).length;
      const expected = Math.max(...values.filter((value) => holders(value) * 2 > values.length));
      expect(quorumValue(voters, (voter) => values[voter] ?? 0)).toBe(expected);
    }),
  );
});

test('nobody makes no quorum', () => {
  expect(() => quorumValue([], () => 0)).toThrow('a quorum of nobody');
});
