import fc from 'fast-check';
import { expect, test } from 'vitest';
import { type ReplicaId, replicaId } from '../../src/base/ids.ts';
import { MEMBERS_MAX } from '../../src/base/limits.ts';
import {
  enterChange,
  type Facts,
  leaveChange,
  planChange,
  targetOf,
} from '../../src/raft/change.ts';
import {
  type Configuration,
  configurationOf,
  findFlaw,
  isJoint,
} from '../../src/raft/configuration.ts';
import { ballotOf, reachedBy } from '../../src/raft/quorum.ts';

/** Changes of who takes part, worked out on paper (§6). */

const ids = (...numbers: readonly number[]): ReplicaId[] => numbers.map(replicaId);
const plain = (voters: readonly number[], learners: readonly number[] = []): Configuration =>
  configurationOf(ids(...voters), ids(...learners));
const facts = (dead: readonly number[] = [], behind: readonly number[] = []): Facts => ({
  hindrance: (id) => (dead.includes(id) ? `${id} is ill` : undefined),
  caughtUp: (id) => !behind.includes(id),
});

/** All sets of five replicas. */
const SETS = Array.from({ length: 2 ** 5 }, (_, bits) =>
  [1, 2, 3, 4, 5].filter((_id, at) => (bits >> at) & 1),
);
const decides = (c: Configuration, set: readonly number[]): boolean =>
  reachedBy(c, (id) => (set.includes(id) ? 1 : 0)) === 1;

test('no two sets that can decide, each before or after a step of a change, miss each other', () => {
  const votersOf = SETS.filter((set) => set.length > 0);
  for (const from of votersOf)
    for (const to of votersOf) {
      const steps = [plain(from), enterChange(plain(from), plain(to))];
      steps.push(leaveChange(steps[1] ?? plain(to)));
      for (const [at, step] of steps.entries()) {
        const next = steps[at + 1] ?? step;
        const sets = SETS.filter((set) => decides(step, set));
        for (const other of SETS.filter((set) => decides(next, set)))
          for (const set of sets)
            if (!set.some((id) => other.includes(id)))
              throw new Error(`${set} and ${other}, of ${from} to ${to}`);
      }
    }
});

test('a ballot is won by those who can decide, and lost when the rest can no more', () => {
  const joint = enterChange(plain([1, 2, 3]), plain([3, 4, 5]));
  for (const yes of SETS)
    for (const no of SETS) {
      if (yes.some((id) => no.includes(id))) continue;
      const votes = new Map([...yes.map((id) => [id, true]), ...no.map((id) => [id, false])] as [
        ReplicaId,
        boolean,
      ][]);
      const open = [1, 2, 3, 4, 5].filter((id) => !no.includes(id));
      const expected = decides(joint, yes) ? 'won' : decides(joint, open) ? 'pending' : 'lost';
      expect(ballotOf(joint, votes)).toBe(expected);
    }
});

const members = fc.uniqueArray(fc.integer({ min: 1, max: 6 }), { maxLength: 6 });

test('a change that is begun and ended leads to what was wanted, by configurations without a flaw', () => {
  fc.assert(
    fc.property(members, members, members, members, (a, b, c, d) => {
      const from = plain(
        a,
        b.filter((id) => !a.includes(id)),
      );
      const to = plain(
        c,
        d.filter((id) => !c.includes(id)),
      );
      const joint = enterChange(from, to);
      expect(findFlaw(joint)).toBeUndefined();
      expect(targetOf(joint).voters).toEqual(to.voters);
      expect(isJoint(joint)).toBe(a.length > 0 && String(from.voters) !== String(to.voters));
      expect(leaveChange(joint)).toEqual(to);
      for (const id of [...from.voters, ...to.voters])
        if (isJoint(joint)) expect(joint.learners).not.toContain(id);
    }),
  );
});

const THREE = plain([1, 2, 3], [4]);

test.each([
  [
    'a change while one is under way',
    enterChange(THREE, plain([1, 2])),
    plain([1]),
    facts(),
    'change-pending',
  ],
  ['nobody to vote', THREE, plain([], [4]), facts(), 'no-voters'],
  ['what is so already', THREE, plain([3, 2, 1], [4]), facts(), 'nothing-changes'],
  ['a voter that was no learner', THREE, plain([1, 2, 3, 5]), facts(), 'not-a-learner'],
  ['a voter that lags behind', THREE, plain([1, 2, 3, 4]), facts([], [4]), 'not-caught-up'],
  ['what no majority of now could commit', THREE, plain([1]), facts([2, 3]), 'no-quorum'],
  ['what no majority of then could commit', THREE, plain([1, 3]), facts([3]), 'no-quorum'],
  [
    'too many members',
    THREE,
    plain(
      [1, 2, 3],
      Array.from({ length: MEMBERS_MAX - 2 }, (_, at) => at + 4),
    ),
    facts(),
    'too-many',
  ],
])('%s is refused', (_what, from, to, known, reason) => {
  const planned = planChange(from, to, known);
  expect(planned).toMatchObject({ ok: false, reason });
});

test('a refusal for want of a quorum says whether it is wanted now or afterwards, and what is the matter with whom', () => {
  const refusal = (to: Configuration, dead: readonly number[]) =>
    planChange(THREE, to, facts(dead));
  expect(refusal(plain([1]), [2, 3])).toMatchObject({
    says: '2 of 3 voters are needed now, 1 can be counted on; 2 is ill; 3 is ill',
  });
  expect(refusal(plain([1, 3]), [3])).toMatchObject({
    says: '2 of 2 voters are needed afterwards, 1 can be counted on; 3 is ill',
  });
});

test('who asks for a change while one is under way hears whom that waits for', () => {
  const joint = enterChange(THREE, plain([1, 3]));
  const saysWith = (...dead: readonly number[]): unknown => {
    const planned = planChange(joint, plain([1]), facts(dead));
    return 'says' in planned && planned.says;
  };
  expect(saysWith()).toBe('a change is under way');
  expect(saysWith(2, 3)).toBe('a change is under way; 2 is ill; 3 is ill');
});

test('a learner that cannot be counted on is refused a vote with the reason', () => {
  const promote = (known: Facts) => planChange(THREE, plain([1, 2, 3, 4]), known);
  expect(promote(facts([], [4]))).toMatchObject({ says: '4 has not caught up yet' });
  expect(promote(facts([4], [4]))).toMatchObject({ reason: 'not-caught-up', says: '4 is ill' });
});

test('as many members as there may be are taken', () => {
  const learners = Array.from({ length: MEMBERS_MAX - 3 }, (_, at) => at + 4);
  expect(planChange(THREE, plain([1, 2, 3], learners), facts())).toMatchObject({ ok: true });
});

test('a voter that is also to be a learner is refused', () => {
  const target = { voters: ids(1, 2), learners: ids(2) };
  expect(planChange(THREE, target, facts())).toMatchObject({
    ok: false,
    says: '2 cannot be voter and learner',
  });
});

test('a plan counts who is needed and who is there, before and after', () => {
  const planned = planChange(THREE, plain([1, 2, 4], [3]), facts([3]));
  expect(planned).toEqual({
    ok: true,
    configuration: {
      voters: ids(1, 2, 4),
      outgoing: ids(1, 2, 3),
      learners: [],
      learnersNext: ids(3),
    },
    before: { voters: 3, needed: 2, alive: 2 },
    after: { voters: 3, needed: 2, alive: 3 },
  });
  expect(planChange(THREE, plain([1, 2, 3]), facts())).toMatchObject({
    ok: true,
    configuration: plain([1, 2, 3]),
  });
});
