import { expect, test } from 'vitest';
import { logIndex, replicaId } from '../../src/base/ids.ts';
import { ELECTION_TICKS_MAX, HEARTBEAT_TICKS } from '../../src/base/limits.ts';
import { configurationOf, type SnapshotPoint } from '../../src/raft/configuration.ts';
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
  message,
  refused,
  sent,
  UNTIMED,
} from './lone-core.ts';

/** Snapshots in place of entries (§7), and replicas that must not speak. */

const THREE = configurationOf([1, 2, 3].map(replicaId));
const point = (index: number, term: number): SnapshotPoint => ({
  ...id(index, term),
  configuration: THREE,
});

/** A follower of replica 2 in term 3. */
function follower(log: readonly number[], commit = 0): RaftCore {
  const core = loneCore({ log, commit, term: 3 });
  core.step(heartbeat([2, 1, 3]));
  drain(core);
  return core;
}

test('a snapshot that contradicts the log replaces all of it, and is acknowledged when it is durable', () => {
  const core = follower([1, 1, 1, 1], 1);
  expect(core.restore(point(3, 2))).toBe(true);
  const [ready] = drain(core);
  expect(ready).toMatchObject({
    snapshot: { index: 3, term: 2, keepsLog: false },
    append: [],
    committed: 3,
    hardState: { term: 3, commit: 3 },
    sendAfterSync: [{ type: 'append-reply', to: 2, accepted: true, index: 3 }],
  });
  expect([core.last, core.base]).toEqual([id(3, 2), id(3, 2)]);
});

test('a snapshot of a term that is not known here brings that term, and is no word for the leader of an earlier one', () => {
  const core = follower([1, 1], 1);
  core.read(7);
  expect(core.restore(point(5, 4))).toBe(true);
  const [ready] = drain(core);
  expect(ready).toMatchObject({
    snapshot: { index: 5, term: 4 },
    hardState: { term: 4, vote: undefined, commit: 5 },
    sendAfterSync: [],
    readsDropped: [7],
  });
  expect(core.standing).toMatchObject({ role: 'follower', term: 4, leader: undefined });
  core.step(append([2, 1, 3], id(5, 4), [3]));
  expect(sent(drain(core))).toMatchObject([{ type: 'append-reply', to: 2, term: 4 }]);
});

test('a snapshot whose last entry is in the log keeps what comes after', () => {
  const core = follower([1, 1, 2, 2], 1);
  expect(core.restore(point(3, 2))).toBe(true);
  expect(drain(core)).toMatchObject([{ snapshot: { keepsLog: true }, committed: 3 }]);
  expect([core.last.index, core.base.index, core.committed]).toEqual([4, 3, 3]);
  expect([core.entryAt(3), core.termAt(2), core.termAt(4)]).toEqual([undefined, undefined, 2]);
});

test('entries not yet written are written only as far as the snapshot leaves them standing', () => {
  const core = follower([1, 1, 1, 1], 1);
  core.step(append([2, 1, 3], id(1, 1), [2, 2, 3]));
  expect(core.restore(point(3, 2))).toBe(true);
  const [ready] = drain(core);
  expect(ready).toMatchObject({
    snapshot: { index: 3, keepsLog: true },
    truncateFrom: 4,
    append: [id(4, 3)],
  });
});

test('what is not yet cut is cut no earlier for a snapshot of what comes before it', () => {
  const core = follower([1, 1, 1, 1], 1);
  core.step(append([2, 1, 3], id(3, 1), [3]));
  expect(core.restore(point(2, 1))).toBe(true);
  expect(drain(core)[0]).toMatchObject({ truncateFrom: 4, append: [id(4, 3)] });
});

test('what is not yet written goes with the log that a snapshot contradicts', () => {
  const core = follower([1, 1, 1], 1);
  core.step(append([2, 1, 3], id(2, 1), [3]));
  expect(core.restore(point(5, 3))).toBe(true);
  expect(drain(core)[0]).toMatchObject({ truncateFrom: undefined, append: [] });
});

test('of two snapshots in one turn the later stands, and what the first dropped stays dropped', () => {
  const core = follower([1, 1], 0);
  expect(core.restore(point(5, 2))).toBe(true);
  core.step(append([2, 1, 3], id(5, 2), [2, 3]));
  expect(core.restore(point(6, 2))).toBe(true);
  expect(drain(core)[0]).toMatchObject({
    snapshot: { index: 6, keepsLog: false },
    append: [id(7, 3)],
  });
});

test('a core that begins with a snapshot has committed what is in it, whatever its hint says', () => {
  const core = loneCore({ snapshot: point(5, 1), commit: 3, term: 1 });
  expect([core.committed, core.last.index]).toEqual([5, 5]);
});

test('an old snapshot changes nothing, nor does one at a leader', () => {
  const core = follower([1, 1, 1], 2);
  expect(core.restore(point(2, 1))).toBe(false);
  expect(core.restore(point(1, 1))).toBe(false);
  const leader = loneLeader();
  drain(leader);
  expect(leader.restore(point(9, 1))).toBe(false);
  expect([drain(core), drain(leader)]).toEqual([[], []]);
});

test('an offer of what is here already is acknowledged and commits; another is handed to the shell', () => {
  const core = follower([1, 1, 2, 2], 1);
  core.step(message('snapshot-offer', [2, 1, 3], { last: id(1, 1) }));
  core.step(message('snapshot-offer', [2, 1, 3], { last: id(3, 2) }));
  expect(sent(drain(core))).toMatchObject([
    { type: 'append-reply', accepted: true, index: 1 },
    { type: 'append-reply', accepted: true, index: 3 },
  ]);
  expect(core.committed).toBe(3);
  core.step(message('snapshot-offer', [2, 1, 3], { last: id(2, 1) }));
  expect(sent(drain(core))).toMatchObject([{ type: 'append-reply', accepted: true, index: 3 }]);
  core.step(message('snapshot-offer', [2, 1, 3], { last: id(9, 3) }));
  expect(drain(core)).toMatchObject([{ snapshotOffer: { from: 2, last: id(9, 3) }, send: [] }]);
});

test('an offer keeps a follower from campaigning, and an old one is answered with the term', () => {
  const core = follower([1]);
  for (let time = 0; time < ELECTION_TICKS_MAX * 3; time += 1) {
    core.tick();
    core.step(message('snapshot-offer', [2, 1, 3], { last: id(9, 3) }));
  }
  expect(core.standing).toMatchObject({ role: 'follower', leader: 2 });
  drain(core);
  core.step(message('snapshot-offer', [3, 1, 2], { last: id(9, 2) }));
  expect(sent(drain(core))).toMatchObject([{ type: 'append-reply', to: 3, term: 3 }]);
});

/** A leader of term 2 that has compacted all it committed, its peer 3 far behind. */
function compacted(): RaftCore {
  const core = loneLeader({ log: [1, 1, 1, 1] });
  drain(core);
  core.step(accepted([2, 1, 2], 5));
  drain(core);
  core.compact(5);
  core.step(refused([3, 1, 2], 4, id(1, 1)));
  return core;
}

test('a peer that lacks compacted entries is offered a snapshot, once a heartbeat, until it holds it', () => {
  const core = compacted();
  const offer = { type: 'snapshot-offer', to: 3, last: id(5, 2) };
  expect(sent(drain(core), 'snapshot-offer')).toMatchObject([offer]);
  core.step(heard([3, 1, 2]));
  expect(sent(drain(core), 'snapshot-offer')).toEqual([]);
  for (let tick = 0; tick < HEARTBEAT_TICKS; tick += 1) core.tick();
  core.step(heard([3, 1, 2]));
  expect(sent(drain(core), 'snapshot-offer')).toMatchObject([offer]);
  core.propose({ byteLength: 1 });
  expect(sent(drain(core), 'append-request')).toMatchObject([{ to: 2 }]);
  core.step(accepted([3, 1, 2], 5));
  const appends = sent(drain(core), 'append-request');
  expect(appends).toMatchObject([{ to: 3, prev: id(5, 2), entries: [id(6, 2)] }]);
});

test('late refusals and late acceptances do not end an offer', () => {
  const core = compacted();
  drain(core);
  core.step(refused([3, 1, 2], 3, id(1, 1)));
  core.step(accepted([3, 1, 2], 2));
  core.propose({ byteLength: 1 });
  const toThird = sent(drain(core)).filter((each) => each.to === 3);
  expect(toThird).toMatchObject([{ type: 'heartbeat', commit: 2 }]);
});

test('a muted replica says nothing, takes nothing, and knows who leads; then it goes on', () => {
  const core = loneLeader();
  drain(core);
  core.propose({ byteLength: 1 });
  core.mute(true);
  expect(sent(drain(core), 'append-reply')).toEqual([]);
  expect(core.standing.role).toBe('follower');
  expect(core.silenced).toBe(true);
  const { last } = core;
  core.step(ask([2, 1, 9], id(99, 8)));
  core.step(ask([2, 1, 9], id(99, 8), { pre: true }));
  core.step(append([3, 1, 9], last, [9, 9]));
  core.step(heartbeat([3, 1, 9]));
  for (let time = 0; time < ELECTION_TICKS_MAX * 2; time += 1) core.tick();
  core.campaign();
  expect(sent(drain(core))).toEqual([]);
  core.step(heartbeat([2, 1, 8]));
  expect(core.standing).toMatchObject({ role: 'follower', term: 9, leader: 3 });
  expect(core.last).toEqual(last);
  core.mute(false);
  core.step(append([3, 1, 9], last, [9]));
  expect(sent(drain(core))).toMatchObject([{ accepted: true, index: last.index + 1 }]);
});

test('what a replica was about to promise when it was muted it promises no more', () => {
  const core = follower([1], 1);
  core.step(append([2, 1, 3], id(1, 1), [3]));
  core.mute(true);
  expect(drain(core)).toMatchObject([{ append: [id(2, 3)], sendAfterSync: [] }]);
  expect(core.standing.leader).toBe(2);
  const voter = loneCore({ log: [1] });
  voter.step(ask([2, 1, 5], id(1, 1)));
  voter.mute(true);
  expect(sent(drain(voter))).toEqual([]);
  voter.step(heartbeat([2, 1, 5]));
  expect(voter.standing.leader).toBe(2);
  expect(voter.hardState).toMatchObject({ term: 5, vote: 2 });
});

test('whose vote is in doubt neither votes nor campaigns, whatever its restarts, until a later term has its leader', () => {
  const core = loneCore({ term: 4, abstain: true });
  for (let time = 0; time < ELECTION_TICKS_MAX * 2; time += 1) core.tick();
  core.campaign();
  core.peerLost(replicaId(2));
  core.step(message('timeout-now', [2, 1, 4], { last: id(0, 0) }));
  expect(core.standing.role).toBe('follower');
  core.step(heartbeat([2, 1, 4]));
  core.step(ask([2, 1, 5], id(9, 4), { transfer: true }));
  expect(sent(drain(core), 'vote-reply')).toMatchObject([{ granted: false }]);
  expect(core.hardState).toEqual({ term: 5, vote: undefined, commit: 0, abstain: true });
  // Accepting entries is no vote.
  core.step(append([3, 1, 6], id(0, 0), [6]));
  expect(sent(drain(core))).toMatchObject([{ accepted: true, index: 1 }]);
  expect(core.hardState).toEqual({ term: 6, vote: 3, commit: 0 });
  expect(core.silenced).toBe(false);
});

test('whose newest entries are in doubt abstains until its log is the same as that of a leader elected without it', () => {
  const core = loneCore({ term: 4, abstain: true });
  core.step(append([3, 1, 6], id(0, 0), [3, 4]));
  expect(sent(drain(core))).toMatchObject([{ accepted: true, index: 2 }]);
  expect(core.silenced, 'what was committed may come after these').toBe(true);
  core.step(ask([2, 1, 7], id(9, 6), { transfer: true }));
  expect(sent(drain(core), 'vote-reply')).toMatchObject([{ granted: false }]);
  core.step(append([2, 1, 7], id(2, 4), [7]));
  drain(core);
  expect(core.silenced).toBe(false);
});

test('a leader that steps down hands over to who is ahead, and is a follower soon if nobody takes over', () => {
  const core = loneLeader({ voters: [1, 2, 3, 4, 5] });
  const { term } = core.standing;
  drain(core);
  core.propose({ byteLength: 1 });
  drain(core);
  core.step(accepted([2, 1, term], 1));
  core.step(accepted([3, 1, term], 2));
  core.stepDown();
  core.stepDown();
  expect(sent(drain(core), 'timeout-now')).toMatchObject([{ to: 3, last: id(2, term) }]);
  expect(core.propose({ byteLength: 1 })).toEqual({ ok: false, reason: 'transferring' });
  for (let time = 0; time < ELECTION_TICKS_MAX && core.standing.role === 'leader'; time += 1) {
    core.step(heard([2, 1, term]));
    core.step(heard([3, 1, term]));
    core.tick();
  }
  expect(core.standing).toMatchObject({ role: 'follower', term });
});

test('a leader with nobody to hand over to steps down at once', () => {
  const unheard = loneLeader();
  unheard.stepDown();
  expect(unheard.standing.role).toBe('follower');
  const alone = loneLeader({ voters: [1] });
  alone.stepDown();
  expect(alone.standing.role).toBe('follower');
  alone.stepDown();
});

test('a peer that may have forgotten says so, and what it holds is found out anew; a mere refusal changes nothing', () => {
  const core = loneLeader({ log: [1, 1, 1] });
  drain(core);
  core.step(accepted([3, 1, 2], 4));
  core.step(refused([3, 1, 2], 3, id(1, 1)));
  expect(core.matchOf(replicaId(3))).toBe(4);
  const forgotten = {
    accepted: false,
    index: logIndex(4),
    hint: id(1, 1),
    reverted: true as const,
  };
  core.step(message('append-reply', [3, 1, 2], forgotten));
  expect(core.matchOf(replicaId(3))).toBe(1);
  expect(core.committed).toBe(4);
  expect(sent(drain(core), 'append-request')).toMatchObject([
    { to: 3, prev: id(1, 1), entries: [id(2, 1), id(3, 1), id(4, 2)] },
  ]);
  // What it never held is no news of what it forgot.
  core.step(accepted([3, 1, 2], 2));
  core.step(message('append-reply', [3, 1, 2], { ...forgotten, hint: id(4, 2) }));
  expect(core.matchOf(replicaId(3))).toBe(2);
});

test('a replica in doubt tells what it lacks when it is asked, and when a heartbeat shows it', () => {
  const core = loneCore({ log: [1, 1], abstain: true });
  core.step(append([2, 1, 1], id(4, 1), [1]));
  core.step(message('heartbeat', [2, 1, 1], { ...UNTIMED, commit: logIndex(4), round: 0 }));
  expect(sent(drain(core), 'append-reply')).toMatchObject([
    { accepted: false, index: 4, hint: id(2, 1), reverted: true },
    { accepted: false, index: 4, hint: id(2, 1), reverted: true },
  ]);
});

test.each([
  ['where 32 bits end', 2 ** 32 - 3],
  ['near the last index there is', 2 ** 53 - 50],
])('everything goes on %s', (_what, start) => {
  const base = point(start, 7);
  const ids = [1, 2, 3];
  const cores = ids.map((own) =>
    loneCore({ id: own, term: 7, snapshot: base, commit: start, seed: own }),
  );
  const queue: Message[] = [];
  const settle = (): void => {
    for (let moves = 0; moves < 1000; moves += 1) {
      for (const core of cores)
        for (const ready of drain(core, replicaId(cores.indexOf(core) + 1)))
          queue.push(
            ...[...ready.send, ...ready.sendAfterSync].filter((each) => each.to !== each.from),
          );
      const next = queue.shift();
      if (next === undefined) return;
      cores[next.to - 1]?.step(next);
    }
  };
  const [leader = loneCore()] = cores;
  leader.campaign();
  settle();
  for (let n = 0; n < 5; n += 1) {
    leader.propose({ byteLength: 10 });
    settle();
  }
  leader.compact(start + 4);
  expect(leader.base.index).toBe(start + 4);
  for (const core of cores)
    expect([core.committed, core.last.index]).toEqual([start + 6, start + 6]);
});

test.each([
  ['before the base', 2, 'accepted', 3],
  ['at the base', 3, 'accepted', 5],
  ['after the base', 4, 'accepted', 6],
  ['at the end', 5, 'accepted', 7],
  ['beyond the end', 6, 'refused', 6],
])(
  'an append that begins %s of a log after a snapshot is answered rightly',
  (_what, prev, how, index) => {
    const tail = entries(3, 2, 2);
    const core = loneCore({ tail, snapshot: point(3, 1), commit: 3, term: 2 });
    core.step(append([2, 1, 2], id(prev, prev <= 3 ? 1 : 2), [2, 2]));
    expect(sent(drain(core))).toMatchObject([{ accepted: how === 'accepted', index }]);
  },
);
