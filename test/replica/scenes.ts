import { onTestFinished } from 'vitest';
import type { Client } from '../../src/client/client.ts';
import type { SnapshotPolicy } from '../../src/replica/snapshots/snapshotter.ts';
import { VirtualCluster } from './virtual-cluster.ts';

/** What most stories of a few replicas begin with. */

/** Takes a snapshot every 40 entries, however few bytes they are. */
export const OFTEN: SnapshotPolicy = {
  entries: 40,
  logBytes: Number.POSITIVE_INFINITY,
  share: 0,
};

export interface SceneOptions {
  readonly snapshots?: VirtualCluster['snapshots'];
  readonly leases?: boolean;
}

/** So many replicas that agree, until the test is over. */
export async function clusterOf(
  size: number,
  seed: number,
  { snapshots, leases }: SceneOptions = {},
): Promise<VirtualCluster> {
  const cluster = new VirtualCluster(size, seed);
  onTestFinished(() => cluster.close());
  if (snapshots !== undefined) cluster.snapshots = snapshots;
  if (leases !== undefined) cluster.leases = leases;
  for (let id = 1; id <= size; id += 1) await cluster.start(id);
  await cluster.converge();
  return cluster;
}

/** Raises an alert under a key, and sees to it that the time passes which that takes. */
export const raiserOf =
  (cluster: VirtualCluster, client: Client) =>
  (dedupKey: string): ReturnType<Client['raise']> =>
    cluster.clock.settle(client.raise({ dedupKey, condition: 'HR:HI', priority: 'high' }));

export async function raiseMany(
  cluster: VirtualCluster,
  client: Client,
  names: string,
  count: number,
): Promise<void> {
  const raise = raiserOf(cluster, client);
  for (let n = 0; n < count; n += 1) await raise(`${names}${n}`);
}

export const digestsOf = (cluster: VirtualCluster): Set<string | undefined> =>
  new Set(cluster.machines.map(({ replica }) => replica?.status().digest));
