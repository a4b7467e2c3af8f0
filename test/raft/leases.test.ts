import fc from 'fast-check';
import { expect, test } from 'vitest';
import { logIndex, millis, replicaId } from '../../src/base/ids.ts';
import { ELECTION_TICKS_MIN, HEARTBEAT_TICKS, LEASE_MS } from '../../src/base/limits.ts';
import type { RaftCore } from '../../src/raft/core.ts';
import type { Message, Ready } from '../../src/raft/types.ts';
import {
  accepted,
  ask,
  drain,
  heartbeat,
  id,
  loneCore,
  loneLeader,
  message,
  sent,
} from './lone-core.ts';
import { TimedStory } from './timed-story.ts';

test('no lease outlives its leader, and nobody is less fresh than it says, whatever clocks and pauses do', () => {
  const seen = { leases: 0, fresh: 0 };
  fc.assert(
    fc.property(fc.integer({ min: 0, max: 2 ** 31 }), (seed) => {
      const story = new TimedStory(seed);
      story.run(3000);
      seen.leases += story.seen.leases;
      seen.fresh += story.seen.fresh;
    }),
    { numRuns: 60 },
  );
  expect(seen.leases).toBeGreaterThan(1000);
  expect(seen.fresh).toBeGreaterThan(1000);
});

/** A leader of three, told the time; 2 has answered the heartbeat of that moment. */
function leaseholder(now: number, answers: readonly number[] = [2]): RaftCore {
  const core = loneLeader({ options: { leaseMs: LEASE_MS } });
  drain(core);
  core.step(accepted([2, 1, 1], 1));
  drain(core);
  for (let tick = 0; tick < HEARTBEAT_TICKS; tick += 1) core.tick(millis(now));
  drain(core);
  for (const from of answers) core.step(answered(from, now));
  return core;
}

const answered = (from: number, stamp: number): Message =>
  message('heartbeat-reply', [from, 1, 1], { round: 0, stamp, beat: 0 });

test('a lease begins when its heartbeat was sent, however late the answer comes', () => {
  const core = leaseholder(1000, []);
  expect(core.lease(millis(1001))).toBeUndefined();
  core.tick(millis(1400));
  core.step(answered(3, 1000));
  expect(core.lease(millis(1400))).toBe(1);
  expect(core.lease(millis(1000 + LEASE_MS - 1))).toBe(1);
  expect(core.lease(millis(1000 + LEASE_MS))).toBeUndefined();
  core.step(answered(2, 99_999));
  expect(core.lease(millis(1000 + LEASE_MS))).toBeUndefined();
  // What comes late takes nothing back.
  core.step(answered(3, 900));
  expect(core.lease(millis(1000 + LEASE_MS - 1))).toBe(1);
});

test('there is no lease before an own commit, while handing over, once somebody was ordered, nor after a pause', () => {
  const fresh = loneLeader({ options: { leaseMs: LEASE_MS } });
  fresh.tick(millis(1000));
  fresh.step(answered(2, 1000));
  expect(fresh.lease(millis(1001))).toBeUndefined();
  expect(fresh.freshAt(1)).toBeUndefined();

  const handing = leaseholder(1000);
  expect(handing.lease(millis(1001))).toBe(1);
  handing.propose({ byteLength: 1 });
  handing.transfer(replicaId(2));
  expect(handing.lease(millis(1001))).toBeUndefined();

  const ordered = leaseholder(1000);
  ordered.transfer(replicaId(2));
  for (let tick = 0; tick < ELECTION_TICKS_MIN; tick += 1) {
    ordered.tick(millis(1000 + tick));
    ordered.step(answered(2, 1000 + tick));
  }
  expect(ordered.standing).toMatchObject({ role: 'leader', transferring: false });
  expect(ordered.lease(millis(1014))).toBeUndefined();

  const paused = leaseholder(1000);
  paused.stalled(1);
  expect(paused.lease(millis(1001))).toBeUndefined();
  for (let tick = 0; tick < HEARTBEAT_TICKS; tick += 1) paused.tick(millis(1002));
  paused.step(answered(2, 1002));
  expect(paused.lease(millis(1003))).toBe(1);
});

test('with a change of members a lease needs the new quorum too, at once', () => {
  const core = leaseholder(1000);
  core.step(answered(3, 0));
  core.step(accepted([3, 1, 1], 1));
  const planned = core.plan({ voters: [1, 3].map(replicaId), learners: [] });
  if (planned?.ok !== true) throw new Error('the change was refused');
  expect(core.lease(millis(1001))).toBe(1);
  core.change({ byteLength: 9, configuration: planned.configuration });
  expect(core.lease(millis(1001))).toBeUndefined();
  core.step(answered(3, 1000));
  expect(core.lease(millis(1001))).toBe(1);
});

test('no lease without the option, a clock or a quorum; alone, a replica needs none of them', () => {
  const without = loneLeader();
  drain(without);
  without.step(accepted([2, 1, 1], 1));
  without.tick(millis(1000));
  without.step(answered(2, 1000));
  expect(without.lease(millis(1000))).toBeUndefined();
  const alone = loneLeader({ voters: [1], options: { leaseMs: LEASE_MS } });
  drain(alone);
  expect(alone.lease(millis(7))).toBe(1);
  alone.tick(millis(7));
  expect(alone.freshAt(1)).toBe(7);
  expect(() => alone.tick(millis(5)) ?? alone.tick(millis(4))).toThrow('the clock went back');
});

test('with leases a broken connection frees nobody, nor does a start: both wait the time out', () => {
  const options = { leaseMs: LEASE_MS };
  const core = loneCore({ options, term: 1 });
  core.step(heartbeat([2, 1, 1]));
  core.peerLost(replicaId(2));
  core.campaign();
  core.step(ask([3, 1, 2], id(9, 1)));
  expect([core.standing.role, sent(drain(core), 'vote-reply')]).toEqual(['follower', []]);
  const started = loneCore({ options, term: 1 });
  started.step(ask([3, 1, 2], id(9, 1)));
  expect(sent(drain(started))).toEqual([]);
  for (let tick = 0; tick < ELECTION_TICKS_MIN; tick += 1) started.tick();
  started.step(ask([3, 1, 2], id(9, 1)));
  expect(sent(drain(started), 'vote-reply')).toMatchObject([{ granted: true }]);
  // By the leader's own order it is another matter: the leader has given up its lease.
  core.step(ask([3, 1, 3], id(9, 1), { transfer: true }));
  expect(sent(drain(core), 'vote-reply')).toMatchObject([{ granted: true }]);
});

test('who promised a lease keeps to it, although an answer tells it of a later term before its candidate asks', () => {
  const core = loneCore({ log: [1], term: 1, options: { leaseMs: LEASE_MS } });
  for (let tick = 0; tick < ELECTION_TICKS_MIN; tick += 1) core.tick();
  core.campaign(); // asks for pre-votes in term 2
  drain(core);
  core.step(heartbeat([2, 1, 1])); // the leader of term 1 is there after all
  drain(core);
  core.step(message('vote-reply', [3, 1, 2], { pre: true, granted: false }));
  expect(core.hardState.term).toBe(2);
  core.step(ask([3, 1, 2], id(1, 1)));
  const replies = sent(drain(core), 'vote-reply');
  expect(replies.map((one) => one.type === 'vote-reply' && one.granted)).toEqual([false]);
});

test('a follower is as fresh as the last beat that its leader named again, once it has applied that far', () => {
  const core = loneCore({ log: [1, 1, 1], commit: 1 });
  const beatOf = (readies: readonly Ready[]): number =>
    sent(readies, 'heartbeat-reply').map((each) =>
      each.type === 'heartbeat-reply' ? each.beat : 0,
    )[0] ?? 0;
  const hear = (echo: number, reached: number): number => {
    core.step(
      message('heartbeat', [2, 1, 1], {
        commit: logIndex(1),
        round: 0,
        stamp: 5,
        echo,
        reached: logIndex(reached),
      }),
    );
    return beatOf(drain(core));
  };
  expect(hear(0, 0)).toBe(0);
  core.tick(millis(100));
  const first = hear(0, 0);
  core.tick(millis(110));
  expect(hear(0, 0)).toBe(first);
  core.tick(millis(200));
  const second = hear(first, 2);
  expect(second).not.toBe(first);
  expect([core.freshAt(1), core.freshAt(2), core.freshAt(9)]).toEqual([undefined, 100, 100]);
  hear(second, 3);
  expect([core.freshAt(2), core.freshAt(3)]).toEqual([100, 200]);
  hear(first, 9);
  hear(12345, 9);
  expect([core.freshAt(2), core.freshAt(9)]).toEqual([100, 200]);
});

test('a leader names a beat again only when a quorum answered a heartbeat that was sent after it came', () => {
  const core = leaseholder(1000);
  const tell = (from: number, stamp: number, beat: number): void =>
    core.step(message('heartbeat-reply', [from, 1, 1], { round: 0, stamp, beat }));
  const echoes = (now: number): number[] => {
    for (let tick = 0; tick < HEARTBEAT_TICKS; tick += 1) core.tick(millis(now));
    return sent(drain(core), 'heartbeat').map((each) =>
      each.type === 'heartbeat' ? each.echo : -1,
    );
  };
  tell(3, 1000, 77);
  expect(echoes(1100)).toEqual([0, 0]);
  tell(2, 1000, 0);
  expect(echoes(1200)).toEqual([0, 0]);
  tell(2, 1100, 0);
  expect(echoes(1300)).toEqual([0, 77]);
  expect(echoes(1400)).toEqual([0, 0]);
  const untimed = loneLeader();
  drain(untimed);
  untimed.step(accepted([2, 1, 1], 1));
  expect(untimed.freshAt(1)).toBeUndefined();
  expect(core.freshAt(1)).toBe(1100);
  expect(core.freshAt(0)).toBeUndefined();
});

test('the first beat that waits is named, not a later one that would have to wait anew', () => {
  const core = leaseholder(1000, []);
  const tell = (from: number, stamp: number, beat: number): void =>
    core.step(message('heartbeat-reply', [from, 1, 1], { round: 0, stamp, beat }));
  const echoTo = (to: number, now: number): number[] => {
    for (let tick = 0; tick < HEARTBEAT_TICKS; tick += 1) core.tick(millis(now));
    return sent(drain(core), 'heartbeat').flatMap((each) =>
      each.type === 'heartbeat' && each.to === to ? [each.echo] : [],
    );
  };
  tell(2, 1000, 5);
  expect(echoTo(2, 1100)).toEqual([0]);
  tell(3, 1100, 0);
  tell(2, 1100, 6);
  expect(echoTo(2, 1200)).toEqual([5]);
});

test('with a beat goes how far whoever sent it must have applied; before an own commit none is named', () => {
  for (const commits of [true, false]) {
    const core = loneLeader();
    drain(core);
    if (commits) core.step(accepted([2, 1, 1], 1));
    const beat = (now: number): Message[] => {
      for (let tick = 0; tick < HEARTBEAT_TICKS; tick += 1) core.tick(millis(now));
      return sent(drain(core), 'heartbeat').filter(({ to }) => to === 2);
    };
    beat(1000);
    core.step(message('heartbeat-reply', [2, 1, 1], { round: 0, stamp: 1000, beat: 5 }));
    beat(1100);
    core.step(message('heartbeat-reply', [3, 1, 1], { round: 0, stamp: 1100, beat: 0 }));
    expect(beat(1200)).toMatchObject([commits ? { echo: 5, reached: 1 } : { echo: 0, reached: 0 }]);
  }
});

test('who led knows still how fresh its state was when a quorum last answered it', () => {
  const core = leaseholder(1000);
  core.step(message('heartbeat-reply', [2, 1, 1], { round: 0, stamp: 1000, beat: 0 }));
  core.tick(millis(1500));
  core.step(
    message('heartbeat', [3, 1, 2], {
      commit: logIndex(0),
      round: 0,
      stamp: 5,
      echo: 0,
      reached: logIndex(0),
    }),
  );
  drain(core);
  expect(core.standing.role).toBe('follower');
  core.tick(millis(9000));
  expect([core.freshAt(1), core.freshAt(0)]).toEqual([1000, undefined]);
});
