import { expect, test } from 'vitest';
import { millis } from '../../src/base/ids.ts';
import { StageTimes } from '../../src/replica/pipeline/stage-times.ts';
import { VirtualCluster } from './virtual-cluster.ts';

const named = (stages: StageTimes): Record<string, readonly number[]> =>
  Object.fromEntries(
    stages.summary.map(({ name, count, p50Us, p99Us }) => [name, [count, p50Us, p99Us]]),
  );

test('each stage has its own times, told in microseconds to two figures', () => {
  const stages = new StageTimes();
  for (let n = 0; n < 98; n += 1) stages.queued(millis(0.1));
  for (let n = 0; n < 2; n += 1) stages.queued(millis(9));
  stages.agreed(millis(2));
  const { queue, quorum, sync, apply } = named(stages);
  expect(queue?.[0]).toBe(100);
  expect(queue?.[1]).toBeCloseTo(100, -1);
  expect(queue?.[2]).toBeGreaterThan(8_900);
  expect(queue?.[2]).toBeLessThan(9_100);
  expect(quorum?.[1]).toBeGreaterThan(1_980);
  expect([sync?.[0], apply?.[0]]).toEqual([0, 0]);
});

const DISK_MS = 5;
const LINK_MS_MAX = 2;

test('a leader tells where the time of its commands went, a follower only what its disk takes', async () => {
  const cluster = new VirtualCluster(3, 11);
  cluster.diskMs = [DISK_MS, DISK_MS];
  for (const id of [1, 2, 3]) await cluster.clock.settle(cluster.start(id));
  await cluster.converge();
  const client = await cluster.client('ward');
  for (const dedupKey of ['a', 'b', 'c'])
    await cluster.clock.settle(client.raise({ dedupKey, condition: 'HR:HI', priority: 'high' }));
  const { role, stages = [] } = await cluster.clock.settle(client.status());
  expect(role).toBe('leader');
  expect(stages.map(({ name }) => name)).toEqual(['queue', 'sync', 'quorum', 'apply']);
  const [queue, sync, quorum, apply] = stages;
  for (const stage of [queue, quorum, apply]) expect(stage?.count).toBe(3);
  const disk = DISK_MS * 1_000;
  expect(sync?.p50Us).toBeGreaterThanOrEqual(disk * 0.98);
  expect(sync?.p50Us).toBeLessThanOrEqual(disk * 1.02);
  // A sync here or there, and one way or two over the links beside it.
  expect(quorum?.p50Us).toBeGreaterThanOrEqual(disk * 0.98);
  expect(quorum?.p99Us).toBeLessThanOrEqual((disk + 2 * LINK_MS_MAX * 1_000) * 1.02);
  expect(apply?.p99Us).toBeLessThan(disk);
  const follower = cluster.running.find(({ replica }) => replica !== cluster.leader)?.replica;
  const busy = follower?.status().stages?.filter(({ count }) => count > 0);
  expect(busy?.map(({ name }) => name)).toEqual(['sync']);
  await cluster.close();
});
