import { expect, test } from 'vitest';
import { type ReplicaId, replicaId } from '../../src/base/ids.ts';
import {
  ELECTION_TICKS_MAX,
  ELECTION_TICKS_MIN,
  HEARTBEAT_TICKS,
  LEADER_DISK_TICKS_MAX,
  REST_TIMEOUTS,
  STALL_REMEMBERED_TICKS,
} from '../../src/base/limits.ts';
import type { RaftCore } from '../../src/raft/core.ts';
import { CoreCluster } from '../../src/testing/core-cluster.ts';
import { accepted, drain, heard, heartbeat, loneCore, loneLeader, sent } from './lone-core.ts';

/** Who leads rather than another, and who should lead no more. */

const priorities = (...pairs: readonly (readonly [number, number])[]): Map<ReplicaId, number> =>
  new Map(pairs.map(([id, priority]) => [replicaId(id), priority]));

/** Ticks until it campaigns. */
function patience(core: RaftCore): number {
  for (let tick = 1; tick < ELECTION_TICKS_MAX * 4; tick += 1) {
    core.tick();
    if (core.standing.role !== 'follower') return tick;
  }
  throw new Error('it never campaigns');
}

test('whoever is not preferred lets the preferred campaign first, but only once', () => {
  for (let seed = 1; seed < 30; seed += 1) {
    const core = loneCore({ seed });
    core.prefer(priorities([3, 5]));
    core.step(heartbeat([2, 1, 1]));
    const waited = patience(core);
    expect(waited).toBeGreaterThanOrEqual(ELECTION_TICKS_MAX);
    expect(waited).toBeLessThanOrEqual(ELECTION_TICKS_MAX * 2 - ELECTION_TICKS_MIN);
    expect(core.state.electionTimeout, 'only once').toBeLessThanOrEqual(ELECTION_TICKS_MAX);
    // The preferred one was given its time. It seems to be down.
    const { term } = core.standing;
    for (let tick = 0; tick < ELECTION_TICKS_MAX; tick += 1) core.tick();
    expect(core.standing).toMatchObject({ role: 'pre-candidate', term });
    const preferred = loneCore({ seed });
    preferred.prefer(priorities([1, 5]));
    preferred.step(heartbeat([2, 1, 1]));
    expect(patience(preferred)).toBeLessThanOrEqual(ELECTION_TICKS_MAX);
  }
});

test('nobody waits for the leader whose silence it is', () => {
  for (let seed = 1; seed < 30; seed += 1) {
    const core = loneCore({ seed });
    core.prefer(priorities([2, 5]));
    core.step(heartbeat([2, 1, 1]));
    expect(patience(core)).toBeLessThanOrEqual(ELECTION_TICKS_MAX);
  }
});

test('when the connection to the leader breaks, the preferred asks first', () => {
  const core = loneCore({ id: 3, term: 1 });
  core.prefer(priorities([3, 5]));
  core.step(heartbeat([1, 3, 1]));
  core.peerLost(replicaId(1));
  expect(core.standing.role).toBe('pre-candidate');
});

test('a leader hands over to a preferred voter that keeps up, once it leads for a while, and not again at once', () => {
  const core = loneLeader();
  core.prefer(priorities([3, 5]));
  const answer = (): void => {
    core.tick();
    for (const from of [2, 3]) {
      core.step(heard([from, 1, 1]));
      core.step(accepted([from, 1, 1], core.last.index));
    }
  };
  let orders = 0;
  for (let tick = 0; tick < ELECTION_TICKS_MAX * 4; tick += 1) {
    answer();
    const told = sent(drain(core), 'timeout-now');
    for (const order of told) expect(order.to).toBe(3);
    if (told.length > 0) expect(tick).toBeGreaterThanOrEqual(ELECTION_TICKS_MAX - HEARTBEAT_TICKS);
    orders += told.length;
  }
  // One attempt: the order, and its repetitions until it is given up.
  expect(orders).toBeGreaterThan(0);
  expect(orders).toBeLessThanOrEqual(1 + ELECTION_TICKS_MIN / HEARTBEAT_TICKS);
  expect(core.standing).toMatchObject({ role: 'leader', transferring: false });
});

test('no leader hands over to one that lags, is silent, or is not preferred', () => {
  for (const prefers of [priorities([3, 5]), priorities([1, 9], [2, 5]), priorities()]) {
    const core = loneLeader();
    core.prefer(prefers);
    drain(core);
    for (let tick = 0; tick < ELECTION_TICKS_MAX * 3; tick += 1) {
      core.tick();
      core.step(heard([2, 1, 1]));
      core.step(accepted([2, 1, 1], core.last.index));
      expect(sent(drain(core), 'timeout-now')).toEqual([]);
    }
  }
});

test('to one that answers and yet lags no leader begins to hand over, for nothing could be written meanwhile', () => {
  const core = loneLeader();
  core.prefer(priorities([3, 5]));
  const handsOverWithin = (ticks: number): boolean => {
    for (let tick = 0; tick < ticks && !core.standing.transferring; tick += 1) {
      core.tick();
      for (const from of [2, 3]) core.step(heard([from, 1, 1]));
      core.step(accepted([2, 1, 1], core.last.index));
      drain(core);
      if (tick % HEARTBEAT_TICKS === 0) core.propose({ byteLength: 1 });
    }
    return core.standing.transferring;
  };
  core.propose({ byteLength: 1 });
  expect(handsOverWithin(ELECTION_TICKS_MAX * 3)).toBe(false);
  core.step(accepted([3, 1, 1], core.last.index));
  expect(handsOverWithin(ELECTION_TICKS_MAX)).toBe(true);
});

test('in a cluster the preferred leads in the end, whoever began', () => {
  const cluster = new CoreCluster({ size: 3, seed: 9 });
  cluster.campaign(1);
  cluster.settle();
  cluster.prefer(priorities([3, 5], [2, 1]));
  cluster.propose(1, 'a');
  cluster.calm(ELECTION_TICKS_MAX * 2);
  expect(cluster.elect()).toBe(3);
  cluster.calm(ELECTION_TICKS_MAX * 10);
  expect(cluster.core(3).standing).toMatchObject({ role: 'leader', term: 2 });
});

test('a leader whose disk hangs hands over while its peers keep up, within a bound', () => {
  const cluster = new CoreCluster({ size: 3, seed: 2 });
  cluster.campaign(1);
  cluster.settle();
  cluster.propose(1, 'a');
  for (let tick = 0; tick < LEADER_DISK_TICKS_MAX + ELECTION_TICKS_MIN; tick += 1) {
    for (const member of cluster.running) cluster.tick(member.id);
    for (let moves = 0; moves < 50; moves += 1) {
      for (const id of [2, 3]) cluster.sync(id);
      if (cluster.network.length > 0) cluster.deliver(0);
    }
  }
  expect(cluster.leaders.map(({ id }) => Number(id))).not.toContain(1);
  expect(cluster.leaders).toHaveLength(1);
  cluster.settle();
  expect(cluster.core(cluster.elect()).committed).toBeGreaterThan(2);
});

test('a slow disk that gets on is no reason to give up', () => {
  const core = loneLeader({ voters: [1] });
  for (let tick = 0; tick < LEADER_DISK_TICKS_MAX * 4; tick += 1) {
    core.propose({ byteLength: 1 });
    core.tick();
    const ready = core.takeReady();
    const due = tick % (LEADER_DISK_TICKS_MAX - HEARTBEAT_TICKS) === 0;
    for (const each of ready?.sendAfterSync ?? []) if (due) core.step(each);
  }
  expect(core.standing.role).toBe('leader');
});

test('a leader that stood still for half an election time-out gives up; a shorter pause costs it nothing', () => {
  const core = loneLeader();
  core.stalled(ELECTION_TICKS_MIN / 2 - 1);
  expect(core.standing.role).toBe('leader');
  core.stalled(ELECTION_TICKS_MIN / 2);
  expect(core.standing.role).toBe('follower');
});

test('a follower that stood still listens before it takes the leader for silent', () => {
  for (let silence = 0; silence < ELECTION_TICKS_MIN; silence += 1) {
    const core = loneCore();
    core.step(heartbeat([2, 1, 1]));
    for (let tick = 0; tick < silence; tick += 1) core.tick();
    core.stalled(1_000);
    for (let tick = 1; tick < HEARTBEAT_TICKS * 2; tick += 1) core.tick();
    expect(core.standing.role, `after ${silence}`).toBe('follower');
  }
});

test.each([
  ['as much', 8, 8],
  [
    'no more than the steady need at most',
    ELECTION_TICKS_MIN,
    ELECTION_TICKS_MAX - ELECTION_TICKS_MIN,
  ],
  ['not for having been stopped altogether', 1_000, 1],
])('whoever stood still of late waits longer before it campaigns: %s', (_much, ticks, longer) => {
  for (let seed = 1; seed < 30; seed += 1) {
    const [steady, unsteady] = [loneCore({ seed }), loneCore({ seed })];
    unsteady.stalled(ticks);
    // The longest counts, not the last.
    unsteady.stalled(1);
    for (const core of [steady, unsteady]) core.step(heartbeat([2, 1, 1]));
    expect(patience(unsteady), `seed ${seed}`).toBe(patience(steady) + longer);
  }
});

test.each([
  ['', 0],
  [', and does not add up', 1],
])('that it stood still is forgotten when it has been steady for long%s', (_more, again) => {
  for (let seed = 1; seed < 30; seed += 1) {
    const core = loneCore({ seed });
    core.stalled(ELECTION_TICKS_MIN);
    for (let tick = 0; tick < STALL_REMEMBERED_TICKS; tick += 1) {
      core.step(heartbeat([2, 1, 1]));
      core.tick();
    }
    if (again > 0) core.stalled(again);
    core.step(heartbeat([2, 1, 1]));
    expect(patience(core), `seed ${seed}`).toBeLessThanOrEqual(ELECTION_TICKS_MAX + again);
  }
});

test('a leader that is to rest hands over; one that rests follows no order, and campaigns when nobody has led for long', () => {
  const core = loneLeader();
  core.step(accepted([2, 1, 1], 1));
  core.rest(true);
  expect(core.resting).toBe(true);
  expect(sent(drain(core), 'timeout-now')[0]).toMatchObject({ to: 2 });
  core.step(heartbeat([2, 1, 2]));
  expect(core.standing).toMatchObject({ role: 'follower', leader: 2 });
  let ticks = 0;
  for (; core.standing.role === 'follower' && ticks < 1_000; ticks += 1) core.tick();
  expect(ticks).toBeGreaterThanOrEqual(ELECTION_TICKS_MIN * REST_TIMEOUTS);
  expect(ticks).toBeLessThan(ELECTION_TICKS_MAX * (REST_TIMEOUTS + 3));
  const awake = loneCore();
  awake.rest(true);
  awake.rest(false);
  expect(patience(awake)).toBeLessThanOrEqual(ELECTION_TICKS_MAX);
});

test.each([0, 1, 2, 3, 4, 5])(
  'where ticks come too late again and again, %i in time between them, somebody leads again once the leader is gone',
  (inTime) => {
    const core = loneCore();
    core.step(heartbeat([2, 1, 1]));
    core.stalled(ELECTION_TICKS_MAX);
    expect(core.standing.role, 'at first it listens').toBe('follower');
    for (let late = 0; late < ELECTION_TICKS_MAX; late += 1) {
      for (let tick = 0; tick < inTime; tick += 1) core.tick();
      core.stalled(ELECTION_TICKS_MIN);
      if (core.standing.role !== 'follower') return;
    }
    expect(core.standing.role).toBe('pre-candidate');
  },
);

test('a leader that is heard between two ticks that come too late keeps its followers', () => {
  const core = loneCore();
  for (let late = 0; late < ELECTION_TICKS_MAX * 2; late += 1) {
    core.step(heartbeat([2, 1, 1]));
    core.stalled(ELECTION_TICKS_MIN);
  }
  expect(core.standing).toMatchObject({ role: 'follower', leader: 2 });
});

test('a transfer to itself, to nobody known, or by who does not lead is refused', () => {
  const core = loneLeader();
  for (const to of [1, 9]) expect(core.transfer(replicaId(to))).toBe(false);
  expect(loneCore().transfer(replicaId(2))).toBe(false);
});

test('a leader that is handing over when it is told to step down goes on with that, and then is done', () => {
  const core = loneLeader();
  core.propose({ byteLength: 1 });
  expect(core.transfer(replicaId(2))).toBe(true);
  core.stepDown();
  for (let tick = 0; tick < ELECTION_TICKS_MIN && core.standing.role === 'leader'; tick += 1) {
    for (const from of [2, 3]) core.step(heard([from, 1, 1]));
    core.tick();
  }
  expect(core.standing.role).toBe('follower');
});

test('whoever is not among the voters does not ask for votes when the leader is lost, nor does it wait for anyone', () => {
  const core = loneCore({ id: 9, term: 1 });
  core.prefer(priorities([2, 1]));
  core.step(heartbeat([1, 9, 1]));
  core.peerLost(replicaId(1));
  expect(core.standing.role).toBe('follower');
});
