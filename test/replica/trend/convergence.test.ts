import { describe, expect, it, onTestFinished } from 'vitest';
import type { TrendClient } from '../../../src/client/trend/trend-client.ts';
import type { TrendResult } from '../../../src/wire/trend/trend-query.ts';
import { TrendCluster } from './trend-cluster.ts';

const SEEDS = [1, 2, 3, 4, 5, 6, 7, 8];
const METRICS = ['HR', 'SpO2'];

async function clusterOf(size: number, seed: number): Promise<TrendCluster> {
  const cluster = new TrendCluster(size, seed);
  onTestFinished(() => cluster.close());
  for (let at = 0; at < size; at += 1) await cluster.start(at);
  return cluster;
}

/** Times and values of a series as one replica tells them. */
async function heldBy(cluster: TrendCluster, client: TrendClient): Promise<TrendResult> {
  const query = { what: 'range', series: ['*/*/*'], from: 0, to: cluster.clock.wall() } as const;
  return await cluster.clock.settle(client.query(query));
}

const rowsOf = (result: TrendResult): readonly string[] =>
  result.series.flatMap(({ key, columns }) =>
    [...(columns['time'] ?? [])].map((time, at) => `${key} ${time} ${columns['value']?.[at]}`),
  );

describe('the trend tier', () => {
  it.each(SEEDS)(
    'converges after any partition: every acknowledged sample on every replica (seed %d)',
    async (seed) => {
      const cluster = await clusterOf(3, seed);
      const { prng, clock } = cluster;
      const clients = [await cluster.client(0), await cluster.client(1), await cluster.client(2)];
      const writers = clients.map((client) => client.writer());
      const expected = new Map<string, number>();
      for (const [at, writer] of writers.entries())
        for (const metric of METRICS)
          writer.series({ patient: `p${at}`, device: 'm', metric, unit: '' });
      for (let second = 0; second < 150; second += 1) {
        for (const [at, writer] of writers.entries())
          for (const [series, metric] of METRICS.entries()) {
            const late = prng.unit() < 0.1 ? 40_000 : 0;
            const time = Math.round(clock.wall()) - late;
            const value = 60 + Math.floor(prng.unit() * 40);
            writer.add(series, time, value);
            const name = `p${at}/m/${metric} ${time}`;
            expected.set(name, Math.max(value, expected.get(name) ?? 0));
          }
        for (const writer of writers) writer.flush();
        if (prng.unit() < 0.1)
          cluster.cut(Math.floor(prng.unit() * 3), Math.floor(prng.unit() * 3));
        if (prng.unit() < 0.05) cluster.heal();
        await clock.run(1_000);
      }
      for (const writer of writers) await clock.settle(writer.drain());
      cluster.heal();
      await clock.run(200_000);
      const wanted = [...expected].map(([name, value]) => `${name} ${value}`).sort();
      for (const client of clients) {
        const result = await heldBy(cluster, client);
        expect([...rowsOf(result)].sort()).toEqual(wanted);
        expect(result.standing.completeTo).toBeGreaterThan(clock.wall() - 200_000);
      }
      expect(cluster.faults).toEqual([]);
    },
    60_000,
  );

  it.each(SEEDS.slice(0, 4))(
    'keeps through a crash what was journaled, and gets the rest from its peers (seed %d)',
    async (seed) => {
      const cluster = await clusterOf(3, seed);
      const { clock } = cluster;
      const client = await cluster.client(0);
      const writer = client.writer();
      writer.series({ patient: 'p', device: 'm', metric: 'HR', unit: '/min' });
      let count = 0;
      for (let second = 0; second < 90; second += 1) {
        writer.add(0, Math.round(clock.wall()), second);
        writer.flush();
        count += 1;
        await clock.run(1_000);
        if (second % 31 === 10 + seed) {
          await clock.settle(writer.drain());
          await cluster.crash(2);
          await clock.run(3_000);
          await cluster.start(2);
        }
      }
      await clock.settle(writer.drain());
      await clock.run(200_000);
      await cluster.crash(0);
      await cluster.start(0);
      for (const at of [0, 1, 2]) {
        const result = await heldBy(cluster, await cluster.client(at));
        expect(result.series[0]?.columns['time']?.length).toBe(count);
      }
      expect(cluster.faults).toEqual([]);
    },
    60_000,
  );

  it('alone, has after a crash what it acknowledged before the newest second', async () => {
    const cluster = await clusterOf(1, 1);
    const writer = (await cluster.client(0)).writer();
    writer.series({ patient: 'p', device: 'm', metric: 'HR', unit: '/min' });
    writer.add(0, Math.round(cluster.clock.wall()), 72);
    await cluster.clock.settle(writer.drain());
    await cluster.clock.run(1_100);
    await cluster.crash(0);
    await cluster.start(0);
    const result = await heldBy(cluster, await cluster.client(0));
    expect([...(result.series[0]?.columns['value'] ?? [])]).toEqual([72]);
  });

  it('ends, though a peer that it compares itself with is silent', async () => {
    const cluster = await clusterOf(2, 1);
    await cluster.clock.run(3_000);
    cluster.cut(1, 0);
    await cluster.clock.run(10_000);
    await cluster.clock.settle(cluster.replica(0).abandon());
  });

  it('says of an answer what it may lack: nothing is claimed of a member that was never heard', async () => {
    const cluster = new TrendCluster(2, 1);
    onTestFinished(() => cluster.close());
    await cluster.start(0);
    await cluster.clock.run(10_000);
    const client = await cluster.client(0);
    expect((await heldBy(cluster, client)).standing.completeTo).toBe(0);
    await cluster.start(1);
    await cluster.clock.run(10_000);
    const { completeTo, at } = (await heldBy(cluster, client)).standing;
    expect(completeTo).toBeGreaterThan(at - 200_000);
    expect(completeTo).toBeLessThan(at - 60_000);
  });
});
