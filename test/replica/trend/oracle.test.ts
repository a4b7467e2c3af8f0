import { expect, onTestFinished, test } from 'vitest';
import { TREND_ANSWER_ROWS_MAX, TREND_HOUR_MS } from '../../../src/base/trend-limits.ts';
import type { TrendClient, TrendQuery, TrendResult } from '../../../src/client/index.ts';
import { TrendCluster } from './trend-cluster.ts';

/** A sample as the oracle holds it; null = the device has no value. */
interface Plain {
  readonly value: number | null;
  readonly quality: number;
}

/** What was brought, by series and time: the better of two of one time, by the words of the README. */
class Oracle {
  readonly series: Map<string, Map<number, Plain>> = new Map();

  bring(key: string, time: number, sample: Plain): void {
    const samples = this.series.get(key) ?? new Map<number, Plain>();
    this.series.set(key, samples);
    const known = samples.get(time);
    if (known === undefined || isBetter(sample, known)) samples.set(time, sample);
  }

  rows(key: string, from = 0, to: number = Number.POSITIVE_INFINITY): readonly [number, Plain][] {
    return [...(this.series.get(key) ?? [])]
      .filter(([time]) => time >= from && time < to)
      .sort(([a], [b]) => a - b);
  }

  /** Start, usable, missing, least, greatest, first, last. */
  rollups(key: string, stepMs: number): readonly (readonly unknown[])[] {
    const steps = new Map<number, Plain[]>();
    for (const [time, sample] of this.rows(key)) {
      const start = Math.floor(time / stepMs) * stepMs;
      steps.set(start, [...(steps.get(start) ?? []), sample]);
    }
    return [...steps].map(([start, samples]) => {
      const values = samples.flatMap(({ value, quality }) =>
        value !== null && quality < 2 ? [value] : [],
      );
      const ends =
        values.length === 0
          ? [Number.NaN, Number.NaN, Number.NaN, Number.NaN]
          : [Math.min(...values), Math.max(...values), values[0], values.at(-1)];
      return [start, values.length, samples.length - values.length, ...ends];
    });
  }
}

function isBetter(one: Plain, other: Plain): boolean {
  if ((one.value === null) !== (other.value === null)) return other.value === null;
  if (one.quality !== other.quality) return one.quality < other.quality;
  return (one.value ?? 0) > (other.value ?? 0);
}

const KEYS = ['a/m/HR', 'a/m/SpO2', 'b/m/HR'] as const;

async function clusterOf(size: number, seed: number): Promise<TrendCluster> {
  const cluster = new TrendCluster(size, seed);
  onTestFinished(() => cluster.close());
  for (let at = 0; at < size; at += 1) await cluster.start(at);
  return cluster;
}

const columnsOf = (
  { series }: TrendResult,
  key: string,
  names: readonly string[],
): readonly (readonly unknown[])[] => {
  const columns = series.find((one) => one.key === key)?.columns ?? {};
  const [first = []] = names.map((name) => columns[name]);
  return [...first].map((_, at) => names.map((name) => columns[name]?.[at]));
};

const plainRow = ([time, { value, quality }]: readonly [number, Plain]): readonly unknown[] => [
  time,
  value ?? Number.NaN,
  quality,
];

/** What every kind of question to a replica has to be answered with. */
async function expectOracle(
  cluster: TrendCluster,
  client: TrendClient,
  oracle: Oracle,
): Promise<void> {
  const { clock } = cluster;
  const ask = (query: TrendQuery): Promise<TrendResult> => clock.settle(client.query(query));
  const to = clock.wall() + 60_000;
  const from = Math.floor(to / TREND_HOUR_MS - 1) * TREND_HOUR_MS;
  const span = { series: ['*/*/*'], from, to } as const;
  const latest = await ask({ what: 'latest', series: ['*/*/*'] });
  const range = await ask({ what: 'range', ...span });
  for (const key of KEYS) {
    const rows = oracle.rows(key).map(plainRow);
    expect(columnsOf(range, key, ['time', 'value', 'quality'])).toEqual(rows);
    expect(columnsOf(latest, key, ['time', 'value', 'quality'])).toEqual(rows.slice(-1));
  }
  for (const stepMs of [1_000, 60_000, 3_600_000] as const) {
    const rolled = await ask({ what: 'rollup', ...span, stepMs });
    for (const key of KEYS)
      expect(
        columnsOf(rolled, key, ['start', 'count', 'missing', 'min', 'max', 'first', 'last']),
      ).toEqual(oracle.rollups(key, stepMs));
  }
}

/** Two gateways bring samples of the same times to different replicas, late and twice, and do not always agree. */
test.each([1, 2, 3, 4, 5, 6])(
  'every question is answered by every replica as by a plain table, whatever came twice, late or elsewhere, and whoever died or was wiped (seed %i)',
  async (seed) => {
    const cluster = await clusterOf(3, seed);
    const { prng, clock } = cluster;
    const oracle = new Oracle();
    const began = clock.wall();
    const writers = await Promise.all(
      [0, 1, 2].map(async (at) => (await cluster.client(at, (at + 1) % 3)).writer()),
    );
    const numbers = writers.map((writer) =>
      KEYS.map((key) => {
        const [patient = '', device = '', metric = ''] = key.split('/');
        return writer.series({ patient, device, metric, unit: '' });
      }),
    );
    const bring = (): void => {
      for (const [at, writer] of writers.entries())
        for (const [place, key] of KEYS.entries()) {
          if (prng.chance(0.3)) continue;
          const back = prng.chance(0.2) ? prng.between(0, 200_000) : 0;
          const time = Math.max(began, Math.floor((clock.wall() - back) / 500) * 500);
          const value = prng.chance(0.1) ? null : prng.pick([-0, 0, 61.5, 80, 80, 141, -3]);
          const quality = prng.chance(0.2) ? prng.between(0, 3) : 0;
          writer.add(numbers[at]?.[place] ?? 0, time, value ?? Number.NaN, quality);
          oracle.bring(key, time, { value: value === null ? null : value + 0, quality });
        }
      for (const writer of writers) writer.flush();
    };
    for (let round = 0; round < 3; round += 1) {
      for (let second = 0; second < 50; second += 1) {
        bring();
        if (prng.chance(0.05)) cluster.cut(prng.between(0, 2), prng.between(0, 2));
        if (prng.chance(0.05)) cluster.heal();
        await clock.run(1_000);
      }
      cluster.heal();
      for (const writer of writers) await clock.settle(writer.drain());
      // Journaled, and with the last round that of all members.
      await clock.run(round === 2 ? 200_000 : 90_000);
      const victim = prng.between(0, 2);
      await cluster.crash(victim);
      if (round === 2) cluster.wipe(victim);
      await cluster.start(victim);
    }
    await clock.run(200_000);
    for (const at of [0, 1, 2]) await expectOracle(cluster, await cluster.client(at), oracle);
    expect(cluster.faults).toEqual([]);
  },
  60_000,
);

test('the latest sample is the one that stands of its time, at once and on every replica', async () => {
  const cluster = await clusterOf(1, 1);
  const { clock } = cluster;
  const client = await cluster.client(0);
  const writer = client.writer();
  const series = writer.series({ patient: 'a', device: 'm', metric: 'HR', unit: '' });
  const time = clock.wall();
  const oracle = new Oracle();
  const told: (readonly unknown[])[] = [];
  const brought: readonly (readonly [number, number])[] = [
    [Number.NaN, 0],
    [70, 2],
    [60, 0],
    [90, 0],
    [80, 0],
    [Number.NaN, 0],
    [200, 1],
  ];
  for (const [value, quality] of brought) {
    writer.add(series, time, value, quality);
    oracle.bring('a/m/HR', time, { value: Number.isNaN(value) ? null : value, quality });
    await clock.settle(writer.drain());
    const latest = await clock.settle(client.query({ what: 'latest', series: ['a/m/HR'] }));
    told.push(...columnsOf(latest, 'a/m/HR', ['time', 'value', 'quality']));
    expect(told.at(-1)).toEqual(oracle.rows('a/m/HR').map(plainRow)[0]);
  }
  expect(writer.taken).toMatchObject({ inOrder: 1, behind: brought.length - 1 });
});

test('hours of a long range are told once each, from wherever it begins', async () => {
  const cluster = await clusterOf(1, 1);
  const { clock } = cluster;
  const client = await cluster.client(0);
  const writer = client.writer();
  const series = writer.series({ patient: 'a', device: 'm', metric: 'HR', unit: '' });
  const hour = Math.floor(clock.wall() / TREND_HOUR_MS) * TREND_HOUR_MS;
  for (const minute of [-50, -10]) writer.add(series, hour + minute * 60_000, 80);
  await clock.settle(writer.drain());
  // One answer ends in the middle of that hour.
  const from = hour - 1_800_000 - TREND_ANSWER_ROWS_MAX * TREND_HOUR_MS;
  const starts: number[] = [];
  const query = { what: 'rollup', series: ['*/*/*'], from, to: hour, stepMs: 3_600_000 } as const;
  const all = client.queryAll(query);
  for (;;) {
    const { done, value } = await clock.settle(all.next());
    if (done === true) break;
    starts.push(...(value.series[0]?.columns['start'] ?? []));
  }
  expect(starts).toEqual([hour - TREND_HOUR_MS]);
});

test('a range that ends after all times that have a place of their own is answered like any other', async () => {
  const cluster = await clusterOf(1, 1);
  const { clock } = cluster;
  const client = await cluster.client(0);
  const writer = client.writer();
  const series = writer.series({ patient: 'a', device: 'm', metric: 'HR', unit: '' });
  writer.add(series, clock.wall(), 80);
  await clock.settle(writer.drain());
  // On disk.
  await clock.run(200_000);
  const edge = 2 ** 32 * 60_000;
  for (const to of [clock.wall(), edge - 1, edge, edge + 60_000, 8.64e15]) {
    const range = { series: ['*/*/*'], from: 0, to } as const;
    const { series: found } = await clock.settle(client.query({ what: 'range', ...range }));
    expect(found[0]?.columns['time']).toHaveLength(1);
  }
  const late = { what: 'range', series: ['*/*/*'], from: edge, to: 8.64e15 } as const;
  const { series: none } = await clock.settle(client.query(late));
  expect(none[0]?.columns['time']).toHaveLength(0);
});
