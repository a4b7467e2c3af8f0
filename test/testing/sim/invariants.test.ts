import { expect, test } from 'vitest';
import { replicaId, term } from '../../../src/base/ids.ts';
import {
  type Copy,
  Invariants,
  type View,
  type Voters,
} from '../../../src/testing/sim/invariants.ts';

/** A disk on which the second entry is of this term, and the first one of term 1. */
const diskOf = (ofSecond: number): Copy => ({
  termAt: (index) => (index === 1 ? term(1) : term(ofSecond)),
  chainAt: (index) => (index === 1 ? 1 : ofSecond),
});

/** Replica 1 leads in term 3; it had applied one entry then, and now has applied two. */
function lead(disks: readonly Copy[], voters: Voters): void {
  const invariants = new Invariants(disks);
  const standing = {
    role: 'leader',
    term: term(3),
    leader: replicaId(1),
    transferring: false,
  } as const;
  const view = (applied: number): View => ({
    ...{ id: 1, standing, applied, digest: applied, time: 0, voters: () => [voters] },
    committed: () => applied,
    lastIndex: () => 2,
  });
  invariants.afterStep(view(1), 0);
  invariants.afterStep(view(2), 0);
}

test('a leader that commits an entry of an earlier term by counting is found', () => {
  const disks = [2, 2, 2].map(diskOf);
  expect(() => lead(disks, [1, 2, 3])).toThrow(
    'leader 1 of term 3 committed 2, of term 2, by counting',
  );
});

test('a leader that is the only voter may commit what the disks of learners have otherwise', () => {
  const disks = [3, 2, 2].map(diskOf);
  expect(() => lead(disks, [1])).not.toThrow();
});

test('what is applied before a quorum of those with a vote has it is found, however many others do', () => {
  const disks = [3, 2, 3].map(diskOf);
  expect(() => lead(disks, [1, 2])).toThrow('replica 1 applied 2, which is durable on 2 of 3');
});
