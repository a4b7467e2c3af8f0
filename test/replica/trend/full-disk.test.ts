import fc from 'fast-check';
import { expect, onTestFinished, test } from 'vitest';
import { TREND_DISK_FREE_BYTES_MIN } from '../../../src/base/trend-limits.ts';
import type { TrendClient } from '../../../src/client/trend/trend-client.ts';
import { levelRange } from '../../../src/replica/trend/keys.ts';
import { TrendCluster } from './trend-cluster.ts';

const SERIES = { patient: 'p', device: 'm', metric: 'HR', unit: '' };
const MINUTE_MS = 60_000;

async function timesHeld(cluster: TrendCluster, client: TrendClient): Promise<readonly number[]> {
  const { clock } = cluster;
  const query = { what: 'range', series: ['*/*/*'], from: 0, to: clock.wall() + 1 } as const;
  const { series } = await clock.settle(client.query(query));
  return [...(series[0]?.columns['time'] ?? [])];
}

async function chunksOn(cluster: TrendCluster, at: number): Promise<number> {
  let count = 0;
  for await (const _ of cluster.storage(at).disk.scan(...levelRange('chunk'))) count += 1;
  return count;
}

test('with a full disk samples are taken, judged, answered and passed on, and nothing is written; then it catches up', async () => {
  const judged: number[] = [0, 0];
  const cluster = new TrendCluster(2, 1, (_registry, at) => ({
    judge: () => {
      judged[at] = (judged[at] ?? 0) + 1;
    },
    astray: () => {},
    receive: () => {},
  }));
  onTestFinished(() => cluster.close());
  const { clock } = cluster;
  await cluster.start(0);
  await cluster.start(1);
  await clock.run(2_000);
  const { disk } = cluster.storage(0);
  const client = await cluster.client(0);
  const writer = client.writer();
  writer.series(SERIES);
  const sent: number[] = [];
  const feed = async (seconds: number): Promise<void> => {
    for (let second = 0; second < seconds; second += 1) {
      sent.push(clock.wall());
      writer.add(0, clock.wall(), second);
      writer.flush();
      await clock.run(1_000);
    }
    await clock.settle(writer.drain());
  };
  await feed(10);
  disk.free = TREND_DISK_FREE_BYTES_MIN - 1;
  await clock.run(2_000);
  const before = await chunksOn(cluster, 0);
  await feed(200);
  expect(await chunksOn(cluster, 0)).toBe(before);
  expect(writer.taken.inOrder).toBe(210);
  expect(judged).toEqual([210, 210]);
  expect(await timesHeld(cluster, client)).toEqual(sent);
  const other = await cluster.client(1);
  expect(await timesHeld(cluster, other)).toEqual(sent);

  disk.free = TREND_DISK_FREE_BYTES_MIN * 2;
  await clock.run(3_000);
  expect(await chunksOn(cluster, 0)).toBeGreaterThan(before);
  await cluster.crash(1);
  await cluster.crash(0);
  await cluster.start(0);
  expect(await timesHeld(cluster, await cluster.client(0))).toEqual(sent);
  expect(cluster.faults).toEqual([]);
});

/** A quarter of a minute: whether the disk has room, and whether a write finds some. */
const step = fc.record({
  hasRoom: fc.boolean(),
  isFull: fc.boolean(),
  journalIsFull: fc.boolean(),
});

test('whenever writes fail for want of room, all that was taken is on disk soon after there is some', async () => {
  await fc.assert(
    fc.asyncProperty(
      fc.array(step, { maxLength: 20 }),
      fc.integer({ min: 1, max: 2 ** 31 }),
      async (steps, seed) => {
        const cluster = new TrendCluster(1, seed);
        const { clock } = cluster;
        await cluster.start(0);
        const { disk, journal } = cluster.storage(0);
        const writer = (await cluster.client(0)).writer();
        writer.series(SERIES);
        const sent: number[] = [];
        const settled = { hasRoom: true, isFull: false, journalIsFull: false };
        for (const { hasRoom, isFull, journalIsFull } of [...steps, settled]) {
          disk.free = hasRoom ? TREND_DISK_FREE_BYTES_MIN * 2 : 0;
          disk.isFull = isFull;
          journal.isFull = journalIsFull;
          sent.push(clock.wall());
          writer.add(0, clock.wall(), sent.length);
          writer.flush();
          await clock.run(MINUTE_MS / 4);
        }
        await clock.settle(writer.drain());
        await clock.run(MINUTE_MS / 4);
        await cluster.crash(0);
        await cluster.start(0);
        expect(await timesHeld(cluster, await cluster.client(0))).toEqual(sent);
        expect(cluster.faults).toEqual([]);
        await cluster.close();
      },
    ),
    { numRuns: 60 },
  );
});
