import { expect, test } from 'vitest';
import { ELECTION_TICKS_MAX, HEARTBEAT_TICKS } from '../../src/base/limits.ts';
import type { Message } from '../../src/raft/types.ts';
import { CoreCluster } from '../../src/testing/core-cluster.ts';
import { appliedBy, awaitLeader, flow, idsOf, isolate, logOf } from './clusters.ts';

/** Replication among several (§5.3); the harness holds log matching and state machine safety after every step. */

function led(size: number, seed = 1): [cluster: CoreCluster, leader: number, others: number[]] {
  const cluster = new CoreCluster({ size, seed });
  const leader = awaitLeader(cluster);
  cluster.calm(HEARTBEAT_TICKS);
  return [cluster, leader, idsOf(cluster).filter((id) => id !== leader)];
}

/** Bytes of entries sent to `to`. */
const bytesTo = (messages: readonly Message[], to: number): number =>
  messages
    .flatMap((each) => (each.type === 'append-request' && each.to === to ? each.entries : []))
    .reduce((sum, entry) => sum + entry.payload.byteLength, 0);

test('commands get the same places on all, and no tick is needed for that', () => {
  const [cluster, leader] = led(3);
  const places = ['a', 'b', 'c'].map((name) => cluster.propose(leader, name) ?? 0);
  cluster.settle();
  expect(places[2]).toBe((places[0] ?? 0) + 2);
  for (const id of idsOf(cluster)) {
    expect(appliedBy(cluster, id)).toEqual(['a', 'b', 'c']);
    for (const [at, index] of places.entries())
      expect(cluster.member(id).applied.get(index)).toMatch(`:${'abc'[at]}`);
  }
});

test('each peer is sent each byte once, with few messages, and next to none when idle', () => {
  const [cluster, leader, others] = led(3);
  const messages: Message[] = [];
  const count = 20;
  for (let n = 0; n < count; n += 1) {
    cluster.propose(leader, `p${n}`, 5000);
    messages.push(...flow(cluster));
  }
  for (const other of others) expect(bytesTo(messages, other)).toBe(count * 5000);
  // An append and what is committed to each peer, and its answer to both.
  expect(messages.length).toBeLessThanOrEqual(count * others.length * 4);
  const idle: Message[] = [];
  for (let tick = 0; tick < HEARTBEAT_TICKS * 10; tick += 1) {
    for (const id of idsOf(cluster)) cluster.tick(id);
    idle.push(...flow(cluster));
  }
  expect(idle.length).toBeLessThanOrEqual(10 * others.length * 2);
  expect(new Set(idle.map(({ type }) => type))).toEqual(new Set(['heartbeat', 'heartbeat-reply']));
});

test('one of three may fail, its entries come later; with two away nothing is committed', () => {
  const [cluster, leader, [second = 0, third = 0]] = led(3);
  cluster.crash(third);
  for (const name of ['a', 'b']) cluster.propose(leader, name);
  cluster.calm(HEARTBEAT_TICKS);
  for (const id of [leader, second]) expect(appliedBy(cluster, id)).toEqual(['a', 'b']);
  cluster.crash(second);
  const { committed } = cluster.core(leader);
  cluster.propose(leader, 'c');
  cluster.calm(HEARTBEAT_TICKS * 3);
  expect(cluster.core(leader).committed).toBe(committed);
  for (const id of [second, third]) cluster.start(id);
  const now = awaitLeader(cluster);
  cluster.propose(now, 'd');
  cluster.calm(ELECTION_TICKS_MAX);
  for (const id of idsOf(cluster)) {
    expect(appliedBy(cluster, id).slice(0, 2)).toEqual(['a', 'b']);
    expect(appliedBy(cluster, id)).toEqual(appliedBy(cluster, now));
    expect(appliedBy(cluster, id)).toContain('d');
  }
});

test('leaders may die one after another while a quorum lives', () => {
  const [cluster, first] = led(5);
  let leader = first;
  const names: string[] = [];
  for (let death = 0; death < 2; death += 1) {
    const name = `before ${death}`;
    cluster.propose(leader, name);
    cluster.settle();
    names.push(name);
    cluster.crash(leader);
    leader = awaitLeader(
      cluster,
      cluster.running.map(({ id }) => id),
    );
  }
  cluster.propose(leader, 'after');
  cluster.settle();
  for (const { id } of cluster.running) expect(appliedBy(cluster, id)).toEqual([...names, 'after']);
});

test('a follower that hangs holds up nobody, and catches up when it wakes', () => {
  const [cluster, leader, [awake = 0, asleep = 0]] = led(3);
  // It takes nothing and says nothing, yet no connection breaks.
  cluster.cut.add(`${leader}>${asleep}`).add(`${asleep}>${leader}`);
  for (let n = 0; n < 500; n += 1) {
    cluster.propose(leader, `p${n}`);
    cluster.settle();
    expect(appliedBy(cluster, leader)).toHaveLength(n + 1);
  }
  cluster.cut.clear();
  cluster.calm(HEARTBEAT_TICKS * 2);
  expect(logOf(cluster, asleep)).toEqual(logOf(cluster, awake));
  expect(appliedBy(cluster, asleep)).toHaveLength(500);
});

test('a follower that missed what was committed learns of it with the next heartbeat', () => {
  const [cluster, leader, [other = 0]] = led(3);
  const index = cluster.propose(leader, 'a') ?? 0;
  for (;;) {
    for (const id of idsOf(cluster)) while (cluster.member(id).writes.length > 0) cluster.sync(id);
    const [next] = cluster.network;
    if (next === undefined) break;
    const { type, to } = next.message;
    if (type === 'heartbeat' && to === other) cluster.network.shift();
    else cluster.deliver(0);
  }
  expect([cluster.core(other).last.index, cluster.core(other).committed]).toEqual([
    index,
    index - 1,
  ]);
  for (let tick = 0; tick < HEARTBEAT_TICKS; tick += 1) cluster.tick(leader);
  cluster.settle();
  expect(cluster.core(other).committed).toBe(index);
});

test('what is proposed together appears once each and in one order on all', () => {
  const [cluster, leader] = led(3);
  const names = Array.from({ length: 50 }, (_, at) => `p${at}`);
  for (const [at, name] of names.entries()) {
    cluster.propose(leader, name);
    // Between two proposals a little of what is under way moves.
    if (at % 2 === 0) cluster.sync((at % 3) + 1);
    if (at % 4 === 0 && cluster.network.length > 0) cluster.deliver(0);
  }
  cluster.settle();
  for (const id of idsOf(cluster)) expect(appliedBy(cluster, id)).toEqual(names);
});

test('leader after leader is cut off under load, and in the end all logs are equal', () => {
  const [cluster] = led(5, 3);
  let proposed = 0;
  const propose = (id: number): void => {
    cluster.propose(id, `p${proposed}`);
    proposed += 1;
  };
  for (let round = 0; round < 12; round += 1) {
    const leader = awaitLeader(cluster);
    for (let n = 0; n < 5; n += 1) propose(leader);
    isolate(cluster, leader);
    // Nobody hears of these; they are to vanish.
    for (let n = 0; n < 5; n += 1) propose(leader);
    const others = idsOf(cluster).filter((id) => id !== leader);
    const next = awaitLeader(cluster, others);
    for (let n = 0; n < 5; n += 1) propose(next);
    cluster.calm(HEARTBEAT_TICKS);
    cluster.cut.clear();
  }
  const leader = awaitLeader(cluster);
  cluster.calm(ELECTION_TICKS_MAX);
  for (const id of idsOf(cluster)) {
    expect(logOf(cluster, id)).toEqual(logOf(cluster, leader));
    expect(appliedBy(cluster, id)).toEqual(appliedBy(cluster, leader));
  }
  expect(appliedBy(cluster, leader).length).toBeGreaterThanOrEqual(12 * 5);
});

test('what a leader cut off cannot commit is bounded, and its room comes back with the next reign', () => {
  const cluster = new CoreCluster({ size: 3, seed: 1, raft: { uncommittedBytesMax: 1000 } });
  const leader = awaitLeader(cluster);
  cluster.calm(HEARTBEAT_TICKS);
  isolate(cluster, leader);
  let taken = 0;
  while (cluster.propose(leader, 'lost') !== undefined) taken += 1;
  expect(taken).toBe(10);
  cluster.cut.clear();
  cluster.calm(ELECTION_TICKS_MAX * 2);
  const now = awaitLeader(cluster);
  cluster.transfer(now, leader);
  cluster.settle();
  expect(awaitLeader(cluster)).toBe(leader);
  for (let n = 0; n < 9; n += 1) expect(cluster.propose(leader, `p${n}`)).toBeDefined();
});
