import { expect, test } from 'vitest';
import { replicaId } from '../../src/base/ids.ts';
import { ELECTION_TICKS_MIN, HEARTBEAT_TICKS } from '../../src/base/limits.ts';
import type { RaftCore } from '../../src/raft/core.ts';
import type { Message } from '../../src/raft/types.ts';
import {
  accepted,
  append,
  ask,
  drain,
  entries,
  heard,
  heartbeat,
  id,
  loneCore,
  loneLeader,
  refused,
  sent,
} from './lone-core.ts';

/** Replication, commit and transfer (§5.3, §5.4.2; thesis §3.10), a replica at a time. */

const payload = { byteLength: 10 };
const terms = (core: RaftCore): (number | undefined)[] =>
  Array.from({ length: core.last.index }, (_, at) => core.termAt(at + 1));
const beat = (core: RaftCore): void => {
  for (let tick = 0; tick < HEARTBEAT_TICKS; tick += 1) core.tick();
};
const appends = (core: RaftCore, to: number): Message[] =>
  sent(drain(core), 'append-request').filter((each) => each.to === to);

// ── the follower ──

test.each<[string, number[], Message, number[], number]>([
  ['takes what follows', [1, 1], append([2, 1, 2], id(2, 1), [2, 2]), [1, 1, 2, 2], 0],
  ['cuts what conflicts', [1, 1, 1], append([2, 1, 2], id(1, 1), [2]), [1, 2], 0],
  [
    'keeps what a late one merely repeats',
    [1, 1, 1],
    append([2, 1, 1], id(0, 0), [1]),
    [1, 1, 1],
    0,
  ],
  ['keeps all on a probe', [1, 1, 1], append([2, 1, 2], id(1, 1), []), [1, 1, 1], 0],
  [
    'commits up to what it surely shares',
    [1, 1, 1],
    append([2, 1, 2], id(1, 1), [], 3),
    [1, 1, 1],
    1,
  ],
  [
    'commits up to the last new entry',
    [1, 1, 1],
    append([2, 1, 1], id(0, 0), [1], 3),
    [1, 1, 1],
    1,
  ],
  ['commits no more than it is told', [1], append([2, 1, 1], id(1, 1), [1, 1], 2), [1, 1, 1], 2],
  ['does not commit what it refuses', [1, 1], append([2, 1, 2], id(2, 2), [2], 3), [1, 1], 0],
  ['does not commit by a word past its end', [1, 1], heartbeat([2, 1, 1], 3), [1, 1], 0],
  ['commits by a word within its log', [1, 1], heartbeat([2, 1, 1], 1), [1, 1], 1],
])('a follower %s (§5.3)', (_, log, word, logAfter, commit) => {
  const core = loneCore({ log });
  core.step(word);
  expect([terms(core), core.committed]).toEqual([logAfter, commit]);
});

test.each([
  ['new entries', append([2, 1, 1], id(3, 1), [1, 1]), 5],
  ['nothing new', append([2, 1, 1], id(3, 1), []), 3],
  ['a repetition', append([2, 1, 1], id(2, 1), [1]), 3],
  ['something below the commit index', append([2, 1, 1], id(1, 1), [1]), 2],
])('an acknowledgement of %s waits for the disk', (_, word, index) => {
  const core = loneCore({ log: [1, 1, 1], commit: 2 });
  core.step(word);
  const readies = drain(core);
  expect(readies.flatMap((ready) => ready.send)).toEqual([]);
  expect(readies.flatMap((ready) => ready.sendAfterSync)).toMatchObject([
    { type: 'append-reply', accepted: true, index, to: 2 },
  ]);
});

test('a word past the end of the log is proof of a loss: no vote until a later leader has made it good', () => {
  const core = loneCore({ log: [1, 1], term: 1 });
  core.step(heartbeat([2, 1, 1], 2));
  expect(drain(core)[0]?.hardState).toBeUndefined();
  core.step(heartbeat([2, 1, 1], 3));
  const doubt = { term: 1, commit: 2, abstain: true };
  expect(drain(core)).toMatchObject([{ hardState: doubt, committed: 2 }]);
  core.step(append([2, 1, 1], id(3, 1), []));
  expect(sent(drain(core))).toMatchObject([{ accepted: false, reverted: true, hint: id(2, 1) }]);
  core.step(append([2, 1, 1], id(2, 1), [1]));
  core.peerLost(replicaId(2));
  core.step(ask([3, 1, 2], id(9, 1)));
  expect(sent(drain(core), 'vote-reply')).toMatchObject([{ granted: false }]);
  core.step(append([3, 1, 3], id(3, 1), [3]));
  expect(drain(core).at(-1)?.hardState).toEqual({ term: 3, vote: 3, commit: 2 });
  expect(core.silenced).toBe(false);
});

test('a late append below the commit index touches nothing', () => {
  const core = loneCore({ log: [1, 1, 1, 1], commit: 3, options: { logMemoryBytesMax: 0 } });
  core.release(3);
  core.step(append([2, 1, 1], id(0, 0), [1, 1, 1, 1, 1]));
  const [ready] = drain(core);
  expect([ready?.truncateFrom, ready?.append, core.last.index]).toEqual([undefined, [], 4]);
});

test('conflicts that come faster than the disk leave one write that fits the disk', () => {
  const core = loneCore({ log: [1, 1, 1] });
  core.step(append([2, 1, 2], id(1, 1), [2, 2, 2]));
  core.step(append([3, 1, 3], id(2, 2), [3]));
  core.step(append([2, 1, 4], id(3, 3), [4]));
  const [ready] = drain(core);
  expect(ready?.truncateFrom).toBe(2);
  expect(ready?.append.map((entry) => `${entry.index}@${entry.term}`)).toEqual([
    '2@2',
    '3@3',
    '4@4',
  ]);
  expect(ready?.hardState).toMatchObject({ term: 4 });
});

test('a refusal names the newest place where the logs can still agree', () => {
  const core = loneCore({ log: [1, 1, 3, 3], term: 5 });
  for (const [prev, hint] of [
    [id(9, 5), id(4, 3)],
    [id(9, 2), id(2, 1)],
    [id(4, 2), id(2, 1)],
    [id(3, 4), id(3, 3)],
  ] as const) {
    core.step(append([2, 1, 5], prev, []));
    expect(sent(drain(core))).toMatchObject([{ accepted: false, index: prev.index, hint }]);
  }
});

test('what was written is enough to begin again with', () => {
  const core = loneCore({ log: [1, 1] });
  core.step(append([2, 1, 3], id(2, 1), [3], 3));
  core.step(ask([3, 1, 4], id(9, 9)));
  const hardStates = drain(core).flatMap((ready) => ready.hardState ?? []);
  expect(hardStates.at(-1)).toMatchObject({ term: 3, commit: 3 });
  const again = loneCore({ log: [1, 1, 3], term: 7, vote: 2, commit: 3 });
  expect(again.hardState).toEqual({ term: 7, vote: 2, commit: 3 });
  again.step(ask([3, 1, 7], id(9, 9)));
  expect(sent(drain(again))).toMatchObject([{ granted: false }]);
});

// ── the leader ──

test('only an entry of the own term is committed by counting, and then all before it (Figure 8)', () => {
  const core = loneLeader({ log: [1, 2, 2] });
  drain(core);
  const { term } = core.standing;
  core.step(accepted([2, 1, term], 3));
  expect(core.committed).toBe(0);
  core.step(accepted([2, 1, term], 4));
  expect(core.committed).toBe(4);
});

test('answers from the past, beyond the log, or from strangers move nothing', () => {
  const core = loneLeader({ log: [1, 1] });
  drain(core);
  const { term } = core.standing;
  for (const word of [
    accepted([2, 1, term - 1], 3),
    accepted([2, 1, term], 4),
    accepted([9, 1, term], 3),
    heard([2, 1, term]),
  ]) {
    core.step(word);
    expect([core.committed, core.matchOf(replicaId(2))]).toEqual([0, 0]);
  }
  core.step(accepted([2, 1, term], 3));
  core.step(accepted([2, 1, term], 1));
  expect([core.committed, core.matchOf(replicaId(2))]).toEqual([3, 3]);
});

test('a refusal that an acceptance has overtaken sends nothing again', () => {
  const core = loneLeader({ log: [1, 1, 1, 1] });
  drain(core);
  const { term } = core.standing;
  core.step(refused([2, 1, term], 4, id(2, 1)));
  expect(appends(core, 2)).toMatchObject([{ prev: { index: 2 } }]);
  // The same refusal again, while the new probe is under way.
  core.step(refused([2, 1, term], 4, id(1, 1)));
  expect(appends(core, 2)).toEqual([]);
  core.step(accepted([2, 1, term], 5));
  core.propose(payload);
  expect(appends(core, 2)).toMatchObject([{ prev: { index: 5 } }]);
  core.step(refused([2, 1, term], 2, id(0, 0)));
  core.step(refused([2, 1, term], 5, id(0, 0)));
  expect(appends(core, 2)).toEqual([]);
  // A place this leader never named.
  core.step(refused([2, 1, term], 99, id(98, 1)));
  expect(appends(core, 2)).toEqual([]);
});

test('each refusal moves the probe back, whatever it says, but never to what is known to match', () => {
  const core = loneLeader({ log: [1, 1, 1, 1] });
  drain(core);
  const { term } = core.standing;
  // It refuses what it says that it holds.
  core.step(refused([2, 1, term], 4, id(4, 1)));
  expect(appends(core, 2)).toMatchObject([{ prev: { index: 3 } }]);
  core.step(refused([2, 1, term], 3, id(3, 1)));
  expect(appends(core, 2)).toMatchObject([{ prev: { index: 2 } }]);
  core.step(accepted([2, 1, term], 5));
  for (let n = 0; n < 3; n += 1) core.propose(payload);
  drain(core);
  core.step(refused([2, 1, term], 7, id(0, 0)));
  expect(appends(core, 2)).toMatchObject([{ prev: { index: 5 } }]);
});

test('a long wrong tail is passed in one step a term, not one an entry (§5.3)', () => {
  const wrong = Array.from({ length: 1000 }, () => 2);
  const right = Array.from({ length: 1000 }, () => 3);
  const leader = loneLeader({ log: [1, ...right] });
  const follower = loneCore({ id: 2, log: [1, ...wrong], term: 3 });
  let probes = 0;
  for (let queue = appends(leader, 2); queue.length > 0; queue = appends(leader, 2)) {
    probes += queue.length;
    for (const each of queue) follower.step(each);
    for (const each of sent(drain(follower, replicaId(2)), 'append-reply')) leader.step(each);
  }
  expect(terms(follower)).toEqual(terms(leader));
  expect(probes).toBeLessThanOrEqual(4);
});

test('what a peer is told to be committed is never more than it is known to hold', () => {
  const core = loneLeader({ log: [1, 1, 1] });
  drain(core);
  const { term } = core.standing;
  core.step(accepted([2, 1, term], 4));
  beat(core);
  const told = sent(drain(core), 'heartbeat').map((each) => [
    each.to,
    each.type === 'heartbeat' ? each.commit : -1,
  ]);
  expect(told).toContainEqual([2, 4]);
  for (const [to, commit] of told) if (to === 3) expect(commit).toBe(0);
});

test('a transfer waits for the log of its target, refuses proposals meanwhile, and ends by itself', () => {
  const core = loneLeader();
  drain(core);
  const { term } = core.standing;
  expect(core.transfer(replicaId(1))).toBe(false);
  expect(core.transfer(replicaId(9))).toBe(false);
  expect(core.transfer(replicaId(2))).toBe(true);
  expect(sent(drain(core), 'timeout-now')).toEqual([]);
  expect(core.propose(payload)).toEqual({ ok: false, reason: 'transferring' });
  expect(core.standing.transferring).toBe(true);
  core.step(accepted([2, 1, term], 1));
  expect(sent(drain(core), 'timeout-now')).toMatchObject([{ to: 2, last: id(1, term) }]);
  for (let tick = 0; tick < ELECTION_TICKS_MIN; tick += 1) {
    core.tick();
    core.step(heard([2, 1, term]));
  }
  expect(core.propose(payload).ok).toBe(true);
  expect(loneCore().transfer(replicaId(2))).toBe(false);
});

test('however many reads are confirmed, a slow peer is sent its probe once a heartbeat', () => {
  const core = loneLeader({ log: [1, 1, 1] });
  const { term } = core.standing;
  core.step(accepted([2, 1, term], 4));
  expect(appends(core, 3)).toHaveLength(1);
  beat(core);
  let repeated = 0;
  for (let read = 1; read <= 100; read += 1) {
    core.read(read);
    drain(core);
    core.step(heard([3, 1, term], read));
    repeated += appends(core, 3).length;
  }
  expect(repeated).toBe(1);
  beat(core);
  drain(core);
  core.step(heard([3, 1, term], 1));
  expect(appends(core, 3)).toHaveLength(1);
});

test('a broken connection makes the leader ask again where the peer stands', () => {
  const core = loneLeader({ log: [1, 1] });
  drain(core);
  const { term } = core.standing;
  core.peerLost(replicaId(3));
  expect(appends(core, 3)).toMatchObject([{ prev: { index: 2 } }]);
  core.step(accepted([2, 1, term], 3));
  core.propose(payload);
  expect(appends(core, 2)).toMatchObject([{ prev: { index: 3 } }]);
  core.peerLost(replicaId(2));
  core.propose(payload);
  expect(appends(core, 2)).toMatchObject([{ prev: { index: 3 }, entries: [{}, {}] }]);
  for (const peer of [1, 9]) core.peerLost(replicaId(peer));
  expect(core.standing.role).toBe('leader');
});

// ── entries that memory no longer holds ──

/** A leader of term 2 whose memory begins at 20, while peer 3 has to be sent 5 … */
function forgetful(appendEntriesMax: number): RaftCore {
  const core = loneLeader({
    log: Array.from({ length: 20 }, () => 1),
    options: { logMemoryBytesMax: 0, appendEntriesMax },
  });
  drain(core);
  core.step(accepted([2, 1, 2], 21));
  core.release(20);
  drain(core);
  core.step(refused([3, 1, 2], 20, id(4, 1)));
  expect(drain(core).flatMap((ready) => ready.logReads)).toMatchObject([{ peer: 3, from: 5 }]);
  return core;
}
const ones = (from: number, count: number) =>
  entries(from - 1, ...Array.from({ length: count }, () => 1));

test('of what the disk yields, no more is sent than an append may hold', () => {
  const core = forgetful(3);
  core.entriesRead(replicaId(3), ones(5, 10));
  const [only] = appends(core, 3);
  expect(only).toMatchObject({ prev: { index: 4 }, entries: [{ index: 5 }, {}, { index: 7 }] });
});

test('when the disk yields nothing in the middle, the leader waits, too', () => {
  const core = forgetful(3);
  core.entriesRead(replicaId(3), ones(5, 3));
  drain(core);
  core.step(accepted([3, 1, 2], 7));
  expect(drain(core).flatMap((ready) => ready.logReads)).toMatchObject([{ peer: 3, from: 8 }]);
  core.entriesRead(replicaId(3), []);
  expect(drain(core)).toEqual([]);
});

test('when the disk yields nothing, the leader waits for the peer before it asks again', () => {
  const core = forgetful(3);
  core.entriesRead(replicaId(3), []);
  expect(drain(core)).toEqual([]);
  beat(core);
  drain(core);
  core.step(heard([3, 1, 2]));
  expect(drain(core).flatMap((ready) => ready.logReads)).toHaveLength(1);
  core.entriesRead(replicaId(3), ones(1, 10));
  expect(drain(core).flatMap((ready) => ready.logReads)).toHaveLength(1);
});

test.each([
  ['of another place', ones(6, 2)],
  ['of another term', entries(4, 7)],
  ['past the end', entries(4, ...Array.from({ length: 30 }, () => 1))],
])('entries %s are not sent, but read again', (_, stale) => {
  const core = forgetful(100);
  core.entriesRead(replicaId(3), stale);
  const readies = drain(core);
  expect(sent(readies, 'append-request')).toEqual([]);
  expect(readies.flatMap((ready) => ready.logReads)).toMatchObject([{ peer: 3, from: 5 }]);
});

test.each([
  [4, { type: 'append-request', prev: id(4, 1) }],
  [5, { type: 'snapshot-offer', last: id(5, 1) }],
  [6, { type: 'snapshot-offer', last: id(6, 1) }],
])('entries read while the log was compacted to %i are sent only behind its base', (to, word) => {
  const core = forgetful(100);
  core.compact(to);
  core.entriesRead(replicaId(3), ones(5, 10));
  expect(sent(drain(core))).toMatchObject([{ to: 3, ...word }]);
});

test('entries nobody asked for are ignored, whoever they are for', () => {
  const core = forgetful(100);
  for (const peer of [2, 9]) core.entriesRead(replicaId(peer), ones(5, 1));
  expect(drain(core)).toEqual([]);
  core.entriesRead(replicaId(3), ones(5, 1));
  expect(appends(core, 3)).toHaveLength(1);
  core.entriesRead(replicaId(3), ones(5, 1));
  expect(drain(core)).toEqual([]);
  core.step(heartbeat([2, 1, 9]));
  drain(core);
  core.entriesRead(replicaId(3), ones(5, 1));
  expect(drain(core)).toEqual([]);
});
