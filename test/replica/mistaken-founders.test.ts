import { expect, test } from 'vitest';
import { must } from '../../src/base/assert.ts';
import type { ReplicaId } from '../../src/base/ids.ts';
import { addOf, onStage, type Stage } from './stage.ts';

/** Replicas that were formatted by mistake with the id of a cluster that lives, and one of its members among their own. */

/** Two of them, which lead themselves, and hold some entries. */
async function mistake({ cluster }: Stage, entries: number): Promise<[ReplicaId, ReplicaId]> {
  const founders = cluster.found(2, [1]) as [ReplicaId, ReplicaId];
  for (const id of founders) await cluster.start(id);
  await cluster.clock.run(2_000);
  const endpoints = founders.map((id) => `/memory/${id}`);
  const client = await cluster.client('of the others', { endpoints });
  for (let n = 0; n < entries; n += 1)
    await cluster.clock.settle(
      client.raise({ dedupKey: `other${n}`, condition: 'HR:HI', priority: 'high' }),
    );
  return founders;
}

test.each([2, 40])(
  'a member that hears no leader is not led by founders of another log, with %s entries of it',
  (entries) =>
    onStage(3, 40 + entries, async (stage) => {
      const { cluster, raise } = stage;
      await raise('before', 10);
      for (const id of [2, 3]) cluster.crash(id, 'lost');
      const founders = await mistake(stage, entries);
      await cluster.clock.run(10_000);
      const left = must(cluster.machines[0], 'the one that is left');
      expect(left.fault).toBeUndefined();
      expect(left.replica?.standing.leader).toBeUndefined();
      expect(left.replica?.status().members.map(({ id }) => id)).toEqual([1, 2, 3]);
      // Nor does it help one of them to lead.
      cluster.crash(founders[1], 'lost');
      await cluster.clock.run(5_000);
      expect(cluster.machines[founders[0] - 1]?.replica?.standing.leader).toBeUndefined();
      for (const id of [2, 3]) await cluster.start(id);
      await raise('after', 5);
      expect(cluster.leader.machine.get({ dedupKey: 'other0' })).toBeUndefined();
    }),
);

test('a member goes on when a replica that joined the cluster of such founders leads it', () =>
  onStage(3, 44, async (stage) => {
    const { cluster, raise } = stage;
    await raise('before', 10);
    const founders = await mistake(stage, 30);
    const joined = cluster.join();
    await cluster.start(joined);
    const endpoints = founders.map((id) => `/memory/${id}`);
    const client = await cluster.client('operator', { endpoints });
    await cluster.clock.settle(client.operator.change(addOf(cluster, joined), { dryRun: false }));
    await cluster.clock.run(2_000);
    await cluster.clock.settle(
      client.operator.change({ op: 'promote', id: joined }, { dryRun: false }),
    );
    await cluster.clock.settle(client.operator.transfer(joined));
    await cluster.clock.run(1_000);
    expect(cluster.machines[joined - 1]?.replica?.standing.role).toBe('leader');
    for (const id of [2, 3]) cluster.crash(id, 'lost');
    await cluster.clock.run(10_000);
    const left = must(cluster.machines[0], 'the one that is left');
    expect(left.fault).toBeUndefined();
    expect(left.replica?.status().members.map(({ id }) => id)).toEqual([1, 2, 3]);
    for (const id of [2, 3]) await cluster.start(id);
    await raise('after', 5);
    expect(cluster.leader.machine.get({ dedupKey: 'other0' })).toBeUndefined();
    expect(cluster.machines.slice(0, 3).map(({ fault }) => fault)).toEqual([
      undefined,
      undefined,
      undefined,
    ]);
  }));
