import { expect, onTestFinished, test } from 'vitest';
import { OpenConditions } from '../../../cli/trend/open-conditions.ts';
import type { RuleSet } from '../../../src/base/rules/rules.ts';
import { TrendJudge } from '../../../src/replica/trend/judge.ts';
import { MemoryCluster } from '../../../src/testing/memory-cluster.ts';
import { SeriesRegistry } from '../../../src/trend/series.ts';
import { HR_HIGH } from '../../hr-high.ts';

const KEY = 'phys:p:m:HR:HI';
const RULES: RuleSet = {
  version: 1,
  name: 'test',
  revision: 1,
  rules: [{ ...HR_HIGH, limit: 130, startAfter: 2, endAfter: 2 }],
  missing: [],
};
/** A slow machine may take its time. */
const PATIENTLY = { timeout: 60_000 };
const RAISED = {
  dedupKey: KEY,
  priority: 'high',
  condition: 'HR:HI',
  subject: { patient: 'p', device: 'm' },
  cause: { metric: 'HR', value: 140, rule: 'hr-high@1' },
} as const;

async function stage() {
  const cluster = await MemoryCluster.start();
  onTestFinished(() => cluster.close());
  const client = await cluster.connect();
  const follow = async (onOver: ConstructorParameters<typeof OpenConditions>[1]) => {
    const open = new OpenConditions(client, onOver);
    await open.start((error) => expect.unreachable(error.message));
    onTestFinished(() => open.close());
    return open;
  };
  return { client, follow };
}

test('an alert is over when it is cleared, not when somebody resolves it while it goes on', async () => {
  const { client, follow } = await stage();
  const over: string[] = [];
  const { book } = await follow(({ key, patient, device }) => {
    over.push(`${key} ${patient} ${device}`);
  });
  const alerts = [KEY, 'phys:p:m:HR:LO', 'other:p:m:HR:HI'];
  for (const dedupKey of alerts) await client.raise({ ...RAISED, dedupKey });
  await expect
    .poll(() => alerts.map((key) => book.has(key)), PATIENTLY)
    .toEqual([true, true, false]);
  await client.care({
    type: 'resolve',
    target: { dedupKey: 'phys:p:m:HR:LO' },
    reason: 'seen to',
    force: true,
    confirmedBy: 'another',
  });
  await client.clear({ target: { dedupKey: 'other:p:m:HR:HI' } });
  await client.clear({ target: { dedupKey: KEY } });
  await expect.poll(() => over, PATIENTLY).toEqual([`${KEY} p m`]);
  expect(book.has('phys:p:m:HR:LO')).toBe(false);
});

test('a condition that was taken up in the instant in which another one cleared it is raised again, and once', async () => {
  const { client, follow } = await stage();
  await client.raise(RAISED);
  const registry = new SeriesRegistry();
  const { place } = registry.register({ patient: 'p', device: 'm', metric: 'HR', unit: '/min' });
  const raised: Promise<unknown>[] = [];
  let judge: TrendJudge | undefined;
  const { book } = await follow((one) => judge?.over(one));
  judge = new TrendJudge(RULES, registry, book, (request) => {
    if (request.type === 'raise') raised.push(client.raise(request.input));
  });
  let time = 0;
  const feed = (value: number): void => {
    time += 1_000;
    judge.receive(time);
    judge.judge(place, time, value, 0, true);
  };
  feed(140);
  expect(raised).toEqual([]);
  await client.clear({ target: { dedupKey: KEY } });
  await expect
    .poll(() => {
      feed(140);
      return raised.length;
    }, PATIENTLY)
    .toBe(1);
  await Promise.all(raised);
  for (let second = 0; second < 5; second += 1) feed(140);
  expect(raised).toHaveLength(1);
  const { value } = await client.list({ open: true });
  const present = value.alerts.filter(({ presence }) => presence === 'present');
  expect(present.map(({ dedupKey }) => dedupKey)).toEqual([KEY]);
});
