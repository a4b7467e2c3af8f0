import fc from 'fast-check';
import { expect, test } from 'vitest';
import { must } from '../../src/base/assert.ts';
import { clusterOf, digestsOf, OFTEN, raiseMany } from './scenes.ts';
import type { VirtualCluster } from './virtual-cluster.ts';

/** A snapshot every few entries, whatever its size. */
/** The log of a replica that is down, as the next start would find it. */
async function logOf(cluster: VirtualCluster, id: number) {
  const store = must(cluster.machines[id - 1], `no machine ${id}`).disk.open();
  const restored = await cluster.clock.settle(store.load());
  await cluster.clock.settle(store.close());
  return restored;
}

test('logs stay bounded, and a restart begins with the newest snapshot', async () => {
  const cluster = await clusterOf(3, 1, { snapshots: OFTEN });
  const client = await cluster.client('c');
  await raiseMany(cluster, client, 'k', 400);
  await cluster.converge();
  await cluster.clock.run(1_000);
  for (const id of [1, 2, 3]) cluster.crash(id, 'lost');
  for (const id of [1, 2, 3]) {
    const { base, snapshot, tail } = await logOf(cluster, id);
    const last = must(tail.at(-1), 'an entry').index;
    expect(last).toBeGreaterThanOrEqual(400);
    expect(last - base.index, 'entries in the log').toBeLessThan(3 * OFTEN.entries);
    expect(last - must(snapshot, 'a snapshot').index).toBeLessThan(2 * OFTEN.entries);
  }
  for (const id of [1, 2, 3]) await cluster.start(id);
  await cluster.converge();
  expect(digestsOf(cluster).size).toBe(1);
  expect(cluster.leader.status().revision).toBe(400);
  const again = await cluster.clock.settle(
    client.raise({ dedupKey: 'k7', condition: 'HR:HI', priority: 'high' }),
  );
  expect(again.effect).toBe('continued');
});

test('a follower that was away for longer than the log reaches back is given a snapshot', async () => {
  const cluster = await clusterOf(3, 2, { snapshots: OFTEN });
  const client = await cluster.client('c');
  await raiseMany(cluster, client, 'before', 30);
  await cluster.converge();
  const away = cluster.leader.standing.leader === 1 ? 2 : 1;
  cluster.crash(away, 'lost');
  await raiseMany(cluster, client, 'while', 300);
  await cluster.start(away);
  await cluster.converge();
  expect(digestsOf(cluster).size).toBe(1);
  await raiseMany(cluster, client, 'after', 100);
  await cluster.converge();
  expect(digestsOf(cluster).size).toBe(1);
  cluster.crash(away, 'lost');
  const { base } = await logOf(cluster, away);
  expect(base.index).toBeGreaterThan(100);
});

test('a repeated command after a snapshot was installed gets its first reply', async () => {
  const cluster = await clusterOf(3, 3, { snapshots: OFTEN });
  const client = await cluster.client('c');
  const input = { dedupKey: 'once', condition: 'HR:HI', priority: 'high' } as const;
  const away = cluster.leader.standing.leader === 1 ? 2 : 1;
  cluster.crash(away, 'lost');
  const raise = () => cluster.clock.settle(client.raise(input, { idempotencyKey: 'key' }));
  const first = await raise();
  await raiseMany(cluster, client, 'while', 200);
  await cluster.start(away);
  await cluster.converge();
  for (const { identity } of cluster.machines)
    if (identity.replicaId !== away) cluster.crash(identity.replicaId, 'lost');
  for (const { identity } of cluster.machines)
    if (identity.replicaId !== away) await cluster.start(identity.replicaId);
  await cluster.converge();
  expect(await raise()).toEqual(first);
});

/** Crashes and restarts at any moment while snapshots are taken, fetched and installed. */
async function story(seed: number): Promise<void> {
  const cluster = await clusterOf(3, seed, { snapshots: OFTEN });
  const { prng } = cluster;
  try {
    const client = await cluster.client('c');
    const told = new Map<string, number>();
    for (let round = 0; round < 12; round += 1) {
      const id = prng.between(1, 3);
      const down = cluster.machines.find(({ replica }) => replica === undefined);
      if (down !== undefined && prng.unit() < 0.7) await cluster.start(down.identity.replicaId);
      else if (down === undefined) cluster.crash(id, prng.pick(['lost', 'kept'] as const));
      const calls = Array.from({ length: prng.between(1, 40) }, async (_, n) => {
        const dedupKey = `r${round}n${n}`;
        const { revision } = await client.raise({ dedupKey, condition: 'HR:HI', priority: 'high' });
        told.set(dedupKey, revision);
      });
      await cluster.clock.settle(Promise.allSettled(calls));
      await cluster.clock.run(prng.between(0, 300));
    }
    for (const { replica, identity } of cluster.machines)
      if (replica === undefined) await cluster.start(identity.replicaId);
    await cluster.converge();
    await cluster.clock.run(2_000);
    expect(digestsOf(cluster).size).toBe(1);
    expect(cluster.machines.map(({ fault }) => fault)).toEqual([undefined, undefined, undefined]);
    for (const { replica } of cluster.machines)
      for (const [dedupKey, revision] of told)
        expect(replica?.machine.get({ dedupKey })?.revision, dedupKey).toBe(revision);
  } finally {
    await cluster.close();
  }
}

test('whatever crashes while snapshots are taken, fetched and installed, nothing that was told is lost', async () => {
  await fc.assert(fc.asyncProperty(fc.integer({ min: 0, max: 2 ** 31 }), story), {
    numRuns: 8,
  });
});
