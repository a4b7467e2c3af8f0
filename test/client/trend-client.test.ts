import { describe, expect, onTestFinished, test } from 'vitest';
import { millis } from '../../src/base/ids.ts';
import { RECONNECT_MS_MAX } from '../../src/base/limits.ts';
import { TREND_UNSENT_SAMPLES_MAX } from '../../src/base/trend-limits.ts';
import { connectTrends, type SeriesInfo, type TrendClient } from '../../src/client/index.ts';
import { TrendCluster } from '../replica/trend/trend-cluster.ts';

const SERIES: SeriesInfo = { patient: 'p', device: 'm', metric: 'HR', unit: '/min' };
const LATEST = { what: 'latest', series: ['*/*/*'] } as const;
/** Until a connection that says nothing is given up. */
const SILENCE_MS = 1_000;

async function running(size: number): Promise<TrendCluster> {
  const cluster = new TrendCluster(size, 1);
  onTestFinished(() => cluster.close());
  for (let at = 0; at < size; at += 1) await cluster.start(at);
  return cluster;
}

/** Which replica answers, and how long that takes. */
async function asked(cluster: TrendCluster, client: TrendClient, timeoutMs = 10_000) {
  const { clock } = cluster;
  const began = clock.monotonic();
  const { standing } = await clock.settle(client.query(LATEST, { timeoutMs }));
  return { replica: standing.replica, ms: clock.monotonic() - began };
}

describe('a question about trends', () => {
  test('goes to the first replica that was named while that one answers', async () => {
    const cluster = await running(3);
    const client = await cluster.client(2, 0, 1);
    for (let times = 0; times < 3; times += 1)
      expect((await asked(cluster, client)).replica).toBe(3);
  });

  test('is answered in its time by the last replica that is left, of the others not a word comes', async () => {
    const cluster = await running(3);
    const client = await cluster.client(0, 1, 2);
    for (const at of [0, 1]) cluster.part('client0', at);
    for (let times = 0; times < 3; times += 1) {
      const { replica, ms } = await asked(cluster, client, 500);
      expect(replica).toBe(3);
      expect(ms).toBeLessThan(300);
    }
  });

  test('leaves a replica that falls silent while it is asked, and those after it do not wait for that one', async () => {
    const cluster = await running(2);
    const client = await cluster.client(0, 1);
    expect((await asked(cluster, client)).replica).toBe(1);
    cluster.part('client0', 0);
    const first = await asked(cluster, client);
    expect(first.replica).toBe(2);
    expect(first.ms).toBeLessThan(SILENCE_MS + 300);
    expect((await asked(cluster, client, 500)).replica).toBe(2);
  });

  test('waits in its time for a replica that is slow to say a first word', async () => {
    const cluster = await running(1);
    const client = await cluster.client(0);
    cluster.part('client0', 0);
    cluster.clock.after(millis(3_000), () => cluster.meet('client0', 0));
    const { ms } = await asked(cluster, client);
    expect(ms).toBeGreaterThanOrEqual(3_000);
    expect(ms).toBeLessThan(4_500);
  });

  test('takes no longer than its time, whatever many replicas say nothing, and as long as its signal lets it', async () => {
    const cluster = await running(3);
    const client = await cluster.client(0, 1, 2);
    expect((await asked(cluster, client)).replica).toBe(1);
    for (const at of [0, 1, 2]) cluster.part('client0', at);
    const { clock } = cluster;
    for (const timeoutMs of [1, 300, 2_500]) {
      const began = clock.monotonic();
      const asking = client.query(LATEST, { timeoutMs });
      await expect(clock.settle(asking)).rejects.toMatchObject({
        code: expect.stringMatching(/DEADLINE_EXCEEDED|UNAVAILABLE/),
        outcome: 'none',
      });
      expect(clock.monotonic() - began).toBeLessThanOrEqual(timeoutMs + 1);
    }
    const { signal } = new AbortController();
    const given = AbortSignal.abort('enough');
    const asking = client.query(LATEST, { signal: AbortSignal.any([signal, given]) });
    await expect(clock.settle(asking)).rejects.toMatchObject({ code: 'CANCELLED' });
  });
});

describe('a stream of samples', () => {
  test('goes on at the last replica that is left, of the others not a word comes', async () => {
    const cluster = await running(3);
    const { clock } = cluster;
    const client = await cluster.client(0, 1, 2);
    const writer = client.writer();
    const series = writer.series(SERIES);
    writer.add(series, clock.wall(), 80);
    await clock.settle(writer.drain());
    for (const at of [0, 1]) cluster.part('client0', at);
    writer.add(series, clock.wall(), 81);
    const began = clock.monotonic();
    await clock.settle(writer.drain());
    expect(clock.monotonic() - began).toBeLessThan(SILENCE_MS + 500);
  });

  test('pauses before it dials again where all are cut off before anything is taken', async () => {
    const cluster = await running(2);
    const { clock } = cluster;
    const transport = cluster.network.transport('cutter');
    let dials = 0;
    let isCutting = true;
    const dial: typeof transport.dial = async (...how) => {
      dials += 1;
      const channel = await transport.dial(...how);
      for (const at of [0, 1]) if (isCutting) cluster.reset('cutter', at);
      return channel;
    };
    const client = await connectTrends({
      endpoints: ['/memory/1', '/memory/2'],
      transport: { ...transport, dial },
      clock,
      seed: 1,
    });
    const writer = client.writer();
    writer.add(writer.series(SERIES), clock.wall(), 80);
    writer.flush();
    await clock.run(10_000);
    expect(writer.pending).toBe(1);
    expect(dials).toBeGreaterThan(10_000 / RECONNECT_MS_MAX / 2);
    expect(dials).toBeLessThan((10_000 / RECONNECT_MS_MAX) * 2);
    isCutting = false;
    await clock.settle(writer.drain());
    await clock.settle(client.close());
  });

  const wrong: readonly (readonly [string, unknown])[] = [
    ['nothing', undefined],
    ['null', null],
    ['no fields', {}],
    ['a patient who is a number', { ...SERIES, patient: 7 }],
    ['a metric of two lines', { ...SERIES, metric: 'a\nb' }],
    ['too long a device', { ...SERIES, device: 'x'.repeat(129) }],
    ['no unit', { ...SERIES, unit: undefined }],
  ];
  test.each(wrong)(
    'refuses a series of %s by itself, and takes the others',
    async (_name, info) => {
      const cluster = await running(1);
      const client = await cluster.client(0);
      const writer = client.writer();
      const good = writer.series(SERIES);
      expect(() => writer.series(info as SeriesInfo)).toThrow(/^\w+: must|: has/);
      writer.add(good, cluster.clock.wall(), 80);
      await cluster.clock.settle(writer.drain());
      expect(writer.taken.inOrder).toBe(1);
    },
  );

  test('keeps so many samples and no more, and takes none once it has ended', async () => {
    const cluster = await running(1);
    const client = await cluster.client(0);
    cluster.part('client0', 0);
    const writer = client.writer({ frameSamples: 65_536 });
    const series = writer.series(SERIES);
    const now = cluster.clock.wall();
    for (let at = 0; at < TREND_UNSENT_SAMPLES_MAX; at += 1) writer.add(series, now, 80);
    expect(() => writer.add(series, now, 80)).toThrow(
      expect.objectContaining({ code: 'OVERLOADED' }),
    );
    expect(writer.pending).toBe(TREND_UNSENT_SAMPLES_MAX);
    writer.close();
    expect(() => writer.add(series, now, 80)).toThrow(expect.objectContaining({ code: 'CLOSED' }));
  });
});
