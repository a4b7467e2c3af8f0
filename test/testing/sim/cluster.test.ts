import { expect, test } from 'vitest';
import { SimCluster } from '../../../src/testing/sim/cluster.ts';
import type { Machine } from '../../../src/testing/sim/machine.ts';
import { drawScenario } from '../../../src/testing/sim/scenario.ts';
import { Trace } from '../../../src/testing/sim/trace.ts';

const CALM = { ...drawScenario(3), replicas: 3, faults: [], drift: 0, mixedVersions: false };

test('swapped disks are put back although what runs on one of them waits for ever to be repaired', async () => {
  const trace = new Trace(true);
  const cluster = new SimCluster(CALM, trace);
  const { clock, machines } = cluster;
  for (const machine of machines) cluster.start(machine);
  await clock.run(5_000);
  expect(cluster.running).toHaveLength(3);
  const [a, b, c] = [1, 3, 2].map((id) => cluster.machine(id)) as [Machine, Machine, Machine];
  cluster.bury([c]);
  const putBack = cluster.swaps.swap(a, b);
  a.disk.damage(['rotten']);
  await clock.run(10_000);
  expect(a.isStarting, 'it waits for what is lost, and nobody is where it looks for them').toBe(
    true,
  );
  putBack();
  await clock.run(10_000);
  expect([a.place, b.place]).toEqual([a.id, b.id]);
  c.staysDown = false;
  cluster.start(c);
  await clock.run(10_000);
  expect(cluster.failure).toBeUndefined();
  expect(cluster.running).toHaveLength(3);
});
