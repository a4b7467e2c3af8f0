import fc from 'fast-check';
import { expect, onTestFinished, test } from 'vitest';
import { TREND_HOUR_MS, TREND_RAW_MS_MAX } from '../../../src/base/trend-limits.ts';
import { keyOf } from '../../../src/replica/trend/keys.ts';
import {
  betterRollup,
  encodeSummary,
  type RollupLevel,
  summaryOf,
} from '../../../src/replica/trend/minute-record.ts';
import { encodeRollups, rollUp } from '../../../src/trend/rollup.ts';
import { SKETCHES } from '../../../src/wire/trend/sketch.ts';
import { TrendCluster } from './trend-cluster.ts';

const LEVELS = ['seconds', 'minutes'] as const;

function rollupOf(level: RollupLevel, start: number, values: readonly number[]): Uint8Array {
  const samples = {
    times: Float64Array.from(values, (_, at) => start + at * 1_000),
    values: Float64Array.from(values),
    qualities: new Uint8Array(values.length),
  };
  return level === 'seconds'
    ? encodeRollups(rollUp(samples, 1_000), start)
    : encodeSummary(summaryOf(samples, SKETCHES), start);
}

const values = fc.array(fc.integer({ min: 40, max: 180 }), { minLength: 1, maxLength: 8 });

test.each(LEVELS)(
  'of rollups (%s) of one minute the same one stays, in whatever order and how often they are met',
  (level) => {
    fc.assert(
      fc.property(
        fc.array(values, { minLength: 1, maxLength: 5 }),
        fc.array(fc.nat(), { maxLength: 10 }),
        (all, again) => {
          const minutes = all.map((one) => rollupOf(level, 0, one));
          const met = (order: readonly Uint8Array[]): Uint8Array | undefined =>
            order.reduce<Uint8Array | undefined>(
              (known, other) => betterRollup(level, known, other, 0, SKETCHES),
              undefined,
            );
          const repeated = again.map((at) => minutes[at % minutes.length] as Uint8Array);
          expect(met([...minutes.toReversed(), ...repeated])).toEqual(met(minutes));
        },
      ),
    );
  },
);

test.each(LEVELS)(
  'replicas exchange %s whose samples are gone, and end with those that know more',
  async (level) => {
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
      return keeper.disk.write([[keyOf(level, id, start), rollupOf(level, start, said)]], true);
    };
    await put(a, 0, [70, 71]);
    await put(a, 1, [70]);
    b.register(info);
    await put(b, 1, [70, 72, 74]);
    await put(b, 2, [90]);
    await clock.run(level === 'seconds' ? 240_000 : 120_000);
    for (const at of [0, 1]) {
      const client = await cluster.client(at);
      const query = {
        what: 'rollup',
        series: ['p/m/HR'],
        from: begin,
        to: begin + 180_000,
        stepMs: level === 'seconds' ? 1_000 : 60_000,
      } as const;
      const { series } = await clock.settle(client.query(query));
      const { start = [], count = [] } = series[0]?.columns ?? {};
      const perMinute = [0, 1, 2].map((minute) =>
        [...count]
          .filter((_, row) => Math.floor(((start[row] ?? 0) - begin) / 60_000) === minute)
          .reduce((total, one) => total + one, 0),
      );
      expect(perMinute, `replica ${at + 1}`).toEqual([2, 3, 1]);
    }
  },
);
