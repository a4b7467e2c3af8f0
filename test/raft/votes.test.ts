import fc from 'fast-check';
import { expect, test } from 'vitest';
import { replicaId } from '../../src/base/ids.ts';
import { ELECTION_TICKS_MAX, ELECTION_TICKS_MIN } from '../../src/base/limits.ts';
import type { RaftCore } from '../../src/raft/core.ts';
import {
  append,
  ask,
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

/** Elections (§5.2, §5.4.1; thesis §3.10, §4.2.3, §9.6), a replica at a time. */

const tick = (core: RaftCore, times: number): void => {
  for (let time = 0; time < times; time += 1) core.tick();
};

const answers = (core: RaftCore): boolean[] =>
  sent(drain(core)).flatMap((each) => (each.type === 'vote-reply' ? [each.granted] : []));

test.each([
  // own log, the candidate's last entry, whether it may win (§5.4.1)
  [[], id(0, 0), true],
  [[1], id(0, 0), false],
  [[1, 1], id(2, 1), true],
  [[1, 1], id(3, 1), true],
  [[1, 1], id(1, 1), false],
  [[1, 1, 1], id(1, 2), true],
  [[1, 1, 3], id(9, 2), false],
  [[1, 2], id(2, 1), false],
])(
  'a voter whose log has the terms %j answers a candidate that ends in %j: %s',
  (log, last, granted) => {
    for (const pre of [false, true]) {
      const core = loneCore({ log, term: 5 });
      core.step(ask([2, 1, 6], last, { pre }));
      expect(answers(core)).toEqual([granted]);
    }
  },
);

test('a vote is written down before it is given, also when the term was known before', () => {
  const core = loneCore({ term: 4 });
  core.step(ask([2, 1, 4], id(0, 0)));
  const [ready] = drain(core);
  expect(ready?.hardState).toEqual({ term: 4, vote: 2, commit: 0 });
  expect(ready?.send).toEqual([]);
  expect(ready?.sendAfterSync).toMatchObject([{ to: 2, term: 4, granted: true }]);
});

test('one vote a term, whoever asks, however often, through restarts from what was written', () => {
  const asked = fc.record({ from: fc.constantFrom(2, 3), term: fc.integer({ min: 1, max: 4 }) });
  const step = fc.record({ asked, pre: fc.boolean(), restart: fc.boolean() });
  fc.assert(
    fc.property(fc.array(step, { maxLength: 40 }), (steps) => {
      let disk = { term: 0, vote: undefined as number | undefined };
      const start = (): RaftCore =>
        loneCore({ term: disk.term, ...(disk.vote === undefined ? {} : { vote: disk.vote }) });
      let core = start();
      const given = new Map<number, number>();
      for (const { asked: request, pre, restart } of steps) {
        if (restart) core = start();
        core.step(ask([request.from, 1, request.term], id(0, 0), { pre }));
        for (const ready of drain(core)) {
          if (ready.hardState !== undefined) disk = ready.hardState;
          for (const each of ready.sendAfterSync) {
            if (each.type !== 'vote-reply' || each.pre || !each.granted) continue;
            expect(given.get(each.term) ?? each.to).toBe(each.to);
            given.set(each.term, each.to);
            expect(disk).toMatchObject({ term: each.term, vote: each.to });
          }
        }
      }
    }),
  );
});

test('a question before the vote changes nothing: no term, no vote, no time-out', () => {
  const core = loneCore({ term: 3 });
  tick(core, 5);
  const asker = loneCore({ term: 3 });
  tick(asker, 5);
  core.step(ask([2, 1, 4], id(0, 0), { pre: true }));
  expect(answers(core)).toEqual([true]);
  expect(core.hardState).toEqual(asker.hardState);
  const ticksToCampaign = (each: RaftCore): number => {
    let ticks = 0;
    while (each.standing.role === 'follower') {
      each.tick();
      ticks += 1;
    }
    return ticks;
  };
  expect(ticksToCampaign(core)).toBe(ticksToCampaign(asker));
  // And both others may be told yes.
  core.step(ask([3, 1, 4], id(0, 0), { pre: true }));
  expect(answers(core)).toContain(true);
});

test('giving a vote puts off the own campaign, refusing one does not (§5.2)', () => {
  for (const [last, putsOff] of [
    [id(9, 9), true],
    [id(0, 0), false],
  ] as const)
    for (let seed = 1; seed <= 20; seed += 1) {
      const core = loneCore({ log: [1], term: 9, seed });
      tick(core, ELECTION_TICKS_MIN - 1);
      core.step(ask([2, 1, 9], last));
      tick(core, ELECTION_TICKS_MIN - 1);
      if (putsOff) expect(core.standing.role).toBe('follower');
      else if (core.standing.role === 'pre-candidate') return;
    }
  expect.unreachable('a refusal puts off the campaign');
});

test('time-outs differ from draw to draw, within their bounds', () => {
  const seen = new Set<number>();
  for (let seed = 0; seed < 60; seed += 1) {
    const core = loneCore({ seed });
    let ticks = 0;
    while (core.standing.role === 'follower') {
      core.tick();
      ticks += 1;
    }
    seen.add(ticks);
  }
  expect(Math.min(...seen)).toBeGreaterThanOrEqual(ELECTION_TICKS_MIN);
  expect(Math.max(...seen)).toBeLessThanOrEqual(ELECTION_TICKS_MAX);
  expect(seen.size).toBeGreaterThan(5);
});

test('whoever heard its leader lately does not answer a candidate; later it does (thesis §4.2.3)', () => {
  for (const pre of [true, false]) {
    // Of some seeds the time-out is longer than the shortest: between the two the leader protects no more.
    for (let seed = 1; seed <= 20; seed += 1) {
      const core = loneCore({ term: 1, seed });
      core.step(heartbeat([2, 1, 1]));
      drain(core);
      tick(core, ELECTION_TICKS_MIN - 1);
      core.step(ask([3, 1, 2], id(0, 0), { pre }));
      expect([core.standing.term, answers(core)]).toEqual([1, []]);
      core.tick();
      if (core.standing.role !== 'follower') continue;
      core.step(ask([3, 1, 2], id(0, 0), { pre }));
      expect(answers(core)).toEqual([true]);
    }
  }
});

test('a leader does not answer a candidate, unless the campaign is by order', () => {
  const core = loneLeader();
  drain(core);
  const { term } = core.standing;
  for (const pre of [true, false]) core.step(ask([2, 1, term + 1], id(9, term), { pre }));
  expect([core.standing.role, answers(core)]).toEqual(['leader', []]);
  core.step(ask([2, 1, term + 1], id(9, term), { transfer: true }));
  expect([core.standing.role, answers(core)]).toEqual(['follower', [true]]);
});

test('a campaign by order says so to each voter, and passes a follower that hears its leader', () => {
  const core = loneCore({ term: 1, log: [1] });
  core.step(heartbeat([2, 1, 1]));
  core.step(message('timeout-now', [2, 1, 1], { last: id(1, 1) }));
  const requests = sent(drain(core), 'vote-request');
  expect(requests).toMatchObject([
    { to: 2, term: 2, transfer: true, pre: false },
    { to: 3, term: 2, transfer: true, pre: false },
  ]);
  const follower = loneCore({ id: 3, term: 1, log: [1] });
  follower.step(heartbeat([2, 3, 1]));
  drain(follower, replicaId(3));
  for (const request of requests) if (request.to === 3) follower.step(request);
  expect(sent(drain(follower, replicaId(3)))).toMatchObject([{ to: 1, granted: true }]);
});

test.each([
  ['from one that does not lead', 3, id(1, 1), 1],
  ['for an entry this replica lacks', 2, id(2, 1), 1],
  ['for an entry of which it holds another', 2, id(1, 0), 1],
  ['of a leader of the past', 2, id(1, 1), 0],
])('an order to campaign %s is ignored', (_, from, last, orderTerm) => {
  const core = loneCore({ term: 1, log: [1] });
  core.step(heartbeat([2, 1, 1]));
  core.step(message('timeout-now', [from, 1, orderTerm], { last }));
  expect(core.standing).toMatchObject({ role: 'follower', term: 1, leader: 2 });
});

test('answers for another term, of the other kind, or of strangers elect nobody', () => {
  const core = loneCore({ term: 1 });
  core.campaign();
  drain(core);
  for (const wrong of [
    vote([2, 1, 1], false),
    vote([2, 1, 1], true),
    vote([2, 1, 9], true),
    vote([9, 1, 2], true),
  ]) {
    core.step(wrong);
    expect([core.standing.role, core.standing.term]).toEqual(['pre-candidate', 1]);
  }
});

test('a vote of an earlier term counts for nothing', () => {
  const core = loneCore({ term: 1 });
  core.campaign();
  drain(core);
  core.step(vote([2, 1, 2], true));
  drain(core);
  expect(core.standing).toMatchObject({ role: 'candidate', term: 2 });
  core.step(vote([2, 1, 1], false));
  for (const from of [2, 3])
    core.step(message('vote-reply', [from, 1, 1], { pre: false, granted: false }));
  drain(core);
  expect(core.standing.role).toBe('candidate');
  core.step(vote([3, 1, 2], false));
  expect(core.standing.role).toBe('leader');
});

test('the first answer of a voter stands', () => {
  const core = loneCore({ term: 1 });
  core.campaign();
  core.step(vote([2, 1, 2], true));
  drain(core);
  core.step(message('vote-reply', [2, 1, 2], { pre: false, granted: false }));
  core.step(vote([2, 1, 2], false));
  drain(core);
  expect(core.standing.role).toBe('candidate');
  core.step(vote([3, 1, 2], false));
  expect(core.standing.role).toBe('leader');
});

test('who is refused by a majority gives up and waits', () => {
  const core = loneCore({ term: 1 });
  core.campaign();
  for (const from of [2, 3])
    core.step(message('vote-reply', [from, 1, 1], { pre: true, granted: false }));
  expect(core.standing).toMatchObject({ role: 'follower', term: 1 });
});

test('a campaign asks again whoever has not answered', () => {
  const core = loneCore({ voters: [1, 2, 3, 4, 5] });
  core.campaign();
  drain(core);
  core.step(vote([2, 1, 1], true));
  tick(core, 2);
  expect(sent(drain(core)).map((each) => each.to)).toEqual([3, 4, 5]);
});

test('a refusal in a later term moves whoever asked there, and it asks for the next', () => {
  const core = loneCore({ term: 1 });
  core.campaign();
  core.step(message('vote-reply', [2, 1, 7], { pre: true, granted: false }));
  expect(core.standing).toMatchObject({ role: 'follower', term: 7 });
  drain(core);
  core.campaign();
  expect(sent(drain(core), 'vote-request')[0]).toMatchObject({ term: 8, pre: true });
});

test('whoever asks or leads in the past is told the term, so that it cannot stay there', () => {
  for (const old of [heartbeat([2, 1, 1]), append([2, 1, 1], id(0, 0), [1])]) {
    const core = loneCore({ term: 5 });
    core.step(old);
    expect(sent(drain(core))).toMatchObject([{ type: 'append-reply', term: 5, accepted: false }]);
    expect(core.last.index).toBe(0);
  }
  const core = loneCore({ term: 5 });
  core.step(ask([2, 1, 3], id(0, 0), { pre: true }));
  expect(sent(drain(core))).toMatchObject([
    { type: 'vote-reply', term: 5, pre: true, granted: false },
  ]);
  core.step(ask([2, 1, 3], id(0, 0)));
  expect(drain(core)).toEqual([]);
  // The leader of the past learns it and steps down.
  const leader = loneLeader();
  leader.step(refused([2, 1, 5], 0, id(0, 0)));
  expect(leader.standing).toMatchObject({ role: 'follower', term: 5, leader: undefined });
});

test('a candidate that hears the leader of its term follows it (§5.2)', () => {
  for (const word of [heartbeat([3, 1, 2]), append([3, 1, 2], id(0, 0), [2])]) {
    const core = loneCore({ term: 1 });
    core.campaign();
    core.step(vote([2, 1, 2], true));
    drain(core);
    core.step(word);
    expect(core.standing).toMatchObject({ role: 'follower', term: 2, leader: 3 });
    core.step(vote([2, 1, 2], false));
    expect(core.standing.role).toBe('follower');
  }
});

test('a leader that hears no quorum for an election time-out steps down; answers keep it', () => {
  const core = loneLeader({ voters: [1, 2, 3, 4, 5] });
  const { term } = core.standing;
  for (let time = 0; time < ELECTION_TICKS_MIN * 4; time += 1) {
    core.tick();
    for (const from of [2, 3]) core.step(heard([from, 1, term]));
    drain(core);
  }
  expect(core.standing.role).toBe('leader');
  for (let time = 0; time < ELECTION_TICKS_MIN * 2; time += 1) {
    core.tick();
    core.step(heard([2, 1, term]));
  }
  expect(core.standing).toEqual({ role: 'follower', term, leader: undefined, transferring: false });
});

test('a broken connection to the leader lets the follower ask, in order of id, and answer who asked', () => {
  const follow = (own: number): RaftCore => {
    const core = loneCore({ id: own, voters: [1, 2, 3, 4], term: 1 });
    core.step(heartbeat([1, own, 1]));
    drain(core, replicaId(own));
    return core;
  };
  const second = follow(2);
  second.peerLost(replicaId(3));
  tick(second, 2);
  expect(second.standing.role).toBe('follower');
  second.peerLost(replicaId(1));
  expect(second.standing.role).toBe('pre-candidate');

  const third = follow(3);
  third.step(ask([2, 3, 2], id(0, 0), { pre: true }));
  expect(sent(drain(third, replicaId(3)))).toEqual([]);
  third.peerLost(replicaId(1));
  third.peerLost(replicaId(1));
  expect(sent(drain(third, replicaId(3)))).toMatchObject([{ to: 2, granted: true, pre: true }]);
  tick(third, 2);
  expect(third.standing.role).toBe('pre-candidate');
});

test('a word of the leader ends the suspicion, and what was put off with it', () => {
  const core = loneCore({ id: 3, term: 1 });
  core.step(heartbeat([1, 3, 1]));
  core.step(ask([2, 3, 2], id(0, 0), { pre: true }));
  core.step(heartbeat([1, 3, 1]));
  drain(core, replicaId(3));
  core.peerLost(replicaId(1));
  expect(sent(drain(core, replicaId(3)))).toEqual([]);
  core.step(heartbeat([1, 3, 1]));
  core.step(ask([2, 3, 2], id(0, 0), { pre: true }));
  expect(sent(drain(core, replicaId(3)), 'vote-reply')).toEqual([]);
});

test('losing the connection never makes a replica campaign later than it would have', () => {
  const voters = Array.from({ length: 63 }, (_, at) => at + 1);
  for (let seed = 1; seed < 10; seed += 1) {
    const core = loneCore({ id: 63, voters, term: 1, seed });
    core.step(heartbeat([1, 63, 1]));
    core.peerLost(replicaId(1));
    tick(core, ELECTION_TICKS_MAX);
    expect(core.standing.role).toBe('pre-candidate');
  }
});

test('who is not among the voters does not campaign', () => {
  const core = loneCore({ id: 9, voters: [1, 2, 3] });
  tick(core, ELECTION_TICKS_MAX * 2);
  core.campaign();
  expect([core.standing.role, drain(core, replicaId(9))]).toEqual(['follower', []]);
});

test('a leader and a candidate are heard although nobody told this replica of them yet (thesis §4.1)', () => {
  const led = loneCore();
  led.step(heartbeat([9, 1, 4]));
  expect(led.standing).toMatchObject({ term: 4, leader: 9 });
  const asked = loneCore();
  asked.step(ask([9, 1, 4], id(0, 0)));
  expect(sent(drain(asked))).toMatchObject([{ to: 9, granted: true }]);
});

test('answers of strangers do not disturb, whatever their term', () => {
  const core = loneLeader();
  drain(core);
  const before = core.standing;
  core.step(refused([9, 1, 40], 0, id(0, 0)));
  core.step(heard([9, 1, 40]));
  core.step(message('vote-reply', [9, 1, 40], { pre: false, granted: false }));
  expect(core.standing).toEqual(before);
});

test('an observer that loses its leader waits', () => {
  const core = loneCore({ id: 9, voters: [1, 2, 3], term: 1 });
  core.step(heartbeat([1, 9, 1]));
  core.peerLost(replicaId(1));
  tick(core, ELECTION_TICKS_MAX * 2);
  expect(core.standing.role).toBe('follower');
});
