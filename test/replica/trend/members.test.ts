import { expect, onTestFinished, test } from 'vitest';
import { replicaId } from '../../../src/base/ids.ts';
import type { TrendClient } from '../../../src/client/trend/trend-client.ts';
import { TrendPeers } from '../../../src/replica/trend/trend-peers.ts';
import type { Transport } from '../../../src/transport/types.ts';
import { SeriesRegistry } from '../../../src/trend/series.ts';
import type { TrendResult } from '../../../src/wire/trend/trend-query.ts';
import { VirtualClock } from '../../client/virtual-clock.ts';
import { CLIENT, ScriptedChannel } from '../scripted.ts';
import { TrendCluster } from './trend-cluster.ts';

/** Two of three members, which know of each other alone, and a client of the first. */
async function two(): Promise<{ readonly cluster: TrendCluster; readonly client: TrendClient }> {
  const cluster = new TrendCluster(3, 7);
  onTestFinished(() => cluster.close());
  await cluster.start(0, [0, 1]);
  await cluster.start(1, [0, 1]);
  return { cluster, client: await cluster.client(0) };
}

/** A sample a second of one patient. */
async function feed(
  cluster: TrendCluster,
  client: TrendClient,
  patient: string,
  seconds: number,
): Promise<void> {
  const writer = client.writer();
  const series = writer.series({ patient, device: 'm', metric: 'HR', unit: '/min' });
  for (let second = 0; second < seconds; second += 1) {
    writer.add(series, Math.round(cluster.clock.wall()), 60 + (second % 40));
    writer.flush();
    await cluster.clock.run(1_000);
  }
  await cluster.clock.settle(writer.drain());
}

async function held({ clock }: TrendCluster, client: TrendClient): Promise<TrendResult> {
  const query = { what: 'range', series: ['*/*/*'], from: 0, to: clock.wall() } as const;
  return await clock.settle(client.query(query));
}

const counts = ({ series }: TrendResult): Record<string, number> =>
  Object.fromEntries(series.map(({ key, columns }) => [key, columns['time']?.length ?? 0]));

test('a member that is added while the others run gets all that they have, and they what it is brought', async () => {
  const { cluster, client } = await two();
  await feed(cluster, client, 'before', 100);
  await cluster.start(2);
  for (const at of [0, 1]) cluster.tell(at, [0, 1, 2]);
  const third = await cluster.client(2);
  await feed(cluster, third, 'here', 20);
  await cluster.clock.run(200_000);
  for (const at of [0, 1, 2]) {
    const result = await held(cluster, await cluster.client(at));
    expect(counts(result)).toEqual({ 'before/m/HR': 100, 'here/m/HR': 20 });
    expect(result.standing.completeTo).toBeGreaterThan(cluster.clock.wall() - 200_000);
  }
});

test('one that is known by name alone may have what nobody else has: no answer is complete before it was compared', async () => {
  const { cluster, client } = await two();
  await cluster.clock.run(20_000);
  expect((await held(cluster, client)).standing.completeTo).toBeGreaterThan(0);
  const [, second, third] = cluster.members;
  if (second === undefined || third === undefined) throw new Error('three members');
  cluster.replica(0).follow([second, { ...third, address: undefined }]);
  await cluster.clock.run(20_000);
  expect((await held(cluster, client)).standing.completeTo).toBe(0);
  await cluster.start(2);
  cluster.tell(0, [0, 1, 2]);
  await cluster.clock.run(20_000);
  expect((await held(cluster, client)).standing.completeTo).toBeGreaterThan(0);
});

test('one that is removed is told nothing more, and nothing more is taken from it, over connections that are open too', async () => {
  const { cluster, client } = await two();
  await cluster.start(2);
  for (const at of [0, 1]) cluster.tell(at, [0, 1, 2]);
  await cluster.clock.run(20_000);
  for (const at of [0, 1]) cluster.tell(at, [0, 1]);
  await cluster.clock.run(1_000);
  const third = await cluster.client(2);
  await feed(cluster, third, 'apart', 10);
  await feed(cluster, client, 'here', 10);
  await cluster.clock.run(200_000);
  expect(counts(await held(cluster, third))).toEqual({ 'apart/m/HR': 10 });
  for (const at of [0, 1]) {
    const result = await held(cluster, await cluster.client(at));
    expect(counts(result)).toEqual({ 'here/m/HR': 10 });
    expect(result.standing.completeTo).toBeGreaterThan(cluster.clock.wall() - 200_000);
  }
});

test('who is told of members when it has ended dials nobody', async () => {
  let dialled = 0;
  const transport: Transport = {
    listen: () => Promise.reject(new Error('nobody listens here')),
    dial: () => {
      dialled += 1;
      return Promise.resolve(new ScriptedChannel());
    },
  };
  const registry = new SeriesRegistry();
  const peers = new TrendPeers({ self: CLIENT, transport, clock: new VirtualClock(), registry });
  peers.sync([{ id: replicaId(2), address: '/memory/2' }]);
  expect(dialled).toBe(1);
  await peers.close();
  peers.sync([{ id: replicaId(3), address: '/memory/3' }]);
  expect(dialled).toBe(1);
});
