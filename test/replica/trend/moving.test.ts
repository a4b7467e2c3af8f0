import fc from 'fast-check';
import { expect, test } from 'vitest';
import { type AlertRequest, clearRequest } from '../../../src/analytics/alerts.ts';
import { revision, unixMillis } from '../../../src/base/ids.ts';
import type { RuleSet } from '../../../src/base/rules/rules.ts';
import { connectTrends } from '../../../src/client/trend/trend-client.ts';
import { TrendJudge } from '../../../src/replica/trend/judge.ts';
import { OpenBook, type OpenCondition } from '../../../src/replica/trend/open-book.ts';
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
/** The same after its limit was removed. */
const WITHOUT_LIMIT: RuleSet = { ...RULES, rules: [] };
const CONDITIONS = ['phys:p:m:HR:HI', 'tech:p:m:HR:STUCK', 'score:p:NEWS2'];

/**
 * What the store holds open, by dedup key, as every replica sees it; and what was cleared on the way. A request takes until
 * the end of its second, and is lost when its replica dies before.
 */
class Store {
  readonly book = new OpenBook();
  readonly cleared: string[] = [];
  onOver: (one: OpenCondition) => void = () => {};
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

  get open(): readonly string[] {
    return CONDITIONS.filter((key) => this.book.has(key)).sort();
  }

  #take({ type, input }: AlertRequest): void {
    if (type === 'raise') {
      const { dedupKey: key, subject, cause, condition } = input;
      const { patient, device } = subject;
      const rule = cause.rule.split('@')[0];
      this.book.put({ key, patient, device, rule, condition, revision: revision(1) });
    } else {
      const over = this.book.get(input.target.dedupKey);
      if (over === undefined) return;
      this.cleared.push(over.key);
      this.book.remove(over.key);
      this.onOver(over);
    }
  }
}

const SIZE = 3;
const HIGH = 150;

/**
 * A second of the story: what the monitor measures, which replica dies or comes back, and by what is judged from now on.
 * Replica number SIZE is all of them: they die at once, and come back to find the rules changed.
 */
interface Step {
  readonly isHigh: boolean;
  readonly fault: number | null;
  readonly rules?: RuleSet | null;
  /** What somebody clears who does not know that it goes on. */
  readonly stray?: string | null;
}

const step = fc.record({
  isHigh: fc.boolean(),
  fault: fc.option(fc.nat(SIZE - 1), { freq: 2 }),
});
const stepUnderChange = fc.record({
  isHigh: fc.boolean(),
  fault: fc.option(fc.nat(SIZE), { freq: 2 }),
  rules: fc.option(fc.constantFrom(RULES, WITHOUT_LIMIT), { freq: 2 }),
});
const stepAmongStrays = fc.record({
  isHigh: fc.boolean(),
  fault: fc.option(fc.nat(SIZE - 1), { freq: 2 }),
  stray: fc.option(fc.constantFrom(...CONDITIONS), { freq: 2 }),
});
const TAIL = 12;

async function tell(steps: readonly Step[], seed: number): Promise<Store> {
  const store = new Store();
  let inForce = RULES;
  const judges: TrendJudge[] = [];
  const cluster = new TrendCluster(SIZE, seed, (registry, at) => {
    const judge = new TrendJudge(inForce, registry, store.book, (one) => store.send(at, one));
    judges[at] = judge;
    return judge;
  });
  const isUp = Array.from({ length: SIZE }, () => true);
  store.onOver = (one) => {
    for (const [at, judge] of judges.entries()) if (isUp[at]) judge.over(one);
  };
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
  const start = async (at: number): Promise<void> => {
    await cluster.start(at);
    isUp[at] = true;
  };
  const kill = async (at: number): Promise<void> => {
    store.lose(at);
    cluster.reset('monitor', at);
    await cluster.crash(at);
    isUp[at] = false;
  };
  for (const { isHigh, fault, rules, stray } of steps) {
    const dying = fault === SIZE ? [...isUp.keys()].filter((at) => isUp[at]) : [];
    for (const at of dying) await kill(at);
    if (rules !== null && rules !== undefined) {
      inForce = rules;
      for (const [at, judge] of judges.entries()) if (isUp[at]) judge.use(rules, clock.wall());
    }
    for (const at of dying) await start(at);
    const value = isHigh ? HIGH : 60 + (Math.floor(clock.wall() / 1_000) % 20);
    writer.add(series, clock.wall(), value);
    await clock.settle(writer.drain());
    if (fault !== null && isUp[fault] === false) await start(fault);
    else if (fault !== null && fault < SIZE && isUp.filter(Boolean).length > 1) await kill(fault);
    if (stray !== null && stray !== undefined)
      store.send(SIZE, clearRequest(stray, unixMillis(clock.wall())));
    store.arrive();
    await clock.run(1_000);
  }
  await clock.settle(trends.close());
  await cluster.close();
  return store;
}

test.each([
  ['whichever replicas died meanwhile', step],
  ['also those that somebody cleared who knew less', stepAmongStrays],
])('conditions that lie at the end are open, and no others are, %s', async (_, steps) => {
  await fc.assert(
    fc.asyncProperty(
      fc.array(steps, { maxLength: 40 }),
      fc.boolean(),
      fc.integer({ min: 1, max: 2 ** 31 }),
      async (all, isHigh, seed) => {
        const tail = Array.from({ length: TAIL }, () => ({ isHigh, fault: null }));
        const { open } = await tell([...all, ...tail], seed);
        expect(open).toEqual(isHigh ? [...CONDITIONS].sort() : []);
      },
    ),
    { numRuns: 40 },
  );
});

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
        expect(open).toEqual([...CONDITIONS].sort());
      },
    ),
    { numRuns: 40 },
  );
});

test('nothing stays open by a rule that was removed, whoever was dead or silent when it went', async () => {
  await fc.assert(
    fc.asyncProperty(
      fc.array(stepUnderChange, { maxLength: 40 }),
      fc.constantFrom(RULES, WITHOUT_LIMIT),
      fc.integer({ min: 1, max: 2 ** 31 }),
      async (steps, rules, seed) => {
        const on: Step = { isHigh: true, fault: null, rules: RULES };
        const last = { isHigh: true, fault: SIZE, rules };
        const tail = Array.from({ length: TAIL }, () => ({ ...on, rules }));
        const { open } = await tell([...steps, on, on, on, on, last, ...tail], seed);
        const wanted = CONDITIONS.filter((key) => rules === RULES || !key.startsWith('phys:'));
        expect(open).toEqual([...wanted].sort());
      },
    ),
    { numRuns: 40 },
  );
});
