import fc from 'fast-check';
import { expect, onTestFinished, test, vi } from 'vitest';
import { must } from '../../src/base/assert.ts';
import { millis } from '../../src/base/ids.ts';
import { Prng } from '../../src/base/prng.ts';
import { BulkLane } from '../../src/replica/peers/bulk-lane.ts';
import { LevelLogStore } from '../../src/storage/log/level-log-store.ts';
import { clusterOf, digestsOf, OFTEN, raiseMany } from './scenes.ts';
import { addOf, stageOf } from './stage.ts';
import { VirtualCluster } from './virtual-cluster.ts';

/** What is lost from a disk while its replica runs. */

const diskOf = (cluster: VirtualCluster, id: number) =>
  must(cluster.machines[id - 1], `machine ${id}`).disk;

const faultsOf = (cluster: VirtualCluster) =>
  cluster.machines.flatMap(({ fault }) => (fault === undefined ? [] : [fault]));

/** What this replica would start from now; it is started again after that. */
async function restartedFrom(cluster: VirtualCluster, id: number) {
  const disk = diskOf(cluster, id);
  cluster.crash(id, 'lost');
  const restored = await cluster.clock.settle(disk.open().load());
  disk.crash('lost');
  await cluster.start(id);
  return restored;
}

/** A cluster in which each replica takes snapshots by a policy of its own. */
async function clusterBy(seed: number, policies: readonly VirtualCluster['snapshots'][]) {
  const cluster = new VirtualCluster(policies.length, seed);
  onTestFinished(() => cluster.close());
  for (const [at, policy] of policies.entries()) {
    cluster.snapshots = policy;
    await cluster.start(at + 1);
  }
  await cluster.converge();
  return cluster;
}

test.each([
  ['a follower', 3],
  ['the leader', 1],
])(
  'what %s has lost while it runs, and its peers have compacted, is made up for once and for all',
  async (who, id) => {
    const cluster = await clusterBy(
      1,
      [1, 2, 3].map((each) => (each === id ? undefined : OFTEN)),
    );
    expect(cluster.leader.standing.leader === id).toBe(who === 'the leader');
    const client = await cluster.client('c');
    await raiseMany(cluster, client, 'k', 100);
    await cluster.converge();
    const replica = must(cluster.machines[id - 1]?.replica, `replica ${id}`);
    const repair = vi.spyOn(replica.snapshots, 'repair');
    for (const index of [20, 30]) diskOf(cluster, id).damage(index, 'gone');
    await cluster.clock.run(20_000);
    expect(repair, 'once for each').toHaveBeenCalledTimes(2);
    expect(replica.status().alarms).toEqual([]);
    await raiseMany(cluster, client, 'more', 5);
    await cluster.converge();
    expect(cluster.machines.map(({ fault }) => fault)).toEqual([undefined, undefined, undefined]);
    const { damage, base } = await restartedFrom(cluster, id);
    expect(damage).toBeUndefined();
    expect(base.index).toBe(30);
    await cluster.converge();
    expect(digestsOf(cluster).size).toBe(1);
  },
);

/** Rot on one replica at a time, while all run and serve, is gone after a while, and nobody has stopped for it. */
async function liveStory(seed: number): Promise<void> {
  const draw = new Prng(seed);
  const every = (entries: number) => ({ ...OFTEN, entries });
  const policies = [1, 2, 3].map(() => draw.pick([undefined, OFTEN, every(7)]));
  const cluster = await clusterBy(seed, policies);
  try {
    const client = await cluster.client('c');
    for (let round = 0; round < 4; round += 1) {
      await raiseMany(cluster, client, `r${round}-`, draw.between(1, 60));
      await cluster.converge();
      const id = draw.between(1, 3);
      const replica = must(cluster.machines[id - 1]?.replica, 'a replica');
      for (let n = draw.between(1, 4); n > 0; n -= 1)
        diskOf(cluster, id).damage(
          draw.between(1, replica.status().lastIndex),
          draw.pick(['rotten', 'torn', 'gone'] as const),
        );
      // What is not known to be committed is not looked at; so others follow the last one.
      await raiseMany(cluster, client, `while${round}-`, draw.between(3, 99));
      await cluster.clock.run(20_000);
      expect(replica.status().alarms).toEqual([]);
      expect(cluster.machines.map(({ fault }) => fault)).toEqual([undefined, undefined, undefined]);
      expect((await restartedFrom(cluster, id)).damage).toBeUndefined();
      await cluster.converge();
    }
    expect(digestsOf(cluster).size).toBe(1);
  } finally {
    await cluster.close();
  }
}

test('rot on one running replica at a time heals by itself, whatever any of them has compacted', async () => {
  await fc.assert(fc.asyncProperty(fc.integer({ min: 0, max: 2 ** 31 }), liveStory), {
    numRuns: 6,
  });
});

/** Cuts one off from all others. */
function cutOff(cluster: VirtualCluster, id: number): void {
  for (const { identity } of cluster.machines) {
    if (identity.replicaId === id) continue;
    cluster.cut(id, identity.replicaId);
    cluster.cut(identity.replicaId, id);
  }
}

test('the only voter makes up by itself for what it has lost, whether a learner beside it is there or not', async () => {
  const { cluster, change, raise } = await stageOf(1, 1);
  onTestFinished(() => cluster.close());
  await raise('k', 30);
  const id = cluster.join();
  await cluster.start(id);
  await change(addOf(cluster, id));
  await cluster.clock.run(2_000);
  for (const index of [12, 18]) {
    diskOf(cluster, 1).damage(index, 'gone');
    await cluster.clock.run(30_000);
    await raise(`after${index}`, 1);
    expect(cluster.machines[0]?.replica?.status().alarms).toEqual([]);
    if (index === 12) cluster.crash(id, 'lost');
  }
  expect((await restartedFrom(cluster, 1)).damage).toBeUndefined();
  await cluster.start(id);
  await cluster.converge();
  expect(digestsOf(cluster).size).toBe(1);
});

test.each([
  ['at once', 0, 0],
  ['on slow disks', 4_000, 0],
  ['once there is room for a snapshot', 0, 60_000],
])(
  'what all have lost while they run is in the state of each, and is made up for %s',
  async (_when, fileMs, fullMs) => {
    const cluster = new VirtualCluster(3, 1);
    onTestFinished(() => cluster.close());
    for (const id of [1, 2, 3]) {
      diskOf(cluster, id).beforeFile = () =>
        new Promise((resolve) => void cluster.clock.after(millis(fileMs), resolve));
      await cluster.start(id);
    }
    await cluster.converge();
    const client = await cluster.client('c');
    await raiseMany(cluster, client, 'k', 30);
    await cluster.converge();
    const room = (bytes: number): void => {
      for (const id of [1, 2, 3]) diskOf(cluster, id).freeBytes = bytes;
    };
    if (fullMs > 0) room(1);
    await cluster.clock.run(5_000);
    for (const id of [1, 2, 3]) diskOf(cluster, id).damage(12, 'gone');
    await cluster.clock.run(fullMs);
    room(2 ** 40);
    await cluster.clock.run(90_000);
    expect(faultsOf(cluster)).toEqual([]);
    await raiseMany(cluster, client, 'after', 5);
    for (const id of [1, 2, 3]) expect((await restartedFrom(cluster, id)).damage).toBeUndefined();
    await cluster.converge();
    expect(digestsOf(cluster).size).toBe(1);
  },
);

test('what was never committed is cut behind an entry that has just rotted, and that is repaired', async () => {
  const cluster = await clusterOf(3, 2);
  const client = await cluster.client('c');
  await raiseMany(cluster, client, 'k', 10);
  await cluster.converge();
  const leader = must(cluster.leader.standing.leader, 'a leader');
  const last = cluster.leader.status().lastIndex;
  cutOff(cluster, leader);
  client.raise({ dedupKey: 'lonely', condition: 'HR:HI', priority: 'high' }).catch(() => {});
  await cluster.clock.run(2_000);
  cluster.heal();
  diskOf(cluster, leader).damage(last, 'rotten');
  await cluster.clock.run(20_000);
  expect(faultsOf(cluster)).toEqual([]);
  expect((await restartedFrom(cluster, leader)).damage).toBeUndefined();
  await cluster.converge();
  expect(digestsOf(cluster).size).toBe(1);
});

test('what rots right before a loss, while peers are waited for, is repaired with it', async () => {
  const cluster = await clusterOf(3, 3);
  const client = await cluster.client('c');
  await raiseMany(cluster, client, 'k', 30);
  await cluster.converge();
  const id = cluster.leader.standing.leader === 1 ? 2 : 1;
  cutOff(cluster, id);
  diskOf(cluster, id).damage(20, 'gone');
  await cluster.clock.run(5_000);
  diskOf(cluster, id).damage(19, 'gone');
  cluster.heal();
  await cluster.clock.run(20_000);
  expect(faultsOf(cluster)).toEqual([]);
  await cluster.converge();
  expect((await restartedFrom(cluster, id)).damage).toBeUndefined();
});

test('a snapshot that has rotted itself makes up for nothing: another one is taken first', async () => {
  const cluster = await clusterOf(1, 7);
  const client = await cluster.client('c');
  await raiseMany(cluster, client, 'k', 40);
  const replica = must(cluster.machines[0]?.replica, 'a replica');
  await cluster.clock.settle(replica.snapshots.take());
  await raiseMany(cluster, client, 'l', 10);
  const disk = diskOf(cluster, 1);
  const { contents } = disk.files;
  const name = must(
    [...contents.keys()].find((each) => each.endsWith('.data')),
    'its data',
  );
  const bytes = must(contents.get(name), 'its data');
  contents.set(name, bytes.with(5, (bytes[5] as number) ^ 1));
  disk.damage(30, 'gone');
  const compact = vi.spyOn(LevelLogStore.prototype, 'compact');
  onTestFinished(() => void compact.mockRestore());
  while (compact.mock.calls.length === 0) await cluster.clock.run(1);
  await cluster.clock.run(5);
  expect(replica.status().alarms).toEqual([]);
  const { damage, base } = await restartedFrom(cluster, 1);
  expect(damage).toBeUndefined();
  expect(base.index).toBe(30);
});

test('alone and idle, a replica notices that it has lost its last entry, and makes up for it', async () => {
  const cluster = await clusterOf(1, 5);
  const client = await cluster.client('c');
  await raiseMany(cluster, client, 'k', 20);
  await cluster.clock.run(3_000);
  const last = cluster.leader.status().lastIndex;
  diskOf(cluster, 1).damage(last, 'gone');
  await cluster.clock.run(60_000);
  const { damage, base } = await restartedFrom(cluster, 1);
  expect(damage).toBeUndefined();
  expect(base.index).toBe(last);
  await cluster.converge();
  expect(cluster.leader.machine.get({ dedupKey: 'k19' })).toBeDefined();
});

test('a replica that is stopped while a slice is read asks nobody for anything any more', async () => {
  const cluster = await clusterOf(3, 1);
  const client = await cluster.client('c');
  await raiseMany(cluster, client, 'k', 30);
  await cluster.converge();
  const { replica } = must(cluster.machines[1], 'a machine');
  const { scrub } = LevelLogStore.prototype;
  const sliced = vi.spyOn(LevelLogStore.prototype, 'scrub').mockImplementation(async function (
    this: LevelLogStore,
    ...args
  ) {
    const slice = await scrub.apply(this, args);
    if (slice.damage !== undefined) replica?.stop();
    return slice;
  });
  const asked = vi.spyOn(BulkLane.prototype, 'ask');
  onTestFinished(() => {
    sliced.mockRestore();
    asked.mockRestore();
  });
  diskOf(cluster, 2).damage(12, 'gone');
  await cluster.clock.run(60_000);
  expect(asked).not.toHaveBeenCalled();
});
