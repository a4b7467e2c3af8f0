import { expect, onTestFinished, test } from 'vitest';
import { must } from '../../src/base/assert.ts';
import type { ReplicaId } from '../../src/base/ids.ts';
import {
  DIGEST_EVERY,
  ELECTION_TICKS_MAX,
  HANDOVER_PAUSE_TIMEOUTS,
  HEARTBEAT_TICKS,
  TICK_MS,
} from '../../src/base/limits.ts';
import type { Replica } from '../../src/replica/replica.ts';
import { MemoryDisk } from '../../src/storage/log/memory-log-store.ts';
import { addOf, type Stage, stageOf } from './stage.ts';

/** A preferred replica that cannot lead is not handed the lead, which each time would stop the writes. */

/** Long enough to hand over more than once. */
const LONG_MS = ELECTION_TICKS_MAX * TICK_MS * HANDOVER_PAUSE_TIMEOUTS * 2.5;

interface Preferred extends Stage {
  readonly id: ReplicaId;
  readonly replica: Replica;
}

/** Three replicas, and a fourth that is preferred and leads. */
async function preferred(snapshots = false): Promise<Preferred> {
  const stage = await stageOf(3, 10, snapshots);
  const { cluster, change } = stage;
  onTestFinished(() => cluster.close());
  const id = cluster.join();
  await cluster.start(id);
  await change({ ...addOf(cluster, id), priority: 5 } as Parameters<typeof change>[0]);
  await stage.raise('before', 90);
  await cluster.clock.run(5_000);
  await change({ op: 'promote', id });
  await cluster.clock.run(15_000);
  expect(cluster.leader.standing.leader).toBe(id);
  return { ...stage, id, replica: must(cluster.machines[id - 1]?.replica, 'it runs') };
}

/** Writes all the time; how often the preferred one came to lead, and the writes that waited for a leader. */
async function writes({ cluster, client, id }: Preferred, ms: number) {
  const slow: string[] = [];
  let reigns = 0;
  let leads = false;
  const { clock } = cluster;
  const end = clock.monotonic() + ms;
  while (clock.monotonic() < end) {
    const began = clock.monotonic();
    const dedupKey = `at${Math.round(began)}`;
    await clock.settle(client.raise({ dedupKey, condition: 'HR:HI', priority: 'high' }));
    const took = clock.monotonic() - began;
    if (took > 100) slow.push(`${Math.round(took)} ms at ${Math.round(began)}`);
    await clock.run(20);
    const led = leads;
    leads = cluster.machines[id - 1]?.replica?.standing.role === 'leader';
    if (leads && !led) reigns += 1;
  }
  return { slow, reigns };
}

test('a preferred replica that is drained is left alone, and leads again when it may', async () => {
  const stage = await preferred();
  const { cluster, client, id } = stage;
  const drain = (undo: boolean): Promise<void> =>
    cluster.clock.settle(client.operator.drain(`/memory/${id}`, { undo }));
  await drain(false);
  await cluster.clock.run(1_000);
  expect(await writes(stage, LONG_MS)).toEqual({ slow: [], reigns: 0 });
  await cluster.clock.settle(client.operator.transfer(id));
  await cluster.clock.run(3 * HEARTBEAT_TICKS * TICK_MS);
  expect((await writes(stage, 500)).slow, 'it ends with its next word').toEqual([]);
  await drain(true);
  await cluster.clock.run(2_000);
  expect(cluster.leader.standing.leader).toBe(id);
});

test('a preferred replica whose disk is an old copy is left alone while its vote is in doubt', async () => {
  const stage = await preferred();
  const { cluster, id } = stage;
  cluster.crash(id, 'kept');
  await writes(stage, 1_500);
  await cluster.start(id);
  await cluster.clock.run(250);
  // It has acknowledged what it holds to a leader of this term, and then forgets it.
  expect(cluster.machines[id - 1]?.replica?.standing.role).toBe('follower');
  cluster.crash(id, 'kept');
  const machine = must(cluster.machines[id - 1], 'its machine');
  // As it was when it was formatted.
  Object.assign(machine, { disk: new MemoryDisk(machine.identity.clusterId) });
  await cluster.start(id);
  await cluster.clock.run(3_000);
  expect(await writes(stage, LONG_MS)).toEqual({ slow: [], reigns: 0 });
});

/** Its state in memory is made wrong, and nobody can give it a right one for now. */
async function quarantined(): Promise<Preferred> {
  const stage = await preferred(true);
  const { cluster, client, replica } = stage;
  Object.assign(replica.snapshots, { fetch: () => Promise.resolve(undefined) });
  Object.assign(must(replica.machine.get({ dedupKey: 'before80' }), 'an alert'), { version: 99 });
  await cluster.clock.settle(client.acknowledge({ target: { dedupKey: 'before80' } }));
  await stage.raise('then', 3 * DIGEST_EVERY);
  await cluster.clock.run(3_000);
  expect(replica.problem).toBeDefined();
  return stage;
}

test('a preferred replica whose state is being rebuilt is left alone', async () => {
  const stage = await quarantined();
  expect(await writes(stage, LONG_MS)).toEqual({ slow: [], reigns: 0 });
  expect(stage.replica.problem).toBeDefined();
});

test('whose state is being rebuilt leads no sooner for being drained and told that it may', async () => {
  const stage = await quarantined();
  const { cluster, client, id, replica } = stage;
  for (const undo of [false, true])
    await cluster.clock.settle(client.operator.drain(`/memory/${id}`, { undo }));
  expect(await writes(stage, LONG_MS)).toEqual({ slow: [], reigns: 0 });
  // Rebuilt while it is drained, it stays so.
  await cluster.clock.settle(client.operator.drain(`/memory/${id}`));
  Reflect.deleteProperty(replica.snapshots, 'fetch');
  await cluster.clock.run(5_000);
  expect(replica.problem).toBeUndefined();
  expect(await writes(stage, LONG_MS)).toEqual({ slow: [], reigns: 0 });
});
