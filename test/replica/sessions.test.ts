import { expect, test } from 'vitest';
import { TocsinError } from '../../src/base/errors.ts';
import type { Client } from '../../src/client/index.ts';
import { VirtualCluster } from './virtual-cluster.ts';

const ALARM = { dedupKey: 'k', condition: 'HR:HI', priority: 'high' } as const;

async function running(seed: number): Promise<VirtualCluster> {
  const cluster = new VirtualCluster(3, seed);
  for (const id of [1, 2, 3]) await cluster.clock.settle(cluster.start(id));
  await cluster.converge();
  return cluster;
}

/** What became of a raise. */
async function outcomeOf(raised: Promise<unknown>): Promise<'done' | TocsinError['outcome']> {
  try {
    await raised;
    return 'done';
  } catch (error) {
    if (!TocsinError.is(error)) throw error;
    return error.outcome;
  }
}

const sessions = (cluster: VirtualCluster): readonly string[] =>
  cluster.leader.machine.records('session').records.map(({ id }) => id);

async function countOf(cluster: VirtualCluster, client: Client): Promise<number> {
  const { value } = await cluster.clock.settle(client.get({ dedupKey: 'k' }));
  return value?.count ?? 0;
}

test.each([3, 4, 5])(
  'a command in a session is counted once, through leaders that die (seed %i)',
  async (seed) => {
    const cluster = await running(seed);
    const session = { leaseSeconds: 30, window: 8 };
    const client = await cluster.client('ward', { session, timeoutMs: 4_000 });
    const told = { done: 0, none: 0, applied: 0, unknown: 0 };
    for (let round = 0; round < 5; round += 1) {
      const raised = Array.from({ length: 8 }, () => outcomeOf(client.raise(ALARM)));
      await cluster.clock.run(cluster.prng.between(0, 6));
      const leader = cluster.leader.status().replicaId;
      cluster.crash(leader, cluster.prng.chance(0.5) ? 'lost' : 'kept');
      for (const how of await cluster.clock.settle(Promise.all(raised))) told[how] += 1;
      await cluster.clock.settle(cluster.start(leader));
      await cluster.converge();
    }
    const count = await countOf(cluster, client);
    expect(count).toBeGreaterThanOrEqual(told.done + told.applied);
    expect(count).toBeLessThanOrEqual(told.done + told.applied + told.unknown);
    expect(told.done).toBeGreaterThan(25);
    expect(sessions(cluster)).toHaveLength(1);
    await cluster.clock.settle(client.close());
    await cluster.converge();
    expect(sessions(cluster)).toEqual([]);
    await cluster.close();
  },
);

test('a client that is there keeps its session; one that was away gets another, and its command is carried out', async () => {
  const cluster = await running(8);
  const client = await cluster.client('ward', { session: { leaseSeconds: 6 } });
  await cluster.clock.settle(client.raise(ALARM));
  const [first] = sessions(cluster);
  await cluster.clock.run(30_000);
  await cluster.converge();
  expect(sessions(cluster)).toEqual([first]);
  for (const host of ['r1', 'r2', 'r3']) {
    cluster.network.cut('ward', host);
    cluster.network.cut(host, 'ward');
  }
  await cluster.clock.run(20_000);
  expect(sessions(cluster)).toEqual([]);
  cluster.heal();
  await cluster.clock.settle(client.raise(ALARM));
  expect(sessions(cluster)).toHaveLength(1);
  expect(sessions(cluster)).not.toEqual([first]);
  expect(await countOf(cluster, client)).toBe(2);
  await cluster.close();
});

test('more than the window at once is refused, and nothing of it is written', async () => {
  const cluster = await running(9);
  const client = await cluster.client('ward', { session: { window: 4 } });
  await cluster.clock.settle(client.raise(ALARM));
  const raised = Array.from({ length: 6 }, () => outcomeOf(client.raise(ALARM)));
  const told = await cluster.clock.settle(Promise.all(raised));
  expect(told).toEqual(['done', 'done', 'done', 'done', 'none', 'none']);
  expect(await countOf(cluster, client)).toBe(5);
  await cluster.close();
});

test('a caller’s own idempotency key stays what it is', async () => {
  const cluster = await running(10);
  const client = await cluster.client('ward', { session: true });
  const options = { idempotencyKey: 'mine' };
  await cluster.clock.settle(client.raise(ALARM, options));
  await cluster.clock.settle(client.raise(ALARM, options));
  expect(sessions(cluster)).toEqual([]);
  expect(await countOf(cluster, client)).toBe(1);
  await cluster.close();
});
