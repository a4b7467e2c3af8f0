import fc from 'fast-check';
import { expect, test } from 'vitest';
import { must } from '../../src/base/assert.ts';
import { TocsinError } from '../../src/base/errors.ts';
import { millis, revision } from '../../src/base/ids.ts';
import { ELECTION_TICKS_MAX, LEASE_MS, TICK_MS } from '../../src/base/limits.ts';
import { Prng } from '../../src/base/prng.ts';
import type { Replica } from '../../src/replica/replica.ts';
import { ageOf, type FreshDone } from '../../src/replica/service/read-desk.ts';
import type { AlertPage, Answer, Consistency } from '../../src/statemachine/alert-api.ts';
import { clusterOf } from './scenes.ts';
import type { VirtualCluster } from './virtual-cluster.ts';

interface Aged {
  readonly ageMs: number | undefined;
}

/** How old the state at hand is when it may be answered from. */
const aged =
  (replica: Replica, done: (outcome: Aged | TocsinError) => void): FreshDone =>
  (outcome) =>
    done(TocsinError.is(outcome) ? outcome : { ageMs: ageOf(outcome, replica.clock.monotonic()) });

const read = (
  cluster: VirtualCluster,
  replica: Replica,
  level: Consistency,
): Promise<Aged | TocsinError> =>
  cluster.clock.settle(new Promise((resolve) => replica.read(level, aged(replica, resolve))));

/** A read that nobody answered by then. */
async function readWithin(
  cluster: VirtualCluster,
  replica: Replica,
  level: Consistency,
  ms: number,
): Promise<Aged | TocsinError | 'nothing'> {
  let seen: Aged | TocsinError | 'nothing' = 'nothing';
  const note = (outcome: Aged | TocsinError): void => {
    seen = outcome;
  };
  replica.read(level, aged(replica, note));
  await cluster.clock.run(ms);
  return seen;
}

const isLeased = (replica: Replica): boolean => replica.holds('lease', { asOf: undefined });

function followerOf(cluster: VirtualCluster): Replica {
  const found = cluster.running.find(({ replica }) => replica?.standing.role === 'follower');
  return must(found?.replica, 'a follower');
}

/** As old as the question to a quorum. */
const YOUNG = { ageMs: expect.closeTo(0, -2) };

const RAISE = { dedupKey: 'k', condition: 'HR:HI', priority: 'high' } as const;

test('a follower answers linearizable reads, and sees what was acknowledged just before', async () => {
  const cluster = await clusterOf(3, 1);
  const client = await cluster.client('c');
  const follower = followerOf(cluster);
  for (let n = 0; n < 10; n += 1) {
    const input = { dedupKey: `k${n}`, condition: 'HR:HI', priority: 'high' } as const;
    const done = await cluster.clock.settle(client.raise(input));
    expect(await read(cluster, follower, 'linearizable')).toEqual(YOUNG);
    expect(follower.machine.revision).toBeGreaterThanOrEqual(done.revision);
  }
});

test('a bounded read is answered at once while the leader is heard, and not when it has been silent too long', async () => {
  const cluster = await clusterOf(3, 2);
  const follower = followerOf(cluster);
  await cluster.clock.run(1_000);
  const young = await readWithin(cluster, follower, { maxAgeMs: 1_000 }, 0);
  expect(young).toMatchObject({ ageMs: expect.any(Number) });
  const id = must(
    cluster.running.find(({ replica }) => replica === follower),
    'it',
  ).identity.replicaId;
  for (const other of [1, 2, 3])
    if (other !== id) {
      cluster.cut(other, id);
      cluster.cut(id, other);
    }
  await cluster.clock.run(5_000);
  expect(await readWithin(cluster, follower, { maxAgeMs: 1_000 }, 100)).not.toMatchObject({
    ageMs: expect.any(Number),
  });
  const old = await readWithin(cluster, follower, { maxAgeMs: 60_000 }, 0);
  expect(old).toMatchObject({ ageMs: expect.any(Number) });
  expect((old as Aged).ageMs).toBeGreaterThan(4_000);
});

test('a read of a least revision waits for it, and is refused if it has not happened', async () => {
  const cluster = await clusterOf(3, 3);
  const client = await cluster.client('c');
  const done = await cluster.clock.settle(client.raise(RAISE));
  const minRevision = done.revision;
  const found = await cluster.clock.settle(
    client.get({ dedupKey: 'k' }, { consistency: { minRevision } }),
  );
  expect(found.value).toMatchObject({ revision: minRevision });
  const future = { minRevision: revision(minRevision + 9) };
  expect(await read(cluster, followerOf(cluster), future)).toMatchObject({ code: 'UNAVAILABLE' });
});

test('what goes on from a revision that has not happened is refused at once', async () => {
  const cluster = await clusterOf(3, 5);
  const client = await cluster.client('c');
  const done = await cluster.clock.settle(client.raise(RAISE));
  const began = cluster.clock.monotonic();
  for (const consistency of ['linearizable', 'lease', 'local', 'session'] as const) {
    const next = revision(done.revision + 9);
    const page = client.list({}, { consistency, after: `${done.alertId}@${next}` });
    await expect(cluster.clock.settle(page)).rejects.toMatchObject({ code: 'BAD_REQUEST' });
    const steps = client.history(done.alertId, { consistency, from: next });
    await expect(cluster.clock.settle(steps)).rejects.toMatchObject({ code: 'BAD_REQUEST' });
  }
  expect(cluster.clock.monotonic() - began).toBeLessThan(1_000);
});

test('a replica that has not come as far as the page before does not refuse the next one', async () => {
  const cluster = await clusterOf(3, 6);
  const client = await cluster.client('c');
  const { leader } = cluster.leader.standing;
  const behind = must(
    cluster.running.find(({ identity }) => identity.replicaId !== leader),
    'a follower',
  );
  const { replicaId: id } = behind.identity;
  const reader = await cluster.client('r', { endpoints: [`/memory/${id}`] });
  cluster.cut(must(leader, 'a leader'), id);
  for (const dedupKey of ['a', 'b', 'c'])
    await cluster.clock.settle(client.raise({ ...RAISE, dedupKey }));
  const first = await cluster.clock.settle(client.list({}, { limit: 1 }));
  const after = must(first.value.next, 'a second page');
  expect(behind.replica?.machine.revision).toBeLessThan(first.revision);
  const second = reader.list({}, { after, consistency: 'local' });
  await cluster.clock.run(100);
  cluster.heal();
  const { value, revision: at } = await cluster.clock.settle(second);
  expect([value.alerts.map(({ id: alert }) => alert), at]).toEqual([['A2', 'A3'], first.revision]);
});

test('a leader answers on its lease without asking, and not once it may have been replaced', async () => {
  const cluster = await clusterOf(3, 4, { leases: true });
  await cluster.clock.run(1_000);
  const { leader } = cluster;
  const id = must(leader.standing.leader, 'a leader');
  expect(await readWithin(cluster, leader, 'lease', 0)).toEqual({ ageMs: 0 });
  for (const other of [1, 2, 3]) if (other !== id) cluster.cut(other, id);
  await cluster.clock.run(LEASE_MS);
  expect(isLeased(leader)).toBe(false);
  expect(await readWithin(cluster, leader, 'lease', 10)).not.toEqual({ ageMs: 0 });
  cluster.heal();
  await cluster.clock.run(ELECTION_TICKS_MAX * TICK_MS * 3);
  await cluster.converge();
  await cluster.clock.run(1_000);
  const next = cluster.leader;
  const at = must(next.standing.leader, 'a leader');
  cluster.pause(at);
  await cluster.clock.run(millis(LEASE_MS + 100));
  expect(isLeased(next), 'the first thing it does when it wakes').toBe(false);
  cluster.resume(at);
});

test('without leases a lease read is a linearizable one', async () => {
  const cluster = await clusterOf(3, 5);
  expect(isLeased(cluster.leader)).toBe(false);
  expect(await read(cluster, cluster.leader, 'lease')).toEqual(YOUNG);
});

test('each answer carries its age through the client', async () => {
  const cluster = await clusterOf(3, 6);
  const client = await cluster.client('c');
  await cluster.clock.run(1_000);
  const ask = (consistency: Consistency) =>
    cluster.clock.settle(client.get({ dedupKey: 'k' }, { consistency }));
  expect(await ask('linearizable')).toMatchObject(YOUNG);
  const { ageMs } = await ask({ maxAgeMs: 2_000 });
  expect(ageMs).toBeLessThanOrEqual(2_000);
  await expect(ask({} as Consistency)).rejects.toBeInstanceOf(TocsinError);
});

/** A client of one follower, and what was acknowledged to another client, and when. */
async function bounded(seed: number) {
  const cluster = await clusterOf(3, seed);
  const leader = must(cluster.leader.standing.leader, 'a leader');
  const id = (leader % 3) + 1;
  const reader = await cluster.client('r', { endpoints: [`/memory/${id}`] });
  const writer = await cluster.client('w');
  const written: { readonly dedupKey: string; readonly at: number }[] = [];
  const raise = async (): Promise<void> => {
    const dedupKey = `k${written.length}`;
    await cluster.clock.settle(writer.raise({ ...RAISE, dedupKey }));
    written.push({ dedupKey, at: cluster.clock.monotonic() });
  };
  const alertsOf = async (maxAgeMs: number, answer: Promise<Answer<AlertPage>>): Promise<void> => {
    const { value, ageMs } = await answer;
    const keys = value.alerts.map((alert) => alert.dedupKey);
    // What the answer took on its way.
    const until = cluster.clock.monotonic() - maxAgeMs - 5;
    const due = written.filter(({ at }) => at <= until).map(({ dedupKey }) => dedupKey);
    expect(keys).toEqual(expect.arrayContaining(due));
    expect(ageMs).toBeLessThanOrEqual(maxAgeMs);
  };
  const list = (maxAgeMs: number): Promise<void> =>
    alertsOf(maxAgeMs, reader.list({}, { consistency: { maxAgeMs }, timeoutMs: 60_000 }));
  await raise();
  await cluster.clock.run(300);
  return { cluster, leader, id, raise, list };
}

test('an answer that a quorum was asked for is no older than was asked, however long that took', async () => {
  const { cluster, leader, id, raise, list } = await bounded(7);
  cluster.cut(leader, id);
  await cluster.clock.run(260);
  const answer = list(100);
  await cluster.clock.run(5);
  await raise();
  await cluster.clock.run(300);
  cluster.heal();
  await cluster.clock.settle(answer);
});

test('a page that was young enough is asked for again when it has grown too old before it was built', async () => {
  const { cluster, id, raise, list } = await bounded(8);
  const answer = list(600);
  await cluster.clock.run(1);
  cluster.pause(id);
  await raise();
  await cluster.clock.run(2_000);
  cluster.resume(id);
  await cluster.clock.settle(answer);
});

test('what cannot be had as young as that is refused, and the next read is answered', async () => {
  const { cluster, list } = await bounded(9);
  const refused = list(0);
  refused.catch(() => {});
  await expect(cluster.clock.settle(refused)).rejects.toMatchObject({ code: 'UNAVAILABLE' });
  await cluster.clock.settle(list(1_000));
});

test('whatever is cut off or stands still meanwhile, an answer holds what was acknowledged by the time that was asked', async () => {
  await fc.assert(
    fc.asyncProperty(fc.integer({ min: 0, max: 2 ** 31 }), async (seed) => {
      const { cluster, leader, id, raise, list } = await bounded(seed);
      const draw = new Prng(seed);
      const reads: Promise<void>[] = [];
      for (let step = 0; step < 25; step += 1) {
        const does: () => unknown = draw.pick<() => unknown>([
          () => cluster.cut(leader, id),
          () => cluster.cut(id, leader),
          () => cluster.pause(id),
          () => cluster.resume(id),
          () => cluster.heal(),
          raise,
          () => void reads.push(list(draw.between(20, 800))),
        ]);
        await does();
        await cluster.clock.run(draw.between(1, 250));
      }
      cluster.heal();
      cluster.resume(id);
      const outcomes = await cluster.clock.settle(Promise.allSettled(reads));
      for (const outcome of outcomes)
        if (outcome.status === 'rejected' && !TocsinError.is(outcome.reason)) throw outcome.reason;
      await cluster.close();
    }),
    { numRuns: 12 },
  );
});
