import { expect, test } from 'vitest';
import { logIndex } from '../../src/base/ids.ts';
import { HEARTBEAT_TICKS } from '../../src/base/limits.ts';
import type { RaftCore } from '../../src/raft/core.ts';
import {
  accepted,
  drain,
  heard,
  heartbeat,
  loneCore,
  loneLeader,
  message,
  sent,
} from './lone-core.ts';

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

test('a late answer to an older round takes back nothing that was confirmed since', () => {
  const [core, term] = readingLeader({ voters: [1, 2, 3, 4, 5] });
  for (const context of [1, 2]) {
    core.read(context);
    drain(core);
  }
  for (const round of [2, 1]) core.step(heard([2, 1, term], round));
  expect(reads(core).confirmed).toEqual([]);
  core.step(heard([3, 1, term], 2));
  expect(reads(core).confirmed).toEqual([1, 2]);
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
});

test('who knows no leader, campaigns or is muted answers no read', () => {
  const core = loneCore();
  core.read(1);
  expect(reads(core)).toEqual({ confirmed: [], dropped: [1] });
  core.campaign();
  core.read(2);
  expect(reads(core)).toEqual({ confirmed: [], dropped: [2] });
  core.step(heartbeat([2, 1, 1]));
  core.read(3);
  core.mute(true);
  core.read(4);
  expect(reads(core).dropped).toEqual([3, 4]);
});

test('what waits is given back once: by who campaigns, by its own will or by order, and by who is muted', () => {
  const ends: ((core: RaftCore) => void)[] = [
    (core) => core.campaign(),
    (core) => core.step(message('timeout-now', [2, 1, 1], { last: { ...core.last } })),
    (core) => {
      core.mute(true);
      core.mute(false);
    },
  ];
  for (const end of ends) {
    const core = follower();
    core.read(1);
    drain(core);
    core.read(2);
    end(core);
    core.campaign();
    expect(reads(core)).toEqual({ confirmed: [], dropped: [1, 2] });
  }
  const [leader] = readingLeader();
  leader.read(1);
  drain(leader);
  leader.read(2);
  leader.mute(true);
  expect(reads(leader)).toEqual({ confirmed: [], dropped: [1, 2] });
});

/** The question that a follower of replica 2 sends for what it was asked. */
function questionOf(core: RaftCore): number {
  const [question] = sent(drain(core), 'read-index');
  if (question?.type !== 'read-index') throw new Error('nothing was asked');
  expect(question.to).toBe(2);
  return question.sequence;
}

const answer = (way: readonly [number, number, number], sequence: number, index: number) =>
  message('read-index-reply', way, { sequence, accepted: true, index: logIndex(index) });

function follower(init: Parameters<typeof loneCore>[0] = {}): RaftCore {
  const core = loneCore({ log: [1, 1, 1], ...init });
  core.step(heartbeat([2, 1, 1]));
  drain(core);
  return core;
}

test('a follower asks its leader once for all reads of a turn, and answers when it has applied that far', () => {
  const core = follower();
  for (const context of [1, 2]) core.read(context);
  const first = questionOf(core);
  core.read(3);
  const second = questionOf(core);
  core.step(answer([2, 1, 1], first, 2));
  expect(drain(core).flatMap((ready) => ready.reads)).toEqual([
    { context: 1, index: 2 },
    { context: 2, index: 2 },
  ]);
  core.step(answer([2, 1, 1], first, 9));
  expect(reads(core).confirmed).toEqual([]);
  core.step(answer([2, 1, 1], second, 3));
  expect(reads(core).confirmed).toEqual([3]);
});

test('a question that is lost is asked again, and the later answer serves what was asked before', () => {
  const core = follower();
  core.read(1);
  questionOf(core);
  core.read(2);
  questionOf(core);
  // No more often than heartbeats: an answer that is late only because much is asked would be the later for it.
  const questions = Array.from({ length: HEARTBEAT_TICKS }, () => {
    core.tick();
    return sent(drain(core), 'read-index');
  }).flat();
  expect(questions).toHaveLength(1);
  const [again] = questions;
  if (again?.type !== 'read-index') throw new Error('nothing was asked');
  core.step(answer([2, 1, 1], again.sequence, 3));
  expect(reads(core).confirmed).toEqual([1, 2]);
  for (let tick = 0; tick < HEARTBEAT_TICKS; tick += 1) core.tick();
  expect(sent(drain(core))).toEqual([]);
});

test('answers of another life, another leader or another term confirm nothing (etcd #20418)', () => {
  const core = follower();
  core.read(1);
  const sequence = questionOf(core);
  for (const other of [sequence - 1, sequence + 1, 0, 2 ** 53 - 1])
    core.step(answer([2, 1, 1], other, 9));
  core.step(answer([3, 1, 1], sequence, 9));
  core.step(answer([2, 1, 0], sequence, 9));
  expect(reads(core)).toEqual({ confirmed: [], dropped: [] });
  core.step(heartbeat([3, 1, 2]));
  core.step(answer([2, 1, 1], sequence, 9));
  expect(reads(core)).toEqual({ confirmed: [], dropped: [1] });
});

test('a leader answers a follower as it answers its own shell: after an own commit, and a quorum', () => {
  const core = loneLeader({ log: [1, 1], commit: 1 });
  drain(core);
  const { term } = core.standing;
  core.step(message('read-index', [2, 1, term], { sequence: 7 }));
  expect(sent(drain(core), 'read-index-reply')).toEqual([]);
  core.step(accepted([2, 1, term], 3));
  expect(sent(drain(core), 'read-index-reply')).toEqual([]);
  core.step(heard([3, 1, term], 1));
  expect(sent(drain(core), 'read-index-reply')).toMatchObject([
    { to: 2, sequence: 7, accepted: true, index: 3 },
  ]);
});

test('whoever cannot answer a follower says so: no leader, too many waiting, deposed; a stranger hears nothing', () => {
  const ask = (sequence: number, from = 2, term = 1) =>
    message('read-index', [from, 1, term], { sequence });
  const core = follower();
  core.step(ask(5));
  expect(sent(drain(core))).toMatchObject([{ to: 2, sequence: 5, accepted: false }]);
  core.step(ask(5, 9));
  expect(sent(drain(core))).toEqual([]);
  const busy = loneLeader({ options: { readsPendingMax: 1 } });
  drain(busy);
  for (const sequence of [1, 2]) busy.step(ask(sequence));
  expect(sent(drain(busy), 'read-index-reply')).toMatchObject([{ sequence: 2, accepted: false }]);
  busy.step(heartbeat([3, 1, 9]));
  expect(sent(drain(busy), 'read-index-reply')).toMatchObject([{ sequence: 1, accepted: false }]);
  const [reading, reign] = readingLeader({ options: { readsPendingMax: 1 } });
  for (const sequence of [1, 2]) {
    reading.step(ask(sequence, 2, reign));
    const refused = sent(drain(reading), 'read-index-reply');
    expect(refused).toMatchObject(sequence === 1 ? [] : [{ sequence, accepted: false }]);
  }
  const asking = follower();
  asking.read(1);
  const sequence = questionOf(asking);
  asking.step(
    message('read-index-reply', [2, 1, 1], { sequence, accepted: false, index: logIndex(0) }),
  );
  expect(reads(asking).dropped).toEqual([1]);
});

test('reads beyond the bound are given back at once, those waiting included', () => {
  const [core] = readingLeader({ options: { readsPendingMax: 3 } });
  core.read(1);
  core.read(2);
  drain(core);
  for (const context of [3, 4, 5]) core.read(context);
  expect(reads(core)).toEqual({ confirmed: [], dropped: [4, 5] });
  const asking = follower({ options: { readsPendingMax: 3 } });
  for (const context of [1, 2]) asking.read(context);
  questionOf(asking);
  for (const context of [3, 4, 5]) asking.read(context);
  expect(reads(asking)).toEqual({ confirmed: [], dropped: [4, 5] });
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
