import { expect, test } from 'vitest';
import { must } from '../../src/base/assert.ts';
import { TocsinError } from '../../src/base/errors.ts';
import { millis, revision } from '../../src/base/ids.ts';
import { ELECTION_TICKS_MIN, TICK_MS } from '../../src/base/limits.ts';
import type { Client } from '../../src/client/index.ts';
import type { AlertEvent, Done } from '../../src/statemachine/types.ts';
import { MemoryDisk } from '../../src/storage/log/memory-log-store.ts';
import { clusterOf, OFTEN } from './scenes.ts';
import type { VirtualCluster } from './virtual-cluster.ts';

/** Whole replicas whose connections break, in the order in which one would see it in a hospital. */

const leaderOf = (cluster: VirtualCluster): number =>
  Number(must(cluster.leader.standing.leader, 'nobody leads'));

const replicaAt = (cluster: VirtualCluster, id: number) =>
  must(cluster.machines[id - 1]?.replica, `replica ${id} is down`);

const raise = (client: Client, key: string): Promise<Done> =>
  client.raise({ dedupKey: key, condition: 'HR:HI', priority: 'high' });

/** Every event there ever was. */
async function historyOf(cluster: VirtualCluster, client: Client): Promise<AlertEvent[]> {
  const events: AlertEvent[] = [];
  const stop = new AbortController();
  const watching = (async () => {
    for await (const message of client.watch({ from: revision(1), signal: stop.signal }))
      if (message.type === 'event') events.push(message.event);
  })().catch(() => {});
  await cluster.clock.run(3_000);
  stop.abort();
  await cluster.clock.settle(watching);
  return events;
}

test('of a hundred that wait at a leader cut off none hears yes before it is whole again; all hear the truth', async () => {
  const cluster = await clusterOf(3, 1, { snapshots: { ...OFTEN, entries: 20 } });
  const client = await cluster.client('c');
  await cluster.clock.settle(raise(client, 'before'));
  const leader = leaderOf(cluster);
  const others = [1, 2, 3].filter((id) => id !== leader);
  for (const other of others) {
    cluster.cut(leader, other);
    cluster.cut(other, leader);
  }
  const told = new Map<string, Done | TocsinError>();
  const calls = Array.from({ length: 100 }, async (_, n) => {
    const key = `k${n}`;
    told.set(key, await raise(client, key).catch((error: TocsinError) => error));
  });
  // Not long enough for the leader to find out.
  await cluster.clock.run(ELECTION_TICKS_MIN * TICK_MS - 50);
  expect(replicaAt(cluster, leader).standing.role).toBe('leader');
  expect(told.size).toBe(0);
  // The others go on meanwhile, past the next snapshots.
  await cluster.clock.run(3_000);
  const second = await cluster.client('d');
  for (let n = 0; n < 60; n += 1) await cluster.clock.settle(raise(second, `d${n}`));
  cluster.heal();
  await cluster.clock.settle(Promise.all(calls));
  await cluster.converge();
  const events = await historyOf(cluster, client);
  expect(told.size).toBe(100);
  for (const [key, outcome] of told) {
    const held = events.filter((event) => event.alert.dedupKey === key);
    if (!(outcome instanceof TocsinError))
      expect(held.map((event) => event.revision)).toEqual([outcome.revision]);
    else expect(held.length).toBeLessThanOrEqual(outcome.outcome === 'none' ? 0 : 1);
  }
  expect(replicaAt(cluster, leader).status().digest).toBe(cluster.leader.status().digest);
});

test('connections that break again and again cost no election', async () => {
  const cluster = await clusterOf(3, 2);
  const { term, leader } = cluster.leader.standing;
  const client = await cluster.client('c');
  for (let time = 0; time < 40; time += 1) {
    const follower = (leaderOf(cluster) % 3) + 1;
    cluster.network.reset(`r${leader}`, `r${follower}`);
    await cluster.clock.settle(raise(client, `k${time}`));
    await cluster.clock.run(100);
  }
  expect(cluster.leader.standing).toMatchObject({ term, leader });
  await cluster.converge();
});

test('a follower that was down for long is reached again before an election time-out has passed', async () => {
  const cluster = await clusterOf(3, 3);
  const { term } = cluster.leader.standing;
  const follower = (leaderOf(cluster) % 3) + 1;
  cluster.crash(follower, 'lost');
  const client = await cluster.client('c');
  for (let n = 0; n < 10; n += 1) await cluster.clock.settle(raise(client, `k${n}`));
  await cluster.clock.run(120_000);
  await cluster.start(follower);
  await cluster.clock.run(ELECTION_TICKS_MIN * TICK_MS);
  expect(replicaAt(cluster, follower).status().revision).toBe(10);
  expect(cluster.leader.standing.term).toBe(term);
});

/** The log of a replica that is down, as the next start would find it. */
async function logOf(cluster: VirtualCluster, id: number) {
  const store = must(cluster.machines[id - 1], `no machine ${id}`).disk.open();
  const restored = await cluster.clock.settle(store.load());
  await cluster.clock.settle(store.close());
  return restored;
}

test('the log waits for a follower that is slow but there', async () => {
  const cluster = await clusterOf(3, 4, { snapshots: { ...OFTEN, entries: 20 } });
  const client = await cluster.client('c');
  const leader = leaderOf(cluster);
  const slow = (leader % 3) + 1;
  const { disk } = must(cluster.machines[slow - 1], 'no such machine');
  disk.onWrite = (write) => {
    cluster.clock.after(millis(400), () => write.complete());
  };
  for (let n = 0; n < 150; n += 1) await cluster.clock.settle(raise(client, `k${n}`));
  for (const id of [slow, leader]) cluster.crash(id, 'lost');
  const held = must((await logOf(cluster, slow)).tail.at(-1), 'an entry').index;
  const { base, tail } = await logOf(cluster, leader);
  expect(must(tail.at(-1), 'an entry').index - held, 'it is slow').toBeGreaterThan(40);
  expect(base.index).toBeLessThanOrEqual(held);
});

test('a replica that comes back with an old copy of its disk gets all it lost, and no vote before', async () => {
  const cluster = await clusterOf(3, 5);
  const client = await cluster.client('c');
  for (let n = 0; n < 20; n += 1) await cluster.clock.settle(raise(client, `k${n}`));
  await cluster.converge();
  const leader = leaderOf(cluster);
  const [old = 0, other = 0] = [1, 2, 3].filter((id) => id !== leader);
  const machine = must(cluster.machines[old - 1], 'no such machine');
  cluster.crash(old, 'lost');
  // As it was when it was formatted, mark and all: nothing on it tells that more was ever there.
  Object.assign(machine, { disk: new MemoryDisk(machine.identity.clusterId) });
  await cluster.start(old);
  await cluster.converge();
  expect(replicaAt(cluster, old).status().digest).toBe(cluster.leader.status().digest);
  // It may have voted for anybody: the other one finds no second vote, until the leader is back.
  cluster.crash(leader, 'lost');
  await cluster.clock.run(10_000);
  expect([old, other].map((id) => replicaAt(cluster, id).standing.role)).not.toContain('leader');
  await cluster.start(leader);
  await cluster.converge();
  await cluster.clock.settle(raise(client, 'after'));
  await cluster.converge();
  cluster.crash(leaderOf(cluster), 'lost');
  await cluster.clock.settle(raise(client, 'without'));
});

test.each([
  [3, 0],
  [5, 0],
  [5, 1],
  [7, 2],
])(
  'of %i, of whom %i are down already, a leader that is killed is replaced in tens of milliseconds',
  async (size, down) => {
    for (const seed of [1, 2, 3]) {
      const cluster = await clusterOf(size, seed);
      const leader = must(cluster.leader.standing.leader, 'a leader');
      // Those of lower number ask before the others.
      const first = [1, 2, 3].filter((id) => id !== leader).slice(0, down);
      for (const id of first) cluster.crash(id, 'lost');
      await cluster.clock.run(3_000);
      cluster.crash(leader, 'lost');
      const killed = cluster.clock.monotonic();
      while (!cluster.running.some(({ replica }) => replica?.standing.role === 'leader'))
        await cluster.clock.run(1);
      expect(cluster.clock.monotonic() - killed).toBeLessThan(50);
    }
  },
);
