import { expect, test } from 'vitest';
import { must } from '../../src/base/assert.ts';
import { TocsinError } from '../../src/base/errors.ts';
import {
  DISK_FREE_BYTES_LOW,
  DISK_FREE_BYTES_OUT,
  DISK_LOOK_MS,
  ROOM_KEPT_MS,
  SNAPSHOT_RETRY_MS,
} from '../../src/base/limits.ts';
import { clusterOf, raiserOf } from './scenes.ts';
import { VirtualCluster } from './virtual-cluster.ts';

const fill = (cluster: VirtualCluster, id: number, freeBytes: number): void => {
  must(cluster.machines[id - 1], 'a machine').disk.freeBytes = freeBytes;
};

test('a disk that fills up refuses what is new in good time, takes what ends something, and goes on by itself', async () => {
  const cluster = await clusterOf(3, 6);
  const client = await cluster.client('c');
  const raise = raiserOf(cluster, client);
  await raise('before');
  for (const id of [1, 2, 3]) fill(cluster, id, DISK_FREE_BYTES_LOW - 1);
  await cluster.clock.run(2 * DISK_LOOK_MS);
  await expect(raise('new')).rejects.toMatchObject({ code: 'DISK_FULL', outcome: 'none' });
  const { value } = await cluster.clock.settle(client.get({ dedupKey: 'before' }));
  expect(value).toMatchObject({ presence: 'present' });
  await cluster.clock.settle(client.acknowledge({ target: { dedupKey: 'before' } }));
  expect(cluster.leader.status().alarms).toMatchObject([{ name: 'disk-full' }]);
  for (const id of [1, 2, 3]) fill(cluster, id, DISK_FREE_BYTES_OUT - 1);
  await cluster.clock.run(2 * DISK_LOOK_MS);
  await expect(
    cluster.clock.settle(client.clear({ target: { dedupKey: 'before' } })),
  ).rejects.toMatchObject({ outcome: 'none' });
  for (const id of [1, 2, 3]) fill(cluster, id, 4 * DISK_FREE_BYTES_LOW);
  await cluster.clock.run(2 * DISK_LOOK_MS);
  await cluster.clock.settle(client.clear({ target: { dedupKey: 'before' } }));
  await raise('after');
  expect(cluster.leader.status().alarms).toEqual([]);
});

const AMPLE = 4 * DISK_FREE_BYTES_LOW;

const fillAll = async (cluster: VirtualCluster, freeBytes: number): Promise<void> => {
  for (const id of [1, 2, 3]) fill(cluster, id, freeBytes);
  await cluster.clock.run(2 * DISK_LOOK_MS);
};

/** `taken`, or why not. */
const told = (call: Promise<unknown>): Promise<string> =>
  call.then(
    () => 'taken',
    (error: unknown) => {
      if (!TocsinError.is(error)) throw error;
      return error.code;
    },
  );

test.each([
  [6, false],
  [7, false],
  [8, true],
  [9, true],
])(
  'while disks are nearly full what ends something is taken, whatever is asked in the same moment (seed %i, in a session: %s)',
  async (seed, session) => {
    const cluster = await clusterOf(3, seed);
    const client = await cluster.client('c', session ? { session: true } : {});
    const keys = Array.from({ length: 12 }, (_, n) => `before${n}`);
    await Promise.all(keys.map(raiserOf(cluster, client)));
    await fillAll(cluster, DISK_FREE_BYTES_LOW - 1);
    const ended: Promise<string>[] = [];
    const begun: Promise<string>[] = [];
    for (const [n, dedupKey] of keys.entries()) {
      const target = { dedupKey };
      const input = { dedupKey: `new${n}`, condition: 'HR:HI', priority: 'high' } as const;
      const asks = [
        () => begun.push(told(client.raise(input))),
        () => ended.push(told(client.acknowledge({ target }))),
        () => ended.push(told(client.care({ type: 'pause', target, seconds: 30 }))),
      ];
      const turn = cluster.prng.between(0, 2);
      for (const ask of [...asks.slice(turn), ...asks.slice(0, turn)]) ask();
      if (cluster.prng.chance(0.5)) await cluster.clock.run(cluster.prng.between(0, 100));
    }
    expect(new Set(await cluster.clock.settle(Promise.all(ended)))).toEqual(new Set(['taken']));
    await fillAll(cluster, AMPLE);
    expect(new Set(await cluster.clock.settle(Promise.all(begun)))).toEqual(new Set(['taken']));
    await cluster.converge();
    expect(new Set(cluster.machines.map(({ replica }) => replica?.status().digest)).size).toBe(1);
    const { alerts } = cluster.leader.machine.list({}, { limit: 100 });
    expect(alerts.map(({ dedupKey, count }) => [dedupKey.replace(/\d+/, ''), count])).toEqual([
      ...keys.map(() => ['before', 1]),
      ...keys.map(() => ['new', 1]),
    ]);
  },
);

test('a batch that is sent while disks are nearly full is told in its place what there is no room for, which is made up for under the same key', async () => {
  const cluster = await clusterOf(3, 10);
  const client = await cluster.client('c');
  await raiserOf(cluster, client)('before');
  await fillAll(cluster, DISK_FREE_BYTES_LOW - 1);
  const commands = [
    { type: 'raise', dedupKey: 'new', condition: 'HR:HI', priority: 'high' },
    { type: 'acknowledge', target: { dedupKey: 'before' } },
  ] as const;
  const send = () => cluster.clock.settle(client.batch(commands, { idempotencyKey: 'k' }));
  const [raised, acknowledged] = await send();
  expect(raised).toMatchObject({ ok: false, code: 'DISK_FULL' });
  expect(acknowledged).toMatchObject({ ok: true, effect: 'acknowledged' });
  await fillAll(cluster, AMPLE);
  expect(await send()).toMatchObject([{ ok: true, effect: 'raised' }, acknowledged]);
});

test.each([
  ['begins', {}],
  ['was away for longer than its lease', { session: { leaseSeconds: 5 } }],
])(
  'while disks are nearly full a client whose session %s can end something',
  async (_, options) => {
    const cluster = await clusterOf(3, 11);
    const client = await cluster.client('c', options);
    await raiserOf(cluster, client)('before');
    await fillAll(cluster, DISK_FREE_BYTES_LOW - 1);
    for (const id of [1, 2, 3]) cluster.network.cut('c', `r${id}`);
    await cluster.clock.run(20_000);
    for (const id of [1, 2, 3]) cluster.network.heal('c', `r${id}`);
    const other = await cluster.client('d', { session: true });
    const target = { dedupKey: 'before' };
    expect(await cluster.clock.settle(told(other.acknowledge({ target })))).toBe('taken');
    expect(await cluster.clock.settle(told(client.clear({ target })))).toBe('taken');
    await expect(raiserOf(cluster, client)('new')).rejects.toMatchObject({ code: 'DISK_FULL' });
  },
);

/** Nothing more is written there, whatever the looks for room said before. */
const runOut = (cluster: VirtualCluster, id: number): void => fill(cluster, id, 0);

test('a follower whose disk is full to the last byte answers from what it has, and is back by itself when there is room', async () => {
  const cluster = await clusterOf(3, 21);
  const client = await cluster.client('c');
  const raise = raiserOf(cluster, client);
  await raise('before');
  await cluster.converge();
  const follower = [1, 2, 3].find((id) => id !== cluster.leader.standing.leader) ?? 0;
  const full = must(cluster.machines[follower - 1], 'a machine');
  const replica = must(full.replica, 'a replica');
  runOut(cluster, follower);
  for (let n = 0; n < 5; n += 1) await raise(`meanwhile${n}`);
  expect(full.fault, 'it does not die of it').toBeUndefined();
  const told: unknown[] = [];
  const note = (outcome: unknown): number =>
    told.push(TocsinError.is(outcome) ? outcome.code : outcome);
  await cluster.clock.run(2_000);
  replica.read('local', note);
  replica.read({ maxAgeMs: 60_000 }, note);
  replica.read({ maxAgeMs: 1 }, note);
  replica.read('linearizable', note);
  await cluster.clock.run(100);
  const old = { asOf: expect.any(Number) };
  expect(told).toEqual([old, old, 'UNAVAILABLE', 'UNAVAILABLE']);
  expect(replica.status().alarms).toMatchObject([{ name: 'disk-full' }]);
  fill(cluster, follower, 4 * DISK_FREE_BYTES_LOW);
  await cluster.converge();
  expect(full.replica?.machine.openCount).toBe(6);
  expect(full.replica?.status().alarms).toEqual([]);
});

/** Disks run out of room and get it back, replicas die and start again, links break; anything at any time. */
async function misfortune(cluster: VirtualCluster, down: Set<number>): Promise<void> {
  const { prng } = cluster;
  for (const id of [1, 2, 3]) {
    const room = prng.pick([0, DISK_FREE_BYTES_OUT - 1, AMPLE, AMPLE, AMPLE]);
    if (prng.chance(0.4)) fill(cluster, id, room);
    if (prng.chance(0.05) && down.size === 0) {
      cluster.crash(id, prng.pick(['kept', 'lost']));
      down.add(id);
    } else if (down.has(id) && prng.chance(0.4)) {
      await cluster.start(id);
      down.delete(id);
    }
    if (prng.chance(0.05)) cluster.cut(id, (id % 3) + 1);
    if (prng.chance(0.1)) cluster.heal();
  }
}

test.each([1, 2, 3, 4, 5, 6])(
  'whatever disks are full when, nothing that was confirmed is lost, and nobody has to start a replica again (seed %i)',
  async (seed) => {
    const cluster = new VirtualCluster(3, seed);
    if (seed % 2 === 0) cluster.snapshots = { entries: 15, logBytes: 1e9, share: 0 };
    for (const id of [1, 2, 3]) await cluster.start(id);
    await cluster.converge();
    try {
      const client = await cluster.client('c');
      const confirmed: string[] = [];
      const down = new Set<number>();
      for (let n = 0; n < 60; n += 1) {
        await misfortune(cluster, down);
        const input = { dedupKey: `k${n}`, condition: 'HR:HI', priority: 'high' } as const;
        await cluster.clock.settle(client.raise(input, { timeoutMs: 700 })).then(
          () => confirmed.push(`k${n}`),
          () => undefined,
        );
      }
      cluster.heal();
      for (const id of [1, 2, 3]) fill(cluster, id, AMPLE);
      for (const id of down) await cluster.start(id);
      await cluster.converge(60_000);
      expect(cluster.machines.map(({ fault }) => fault)).toEqual([undefined, undefined, undefined]);
      expect(confirmed.length).toBeGreaterThan(2);
      for (const { replica } of cluster.machines)
        for (const dedupKey of confirmed)
          expect(replica?.machine.get({ dedupKey }), dedupKey).toBeDefined();
    } finally {
      await cluster.close();
    }
  },
);

test('a leader that is short of room hands over to one that has some, and nothing is refused for long', async () => {
  const cluster = await clusterOf(3, 25);
  const client = await cluster.client('c');
  const raise = raiserOf(cluster, client);
  await raise('before');
  const short = must(cluster.leader.standing.leader, 'a leader');
  fill(cluster, short, DISK_FREE_BYTES_LOW - 1);
  await cluster.clock.run(5_000);
  expect(cluster.leader.standing.leader).not.toBe(short);
  await raise('new');
  expect(cluster.leader.status().alarms).toEqual([]);
  await cluster.converge();
  expect(cluster.machines[short - 1]?.replica?.machine.openCount, 'it follows').toBe(2);
  for (const id of [1, 2, 3]) fill(cluster, id, DISK_FREE_BYTES_LOW - 1);
  // Who sees it first may hand over to one that does not know it yet.
  await cluster.clock.run(5_000);
  const { term } = cluster.leader.standing;
  await cluster.clock.run(60_000);
  expect(cluster.leader.standing.term, 'where all are short nobody hands over').toBe(term);
});

test('what a majority has no room for is refused before it is written, though the leader has some', async () => {
  const cluster = await clusterOf(3, 26);
  const client = await cluster.client('c');
  const raise = raiserOf(cluster, client);
  await raise('before');
  await cluster.converge();
  const { leader } = cluster.leader.standing;
  for (const id of [1, 2, 3]) if (id !== leader) fill(cluster, id, DISK_FREE_BYTES_OUT - 1);
  await cluster.clock.run(2 * DISK_LOOK_MS);
  const { lastIndex } = cluster.leader.status();
  await expect(raise('new')).rejects.toMatchObject({ code: 'DISK_FULL', outcome: 'none' });
  expect(cluster.leader.status().lastIndex).toBe(lastIndex);
  fill(cluster, leader === 1 ? 2 : 1, AMPLE);
  await cluster.clock.run(2 * DISK_LOOK_MS + ROOM_KEPT_MS);
  await raise('new');
});

test('a snapshot that finds no room is tried again later, and costs nothing else', async () => {
  const cluster = new VirtualCluster(1, 27);
  cluster.snapshots = { entries: 20, logBytes: 1e9, share: 0 };
  await cluster.start(1);
  await cluster.converge();
  try {
    const client = await cluster.client('c');
    const { disk } = must(cluster.machines[0], 'a machine');
    const { write } = disk.files;
    let tries = 0;
    disk.files.write = async () => {
      tries += 1;
      throw new TocsinError('DISK_FULL', 'no room for a snapshot');
    };
    for (let n = 0; n < 40; n += 1)
      await cluster.clock.settle(
        client.raise({ dedupKey: `k${n}`, condition: 'HR:HI', priority: 'high' }),
      );
    await cluster.clock.run(SNAPSHOT_RETRY_MS / 2);
    expect(tries, 'once, and not at every tick').toBe(1);
    const { snapshots } = must(cluster.machines[0]?.replica, 'a replica');
    expect([cluster.machines[0]?.fault, snapshots.newest]).toEqual([undefined, undefined]);
    disk.files.write = write;
    await cluster.clock.run(SNAPSHOT_RETRY_MS);
    expect(snapshots.newest?.index).toBeGreaterThan(40);
  } finally {
    await cluster.close();
  }
});

test('a replica alone whose disk was full is back by itself', async () => {
  const cluster = await clusterOf(1, 24);
  const client = await cluster.client('c');
  const raise = (key: string) =>
    cluster.clock.settle(
      client.raise({ dedupKey: key, condition: 'HR:HI', priority: 'high' }, { timeoutMs: 2_000 }),
    );
  await raise('before');
  runOut(cluster, 1);
  await expect(raise('during')).rejects.toThrow();
  fill(cluster, 1, AMPLE);
  await cluster.clock.run(5_000);
  await raise('after');
  expect(cluster.machines[0]?.fault).toBeUndefined();
  expect(cluster.leader.machine.get({ dedupKey: 'before' })).toBeDefined();
});

test('a follower that is short of room takes no more commands, and goes on where it was when there is room', async () => {
  const cluster = await clusterOf(3, 22);
  const client = await cluster.client('c');
  const raise = raiserOf(cluster, client);
  await raise('before');
  await cluster.converge();
  const follower = [1, 2, 3].find((id) => id !== cluster.leader.standing.leader) ?? 0;
  const short = must(cluster.machines[follower - 1]?.replica, 'a replica');
  const { lastIndex } = short.status();
  fill(cluster, follower, DISK_FREE_BYTES_OUT - 1);
  await cluster.clock.run(2 * DISK_LOOK_MS);
  for (let n = 0; n < 5; n += 1) await raise(`meanwhile${n}`);
  await cluster.clock.run(1_000);
  expect(short.status().lastIndex, 'its log does not grow').toBe(lastIndex);
  expect(cluster.leader.standing.term, 'nor does it campaign').toBe(short.standing.term);
  fill(cluster, follower, 4 * DISK_FREE_BYTES_LOW);
  await cluster.converge();
  expect(short.machine.openCount).toBe(6);
});

test('while the disks are out of room time-outs write nothing, and are made up for when there is room', async () => {
  const cluster = await clusterOf(3, 23);
  const client = await cluster.client('c');
  const raise = client.raise({
    dedupKey: 'k',
    condition: 'HR:HI',
    priority: 'high',
    acknowledgementSeconds: 5,
  });
  await cluster.clock.settle(raise);
  await cluster.clock.settle(client.acknowledge({ target: { dedupKey: 'k' } }));
  for (const id of [1, 2, 3]) fill(cluster, id, DISK_FREE_BYTES_OUT - 1);
  await cluster.clock.run(2 * DISK_LOOK_MS);
  const { lastIndex } = cluster.leader.status();
  await cluster.clock.run(10_000);
  expect(cluster.leader.status().lastIndex).toBe(lastIndex);
  expect((await cluster.clock.settle(client.get({ dedupKey: 'k' }))).value).toMatchObject({
    acknowledged: true,
  });
  for (const id of [1, 2, 3]) fill(cluster, id, 4 * DISK_FREE_BYTES_LOW);
  await cluster.clock.run(2 * DISK_LOOK_MS);
  expect((await cluster.clock.settle(client.get({ dedupKey: 'k' }))).value).toMatchObject({
    acknowledged: false,
  });
});
