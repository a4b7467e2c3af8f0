import { describe, expect, it, onTestFinished } from 'vitest';
import type { TrendClient } from '../../../src/client/trend/trend-client.ts';
import type { TrendQuery, TrendResult } from '../../../src/wire/trend/trend-query.ts';
import { TrendCluster } from './trend-cluster.ts';

const SECONDS = 7_200;

interface Story {
  readonly cluster: TrendCluster;
  readonly client: TrendClient;
  readonly origin: number;
  ask(query: TrendQuery): Promise<TrendResult>;
}

/** Two hours of two series a second, some of them not there, some without a value. */
async function tell(): Promise<Story> {
  const cluster = new TrendCluster(1, 1);
  onTestFinished(() => cluster.close());
  await cluster.start(0);
  const client = await cluster.client(0);
  const writer = client.writer();
  const hr = writer.series({ patient: 'p', device: 'm', metric: 'HR', unit: '/min' });
  const spo2 = writer.series({ patient: 'p', device: 'm', metric: 'SpO2', unit: '%' });
  const origin = Math.floor(cluster.clock.wall() / 3_600_000) * 3_600_000 - SECONDS * 1_000;
  for (let second = 0; second < SECONDS; second += 1) {
    writer.add(hr, origin + second * 1_000, valueAt(second));
    if (second % 10 === 0) writer.add(spo2, origin + second * 1_000, 97);
  }
  await cluster.clock.settle(writer.drain());
  return { cluster, client, origin, ask: (query) => cluster.clock.settle(client.query(query)) };
}

const valueAt = (second: number): number => (second % 60 === 59 ? Number.NaN : 60 + (second % 50));
const KEY = 'p/m/HR';

describe.each([
  ['in memory', 0],
  ['on disk', 120_000],
])('queries of what is %s', (_where, pauseMs) => {
  it('give a range, answer by answer, whole and in order', async () => {
    const { cluster, client, origin } = await tell();
    await cluster.clock.run(pauseMs);
    const query = {
      what: 'range',
      series: ['p/*/*'],
      from: origin + 500,
      to: origin + 7_000_000,
    } as const;
    const rows: string[] = [];
    let answers = 0;
    const all = (async () => {
      for await (const { series } of client.queryAll(query)) {
        answers += 1;
        for (const { key, columns } of series)
          for (const [at, time] of (columns['time'] ?? new Float64Array(0)).entries())
            rows.push(`${key} ${(time - origin) / 1_000} ${columns['value']?.[at]}`);
      }
    })();
    await cluster.clock.settle(all);
    const expected: string[] = [];
    for (let second = 1; second < 7_000; second += 1) {
      expected.push(`${KEY} ${second} ${valueAt(second)}`);
      if (second % 10 === 0) expected.push(`p/m/SpO2 ${second} 97`);
    }
    expect(rows.sort()).toEqual(expected.sort());
    expect(answers).toBeGreaterThanOrEqual(1);
  });

  it.each([1_000, 60_000, 3_600_000] as const)(
    'give rollups of %d ms that add up',
    async (stepMs) => {
      const { cluster, ask, origin } = await tell();
      await cluster.clock.run(pauseMs);
      const to = origin + SECONDS * 1_000;
      const { series } = await ask({ what: 'rollup', series: [KEY], from: origin, to, stepMs });
      const columns = series[0]?.columns ?? {};
      const sum = (name: string): number =>
        (columns[name] ?? new Float64Array(0)).reduce((a, b) => a + b, 0);
      expect(columns['start']?.length).toBe((SECONDS * 1_000) / stepMs);
      expect(sum('count')).toBe(SECONDS - SECONDS / 60);
      expect(sum('missing')).toBe(SECONDS / 60);
      if (stepMs > 1_000) {
        expect(columns['min']?.[0]).toBe(60);
        expect(columns['max']?.[0]).toBe(109);
        expect(columns['first']?.[0]).toBe(60);
      }
    },
  );

  it('give quantiles within a per cent', async () => {
    const { cluster, ask, origin } = await tell();
    await cluster.clock.run(pauseMs);
    const range = { from: origin, to: origin + SECONDS * 1_000 };
    const { series } = await ask({
      what: 'rollup',
      series: [KEY],
      ...range,
      stepMs: 3_600_000,
      quantiles: [0.1, 0.9],
    });
    for (const row of [0, 1]) {
      expect(series[0]?.columns['q0.1']?.[row]).toBeCloseTo(65, -0.5);
      expect(Math.abs((series[0]?.columns['q0.9']?.[row] ?? 0) - 104)).toBeLessThan(2);
    }
  });

  it('thin out by either method, and keep the ends of the scale', async () => {
    const { cluster, ask, origin } = await tell();
    await cluster.clock.run(pauseMs);
    const range = { series: [KEY], from: origin, to: origin + SECONDS * 1_000, points: 100 };
    for (const method of ['minmax', 'lttb'] as const) {
      const { series } = await ask({ what: 'range', ...range, method });
      const values = series[0]?.columns['value'] ?? new Float64Array(0);
      expect(values.length).toBeLessThanOrEqual(100);
      expect(values.length).toBeGreaterThan(50);
      if (method === 'minmax')
        expect([Math.min(...values), Math.max(...values)]).toEqual([60, 109]);
    }
  });

  it('give the latest, with its age', async () => {
    const { cluster, ask, origin } = await tell();
    await cluster.clock.run(pauseMs);
    const { series, standing } = await ask({ what: 'latest', series: ['*/*/*'] });
    expect(series.map(({ key, newestAt }) => [key, (newestAt ?? 0) - origin])).toEqual([
      [KEY, 7_199_000],
      ['p/m/SpO2', 7_190_000],
    ]);
    expect(Math.abs(standing.at - cluster.clock.wall())).toBeLessThan(10);
  });
});

describe('a query', () => {
  it('for too much at once is refused with what to do instead', async () => {
    const { ask, origin } = await tell();
    const range = {
      what: 'range',
      series: ['*/*/*'],
      from: origin,
      to: origin + 1,
      points: 10_000,
    } as const;
    expect((await ask(range)).series.length).toBe(2);
    const many = { ...range, series: Array.from({ length: 1_001 }, (_, at) => `${at}`) };
    await expect(ask(many)).rejects.toMatchObject({ code: 'BAD_REQUEST' });
  });

  it('for series that nobody knows is answered with none', async () => {
    const { ask } = await tell();
    expect((await ask({ what: 'latest', series: ['p/m/XX', 'p/m'] })).series).toEqual([]);
  });
});

describe('samples that are not taken', () => {
  it('are counted by why, and their sender is told', async () => {
    const cluster = new TrendCluster(1, 2);
    onTestFinished(() => cluster.close());
    await cluster.start(0);
    const writer = (await cluster.client(0)).writer();
    const series = writer.series({ patient: 'p', device: 'm', metric: 'HR', unit: '' });
    const now = Math.round(cluster.clock.wall());
    for (const time of [now, now - 1_000, now - 400 * 86_400_000, now + 86_400_000]) {
      writer.add(series, time, 70);
      writer.flush();
    }
    await cluster.clock.settle(writer.drain());
    expect(writer.taken).toEqual({ inOrder: 1, behind: 1, tooOld: 1, tooNew: 1, noRoom: 0 });
  });
});

describe('a replica that was restarted', () => {
  it('knows the newest sample of each series, though none has come since', async () => {
    const { cluster, origin } = await tell();
    await cluster.clock.run(120_000);
    await cluster.crash(0);
    await cluster.start(0);
    const client = await cluster.client(0);
    const query = { what: 'latest', series: ['p/m/*'] } as const;
    const { series } = await cluster.clock.settle(client.query(query));
    expect(series.map(({ newestAt, columns }) => [newestAt, columns['value']?.[0]])).toEqual([
      [origin + (SECONDS - 1) * 1_000, Number.NaN],
      [origin + (SECONDS - 10) * 1_000, 97],
    ]);
  });
});
