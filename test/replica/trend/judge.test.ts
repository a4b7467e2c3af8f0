import { describe, expect, it } from 'vitest';
import type { AlertRequest } from '../../../src/analytics/alerts.ts';
import type { RuleSet } from '../../../src/base/rules/rules.ts';
import { TrendJudge } from '../../../src/replica/trend/judge.ts';
import { SeriesRegistry } from '../../../src/trend/series.ts';

const RULES: RuleSet = {
  version: 1,
  name: 'test',
  revision: 4,
  rules: [
    {
      id: 'hr-high',
      metric: 'HR',
      side: 'HI',
      limit: 130,
      startAfter: 2,
      endAfter: 2,
      priority: 'high',
    },
  ],
  missing: [{ id: 'hr-missing', metric: 'HR', startAfter: 2, endAfter: 1, priority: 'low' }],
};
const KEY = 'phys:p:m:HR:HI';

function stage(open: readonly string[] = []) {
  const registry = new SeriesRegistry();
  const { place } = registry.register({ patient: 'p', device: 'm', metric: 'HR', unit: '/min' });
  const seen: string[] = [];
  const emit = ({ type, input }: AlertRequest): void => {
    const key = 'dedupKey' in input ? input.dedupKey : input.target.dedupKey;
    seen.push(`${type} ${key}`);
  };
  const judge = new TrendJudge(RULES, registry, new Set(open), emit);
  judge.receive(1_000);
  const feed = (isOwn: boolean, ...values: readonly number[]): void => {
    for (const [at, value] of values.entries()) judge.judge(place, at, value, 0, isOwn);
  };
  return { registry, judge, feed, seen };
}

describe('a judge', () => {
  it('raises and clears for the streams that were brought to it', () => {
    const { feed, seen } = stage();
    feed(true, 140, 140, 100, 100);
    expect(seen).toEqual([`raise ${KEY}`, `clear ${KEY}`]);
  });

  it('follows what peers pass on in silence', () => {
    const { feed, seen } = stage();
    feed(false, 140, 140, 100, 100);
    expect(seen).toEqual([]);
  });

  it('takes a stream over without losing the running condition: it is said again, and cleared at its end', () => {
    const { feed, seen } = stage();
    feed(false, 140, 140);
    feed(true, 140);
    expect(seen).toEqual([`raise ${KEY}`]);
    feed(true, 100, 100);
    expect(seen).toEqual([`raise ${KEY}`, `clear ${KEY}`]);
  });

  it('clears after a restart what was open before it', () => {
    const { feed, seen } = stage([KEY]);
    feed(true, 100, 100);
    expect(seen).toEqual([`clear ${KEY}`]);
  });

  it('takes an invalid value for a missing one', () => {
    const { judge, seen } = stage();
    for (let at = 0; at < 2; at += 1) judge.judge(0, at, 140, 2, true);
    expect(seen).toEqual(['raise tech:p:m:HR:TEC']);
  });

  it('tells of a device whose clock is ahead', () => {
    const { judge, seen } = stage();
    for (let second = 0; second < 60; second += 1) {
      judge.receive(second * 1_000);
      judge.judge(0, second * 1_000 + 8_000, 80, 0, true);
    }
    expect(seen).toEqual(['raise tech:p:m:CLOCK']);
  });

  it('passes over metrics without rules, and patients beyond number', () => {
    const { judge, registry, seen } = stage();
    const { place } = registry.register({ patient: 'p', device: 'm', metric: 'Moon', unit: '' });
    for (let at = 0; at < 9; at += 1) judge.judge(place, at, 1_000, 0, true);
    expect(seen).toEqual([]);
  });
});
