import { expect, test } from 'vitest';
import { must } from '../../src/base/assert.ts';
import { SNAPSHOT_CHUNK_BYTES } from '../../src/base/limits.ts';
import { VirtualCluster } from './virtual-cluster.ts';

const LENGTH = 1_000;
const textOf = (n: number): string => `${n} `.padEnd(LENGTH, 'x');

test('a large snapshot that a follower fetches costs no election, and no write waits for it', async () => {
  const cluster = new VirtualCluster(3, 1);
  cluster.snapshots = { entries: 30, logBytes: Number.POSITIVE_INFINITY, share: 0 };
  try {
    for (const id of [1, 2, 3]) await cluster.start(id);
    await cluster.converge();
    const client = await cluster.client('c');
    const raise = (n: number) =>
      client.raise({ dedupKey: `k${n}`, condition: 'HR:HI', priority: 'high', text: textOf(n) });
    const { term, leader } = cluster.leader.standing;
    const away = (Number(leader) % 3) + 1;
    cluster.crash(away, 'lost');
    for (let batch = 0; batch < 80; batch += 1)
      await cluster.clock.settle(
        Promise.all(Array.from({ length: 50 }, (_, n) => raise(batch * 50 + n))),
      );
    await cluster.start(away);
    const follower = must(cluster.machines[away - 1]?.replica, 'the follower');
    let written = 4000;
    let longest = 0;
    while (follower.status().revision < 4000) {
      const asked = cluster.clock.monotonic();
      await cluster.clock.settle(raise(written));
      longest = Math.max(longest, cluster.clock.monotonic() - asked);
      written += 1;
      await cluster.clock.run(20);
    }
    await cluster.converge();
    expect(cluster.leader.standing).toMatchObject({ term, leader });
    expect(longest, 'ms that a write took').toBeLessThan(100);
    expect(follower.status().digest).toBe(cluster.leader.status().digest);
    cluster.crash(away, 'kept');
    const store = must(cluster.machines[away - 1], 'its machine').disk.open();
    const { snapshot } = await cluster.clock.settle(store.load());
    await cluster.clock.settle(store.close());
    expect(snapshot?.chunks.length).toBeGreaterThan((4000 * LENGTH) / SNAPSHOT_CHUNK_BYTES - 1);
  } finally {
    await cluster.close();
  }
});

test('a short log gets no snapshot by itself, and one when it is ordered, of just what is applied', async () => {
  const cluster = new VirtualCluster(3, 2);
  try {
    for (const id of [1, 2, 3]) await cluster.start(id);
    await cluster.converge();
    const client = await cluster.client('c');
    for (let n = 0; n < 10; n += 1)
      await cluster.clock.settle(
        client.raise({ dedupKey: `k${n}`, condition: 'HR:HI', priority: 'high' }),
      );
    await cluster.converge();
    await cluster.clock.run(60_000);
    const { applied } = cluster.leader.status();
    const asked = Number(cluster.leader.standing.leader);
    const order = () => cluster.clock.settle(client.operator.snapshot(`/memory/${asked}`));
    const first = await order();
    expect(first).toMatchObject({ index: applied });
    expect(await order()).toEqual(first);
    const kept: (number | undefined)[] = [];
    for (const { identity, disk } of cluster.machines) {
      cluster.crash(identity.replicaId, 'kept');
      const store = disk.open();
      kept[identity.replicaId] = (await cluster.clock.settle(store.load())).snapshot?.index;
      await cluster.clock.settle(store.close());
    }
    expect(kept[asked]).toBe(applied);
    expect(kept.filter((index) => index !== undefined)).toEqual([applied]);
  } finally {
    await cluster.close();
  }
});
