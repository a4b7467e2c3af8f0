import fc from 'fast-check';
import { expect, test } from 'vitest';
import { TocsinError } from '../../src/base/errors.ts';
import { revision } from '../../src/base/ids.ts';
import type { Client, Consistency } from '../../src/client/index.ts';
import type { AlertEvent, Done } from '../../src/statemachine/types.ts';
import { VirtualCluster } from './virtual-cluster.ts';

/** What a caller was told of one raise under a key of its own. */
interface Told {
  readonly key: string;
  readonly outcome: Done | TocsinError;
}

async function raiseOne(client: Client, key: string, told: Told[]): Promise<void> {
  const input = { dedupKey: key, condition: 'HR:HI', priority: 'high' } as const;
  try {
    told.push({ key, outcome: await client.raise(input) });
  } catch (error) {
    if (!(error instanceof TocsinError)) throw error;
    told.push({ key, outcome: error });
  }
}

/** What a read saw, and how much had been acknowledged to anyone when it was asked. */
interface Seen {
  readonly key: string;
  readonly consistency: Consistency;
  readonly acknowledged: number;
  readonly revision: number;
  readonly found: number | undefined;
}

const newestOf = (told: readonly Told[]): number =>
  told.reduce(
    (newest, { outcome }) =>
      outcome instanceof TocsinError ? newest : Math.max(newest, outcome.revision),
    0,
  );

async function readOne(client: Client, key: string, told: Told[], seen: Seen[]): Promise<void> {
  const consistency = key.length % 2 === 0 ? 'linearizable' : 'local';
  const acknowledged = newestOf(told);
  try {
    const { value, revision: at } = await client.get({ dedupKey: key }, { consistency });
    seen.push({ key, consistency, acknowledged, revision: at, found: value?.revision });
  } catch (error) {
    if (!(error instanceof TocsinError)) throw error;
  }
}

async function collect(client: Client, events: AlertEvent[], signal: AbortSignal): Promise<void> {
  for await (const message of client.watch({ from: revision(1), signal }))
    if (message.type === 'event') events.push(message.event);
}

/** Faults of one round of a story; at most a minority of the disks is ever lost to them. */
async function disturb(cluster: VirtualCluster, size: number): Promise<void> {
  const { prng } = cluster;
  const id = prng.between(1, size);
  const dice = prng.unit();
  if (dice < 0.25 && cluster.machines[id - 1]?.replica !== undefined)
    cluster.crash(id, prng.pick(['lost', 'kept'] as const));
  else if (dice < 0.5 && cluster.machines[id - 1]?.replica === undefined) await cluster.start(id);
  else if (dice < 0.65) cluster.cut(id, prng.between(1, size));
  else if (dice < 0.75) cluster.heal();
  else if (dice < 0.85) cluster.network.reset(`r${id}`, prng.pick(cluster.hosts));
  else if (dice < 0.9)
    cluster.diskMs = prng.pick([
      [0, 2],
      [0, 200],
      [300, 900],
    ] as const);
}

async function story(seed: number): Promise<void> {
  const size = 3;
  const cluster = new VirtualCluster(size, seed);
  for (let id = 1; id <= size; id += 1) await cluster.start(id);
  const told: Told[] = [];
  const events: AlertEvent[] = [];
  const seen: Seen[] = [];
  const stop = new AbortController();
  try {
    await cluster.converge();
    const clients = [await cluster.client('c1'), await cluster.client('c2')];
    const watcher = await cluster.client('w');
    const watching = collect(watcher, events, stop.signal).catch((error: unknown) => error);
    const calls: Promise<void>[] = [];
    for (let round = 0; round < 40; round += 1) {
      for (const [at, client] of clients.entries())
        for (let n = cluster.prng.between(0, 3); n > 0; n -= 1)
          calls.push(raiseOne(client, `k${round}-${at}-${n}`, told));
      for (const client of clients) {
        const key = told[told.length - 1 - cluster.prng.between(0, told.length)]?.key;
        if (key !== undefined) calls.push(readOne(client, key, told, seen));
      }
      await disturb(cluster, size);
      await cluster.clock.run(cluster.prng.between(1, 400));
    }
    cluster.heal();
    cluster.diskMs = [0, 2];
    for (const machine of cluster.machines)
      if (machine.replica === undefined) await cluster.start(machine.identity.replicaId);
    await cluster.clock.settle(Promise.all(calls));
    await cluster.converge();
    await cluster.clock.run(8_000);
    stop.abort();
    await cluster.clock.settle(watching);
    check(cluster, told, events);
    checkReads(seen, events);
  } finally {
    stop.abort();
    await cluster.close();
  }
}

function check(
  cluster: VirtualCluster,
  told: readonly Told[],
  events: readonly AlertEvent[],
): void {
  const states = cluster.machines.map((machine) => machine.replica?.status());
  expect(new Set(states.map((state) => state?.digest)).size, 'replicas differ').toBe(1);
  // The watcher saw the whole history, once, in order, whatever happened to its connections.
  expect(events.map((event) => event.revision)).toEqual(
    Array.from({ length: states[0]?.revision ?? 0 }, (_, at) => at + 1),
  );
  for (const { key, outcome } of told) {
    const held = events.filter((event) => event.alert.dedupKey === key);
    if (outcome instanceof TocsinError) {
      expect(held.length, `${key}: ${outcome.message}`).toBeLessThanOrEqual(1);
      if (outcome.outcome === 'none') expect(held, `${key}: ${outcome.message}`).toEqual([]);
    } else {
      expect(
        held.map((event) => event.revision),
        key,
      ).toEqual([outcome.revision]);
    }
  }
}

/** Each read is the history replayed up to its revision; a linearizable one holds all that was acknowledged before. */
function checkReads(seen: readonly Seen[], events: readonly AlertEvent[]): void {
  for (const { key, consistency, acknowledged, revision: at, found } of seen) {
    const held = events.filter((event) => event.alert.dedupKey === key && event.revision <= at);
    expect(found, `${key} at ${at}`).toBe(held.at(-1)?.revision);
    if (consistency === 'linearizable')
      expect(at, `read of ${key}`).toBeGreaterThanOrEqual(acknowledged);
  }
}

test('whatever fails, who was told done finds it once, and who was told no finds nothing', async () => {
  await fc.assert(fc.asyncProperty(fc.integer({ min: 0, max: 2 ** 31 }), story), {
    numRuns: 12,
  });
});
