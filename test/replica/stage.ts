import { expect } from 'vitest';
import { must } from '../../src/base/assert.ts';
import type { ReplicaId } from '../../src/base/ids.ts';
import type { Client } from '../../src/client/index.ts';
import type { ChangeReport, MemberChange } from '../../src/wire/clients/admin-messages.ts';
import { VirtualCluster } from './virtual-cluster.ts';

/** A cluster that runs, and somebody who changes its members. */
export interface Stage {
  readonly cluster: VirtualCluster;
  readonly client: Client;
  readonly change: (change: MemberChange, dryRun?: boolean) => Promise<ChangeReport>;
  /** A new member learns, and votes as soon as it may. */
  readonly grow: () => Promise<ReplicaId>;
  readonly raise: (names: string, count: number) => Promise<void>;
}

export async function stageOf(size: number, seed: number, snapshots = false): Promise<Stage> {
  const cluster = new VirtualCluster(size, seed);
  if (snapshots) cluster.snapshots = { entries: 30, logBytes: Number.POSITIVE_INFINITY, share: 0 };
  for (let id = 1; id <= size; id += 1) await cluster.start(id);
  await cluster.converge();
  const client = await cluster.client('c');
  const change: Stage['change'] = (asked, dryRun = false) =>
    cluster.clock.settle(client.operator.change(asked, { dryRun }));
  return {
    cluster,
    client,
    change,
    grow: async () => {
      const id = cluster.join();
      await cluster.start(id);
      expect(await change(addOf(cluster, id))).toMatchObject({ outcome: 'done' });
      await cluster.clock.run(2_000);
      expect(await change({ op: 'promote', id })).toMatchObject({ outcome: 'done' });
      return id;
    },
    raise: async (names, count) => {
      for (let n = 0; n < count; n += 1) {
        const input = { dedupKey: `${names}${n}`, condition: 'HR:HI', priority: 'high' } as const;
        await cluster.clock.settle(client.raise(input));
      }
    },
  };
}

/** A scene on such a stage, which is cleared in the end. */
export async function onStage(
  size: number,
  seed: number,
  scene: (stage: Stage) => Promise<void>,
  snapshots = false,
): Promise<void> {
  const stage = await stageOf(size, seed, snapshots);
  try {
    await scene(stage);
  } finally {
    await stage.cluster.close();
  }
}

export const addOf = (cluster: VirtualCluster, id: ReplicaId): MemberChange => ({
  op: 'add',
  id,
  address: `/memory/${id}`,
  incarnation: must(cluster.machines[id - 1], `machine ${id}`).identity.incarnation,
  priority: 0,
});
