import { expect, onTestFinished, test } from 'vitest';
import { chartOf, type Measurement, record } from '../../examples/vital-signs.ts';
import { TrendCluster } from '../replica/trend/trend-cluster.ts';

test('vital signs come back as a chart from another replica, which says how fresh and how complete it is', async () => {
  const cluster = new TrendCluster(2, 7);
  onTestFinished(() => cluster.close());
  for (const at of [0, 1]) await cluster.start(at);
  const { clock } = cluster;
  const from = Math.floor(clock.wall() / 60_000) * 60_000;
  const measured = async function* (): AsyncGenerator<Measurement> {
    for (let second = 0; second < 90; second += 1)
      yield {
        patient: 'p',
        device: 'm',
        metric: 'HR',
        unit: '/min',
        at: from + second * 1_000,
        value: second === 30 ? null : 70 + (second % 7),
      };
  };
  const [writer, reader] = [await cluster.client(0), await cluster.client(1)];
  expect(await clock.settle(record(writer, measured()))).toBe(0);
  await clock.run(300_000);
  const chart = await clock.settle(chartOf(reader, 'p/m/HR', from, from + 90_000));
  // The one that was missing is a gap.
  expect(chart.points.length).toBe(89);
  expect(chart.points.slice(29, 31)).toEqual([
    [from + 29_000, 71],
    [from + 31_000, 73],
  ]);
  expect(chart.says).toMatch(/^replica 2: newest sample \d+ s old; complete up to \d+ s ago$/);
});
