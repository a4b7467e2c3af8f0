import fc from 'fast-check';
import { expect, test } from 'vitest';
import { must } from '../../src/base/assert.ts';
import { TocsinError } from '../../src/base/errors.ts';
import { millis } from '../../src/base/ids.ts';
import type { Files } from '../../src/storage/files.ts';
import type { AdminRequest } from '../../src/wire/clients/admin-messages.ts';
import { clusterOf, OFTEN, raiseMany, raiserOf } from './scenes.ts';
import type { VirtualCluster } from './virtual-cluster.ts';

const OPERATIONS = [
  'names',
  'size',
  'read',
  'write',
  'sync',
  'rename',
  'remove',
  'syncNames',
] as const;
type Operation = (typeof OPERATIONS)[number];

interface Hurt {
  /** Operations that came to nothing. */
  readonly failed: Operation[];
  heal(): void;
}

/** From the next on, after so many, such operations on the files of a replica fail. */
function hurt(
  cluster: VirtualCluster,
  id: number,
  which: readonly Operation[],
  after: number,
  code: 'DISK_FAILED' | 'DISK_FULL' = 'DISK_FAILED',
): Hurt {
  const { files } = must(cluster.machines[id - 1], 'a machine').disk;
  const failed: Operation[] = [];
  let left = after;
  const own = new Map(which.map((name) => [name, Reflect.get(files, name)] as const));
  for (const [name, works] of own) {
    const fails = async (...args: unknown[]): Promise<unknown> => {
      left -= 1;
      if (left >= 0) return Reflect.apply(works, files, args);
      failed.push(name);
      throw new TocsinError(code, `${name}: the disk was told to fail`);
    };
    Object.assign<Files, unknown>(files, { [name]: fails });
  }
  return { failed, heal: () => void Object.assign(files, Object.fromEntries(own)) };
}

const faultOf = (cluster: VirtualCluster, id: number): unknown => {
  const { fault } = must(cluster.machines[id - 1], 'a machine');
  return TocsinError.is(fault) ? fault.code : fault;
};

interface Fate {
  readonly seed: number;
  readonly victim: 'giver' | 'fetcher' | 'third';
  readonly operation: Operation;
  readonly after: number;
}

const fates: fc.Arbitrary<Fate> = fc.record({
  seed: fc.integer({ min: 0, max: 2 ** 31 }),
  victim: fc.constantFrom('giver', 'giver', 'fetcher', 'third'),
  operation: fc.constantFrom(...OPERATIONS),
  after: fc.integer({ min: 0, max: 6 }),
});

/** A follower is far behind, and needs a snapshot of the leader; a disk begins to fail as it comes back. */
async function story({ seed, victim, operation, after }: Fate): Promise<void> {
  const cluster = await clusterOf(3, seed, { snapshots: OFTEN });
  try {
    const client = await cluster.client('c');
    const giver = must(cluster.leader.standing.leader, 'a leader');
    const fetcher = (giver % 3) + 1;
    const third = 6 - giver - fetcher;
    cluster.crash(fetcher, 'lost');
    await raiseMany(cluster, client, 'while', 130);
    await cluster.start(fetcher);
    const bad = { giver, fetcher, third }[victim];
    const { failed } = hurt(cluster, bad, [operation], after);
    await raiseMany(cluster, client, 'then', 100);
    await cluster.clock.run(10_000);
    const stopped = failed.length > 0 ? 'DISK_FAILED' : undefined;
    expect(faultOf(cluster, bad), `the one whose ${operation} failed`).toBe(stopped);
    const sound = cluster.machines.filter(({ identity }) => identity.replicaId !== bad);
    expect(sound.map(({ fault }) => fault)).toEqual([undefined, undefined]);
    const { revision } = await raiserOf(cluster, client)('after');
    await cluster.clock.run(1_000);
    const states = sound.map(({ replica }) => replica?.status());
    expect(states.map((state) => state?.revision)).toEqual([revision, revision]);
    expect(states[0]?.digest).toBe(states[1]?.digest);
  } finally {
    await cluster.close();
  }
}

test('an I/O error stops the replica whose disk it is and no other, whoever it worked for; the others go on, and who lacks a snapshot gets it from them', async () => {
  await fc.assert(fc.asyncProperty(fates, story), {
    numRuns: 12,
    examples: [
      [{ seed: 2, victim: 'giver', operation: 'read', after: 0 }],
      [{ seed: 2, victim: 'fetcher', operation: 'write', after: 1 }],
    ],
  });
});

test.each(['runs', 'is being repaired itself'])(
  'an I/O error at entries that a peer has lost stops the one that %s, and the peer gets them from another',
  async (how) => {
    const cluster = await clusterOf(3, 6);
    const client = await cluster.client('c');
    await raiseMany(cluster, client, 'k', 20);
    await cluster.converge();
    for (const id of [1, 2, 3]) cluster.crash(id, 'lost');
    const [, { disk: bad }] = cluster.machines as [unknown, VirtualCluster['machines'][number]];
    const lookUp = (): Promise<never> =>
      Promise.reject(new TocsinError('DISK_FAILED', 'the disk was told to fail'));
    const open = bad.open.bind(bad);
    bad.open = () => Object.assign(open(), { lookUp });
    if (how !== 'runs') bad.damage(7, 'rotten');
    cluster.machines[0]?.disk.damage(5, 'rotten');
    const end = cluster.start(2).then(
      () => 'started',
      (error: unknown) => (TocsinError.is(error) ? error.code : error),
    );
    if (how === 'runs') await end;
    const whole = cluster.start(1);
    await cluster.clock.run(2_000);
    expect(how === 'runs' ? faultOf(cluster, 2) : await end).toBe('DISK_FAILED');
    cluster.crash(2, 'lost');
    await cluster.start(3);
    await cluster.clock.settle(whole);
    await raiserOf(cluster, client)('after');
    expect(cluster.running.map(({ identity }) => identity.replicaId)).toEqual([1, 3]);
    expect(cluster.machines[0]?.fault).toBeUndefined();
  },
);

/** One replica of three that holds a snapshot, and what its operator asks of it. */
async function operated(seed: number) {
  const cluster = await clusterOf(3, seed);
  const client = await cluster.client('c');
  await raiseMany(cluster, client, 'before', 3);
  await cluster.converge();
  const id = must(cluster.leader.standing.leader, 'a leader');
  const machine = must(cluster.machines[id - 1], 'its machine');
  /** The answer, or the code of the failure, and what had stopped the replica by then. */
  const ask = (request: AdminRequest): Promise<readonly [unknown, unknown]> => {
    const replica = must(machine.replica, 'it runs');
    const deadline = millis(cluster.clock.monotonic() + 5_000);
    return cluster.clock.settle(
      new Promise((resolve) => {
        replica.administer(request, deadline, (outcome) =>
          resolve([TocsinError.is(outcome) ? outcome.code : 'done', machine.fault]),
        );
      }),
    );
  };
  const take = () => cluster.clock.settle(client.operator.snapshot(`/memory/${id}`));
  return { cluster, client, id, machine, ask, take };
}

test.each(OPERATIONS.filter((name) => name !== 'size' && name !== 'read' && name !== 'names'))(
  'an I/O error at %s of a snapshot that an operator ordered stops the replica, and the operator is told first',
  async (operation) => {
    const { cluster, id, ask } = await operated(3);
    hurt(cluster, id, [operation], 0);
    expect(await ask({ act: 'snapshot' })).toEqual(['DISK_FAILED', undefined]);
    expect(faultOf(cluster, id)).toBe('DISK_FAILED');
  },
);

test('an I/O error at a part of a snapshot that an operator fetches stops the replica, and the operator is told first', async () => {
  const { cluster, id, ask, take } = await operated(4);
  const part = { act: 'snapshot-part', id: (await take()).id, chunk: 0 } as const;
  expect(await ask(part)).toEqual(['done', undefined]);
  expect(await ask({ ...part, chunk: 9_999 })).toEqual(['BAD_REQUEST', undefined]);
  expect(await ask({ ...part, id: `${part.id}0` })).toEqual(['DATA_MISSING', undefined]);
  expect(faultOf(cluster, id)).toBeUndefined();
  hurt(cluster, id, ['read'], 0);
  expect(await ask(part)).toEqual(['DISK_FAILED', undefined]);
  expect(faultOf(cluster, id)).toBe('DISK_FAILED');
});

test('wherever a snapshot that an operator orders finds no room, the replica goes on, and takes it when there is room', async () => {
  const { cluster, client, id, ask, take } = await operated(5);
  for (let after = 0; ; after += 1) {
    await raiserOf(cluster, client)(`more${after}`);
    await cluster.converge();
    const { failed, heal } = hurt(cluster, id, OPERATIONS, after, 'DISK_FULL');
    const [told] = await ask({ act: 'snapshot' });
    heal();
    if (failed.length === 0) return;
    expect(told, `at operation ${after}: ${failed[0]}`).toBe('DISK_FULL');
    expect(faultOf(cluster, id)).toBeUndefined();
    expect(await take()).toMatchObject({ index: cluster.leader.status().applied });
  }
});
