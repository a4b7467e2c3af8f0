import { expect, onTestFinished, test } from 'vitest';
import { keyOf } from '../../../cli/pipeline/alert-sender.ts';
import type { AlertRequest } from '../../../src/analytics/alerts.ts';
import type { RuleSet } from '../../../src/base/rules/rules.ts';
import { connectTrends } from '../../../src/client/trend/trend-client.ts';
import { TrendJudge } from '../../../src/replica/trend/judge.ts';
import { OpenBook } from '../../../src/replica/trend/open-book.ts';
import { TrendCluster } from './trend-cluster.ts';

const HIGH = { id: 'hr-high', metric: 'HR', side: 'HI', limit: 130, priority: 'high' } as const;
const RULES: RuleSet = {
  version: 1,
  name: 'test',
  revision: 1,
  rules: [{ ...HIGH, startAfter: 3, endAfter: 3 }],
  missing: [],
};
const MINUTE_MS = 60_000;

interface Second {
  /** How far the monitor's clock is ahead. */
  readonly off: number;
  readonly isHigh?: boolean;
}

/** What is told of a monitor that sends a sample a second for two minutes and a half. */
async function told(at: (second: number) => Second): Promise<readonly string[]> {
  const said: string[] = [];
  const emit = ({ type, input }: AlertRequest): void => {
    said.push(
      type === 'raise' ? `${input.dedupKey}: ${input.text}` : `end of ${keyOf({ type, input })}`,
    );
  };
  const cluster = new TrendCluster(
    3,
    7,
    (registry) => new TrendJudge(RULES, registry, new OpenBook(), emit),
  );
  onTestFinished(() => cluster.close());
  for (let at = 0; at < 3; at += 1) await cluster.start(at);
  const { clock, network } = cluster;
  const trends = await connectTrends({
    endpoints: cluster.members.map(({ address }) => address),
    name: 'monitor',
    transport: network.transport('monitor'),
    clock,
    seed: 7,
  });
  const writer = trends.writer();
  const series = writer.series({ patient: 'p', device: 'm', metric: 'HR', unit: '/min' });
  for (let second = 0; second < 150; second += 1) {
    const { off, isHigh = false } = at(second);
    writer.add(series, clock.wall() + off, isHigh ? 150 : 80);
    await clock.settle(writer.drain());
    await clock.run(1_000 - (clock.wall() % 1_000));
  }
  await clock.settle(trends.close());
  return said;
}

const AHEAD = 'tech:p:m:CLOCK: Clock of m is 600 s ahead';
const HIGH_PULSE = 'phys:p:m:HR:HI: HR at or above 130 /min';

test('a clock so far ahead that its samples are refused is told of, and when it is right again', async () => {
  expect(await told((second) => ({ off: second < 70 ? 10 * MINUTE_MS : 0 }))).toEqual([
    AHEAD,
    'end of tech:p:m:CLOCK',
  ]);
});

test('what a monitor with a wrong clock measures is judged from when that is known, also if it is refused', async () => {
  const all = await told((second) => ({
    off: 10 * MINUTE_MS,
    isHigh: second >= 60 && second < 90,
  }));
  expect(all).toEqual([AHEAD, HIGH_PULSE, 'end of phys:p:m:HR:HI']);
});

test('a clock that begins in 1970 is told of', async () => {
  const [first] = await told(() => ({ off: -1_767_225_600_000 }));
  expect(first).toMatch(/^tech:p:m:CLOCK: Clock of m is 1767225600(?:\.\d)? s behind$/);
});

test('a clock that was set back is told of, and what comes then is judged, though it all comes behind other samples', async () => {
  const all = await told((second) => ({
    off: second < 20 ? 0 : -60 * MINUTE_MS,
    isHigh: second >= 80,
  }));
  expect(all).toEqual(['tech:p:m:CLOCK: Clock of m is 3600 s behind', HIGH_PULSE]);
});

test('a clock that was ahead and is set right costs no judging, known as wrong or not', async () => {
  const all = await told((second) => ({
    off: second < 20 ? 4 * MINUTE_MS : 0,
    isHigh: second >= 25,
  }));
  expect(all).toEqual([HIGH_PULSE]);
});

test('a backlog that a monitor sends in between is not judged', async () => {
  const all = await told((second) => ({
    off: second % 2 === 0 ? 0 : -60 * MINUTE_MS,
    isHigh: second % 2 === 1,
  }));
  expect(all).toEqual([]);
});
