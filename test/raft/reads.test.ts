import { expect, test } from 'vitest';
import { logIndex } from '../../src/base/ids.ts';
import type { RaftCore } from '../../src/raft/core.ts';
import { accepted, drain, heard, heartbeat, loneCore, loneLeader } from './lone-core.ts';

/** Reads without a log entry (thesis §6.4). */

const reads = (core: RaftCore): { confirmed: number[]; dropped: number[] } => {
  const readies = drain(core);
  return {
    confirmed: readies.flatMap((ready) => ready.reads.map((read) => read.context)),
    dropped: readies.flatMap((ready) => [...ready.readsDropped]),
  };
};

test('no read is answered before an entry of the own term is committed (thesis §6.4)', () => {
  const core = loneLeader({ log: [1, 1], commit: 1 });
  drain(core);
  const { term } = core.standing;
  core.read(1);
  expect(reads(core)).toEqual({ confirmed: [], dropped: [] });
  for (const from of [2, 3]) core.step(heard([from, 1, term], 1));
  expect(reads(core).confirmed).toEqual([]);
  core.step(accepted([2, 1, term], 3));
  expect(reads(core).confirmed).toEqual([]);
  core.step(heard([2, 1, term], 1));
  expect(reads(core).confirmed).toEqual([1]);
});

function readingLeader(init: Parameters<typeof loneLeader>[0] = {}): [RaftCore, number] {
  const core = loneLeader(init);
  drain(core);
  const { term } = core.standing;
  core.step(accepted([2, 1, term], core.last.index));
  core.step(accepted([3, 1, term], core.last.index));
  drain(core);
  return [core, term];
}

test('a read is confirmed only by a round that began after it, of this reign', () => {
  const [core, term] = readingLeader();
  core.read(1);
  drain(core);
  core.step(heard([2, 1, term], 1));
  core.read(2);
  // The answer to the first round says nothing about the second; rounds to come say nothing at all.
  expect(reads(core).confirmed).toEqual([1]);
  core.step(heard([3, 1, term], 1));
  core.step(heard([3, 1, term], 77));
  core.step(heard([3, 1, term - 1], 2));
  core.step(heard([9, 1, term], 2));
  expect(reads(core).confirmed).toEqual([]);
  core.step(heard([3, 1, term], 2));
  expect(reads(core).confirmed).toEqual([2]);
});

test('a round from the future, once believed, would confirm reads not yet asked', () => {
  const [core, term] = readingLeader();
  for (const from of [2, 3]) core.step(heard([from, 1, term], 1000));
  core.read(1);
  expect(reads(core).confirmed).toEqual([]);
});

test('when the reign ends, every read under way is given back, in a round or not', () => {
  const [core, term] = readingLeader();
  core.read(1);
  drain(core);
  core.read(2);
  core.step(heartbeat([2, 1, term + 1]));
  expect(reads(core)).toEqual({ confirmed: [], dropped: [1, 2] });
  core.read(3);
  expect(reads(core).dropped).toEqual([3]);
});

test('reads beyond the bound are given back at once, those waiting included', () => {
  const [core] = readingLeader({ options: { readsPendingMax: 3 } });
  core.read(1);
  core.read(2);
  drain(core);
  for (const context of [3, 4, 5]) core.read(context);
  expect(reads(core)).toEqual({ confirmed: [], dropped: [4, 5] });
  const many = loneLeader({ options: { readsPendingMax: 200_000 } });
  for (let context = 0; context < 200_000; context += 1) many.read(context);
  many.step(heartbeat([2, 1, 9]));
  expect(reads(many).dropped.length).toBe(200_000);
});

test('one alone answers a read when its own disk has its term', () => {
  const core = loneCore({ voters: [1] });
  core.campaign();
  drain(core);
  core.read(1);
  expect(reads(core).confirmed).toEqual([1]);
  expect(core.committed).toBe(logIndex(1));
});
