import { expect, test } from 'vitest';
import { replicaId } from '../../src/base/ids.ts';
import { ELECTION_TICKS_MAX, ELECTION_TICKS_MIN, HEARTBEAT_TICKS } from '../../src/base/limits.ts';
import { CoreCluster } from '../../src/testing/core-cluster.ts';
import { appliedBy, awaitLeader, idsOf, isolate, logOf } from './clusters.ts';
import { accepted, drain, heard, id, loneLeader, refused, sent } from './lone-core.ts';

/** Handing over (thesis §3.10), among several. */

function led(size: number, seed = 1): [cluster: CoreCluster, leader: number, others: number[]] {
  const cluster = new CoreCluster({ size, seed });
  const leader = awaitLeader(cluster);
  cluster.calm(HEARTBEAT_TICKS);
  return [cluster, leader, idsOf(cluster).filter((id) => id !== leader)];
}

test('of seven, under writes, each takes over without a tick, and no write is lost', () => {
  const [cluster, first] = led(7);
  let leader = first;
  const names: string[] = [];
  const propose = (): void => {
    const name = `p${names.length}`;
    if (cluster.propose(leader, name) !== undefined) names.push(name);
  };
  for (const next of idsOf(cluster)) {
    if (next === leader) continue;
    for (let n = 0; n < 5; n += 1) propose();
    // Some of it is still under way when the order comes.
    for (let n = 0; n < 3; n += 1) cluster.deliver(0);
    expect(cluster.transfer(leader, next)).toBe(true);
    expect(cluster.propose(leader, 'refused')).toBeUndefined();
    cluster.settle();
    expect(cluster.core(next).standing.role).toBe('leader');
    leader = next;
  }
  cluster.calm(HEARTBEAT_TICKS);
  for (const id of idsOf(cluster)) expect(appliedBy(cluster, id)).toEqual(names);
});

test('to one that is behind, it waits until that one has everything', () => {
  const [cluster, leader, [behind = 0]] = led(3);
  isolate(cluster, behind);
  for (let n = 0; n < 20; n += 1) cluster.propose(leader, `p${n}`);
  cluster.settle();
  expect(cluster.transfer(leader, behind)).toBe(true);
  cluster.settle();
  expect(cluster.core(leader).standing).toMatchObject({ role: 'leader', transferring: true });
  cluster.cut.clear();
  cluster.calm(HEARTBEAT_TICKS * 2);
  expect(cluster.core(behind).standing.role).toBe('leader');
  expect(appliedBy(cluster, behind)).toHaveLength(20);
});

test('to one that is dead, it is given up within a time-out, and writes go on', () => {
  const [cluster, leader, [dead = 0]] = led(3);
  const { term } = cluster.core(leader).standing;
  cluster.crash(dead);
  cluster.transfer(leader, dead);
  expect(cluster.propose(leader, 'refused')).toBeUndefined();
  cluster.calm(ELECTION_TICKS_MIN);
  expect(cluster.core(leader).standing).toMatchObject({ role: 'leader', term });
  expect(cluster.propose(leader, 'taken')).toBeDefined();
});

test('whichever message of it is lost, somebody leads before long and all logs are equal', () => {
  for (const kind of ['timeout-now', 'vote-request', 'vote-reply', 'append-request'])
    for (let lost = 0; lost < 2; lost += 1) {
      const [cluster, leader, [next = 0]] = led(3, 4);
      cluster.propose(leader, 'a');
      cluster.transfer(leader, next);
      let seen = 0;
      for (let step = 0; step < 200; step += 1) {
        for (const id of idsOf(cluster))
          while (cluster.member(id).writes.length > 0) cluster.sync(id);
        if (cluster.network.length === 0) break;
        const isLost = cluster.network[0]?.message.type === kind && seen++ === lost;
        if (isLost) cluster.network.shift();
        else cluster.deliver(0);
      }
      cluster.calm(ELECTION_TICKS_MAX * 3);
      const now = awaitLeader(cluster);
      for (const id of idsOf(cluster)) expect(logOf(cluster, id)).toEqual(logOf(cluster, now));
      expect(appliedBy(cluster, now)).toEqual(['a']);
    }
});

test('a lost order to campaign is given again: it costs the transfer a heartbeat, and not the transfer', () => {
  const [cluster, leader, [next = 0]] = led(3, 4);
  cluster.propose(leader, 'a');
  cluster.settle();
  cluster.transfer(leader, next);
  const at = cluster.network.findIndex(({ message }) => message.type === 'timeout-now');
  expect(cluster.network.splice(at, 1)[0]?.message).toMatchObject({ to: next });
  cluster.settle();
  expect(cluster.core(leader).standing).toMatchObject({ role: 'leader', transferring: true });
  cluster.calm(HEARTBEAT_TICKS);
  expect(cluster.core(next).standing.role).toBe('leader');
});

test('a second order replaces the first, and a leader that crashes within one is replaced', () => {
  const [cluster, leader, [one = 0, two = 0]] = led(3);
  isolate(cluster, one);
  cluster.propose(leader, 'a');
  cluster.transfer(leader, one);
  expect(cluster.transfer(leader, two)).toBe(true);
  cluster.cut.clear();
  cluster.settle();
  expect(cluster.core(two).standing.role).toBe('leader');
  cluster.transfer(two, one);
  cluster.crash(two);
  const now = awaitLeader(cluster, [leader, one]);
  cluster.propose(now, 'b');
  cluster.settle();
  expect(appliedBy(cluster, now)).toEqual(['a', 'b']);
});

test('an order to take over is given again for what is news of its target, and for nothing else', () => {
  const core = loneLeader();
  drain(core);
  const { term } = core.standing;
  core.step(accepted([2, 1, term], 1));
  core.transfer(replicaId(2));
  expect(sent(drain(core), 'timeout-now')).toHaveLength(1);
  for (const word of [
    accepted([2, 1, term], 1),
    accepted([2, 1, term], 9),
    refused([2, 1, term], 1, id(0, 0)),
  ])
    core.step(word);
  expect(sent(drain(core), 'timeout-now')).toEqual([]);
});

test('an order to take over is repeated once a heartbeat, and each transfer has its own time', () => {
  const core = loneLeader();
  drain(core);
  const { term } = core.standing;
  core.step(accepted([2, 1, term], 1));
  for (let transfer = 0; transfer < 2; transfer += 1) {
    core.transfer(replicaId(2));
    drain(core);
    const orders = Array.from({ length: ELECTION_TICKS_MIN - 1 }, () => {
      core.tick();
      core.step(heard([2, 1, term]));
      expect(core.standing.transferring).toBe(true);
      return sent(drain(core), 'timeout-now').length;
    });
    expect(orders.map((count, at) => count - ((at + 1) % HEARTBEAT_TICKS === 0 ? 1 : 0))).toEqual(
      orders.map(() => 0),
    );
    core.tick();
    expect(core.standing).toMatchObject({ role: 'leader', transferring: false });
  }
});

test('who gives up because nobody takes over says nothing as a leader any more', () => {
  const core = loneLeader();
  drain(core);
  const { term } = core.standing;
  for (const from of [2, 3]) core.step(heard([from, 1, term]));
  core.stepDown();
  for (let tick = 0; tick < ELECTION_TICKS_MAX && core.standing.role === 'leader'; tick += 1) {
    drain(core);
    for (const from of [2, 3]) core.step(heard([from, 1, term]));
    core.tick();
  }
  expect(core.standing).toMatchObject({ role: 'follower', term });
  expect(drain(core)).toEqual([]);
});

test('of those who are equally far the preferred takes over, else the first in order of id', () => {
  for (const [priorities, heir] of [
    [[], 2],
    [[[3, 1]], 3],
    [
      [
        [2, 1],
        [3, 2],
      ],
      3,
    ],
  ] as const) {
    const core = loneLeader();
    core.prefer(new Map(priorities.map(([id, priority]) => [replicaId(id), priority])));
    drain(core);
    for (const from of [3, 2]) core.step(accepted([from, 1, 1], 1));
    core.stepDown();
    expect(sent(drain(core), 'timeout-now')).toMatchObject([{ to: heir }]);
  }
});

test('who hands over already keeps to its successor, whoever is ahead or preferred', () => {
  const core = loneLeader();
  core.prefer(new Map([[replicaId(3), 1]]));
  drain(core);
  const answer = (): void => {
    core.tick();
    for (const from of [2, 3]) core.step(heard([from, 1, 1]));
    core.step(accepted([3, 1, 1], core.last.index));
  };
  // Until the preferred has kept up for long enough, and no longer.
  for (let tick = 0; tick < ELECTION_TICKS_MAX - HEARTBEAT_TICKS; tick += 1) answer();
  core.transfer(replicaId(2));
  for (let tick = 0; tick < HEARTBEAT_TICKS * 2; tick += 1) answer();
  core.stepDown();
  expect(core.standing).toMatchObject({ role: 'leader', transferring: true });
  expect(sent(drain(core), 'timeout-now')).toEqual([]);
});
