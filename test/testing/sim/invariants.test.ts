import { expect, test } from 'vitest';
import { logIndex, replicaId, term } from '../../../src/base/ids.ts';
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

test.each<[string, Voters[], boolean]>([
  ['three voters, of whom one has a wrong clock', [[1, 2, 3]], true],
  ['two voters, of whom one has a wrong clock', [[2, 3]], false],
  [
    'voters of whom most have a right clock, on the way to some of whom half have',
    [
      [1, 2, 3],
      [2, 3],
    ],
    false,
  ],
])(
  'log time ahead of the clocks is found while most voters have a right one: %s',
  (_what, lists, isFound) => {
    const invariants = new Invariants([1, 1, 1].map(diskOf));
    const standing = {
      role: 'follower',
      term: term(1),
      leader: undefined,
      transferring: false,
    } as const;
    const view = (applied: number, time: number): View => ({
      ...{ id: 1, standing, applied, digest: applied, time, voters: () => lists },
      committed: () => applied,
      lastIndex: () => 2,
    });
    invariants.afterStep(view(1, 1), 1);
    invariants.clocks([0, 0, 3_600_000]);
    const later = (): void => invariants.afterStep(view(2, 3_600_001), 1);
    if (isFound) expect(later).toThrow('log time is 3600000 ms ahead');
    else expect(later).not.toThrow();
  },
);

test('snapshots of one place that are not the same are found', () => {
  const invariants = new Invariants([]);
  invariants.snapshots(1, ['10-1-aa', '20-2-bb']);
  invariants.snapshots(2, ['20-2-bb']);
  expect(() => invariants.snapshots(3, ['20-2-cc'])).toThrow('replica 3: snapshot 20-2 is cc');
});

test('a leader of the past that runs on is found; one that was stopped has time to find out', () => {
  const viewOf = (id: number, inTerm: number): View => ({
    ...{ id, applied: 0, digest: 0, time: 0, voters: () => [[1, 2, 3]] },
    standing: { role: 'leader', term: term(inTerm), leader: replicaId(id), transferring: false },
    committed: () => 0,
    lastIndex: () => 0,
  });
  const invariants = new Invariants([1, 1, 1].map(diskOf));
  const [past, present] = [viewOf(1, 2), viewOf(2, 3)];
  for (const view of [past, present]) invariants.afterStep(view, 0);
  for (const at of [0, 3_000]) invariants.reign(past, false, at);
  invariants.reign(past, true, 4_000);
  for (const at of [9_000, 12_000]) invariants.reign(past, false, at);
  for (const at of [0, 100_000]) invariants.reign(present, false, at);
  expect(() => invariants.reign(past, false, 14_000)).toThrow('replica 1 leads in term 2 long');
});

test('terms and timers that grow without end are found', () => {
  const invariants = new Invariants([]);
  invariants.bounded(1_000, 10);
  expect(() => invariants.bounded(1_000, 1_000_000)).toThrow('under way');
});

test('a promise of a replica whose disk has lost what it promised before is found', () => {
  const invariants = new Invariants([]);
  const index = logIndex(0);
  const hint = { index, term: term(0) };
  const envelope = { from: replicaId(1), to: replicaId(2), term: term(3) };
  const message = {
    ...envelope,
    type: 'append-reply',
    accepted: true,
    index,
    hint,
  } as const;
  const disk = { hasLost: true, state: undefined, termAt: () => undefined };
  expect(() => invariants.sent(message, disk)).toThrow('its disk has lost');
  expect(() => invariants.sent(message, { ...disk, hasLost: false })).not.toThrow();
});

test('a leader without what earlier terms have applied is found; what later ones have, it cannot know', () => {
  const viewOf = (id: number, inTerm: number, applied: number): View => ({
    ...{ id, applied, digest: applied, time: 0, voters: () => [[1, 2, 3]] },
    standing: { role: 'leader', term: term(inTerm), leader: replicaId(id), transferring: false },
    committed: () => applied,
    lastIndex: () => applied,
  });
  const later = new Invariants([4, 4, 4].map(diskOf));
  later.afterStep(viewOf(1, 2, 1), 0);
  later.afterStep(viewOf(2, 4, 1), 0);
  later.afterStep(viewOf(2, 4, 2), 0);
  expect(() => later.afterStep(viewOf(3, 3, 1), 0)).not.toThrow();
  expect(() => later.afterStep(viewOf(3, 5, 1), 0)).toThrow('leader 3 of term 5 ends at 1, 2 was');

  const earlier = new Invariants([2, 2, 2].map(diskOf));
  earlier.afterStep(viewOf(1, 2, 1), 0);
  earlier.afterStep(viewOf(1, 2, 2), 0);
  earlier.afterStep(viewOf(2, 4, 2), 0);
  expect(() => earlier.afterStep(viewOf(3, 3, 1), 0)).toThrow(
    'leader 3 of term 3 ends at 1, 2 was',
  );
});

test('two votes in one term are found, over restarts; a disk that began anew has given none', () => {
  const invariants = new Invariants([]);
  const voting = (vote: number) => ({
    ...{ term: term(2), vote: replicaId(vote) },
    commit: logIndex(0),
  });
  invariants.durable(1, undefined, voting(1));
  expect(() => invariants.durable(1, voting(1), voting(3))).toThrow('1@2 voted for 1 and 3');
  invariants.reformatted(1);
  expect(() => invariants.durable(1, undefined, voting(3))).not.toThrow();
  expect(() => invariants.durable(1, voting(3), voting(2))).toThrow('1@2 voted for 3 and 2');
});
