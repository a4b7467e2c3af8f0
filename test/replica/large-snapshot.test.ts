import { expect, test } from 'vitest';
import { must } from '../../src/base/assert.ts';
import { SNAPSHOT_CHUNK_BYTES } from '../../src/base/limits.ts';
import { VirtualCluster } from './virtual-cluster.ts';

const TEXT = 'x'.repeat(1000);

test('a large snapshot that a follower fetches costs no election, and no write waits for it', async () => {
  const cluster = new VirtualCluster(3, 1);
  cluster.snapshots = { entries: 30, logBytes: Number.POSITIVE_INFINITY, share: 0 };
  try {
    for (const id of [1, 2, 3]) await cluster.start(id);
    await cluster.converge();
    const client = await cluster.client('c');
    const raise = (n: number) =>
      client.raise({ dedupKey: `k${n}`, condition: 'HR:HI', priority: 'high', text: TEXT });
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
    expect(snapshot?.chunks.length).toBeGreaterThan((4000 * 1000) / SNAPSHOT_CHUNK_BYTES - 1);
  } finally {
    await cluster.close();
  }
});
