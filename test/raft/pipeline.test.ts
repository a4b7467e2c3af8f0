import { expect, test } from 'vitest';
import { replicaId } from '../../src/base/ids.ts';
import { HEARTBEAT_TICKS } from '../../src/base/limits.ts';
import type { RaftCore } from '../../src/raft/core.ts';
import type { AppendRequest, Message, Ready } from '../../src/raft/types.ts';
import {
  accepted,
  append,
  drain,
  heard,
  heartbeat,
  id,
  loneCore,
  loneLeader,
  message,
  refused,
  sent,
  vote,
} from './lone-core.ts';

/** Appends in windows, and acknowledgements that come when nobody waits for them any more (§5.3, thesis §10.2.1). */

const payload = { byteLength: 10 };

const appendsIn = (readies: readonly Ready[], to: number): AppendRequest[] =>
  sent(readies).flatMap((each) => (each.type === 'append-request' && each.to === to ? [each] : []));
const appendsTo = (core: RaftCore, to: number): AppendRequest[] => appendsIn(drain(core), to);

/** The indexes each append carries. */
const indexes = (appends: readonly AppendRequest[]): number[][] =>
  appends.map(({ entries }) => entries.map(({ index }) => index));

const beat = (core: RaftCore): void => {
  for (let tick = 0; tick < HEARTBEAT_TICKS; tick += 1) core.tick();
  drain(core);
};

/** A leader of term 1 that knows peer 2 to hold its first entry. */
function replicating(inflightAppendsMax = 64, inflightBytesMax = 1000): RaftCore {
  const options = { appendEntriesMax: 1, inflightAppendsMax, inflightBytesMax };
  const core = loneLeader({ options });
  drain(core);
  core.step(accepted([2, 1, 1], 1));
  drain(core);
  return core;
}

test('appends follow each other without waiting, until the window is full; answers make room in order', () => {
  const core = replicating(3);
  for (let n = 0; n < 6; n += 1) core.propose(payload);
  expect(indexes(appendsTo(core, 2))).toEqual([[2], [3], [4]]);
  core.propose(payload);
  expect(appendsTo(core, 2)).toEqual([]);
  core.step(accepted([2, 1, 1], 3));
  expect(indexes(appendsTo(core, 2))).toEqual([[5], [6]]);
  core.step(accepted([2, 1, 1], 2));
  expect(appendsTo(core, 2)).toEqual([]);
  core.step(accepted([2, 1, 1], 6));
  expect(indexes(appendsTo(core, 2))).toEqual([[7], [8]]);
});

test('all that the window takes leaves in one turn, and its bytes bound it, too', () => {
  const core = replicating(64, 25);
  for (let n = 0; n < 6; n += 1) core.propose(payload);
  const turn = core.takeReady();
  expect(indexes(appendsIn(turn === undefined ? [] : [turn], 2))).toEqual([[2], [3], [4]]);
  expect(appendsTo(core, 2)).toEqual([]);
});

test('a heartbeat tells of nothing that is not committed, whatever its receiver holds', () => {
  const core = loneLeader({ voters: [1, 2, 3, 4, 5] });
  drain(core);
  for (const from of [2, 3]) core.step(accepted([from, 1, 1], 1));
  core.propose(payload);
  drain(core);
  core.step(accepted([2, 1, 1], 2));
  for (let tick = 0; tick < HEARTBEAT_TICKS; tick += 1) core.tick();
  const told = sent(drain(core), 'heartbeat').filter(({ to }) => to === 2);
  expect(told).toMatchObject([{ commit: 1 }]);
});

test('an append tells of the commit no further than it reaches', () => {
  const core = replicating(1);
  for (let n = 0; n < 3; n += 1) core.propose(payload);
  drain(core);
  core.step(accepted([3, 1, 1], 4));
  core.step(accepted([2, 1, 1], 2));
  expect(appendsTo(core, 2)).toMatchObject([{ entries: [{ index: 3 }], commit: 4 }]);
  core.step(accepted([2, 1, 1], 4));
  expect(sent(drain(core), 'heartbeat')).toMatchObject([{ to: 2, commit: 4 }]);
});

test('what a peer forgot and acknowledges anew commits nothing that is committed', () => {
  const core = replicating();
  for (let n = 0; n < 3; n += 1) core.propose(payload);
  drain(core);
  core.step(accepted([2, 1, 1], 4));
  expect(core.committed).toBe(4);
  const hint = id(1, 1);
  core.step(
    message('append-reply', [2, 1, 1], {
      accepted: false,
      index: hint.index,
      hint,
      reverted: true,
    }),
  );
  core.step(accepted([2, 1, 1], 2));
  expect([core.committed, core.matchOf(replicaId(2))]).toEqual([4, 2]);
});

test('a broken connection begins again, one append at a time, behind what is acknowledged', () => {
  const core = replicating();
  for (let n = 0; n < 4; n += 1) core.propose(payload);
  expect(indexes(appendsTo(core, 2))).toEqual([[2], [3], [4], [5]]);
  core.step(accepted([2, 1, 1], 3));
  drain(core);
  core.peerLost(replicaId(2));
  expect(indexes(appendsTo(core, 2))).toEqual([[4]]);
  core.propose(payload);
  expect(appendsTo(core, 2)).toEqual([]);
  core.step(accepted([2, 1, 1], 4));
  expect(indexes(appendsTo(core, 2))).toEqual([[5], [6]]);
});

test('a probe is sent once, and again only when a heartbeat is answered', () => {
  const core = loneLeader({ log: [1, 1] });
  expect(appendsTo(core, 2)).toHaveLength(1);
  for (let n = 0; n < 5; n += 1) core.propose(payload);
  expect(appendsTo(core, 2)).toEqual([]);
  core.step(heard([2, 1, 2]));
  expect(appendsTo(core, 2)).toEqual([]);
  beat(core);
  expect(appendsTo(core, 2)).toEqual([]);
  core.step(heard([2, 1, 2]));
  expect(appendsTo(core, 2)).toMatchObject([{ prev: { index: 2 } }]);
});

test('an append that was taken in part is continued from there, found by a probe or by a heartbeat', () => {
  const probing = loneLeader({ log: [1, 1, 1, 1, 1] });
  drain(probing);
  probing.step(refused([2, 1, 2], 5, id(1, 1)));
  expect(indexes(appendsTo(probing, 2))).toEqual([[2, 3, 4, 5, 6]]);
  probing.step(accepted([2, 1, 2], 3));
  expect(indexes(appendsTo(probing, 2))).toEqual([[4, 5, 6]]);

  const core = replicating();
  for (let n = 0; n < 3; n += 1) core.propose(payload);
  drain(core);
  // 3 and 4 were lost on the way, and nothing follows that would show it.
  core.step(accepted([2, 1, 1], 2));
  beat(core);
  core.step(heard([2, 1, 1]));
  expect(appendsTo(core, 2)).toMatchObject([{ prev: { index: 4 }, entries: [] }]);
  core.step(refused([2, 1, 1], 4, id(2, 1)));
  expect(indexes(appendsTo(core, 2))).toEqual([[3]]);
});

test('when all that fills the window was lost, the answer to a heartbeat makes the leader look', () => {
  const core = replicating(1);
  for (let n = 0; n < 3; n += 1) core.propose(payload);
  expect(indexes(appendsTo(core, 2))).toEqual([[2]]);
  beat(core);
  core.step(heard([2, 1, 1]));
  expect(appendsTo(core, 2)).toMatchObject([{ prev: { index: 2 }, entries: [] }]);
});

test('where more is about to be sent, the answer to a heartbeat adds nothing', () => {
  const core = replicating();
  beat(core);
  core.propose(payload);
  core.step(heard([2, 1, 1]));
  expect(indexes(appendsTo(core, 2))).toEqual([[2]]);
});

test('what a probe says of the commit is told again when another one is answered', () => {
  const core = loneLeader({ log: [1] });
  drain(core);
  core.step(accepted([2, 1, 2], 2));
  beat(core);
  core.step(heard([3, 1, 2]));
  expect(appendsTo(core, 3)).toMatchObject([{ entries: [{ index: 2 }], commit: 2 }]);
  // That one is lost; the answer is to the first, which left before the commit.
  core.step(accepted([3, 1, 2], 2));
  expect(sent(drain(core), 'heartbeat')).toMatchObject([{ to: 3, commit: 2 }]);
});

test('a conflict before one that is not written yet is cut from there', () => {
  const core = loneCore({ log: [1, 1, 1] });
  core.step(append([2, 1, 2], id(2, 1), [2]));
  core.step(append([3, 1, 3], id(1, 1), [3]));
  expect(core.takeReady()).toMatchObject({ truncateFrom: 2, append: [id(2, 3)] });
});

test('one hole in the pipeline is refused, and filled from there on', () => {
  const leader = replicating();
  const follower = loneCore({ id: 2, log: [1] });
  for (let n = 0; n < 4; n += 1) leader.propose(payload);
  const [first, , ...rest] = appendsTo(leader, 2);
  const answers: Message[] = [];
  for (const each of [first, ...rest]) {
    if (each !== undefined) follower.step(each);
    answers.push(...sent(drain(follower, replicaId(2)), 'append-reply'));
  }
  for (const answer of answers) leader.step(answer);
  for (let queue = appendsTo(leader, 2); queue.length > 0; queue = appendsTo(leader, 2)) {
    for (const each of queue) follower.step(each);
    for (const answer of sent(drain(follower, replicaId(2)), 'append-reply')) leader.step(answer);
  }
  expect(follower.last).toMatchObject({ index: 5, term: 1 });
  expect(leader.matchOf(replicaId(2))).toBe(5);
});

/** Its own acknowledgements so far, not yet stepped back in. */
const ownWords = (core: RaftCore): Message[] => {
  const words: Message[] = [];
  for (let ready = core.takeReady(); ready !== undefined; ready = core.takeReady())
    words.push(...ready.sendAfterSync.filter((each) => each.to === 1));
  return words;
};

test('the write of an entry that was overwritten meanwhile confirms nothing of the one in its place', () => {
  // Leads term 2 with an entry at 2 whose write hangs …
  const core = loneLeader({ log: [1], term: 1 });
  core.propose(payload);
  const late = ownWords(core);
  expect(late.map((each) => (each.type === 'append-reply' ? each.index : 0))).toContain(2);
  // … is deposed, and its entries are replaced; the write of those hangs, too …
  core.step(append([3, 1, 3], id(1, 1), [3, 3]));
  for (const each of late) core.step(each);
  expect(core.committed).toBe(0);
  core.takeReady();
  // … and leads again: the place is the same, the entry is not.
  core.peerLost(replicaId(3));
  core.campaign();
  for (const from of [2, 3]) core.step(vote([from, 1, 4], true));
  core.takeReady();
  for (const from of [2, 3]) core.step(vote([from, 1, 4], false));
  expect(core.standing).toMatchObject({ role: 'leader', term: 4 });
  for (const each of late) core.step(each);
  expect(core.matchOf(replicaId(1))).toBe(0);
  core.step(accepted([2, 1, 4], 3));
  expect(core.committed).toBe(0);
  core.step(accepted([2, 1, 4], 4));
  expect(core.committed).toBe(0);
  core.step(accepted([3, 1, 4], 4));
  expect(core.committed).toBe(4);
});

test('what a follower acknowledged to the leader of a term confirms nothing in the next', () => {
  const follower = loneCore({ id: 2, log: [1] });
  follower.step(append([1, 2, 2], id(1, 1), [2]));
  const late = sent(drain(follower, replicaId(2)), 'append-reply');
  const leader = loneLeader({ log: [1, 2], term: 3 });
  expect(leader.standing.term).toBe(4);
  drain(leader);
  for (const each of late) leader.step(each);
  expect(leader.matchOf(replicaId(2))).toBe(0);
  leader.step(heartbeat([2, 1, 5]));
  for (const each of late) leader.step(each);
  expect(leader.committed).toBe(0);
});
