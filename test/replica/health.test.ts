import { expect, test } from 'vitest';
import { must } from '../../src/base/assert.ts';
import { TocsinError } from '../../src/base/errors.ts';
import { millis } from '../../src/base/ids.ts';
import { DIGEST_EVERY, STALL_MS_MAX, TICK_MS } from '../../src/base/limits.ts';
import { clusterOf, raiserOf } from './scenes.ts';
import { raiseRecord } from './scripted.ts';
import { VirtualCluster } from './virtual-cluster.ts';

test('a leader that stood still for half an election time-out lets go before anyone deposes it', async () => {
  const cluster = await clusterOf(3, 1);
  const { term, leader } = cluster.leader.standing;
  const id = must(leader, 'a leader');
  cluster.pause(id);
  await cluster.clock.run(STALL_MS_MAX + 100);
  expect(cluster.machines.every(({ replica }) => replica?.standing.term === term)).toBe(true);
  cluster.resume(id);
  await cluster.clock.run(200);
  expect(cluster.leader.standing.leader).not.toBe(id);
});

test('a leader that hears nobody and stands still all the time lets go within a bound', async () => {
  const cluster = await clusterOf(3, 2);
  const id = must(cluster.leader.standing.leader, 'a leader');
  const { replica } = must(cluster.machines[id - 1], 'its machine');
  for (const other of [1, 2, 3]) {
    cluster.cut(id, other);
    cluster.cut(other, id);
  }
  const since = cluster.clock.monotonic();
  while (replica?.standing.role === 'leader') {
    cluster.pause(id);
    await cluster.clock.run(STALL_MS_MAX + 2 * TICK_MS);
    cluster.resume(id);
    await cluster.clock.run(15);
    expect(cluster.clock.monotonic() - since).toBeLessThan(3_000);
  }
});

test('a follower that stood still reads what has arrived before it campaigns', async () => {
  const cluster = await clusterOf(3, 2);
  const { term, leader } = cluster.leader.standing;
  const id = must(
    cluster.machines.find(({ identity }) => identity.replicaId !== leader),
    'a follower',
  ).identity.replicaId;
  cluster.pause(id);
  await cluster.clock.run(30_000);
  cluster.resume(id);
  await cluster.clock.run(5_000);
  expect(cluster.leader.standing).toMatchObject({ term, leader });
});

/** Changes what one replica holds in memory, as a flipped bit would; the next event of the alert shows it. */
function rot(cluster: VirtualCluster, id: number, dedupKey: string): void {
  const alert = cluster.machines[id - 1]?.replica?.machine.get({ dedupKey });
  Object.assign(must(alert, 'the alert'), { version: 1_000 });
}

test.each([
  ['from the beginning of the log', undefined],
  ['from a snapshot of a peer', { entries: 20, logBytes: Number.POSITIVE_INFINITY, share: 0 }],
])(
  'a state that differs from that of a majority serves nobody and is rebuilt %s',
  async (_from, snapshots) => {
    const cluster = new VirtualCluster(3, 3);
    cluster.snapshots = snapshots;
    for (let id = 1; id <= 3; id += 1) await cluster.start(id);
    await cluster.converge();
    try {
      const client = await cluster.client('c');
      const raise = raiserOf(cluster, client);
      await raise('k');
      for (let n = 0; n < 70; n += 1) await raise(`before${n}`);
      await cluster.converge();
      const follower = cluster.leader.standing.leader === 1 ? 2 : 1;
      const { replica } = must(cluster.machines[follower - 1], 'a machine');
      rot(cluster, follower, 'k');
      await cluster.clock.settle(client.acknowledge({ target: { dedupKey: 'k' } }));
      let quarantined = 0;
      for (let n = 0; n < 3 * DIGEST_EVERY; n += 1) {
        await raise(`other${n}`);
        await cluster.clock.run(50);
        if (replica?.problem !== undefined) quarantined += 1;
      }
      await cluster.converge();
      expect(quarantined, 'it was noticed').toBeGreaterThan(0);
      await cluster.clock.run(2_000);
      expect(replica?.problem).toBeUndefined();
      const digests = new Set(cluster.machines.map((machine) => machine.replica?.status().digest));
      expect(digests.size).toBe(1);
      expect(cluster.machines.map(({ fault }) => fault)).toEqual([undefined, undefined, undefined]);
      expect(replica?.machine.get({ dedupKey: 'k' })).toMatchObject({ version: 2 });
    } finally {
      await cluster.close();
    }
  },
);

test('a leader whose state differs lets go, and its client goes on elsewhere', async () => {
  const cluster = await clusterOf(3, 5);
  const client = await cluster.client('c');
  const raise = raiserOf(cluster, client);
  await raise('k');
  await cluster.converge();
  const old = must(cluster.leader.standing.leader, 'a leader');
  rot(cluster, old, 'k');
  await cluster.clock.settle(client.acknowledge({ target: { dedupKey: 'k' } }));
  for (let n = 0; n < 3 * DIGEST_EVERY; n += 1) await raise(`other${n}`);
  await cluster.clock.run(2_000);
  expect(cluster.leader.standing.leader).not.toBe(old);
  await cluster.converge();
  expect(new Set(cluster.machines.map((one) => one.replica?.status().digest)).size).toBe(1);
});

test('no snapshot of a state that was in doubt is taken or kept: a restart begins with a right one', async () => {
  const cluster = new VirtualCluster(3, 9);
  cluster.snapshots = { entries: 5, logBytes: Number.POSITIVE_INFINITY, share: 0 };
  for (let id = 1; id <= 3; id += 1) await cluster.start(id);
  await cluster.converge();
  try {
    const client = await cluster.client('c');
    const raise = raiserOf(cluster, client);
    await raise('k');
    for (let n = 0; n < 70; n += 1) await raise(`before${n}`);
    await cluster.converge();
    const follower = cluster.leader.standing.leader === 1 ? 2 : 1;
    const replica = must(cluster.machines[follower - 1]?.replica, 'a follower');
    rot(cluster, follower, 'k');
    await cluster.clock.settle(client.acknowledge({ target: { dedupKey: 'k' } }));
    for (let n = 0; replica.problem === undefined; n += 1) {
      expect(n, 'it is never noticed').toBeLessThan(1_000);
      if (n < 3 * DIGEST_EVERY) await raise(`other${n}`);
      else await cluster.clock.run(1);
    }
    await expect(replica.snapshots.take()).rejects.toMatchObject({ code: 'UNAVAILABLE' });
    for (const id of [1, 2, 3]) {
      cluster.cut(follower, id);
      cluster.cut(id, follower);
    }
    await cluster.clock.run(100);
    expect(replica.problem, 'nobody can have helped it').toBeDefined();
    cluster.crash(follower, 'kept');
    cluster.heal();
    await cluster.clock.settle(cluster.start(follower));
    await cluster.converge();
    expect(new Set(cluster.machines.map((one) => one.replica?.status().digest)).size).toBe(1);
    const again = cluster.machines[follower - 1]?.replica;
    expect(again?.machine.get({ dedupKey: 'k' })).toMatchObject({ version: 2 });
  } finally {
    await cluster.close();
  }
});

test('nobody is told a reply of a state that is in doubt: what was pending is unknown', async () => {
  const cluster = await clusterOf(3, 8);
  const client = await cluster.client('c');
  const input = { dedupKey: 'k', condition: 'HR:HI', priority: 'high' } as const;
  await cluster.clock.settle(client.raise(input));
  await cluster.converge();
  const replica = cluster.leader;
  rot(cluster, must(replica.standing.leader, 'a leader'), 'k');
  await cluster.clock.settle(client.acknowledge({ target: { dedupKey: 'k' } }));
  // Slow enough that there is always something in the log that is not applied yet.
  cluster.diskMs = [30, 40];
  const inDoubt: string[] = [];
  for (let n = 0; replica.standing.role === 'leader'; n += 1) {
    expect(n, 'the leader never lets go').toBeLessThan(2_000);
    replica.propose({
      commands: raiseRecord(`other${n}`),
      count: 1,
      urgency: 0,
      takesRoom: true,
      deadline: millis(cluster.clock.monotonic() + 5_000),
      settle: (outcome) => {
        if (replica.problem !== undefined)
          inDoubt.push(outcome instanceof TocsinError ? outcome.code : 'a reply');
      },
    });
    await cluster.clock.run(5);
  }
  expect(new Set(inDoubt)).toEqual(new Set(['OUTCOME_UNKNOWN', 'UNAVAILABLE']));
});

test('two replicas that differ blame neither, and both say so', async () => {
  const cluster = await clusterOf(2, 4);
  const client = await cluster.client('c');
  const raise = raiserOf(cluster, client);
  await raise('k');
  await cluster.converge();
  rot(cluster, 1, 'k');
  await cluster.clock.settle(client.acknowledge({ target: { dedupKey: 'k' } }));
  for (let n = 0; n < 3 * DIGEST_EVERY; n += 1) await raise(`other${n}`);
  await cluster.clock.run(1_000);
  expect(cluster.running).toHaveLength(2);
  for (const { replica } of cluster.running)
    expect(replica?.status().alarms).toMatchObject([{ name: 'states-divided' }]);
});

test('a follower whose snapshots rot at rest fetches one, and has its voice again', async () => {
  const cluster = new VirtualCluster(3, 8);
  cluster.snapshots = { entries: 20, logBytes: Number.POSITIVE_INFINITY, share: 0 };
  for (const id of [1, 2, 3]) await cluster.start(id);
  await cluster.converge();
  try {
    const client = await cluster.client('c');
    const raise = raiserOf(cluster, client);
    for (let n = 0; n < 70; n += 1) await raise(`k${n}`);
    await cluster.converge();
    const { leader } = cluster.leader.standing;
    const [follower = 0, other = 0] = [1, 2, 3].filter((id) => id !== leader);
    const { disk, replica } = must(cluster.machines[follower - 1], 'a machine');
    for (const [name, bytes] of disk.files.contents)
      if (name.endsWith('.data')) bytes[10] = (bytes[10] ?? 0) ^ 1;
    const alarmedIn = async (ms: number): Promise<number> => {
      let count = 0;
      for (let at = 0; at < ms; at += 1) {
        await cluster.clock.run(1);
        count += replica?.status().alarms.length ?? 0;
      }
      return count;
    };
    expect(await alarmedIn(1_000), 'it is noticed').toBeGreaterThan(0);
    expect(await alarmedIn(1_000), 'and made good').toBe(0);
    // Of the two that are left each must be heard.
    cluster.crash(other, 'lost');
    await raise('after');
  } finally {
    await cluster.close();
  }
});

test('rot at rest is found while the replica runs, and repaired before it has a voice again', async () => {
  const cluster = await clusterOf(3, 7);
  const client = await cluster.client('c');
  const raise = raiserOf(cluster, client);
  for (let n = 0; n < 20; n += 1) await raise(`k${n}`);
  await cluster.converge();
  const old = must(cluster.leader.standing.leader, 'a leader');
  const { disk } = must(cluster.machines[old - 1], 'a machine');
  const reign = cluster.leader.standing.term;
  disk.damage(7, 'rotten');
  await cluster.clock.run(5_000);
  const { term } = cluster.leader.standing;
  expect(term, 'a leader without a voice leads no more').toBeGreaterThan(reign);
  expect(cluster.machines[old - 1]?.replica?.status().alarms).toEqual([]);
  await raise('after');
  await cluster.converge();
  cluster.crash(old, 'lost');
  const restored = await cluster.clock.settle(disk.open().load());
  expect(restored.damage).toBeUndefined();
  disk.crash('lost');
  await cluster.start(old);
  await cluster.converge();
});

test('a replica alone whose log rots goes on, and makes up for what it has lost with a snapshot of its state', async () => {
  const cluster = await clusterOf(1, 8);
  const client = await cluster.client('c');
  const raise = raiserOf(cluster, client);
  for (let n = 0; n < 20; n += 1) await raise(`k${n}`);
  const { disk, ...machine } = must(cluster.machines[0], 'a machine');
  const alarms = () => machine.replica?.status().alarms;
  disk.damage(7, 'rotten');
  disk.freeBytes = 0;
  await cluster.clock.run(5_000);
  expect(alarms(), 'there is no room for one').toContainEqual(
    expect.objectContaining({ name: 'log-damaged' }),
  );
  disk.freeBytes = 2 ** 40;
  await cluster.clock.run(20_000);
  expect(alarms(), 'the snapshot holds what was damaged').toEqual([]);
  await raise('after');
  cluster.crash(1, 'lost');
  const { base, damage } = await cluster.clock.settle(disk.open().load());
  expect(damage).toBeUndefined();
  expect(base.index, 'the log begins after it').toBe(7);
  disk.crash('lost');
  await cluster.start(1);
  await cluster.converge();
  for (const dedupKey of ['k0', 'k19', 'after'])
    expect(cluster.machines[0]?.replica?.machine.get({ dedupKey }), dedupKey).toBeDefined();
});
