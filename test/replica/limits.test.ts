import { expect, test } from 'vitest';
import { VirtualCluster } from './virtual-cluster.ts';

test('a replica keeps to the limits that it is told, whatever its machine is made from: nothing, its own snapshot or that of another', async () => {
  const cluster = new VirtualCluster(3, 1);
  cluster.snapshots = { entries: 5, logBytes: Number.POSITIVE_INFINITY, share: 0 };
  cluster.limits = { repliesMax: 4 };
  try {
    for (const id of [1, 2, 3]) await cluster.start(id);
    await cluster.converge();
    const client = await cluster.client('c');
    const raise = (n: number) =>
      cluster.clock.settle(
        client.raise(
          { dedupKey: `k${n}`, condition: 'HR:HI', priority: 'high' },
          { idempotencyKey: `i${n}` },
        ),
      );
    const leader = Number(cluster.leader.standing.leader);
    const [restarted = 0, away = 0] = [1, 2, 3].filter((id) => id !== leader);
    cluster.crash(away, 'lost');
    for (let n = 0; n < 40; n += 1) await raise(n);
    await cluster.clock.run(1_000);
    cluster.crash(restarted, 'kept');
    await cluster.start(restarted);
    await cluster.start(away);
    await cluster.converge();
    for (let n = 40; n < 46; n += 1) await raise(n);
    const before = cluster.leader.machine.revision;
    // The reply to the newest is still known, so nothing is done; the one to the last before the starts is not.
    await raise(45);
    await raise(39);
    await cluster.converge();
    for (const { replica } of cluster.machines) expect(replica?.machine.revision).toBe(before + 1);
    const digests = cluster.machines.map(({ replica }) => replica?.machine.digest);
    expect(new Set(digests).size).toBe(1);
  } finally {
    await cluster.close();
  }
});
