import fc from 'fast-check';
import { expect, test } from 'vitest';
import { must } from '../../src/base/assert.ts';
import { REPAIR_PAUSE_MS, REPAIR_ROUNDS_MAX } from '../../src/base/limits.ts';
import { clusterOf, digestsOf, OFTEN, raiseMany } from './scenes.ts';
import type { VirtualCluster } from './virtual-cluster.ts';

const diskOf = (cluster: VirtualCluster, id: number) =>
  must(cluster.machines[id - 1], `machine ${id}`).disk;

test('a replica that has lost entries has no voice until peers have given it exactly those', async () => {
  const cluster = await clusterOf(3, 1);
  const client = await cluster.client('c');
  await raiseMany(cluster, client, 'k', 60);
  await cluster.converge();
  for (const id of [1, 2, 3]) cluster.crash(id, 'lost');
  for (const index of [5, 6, 30]) diskOf(cluster, 2).damage(index, 'rotten');
  const started = cluster.start(2);
  await cluster.clock.run(5_000);
  expect(cluster.machines[1]?.replica, 'it serves nobody alone').toBeUndefined();
  await cluster.start(1);
  await cluster.clock.settle(started);
  await cluster.start(3);
  await cluster.converge();
  expect(digestsOf(cluster).size).toBe(1);
  await raiseMany(cluster, client, 'more', 5);
});

test('whoever is told to stop while the log is being loaded does not wait for peers to repair it', async () => {
  const cluster = await clusterOf(3, 1);
  const client = await cluster.client('c');
  await raiseMany(cluster, client, 'k', 10);
  await cluster.converge();
  for (const id of [1, 2, 3]) cluster.crash(id, 'lost');
  diskOf(cluster, 2).damage(5, 'rotten');
  const ended = cluster.start(2).then(
    () => 'it runs',
    (error: unknown) => error,
  );
  const left = cluster.machines[1]?.residence?.leave();
  await cluster.clock.run(5_000);
  await left;
  expect(await Promise.race([ended, 'it waits'])).toMatchObject({ code: 'CANCELLED' });
});

/**
 * Only the leader had its last entry, and lost it: the others were down by then. Now all are. `answered` waits until
 * whoever asked for that entry has its answer, whichever it is.
 */
async function lonelyEntryLost(size: number, seed: number) {
  const cluster = await clusterOf(size, seed);
  const client = await cluster.client('c');
  await raiseMany(cluster, client, 'k', 10);
  await cluster.converge();
  const leader = must(cluster.leader.standing.leader, 'a leader');
  const others = cluster.machines.map((_, at) => at + 1).filter((id) => id !== leader);
  for (const id of others) cluster.crash(id, 'lost');
  const lonely = client.raise({ dedupKey: 'lonely', condition: 'HR:HI', priority: 'high' });
  lonely.catch(() => {});
  await cluster.clock.run(300);
  const last = must(cluster.machines[leader - 1]?.replica, 'the leader').status().lastIndex;
  cluster.crash(leader, 'kept');
  diskOf(cluster, leader).damage(last, 'gone');
  const answered = () => cluster.clock.settle(Promise.allSettled([lonely]));
  return { cluster, leader, others, answered };
}

test('what a majority has never had was never committed, and is cut', async () => {
  const { cluster, leader, others, answered } = await lonelyEntryLost(3, 2);
  for (const id of others) await cluster.start(id);
  await cluster.clock.settle(cluster.start(leader));
  await answered();
  await cluster.converge();
  expect(digestsOf(cluster).size).toBe(1);
});

test('those who have never had an entry say so together, or it is waited for: one after the other they prove nothing', async () => {
  const { cluster, leader, others, answered } = await lonelyEntryLost(3, 15);
  const whole = cluster.start(leader);
  const longerThanTheLastRound = 2 * REPAIR_ROUNDS_MAX * REPAIR_PAUSE_MS;
  for (const id of others) {
    await cluster.start(id);
    await cluster.clock.run(longerThanTheLastRound);
    cluster.crash(id, 'lost');
  }
  await Promise.all(others.map((id) => cluster.start(id)));
  await cluster.clock.settle(whole);
  await answered();
  await cluster.converge();
  expect(digestsOf(cluster).size).toBe(1);
});

test('who has lost something else cannot tell yet, and is waited for though it goes away meanwhile', async () => {
  const { cluster, leader, others, answered } = await lonelyEntryLost(3, 16);
  const [unsure, absent] = others as [number, number];
  for (const id of [leader, unsure]) diskOf(cluster, id).damage(5, 'rotten');
  const whole = cluster.start(leader);
  const unfinished = cluster.start(unsure).catch(() => {});
  await cluster.clock.run(REPAIR_PAUSE_MS * 4);
  const operator = await cluster.client('operator');
  const { alarms } = await cluster.clock.settle(operator.status(`/memory/${leader}`));
  const waitsFor = `; no answer from ${absent}; not known by ${unsure} yet`;
  expect(alarms.map(({ says }) => says)).toEqual([expect.stringContaining(waitsFor)]);
  cluster.crash(unsure, 'lost');
  await cluster.clock.settle(unfinished);
  await cluster.start(absent);
  await cluster.clock.run(2 * REPAIR_ROUNDS_MAX * REPAIR_PAUSE_MS);
  await cluster.clock.settle(Promise.all([whole, cluster.start(unsure)]));
  await answered();
  await cluster.converge();
  expect(digestsOf(cluster).size).toBe(1);
});

test('of two voters one alone cannot say that something was never committed: nothing is cut, and an operator decides', async () => {
  const { cluster, leader, others, answered } = await lonelyEntryLost(2, 12);
  for (const id of others) await cluster.start(id);
  const end = cluster.start(leader).catch((error: unknown) => error);
  await cluster.clock.run(REPAIR_PAUSE_MS * (REPAIR_ROUNDS_MAX + 10));
  expect(await end).toMatchObject({ code: 'DATA_LOST' });
  await answered();
});

test('entries that every replica has lost stop all of them with a code', async () => {
  const cluster = await clusterOf(3, 3);
  const client = await cluster.client('c');
  await raiseMany(cluster, client, 'k', 30);
  await cluster.converge();
  for (const id of [1, 2, 3]) cluster.crash(id, 'lost');
  for (const id of [1, 2, 3]) diskOf(cluster, id).damage(12, 'rotten');
  const ends = [1, 2, 3].map((id) => cluster.start(id).catch((error: unknown) => error));
  await cluster.clock.run(REPAIR_PAUSE_MS * (REPAIR_ROUNDS_MAX + 10));
  for (const end of ends) expect(await end).toMatchObject({ code: 'DATA_LOST' });
  expect(cluster.running).toEqual([]);
});

test('a replica alone cannot be repaired, and says what can be done', async () => {
  const cluster = await clusterOf(1, 4);
  const client = await cluster.client('c');
  await raiseMany(cluster, client, 'k', 5);
  cluster.crash(1, 'lost');
  diskOf(cluster, 1).damage(3, 'rotten');
  await expect(cluster.start(1)).rejects.toMatchObject({
    code: 'DATA_CORRUPT',
    message: expect.stringContaining('--accept-loss'),
  });
});

test('a replica alone that may have forgotten something does not wait for ever, and says what can be done', async () => {
  const cluster = await clusterOf(1, 4);
  cluster.crash(1, 'lost');
  diskOf(cluster, 1).damageState();
  await expect(cluster.start(1)).rejects.toMatchObject({
    code: 'DATA_CORRUPT',
    message: expect.stringContaining('--accept-loss'),
  });
});

test('one whose vote is in doubt is taken in by the others, and votes again', async () => {
  const cluster = await clusterOf(3, 5);
  const client = await cluster.client('c');
  await raiseMany(cluster, client, 'k', 5);
  await cluster.converge();
  const leader = must(cluster.leader.standing.leader, 'a leader');
  const [doubtful = 0] = [1, 2, 3].filter((id) => id !== leader);
  cluster.crash(doubtful, 'lost');
  diskOf(cluster, doubtful).damageState();
  await cluster.clock.settle(cluster.start(doubtful));
  await cluster.converge();
  // The leader goes: of the two that stay, only one may campaign. It is elected when the first is back.
  cluster.crash(leader, 'lost');
  await cluster.clock.run(5_000);
  await cluster.clock.settle(cluster.start(leader));
  await cluster.converge();
  await raiseMany(cluster, client, 'more', 5);
  // Now all three have a voice again: the next leader needs it.
  cluster.crash(must(cluster.leader.standing.leader, 'a leader'), 'lost');
  await cluster.clock.run(5_000);
  await raiseMany(cluster, client, 'last', 5);
});

/** Damage on a minority, while snapshots are taken and logs compacted, heals without an operator. */
async function story(seed: number): Promise<void> {
  const cluster = await clusterOf(3, seed, { snapshots: OFTEN });
  const { prng } = cluster;
  try {
    const client = await cluster.client('c');
    for (let round = 0; round < 4; round += 1) {
      await raiseMany(cluster, client, `r${round}-`, prng.between(1, 60));
      await cluster.converge();
      const id = prng.between(1, 3);
      const end = must(cluster.machines[id - 1]?.replica, 'a replica').status().lastIndex;
      cluster.crash(id, 'lost');
      for (let n = prng.between(1, 4); n > 0; n -= 1)
        diskOf(cluster, id).damage(prng.between(1, end), prng.pick(['rotten', 'gone'] as const));
      if (prng.unit() < 0.5)
        await raiseMany(cluster, client, `while${round}-`, prng.between(1, 99));
      await cluster.clock.settle(cluster.start(id));
    }
    await cluster.converge();
    expect(digestsOf(cluster).size).toBe(1);
    expect(cluster.machines.map(({ fault }) => fault)).toEqual([undefined, undefined, undefined]);
  } finally {
    await cluster.close();
  }
}

test('one that has lost its snapshot is given one, however long the others have none that reaches as far', async () => {
  const cluster = await clusterOf(3, 14);
  const client = await cluster.client('c');
  const snapshots = () => must(cluster.machines[1]?.replica, 'replica 2').snapshots;
  for (const names of ['a', 'b']) {
    await raiseMany(cluster, client, names, 20);
    await cluster.converge();
    await cluster.clock.settle(snapshots().take());
  }
  cluster.crash(2, 'kept');
  diskOf(cluster, 2).files.contents.clear();
  await cluster.clock.settle(cluster.start(2));
  await cluster.converge();
  expect(digestsOf(cluster).size).toBe(1);
});

test('a snapshot that a peer needs is taken, whatever another one asks for that is not to be had yet', async () => {
  const cluster = await clusterOf(3, 14);
  const client = await cluster.client('c');
  const replica = (id: number) => must(cluster.machines[id - 1]?.replica, `replica ${id}`);
  const take = (id: number) => cluster.clock.settle(replica(id).snapshots.take());
  await raiseMany(cluster, client, 'a', 20);
  await cluster.converge();
  await take(2);
  await raiseMany(cluster, client, 'b', 5);
  await cluster.converge();
  cluster.crash(3, 'kept');
  await raiseMany(cluster, client, 'c', 20);
  await take(1);
  await raiseMany(cluster, client, 'd', 5);
  await cluster.clock.run(3_000);
  for (const id of [2, 1]) await take(id);
  for (const id of [1, 2]) {
    cluster.crash(id, 'kept');
    diskOf(cluster, id).files.contents.clear();
  }
  await cluster.start(3);
  const more = cluster.start(1);
  await cluster.clock.run(2_000);
  await cluster.clock.settle(Promise.all([more, cluster.start(2)]));
  await cluster.converge();
  expect(digestsOf(cluster).size).toBe(1);
});

test('damage on one replica at a time heals by itself, whatever has been compacted meanwhile', async () => {
  await fc.assert(fc.asyncProperty(fc.integer({ min: 0, max: 2 ** 31 }), story), {
    numRuns: 6,
  });
});
