import { expect, test } from 'vitest';
import { must } from '../../src/base/assert.ts';
import { TocsinError } from '../../src/base/errors.ts';
import { millis, revision } from '../../src/base/ids.ts';
import { ELECTION_TICKS_MAX, LEASE_MS, TICK_MS } from '../../src/base/limits.ts';
import type { Replica } from '../../src/replica/replica.ts';
import type { Freshness } from '../../src/replica/service/read-desk.ts';
import type { Consistency } from '../../src/statemachine/alert-api.ts';
import { clusterOf } from './scenes.ts';
import type { VirtualCluster } from './virtual-cluster.ts';

const read = (
  cluster: VirtualCluster,
  replica: Replica,
  level: Consistency,
): Promise<Freshness | TocsinError> =>
  cluster.clock.settle(new Promise((resolve) => replica.read(level, resolve)));

/** A read that nobody answered by then. */
async function readWithin(
  cluster: VirtualCluster,
  replica: Replica,
  level: Consistency,
  ms: number,
): Promise<Freshness | TocsinError | 'nothing'> {
  let seen: Freshness | TocsinError | 'nothing' = 'nothing';
  replica.read(level, (outcome) => {
    seen = outcome;
  });
  await cluster.clock.run(ms);
  return seen;
}

function followerOf(cluster: VirtualCluster): Replica {
  const found = cluster.running.find(({ replica }) => replica?.standing.role === 'follower');
  return must(found?.replica, 'a follower');
}

const RAISE = { dedupKey: 'k', condition: 'HR:HI', priority: 'high' } as const;

test('a follower answers linearizable reads, and sees what was acknowledged just before', async () => {
  const cluster = await clusterOf(3, 1);
  const client = await cluster.client('c');
  const follower = followerOf(cluster);
  for (let n = 0; n < 10; n += 1) {
    const input = { dedupKey: `k${n}`, condition: 'HR:HI', priority: 'high' } as const;
    const done = await cluster.clock.settle(client.raise(input));
    expect(await read(cluster, follower, 'linearizable')).toEqual({ ageMs: 0 });
    expect(follower.machine.revision).toBeGreaterThanOrEqual(done.revision);
  }
});

test('a bounded read is answered at once while the leader is heard, and not when it has been silent too long', async () => {
  const cluster = await clusterOf(3, 2);
  const follower = followerOf(cluster);
  await cluster.clock.run(1_000);
  const young = await readWithin(cluster, follower, { maxAgeMs: 1_000 }, 0);
  expect(young).toMatchObject({ ageMs: expect.any(Number) });
  const id = must(
    cluster.running.find(({ replica }) => replica === follower),
    'it',
  ).identity.replicaId;
  for (const other of [1, 2, 3])
    if (other !== id) {
      cluster.cut(other, id);
      cluster.cut(id, other);
    }
  await cluster.clock.run(5_000);
  expect(await readWithin(cluster, follower, { maxAgeMs: 1_000 }, 100)).not.toMatchObject({
    ageMs: expect.any(Number),
  });
  const old = await readWithin(cluster, follower, { maxAgeMs: 60_000 }, 0);
  expect(old).toMatchObject({ ageMs: expect.any(Number) });
  expect((old as Freshness).ageMs).toBeGreaterThan(4_000);
});

test('a read of a least revision waits for it, and is refused if it has not happened', async () => {
  const cluster = await clusterOf(3, 3);
  const client = await cluster.client('c');
  const done = await cluster.clock.settle(client.raise(RAISE));
  const minRevision = done.revision;
  const found = await cluster.clock.settle(
    client.get({ dedupKey: 'k' }, { consistency: { minRevision } }),
  );
  expect(found.value).toMatchObject({ revision: minRevision });
  const future = { minRevision: revision(minRevision + 9) };
  expect(await read(cluster, followerOf(cluster), future)).toMatchObject({ code: 'UNAVAILABLE' });
});

test('what goes on from a revision that has not happened is refused at once', async () => {
  const cluster = await clusterOf(3, 5);
  const client = await cluster.client('c');
  const done = await cluster.clock.settle(client.raise(RAISE));
  const began = cluster.clock.monotonic();
  for (const consistency of ['linearizable', 'lease', 'local', 'session'] as const) {
    const next = revision(done.revision + 9);
    const page = client.list({}, { consistency, after: `${done.alertId}@${next}` });
    await expect(cluster.clock.settle(page)).rejects.toMatchObject({ code: 'BAD_REQUEST' });
    const steps = client.history(done.alertId, { consistency, from: next });
    await expect(cluster.clock.settle(steps)).rejects.toMatchObject({ code: 'BAD_REQUEST' });
  }
  expect(cluster.clock.monotonic() - began).toBeLessThan(1_000);
});

test('a replica that has not come as far as the page before does not refuse the next one', async () => {
  const cluster = await clusterOf(3, 6);
  const client = await cluster.client('c');
  const { leader } = cluster.leader.standing;
  const behind = must(
    cluster.running.find(({ identity }) => identity.replicaId !== leader),
    'a follower',
  );
  const { replicaId: id } = behind.identity;
  const reader = await cluster.client('r', { endpoints: [`/memory/${id}`] });
  cluster.cut(must(leader, 'a leader'), id);
  for (const dedupKey of ['a', 'b', 'c'])
    await cluster.clock.settle(client.raise({ ...RAISE, dedupKey }));
  const first = await cluster.clock.settle(client.list({}, { limit: 1 }));
  const after = must(first.value.next, 'a second page');
  expect(behind.replica?.machine.revision).toBeLessThan(first.revision);
  const second = reader.list({}, { after, consistency: 'local' });
  await cluster.clock.run(100);
  cluster.heal();
  const { value, revision: at } = await cluster.clock.settle(second);
  expect([value.alerts.map(({ id: alert }) => alert), at]).toEqual([['A2', 'A3'], first.revision]);
});

test('a leader answers on its lease without asking, and not once it may have been replaced', async () => {
  const cluster = await clusterOf(3, 4, { leases: true });
  await cluster.clock.run(1_000);
  const { leader } = cluster;
  const id = must(leader.standing.leader, 'a leader');
  expect(await readWithin(cluster, leader, 'lease', 0)).toEqual({ ageMs: 0 });
  for (const other of [1, 2, 3]) if (other !== id) cluster.cut(other, id);
  await cluster.clock.run(LEASE_MS);
  expect(leader.isLeased).toBe(false);
  expect(await readWithin(cluster, leader, 'lease', 10)).not.toEqual({ ageMs: 0 });
  cluster.heal();
  await cluster.clock.run(ELECTION_TICKS_MAX * TICK_MS * 3);
  await cluster.converge();
  await cluster.clock.run(1_000);
  const next = cluster.leader;
  const at = must(next.standing.leader, 'a leader');
  cluster.pause(at);
  await cluster.clock.run(millis(LEASE_MS + 100));
  expect(next.isLeased, 'the first thing it does when it wakes').toBe(false);
  cluster.resume(at);
});

test('without leases a lease read is a linearizable one', async () => {
  const cluster = await clusterOf(3, 5);
  expect(cluster.leader.isLeased).toBe(false);
  expect(await read(cluster, cluster.leader, 'lease')).toEqual({ ageMs: 0 });
});

test('each answer carries its age through the client', async () => {
  const cluster = await clusterOf(3, 6);
  const client = await cluster.client('c');
  await cluster.clock.run(1_000);
  const ask = (consistency: Consistency) =>
    cluster.clock.settle(client.get({ dedupKey: 'k' }, { consistency }));
  expect(await ask('linearizable')).toMatchObject({ ageMs: 0 });
  const { ageMs } = await ask({ maxAgeMs: 2_000 });
  expect(ageMs).toBeLessThanOrEqual(2_000);
  await expect(ask({} as Consistency)).rejects.toBeInstanceOf(TocsinError);
});
