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

/** Cuts the client off from all replicas. */
function cutOff(cluster: VirtualCluster): void {
  for (const host of ['r1', 'r2', 'r3']) {
    cluster.network.cut('ward', host);
    cluster.network.cut(host, 'ward');
  }
}

test.each([1, 8, 64])(
  'the places that an outage used up, %i of them, are free again when it is over, long before the lease',
  async (window) => {
    const cluster = await running(11);
    const client = await cluster.client('ward', { session: { leaseSeconds: 3_600, window } });
    await cluster.clock.settle(client.raise(ALARM));
    cutOff(cluster);
    const lost = Array.from({ length: window }, () =>
      outcomeOf(client.raise(ALARM, { timeoutMs: 500 })),
    );
    const told = await cluster.clock.settle(Promise.all(lost));
    expect(new Set(told)).toEqual(new Set(['unknown']));
    await cluster.clock.run(10_000);
    cluster.heal();
    await cluster.clock.run(10_000);

    const next = Array.from({ length: window }, () => outcomeOf(client.raise(ALARM)));
    expect(new Set(await cluster.clock.settle(Promise.all(next)))).toEqual(new Set(['done']));
    expect(await countOf(cluster, client)).toBe(1 + window);
    expect(sessions(cluster)).toHaveLength(1);
    await cluster.close();
  },
);

test('whoever gives up while the session is being opened ends nobody else’s call', async () => {
  const cluster = await running(12);
  const client = await cluster.client('ward', { session: true });
  const patience = new AbortController();
  const given = client.raise(ALARM, { signal: patience.signal });
  const hasty = client.raise(ALARM, { timeoutMs: 1 });
  const patient = client.raise(ALARM);
  patience.abort();
  const told = await cluster.clock.settle(Promise.allSettled([given, hasty, patient]));
  expect(told).toMatchObject([
    { reason: { code: 'CANCELLED', outcome: 'none' } },
    { reason: { code: 'DEADLINE_EXCEEDED', outcome: 'none' } },
    { value: { ok: true } },
  ]);
  expect(await countOf(cluster, client)).toBe(1);
  await cluster.close();
});

test('no call waits for its session longer than it may, whoever else waits, and one with more time tries again', async () => {
  const cluster = await running(13);
  const client = await cluster.client('ward', { session: true });
  cutOff(cluster);
  const { clock } = cluster;
  const timeouts = [3_000, 300, 30_000, 1_000];
  const endedAt: number[] = [];
  const began = clock.monotonic();
  const raised = timeouts.map((timeoutMs, at) =>
    outcomeOf(client.raise(ALARM, { timeoutMs })).finally(() => {
      endedAt[at] = clock.monotonic() - began;
    }),
  );
  const patience = new AbortController();
  const given = outcomeOf(client.raise(ALARM, { signal: patience.signal }));
  await clock.run(100);
  patience.abort();
  expect(await clock.settle(given)).toBe('none');
  expect(clock.monotonic() - began).toBeLessThan(200);
  await clock.run(20_000);
  cluster.heal();

  expect(await clock.settle(Promise.all(raised))).toEqual(['none', 'none', 'done', 'none']);
  for (const [at, ended] of endedAt.entries())
    expect(ended).toBeLessThanOrEqual((timeouts[at] ?? 0) + 1);
  expect(await countOf(cluster, client)).toBe(1);
  await cluster.close();
});
