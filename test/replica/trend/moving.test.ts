import fc from 'fast-check';
import { expect, test } from 'vitest';
import type { AlertRequest } from '../../../src/analytics/alerts.ts';
import type { RuleSet } from '../../../src/base/rules/rules.ts';
import { connectTrends } from '../../../src/client/trend/trend-client.ts';
import { TrendJudge } from '../../../src/replica/trend/judge.ts';
import { TrendCluster } from './trend-cluster.ts';

const RULES: RuleSet = {
  version: 1,
  name: 'test',
  revision: 1,
  rules: [
    {
      id: 'hr-high',
      metric: 'HR',
      side: 'HI',
      limit: 130,
      startAfter: 3,
      endAfter: 3,
      priority: 'high',
    },
  ],
  missing: [],
  trends: [
    { id: 'hr-stuck', metric: 'HR', kind: 'stuck', startAfter: 5, endAfter: 1, priority: 'low' },
  ],
  scores: [
    {
      id: 'news2',
      kind: 'news2',
      limit: 3,
      startAfterSeconds: 2,
      endAfterSeconds: 2,
      validMinutes: 60,
      priority: 'high',
    },
  ],
};
const CONDITIONS = ['phys:p:m:HR:HI', 'tech:p:m:HR:STUCK', 'score:p:NEWS2'];

/**
 * What the store holds open, by dedup key, as every replica sees it; and what was cleared on the way. A request takes until
 * the end of its second, and is lost when its replica dies before.
 */
class Store {
  readonly open = new Set<string>();
  readonly cleared: string[] = [];
  #underWay: { readonly from: number; readonly request: AlertRequest }[] = [];

  send(from: number, request: AlertRequest): void {
    this.#underWay.push({ from, request });
  }

  lose(from: number): void {
    this.#underWay = this.#underWay.filter((one) => one.from !== from);
  }

  arrive(): void {
    for (const { request } of this.#underWay) this.#take(request);
    this.#underWay = [];
  }

  #take({ type, input }: AlertRequest): void {
    if (type === 'raise') this.open.add('dedupKey' in input ? input.dedupKey : '');
    else if ('target' in input && this.open.delete(input.target.dedupKey))
      this.cleared.push(input.target.dedupKey);
  }
}

const SIZE = 3;
const HIGH = 150;

/** A second of the story: what the monitor measures, and which replica dies or comes back. */
const step = fc.record({
  isHigh: fc.boolean(),
  fault: fc.option(fc.nat(SIZE - 1), { freq: 2 }),
});
const TAIL = 12;

async function tell(
  steps: readonly { readonly isHigh: boolean; readonly fault: number | null }[],
  seed: number,
): Promise<Store> {
  const store = new Store();
  const cluster = new TrendCluster(SIZE, seed, (registry, at) => {
    return new TrendJudge(RULES, registry, store.open, (request) => store.send(at, request));
  });
  const isUp = Array.from({ length: SIZE }, () => true);
  for (let at = 0; at < SIZE; at += 1) await cluster.start(at);
  const { clock } = cluster;
  await clock.run(2_000);
  const trends = await connectTrends({
    endpoints: cluster.members.map(({ address }) => address),
    name: 'monitor',
    transport: cluster.network.transport('monitor'),
    clock,
    seed,
  });
  const writer = trends.writer();
  const series = writer.series({ patient: 'p', device: 'm', metric: 'HR', unit: '/min' });
  for (const { isHigh, fault } of steps) {
    const value = isHigh ? HIGH : 60 + (Math.floor(clock.wall() / 1_000) % 20);
    writer.add(series, clock.wall(), value);
    await clock.settle(writer.drain());
    if (fault !== null && isUp[fault] === false) {
      await cluster.start(fault);
      isUp[fault] = true;
    } else if (fault !== null && isUp.filter(Boolean).length > 1) {
      store.lose(fault);
      cluster.reset('monitor', fault);
      await cluster.crash(fault);
      isUp[fault] = false;
    }
    store.arrive();
    await clock.run(1_000);
  }
  await clock.settle(trends.close());
  await cluster.close();
  return store;
}

test('conditions that lie at the end are open, and no others are, whichever replicas died meanwhile', async () => {
  await fc.assert(
    fc.asyncProperty(
      fc.array(step, { maxLength: 40 }),
      fc.boolean(),
      fc.integer({ min: 1, max: 2 ** 31 }),
      async (steps, isHigh, seed) => {
        const tail = Array.from({ length: TAIL }, () => ({ isHigh, fault: null }));
        const { open } = await tell([...steps, ...tail], seed);
        expect([...open].sort()).toEqual(isHigh ? [...CONDITIONS].sort() : []);
      },
    ),
    { numRuns: 40 },
  );
}, 120_000);

test('a condition that lasts is never lost from sight while replicas die', async () => {
  await fc.assert(
    fc.asyncProperty(
      fc.array(step, { minLength: 10, maxLength: 40 }),
      fc.integer({ min: 1, max: 2 ** 31 }),
      async (steps, seed) => {
        const tail = Array.from({ length: TAIL }, () => ({ isHigh: true, fault: null }));
        const all = [...steps.map((one) => ({ ...one, isHigh: true })), ...tail];
        const { open, cleared } = await tell(all, seed);
        expect(cleared).toEqual([]);
        expect([...open].sort()).toEqual([...CONDITIONS].sort());
      },
    ),
    { numRuns: 40 },
  );
}, 120_000);
