import fc from 'fast-check';
import { expect, onTestFinished, test } from 'vitest';
import { TREND_HOUR_MS, TREND_RAW_MS_MAX } from '../../../src/base/trend-limits.ts';
import { keyOf } from '../../../src/replica/trend/keys.ts';
import {
  betterMinute,
  encodeSummary,
  summaryOf,
} from '../../../src/replica/trend/minute-record.ts';
import { SKETCHES } from '../../../src/wire/trend/sketch.ts';
import { TrendCluster } from './trend-cluster.ts';

const minuteOf = (start: number, values: readonly number[]): Uint8Array =>
  encodeSummary(
    summaryOf(
      {
        times: Float64Array.from(values, (_, at) => start + at * 1_000),
        values: Float64Array.from(values),
        qualities: new Uint8Array(values.length),
      },
      SKETCHES,
    ),
    start,
  );

const values = fc.array(fc.integer({ min: 40, max: 180 }), { minLength: 1, maxLength: 8 });

test('of rollups of one minute the same one stays, in whatever order and how often they are met', () => {
  fc.assert(
    fc.property(
      fc.array(values, { minLength: 1, maxLength: 5 }),
      fc.array(fc.nat(), { maxLength: 10 }),
      (all, again) => {
        const minutes = all.map((one) => minuteOf(0, one));
        const met = (order: readonly Uint8Array[]): Uint8Array | undefined =>
          order.reduce<Uint8Array | undefined>(
            (known, other) => betterMinute(known, other, 0, SKETCHES),
            undefined,
          );
        const repeated = again.map((at) => minutes[at % minutes.length] as Uint8Array);
        expect(met([...minutes.toReversed(), ...repeated])).toEqual(met(minutes));
      },
    ),
  );
});

test('replicas exchange minutes whose samples are gone, and end with those that know more', async () => {
  const cluster = new TrendCluster(2, 3);
  onTestFinished(() => cluster.close());
  for (const at of [0, 1]) await cluster.start(at);
  const { clock } = cluster;
  const info = { patient: 'p', device: 'm', metric: 'HR', unit: '/min' };
  const old = Math.floor((clock.wall() - TREND_RAW_MS_MAX) / TREND_HOUR_MS) * TREND_HOUR_MS;
  const begin = old - 3 * TREND_HOUR_MS;
  const [a, b] = [cluster.replica(0).keeper, cluster.replica(1).keeper];
  const { id } = a.register(info);
  const put = (keeper: typeof a, minute: number, said: readonly number[]): Promise<void> => {
    const start = begin + minute * 60_000;
    return keeper.disk.write([[keyOf('minutes', id, start), minuteOf(start, said)]], true);
  };
  await put(a, 0, [70, 71]);
  await put(a, 1, [70]);
  b.register(info);
  await put(b, 1, [70, 72, 74]);
  await put(b, 2, [90]);
  await clock.run(120_000);
  for (const at of [0, 1]) {
    const client = await cluster.client(at);
    const query = {
      what: 'rollup',
      series: ['p/m/HR'],
      from: begin,
      to: begin + 180_000,
      stepMs: 60_000,
    } as const;
    const { series } = await clock.settle(client.query(query));
    expect([...(series[0]?.columns['count'] ?? [])], `replica ${at + 1}`).toEqual([2, 3, 1]);
  }
});
