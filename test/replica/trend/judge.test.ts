import { describe, expect, it } from 'vitest';
import type { AlertRequest } from '../../../src/analytics/alerts.ts';
import { revision } from '../../../src/base/ids.ts';
import type { RuleSet } from '../../../src/base/rules/rules.ts';
import { TrendJudge } from '../../../src/replica/trend/judge.ts';
import { leftInAll } from '../../../src/replica/trend/leftovers.ts';
import { OpenBook } from '../../../src/replica/trend/open-book.ts';
import { SeriesRegistry } from '../../../src/trend/series.ts';
import { HR_HIGH } from '../../hr-high.ts';

const RULES: RuleSet = {
  version: 1,
  name: 'test',
  revision: 4,
  rules: [{ ...HR_HIGH, limit: 130, startAfter: 2, endAfter: 2 }],
  missing: [{ id: 'hr-missing', metric: 'HR', startAfter: 2, endAfter: 1, priority: 'low' }],
};
const KEY = 'phys:p:m:HR:HI';

const TRENDS: RuleSet = {
  ...RULES,
  trends: [
    { id: 'hr-stuck', metric: 'HR', kind: 'stuck', startAfter: 3, endAfter: 1, priority: 'low' },
    {
      id: 'hr-shift',
      metric: 'HR',
      kind: 'cusum',
      slack: 0.5,
      limit: 5,
      startAfter: 1,
      endAfter: 1,
      priority: 'low',
    },
  ],
  scores: [
    {
      id: 'news2',
      kind: 'news2',
      limit: 6,
      startAfterSeconds: 0,
      endAfterSeconds: 0,
      validMinutes: 60,
      priority: 'high',
    },
  ],
};

function stage(open: readonly string[] = [], rules: RuleSet = RULES) {
  const registry = new SeriesRegistry();
  const { place } = registry.register({ patient: 'p', device: 'm', metric: 'HR', unit: '/min' });
  const seen: string[] = [];
  const requests: AlertRequest[] = [];
  const book = new OpenBook();
  const putOpen = (key: string, rule: string | undefined): void => {
    const device = key.startsWith('score:') ? undefined : 'm';
    const condition = key
      .split(':')
      .slice(device === undefined ? 2 : 3)
      .join(':');
    book.put({ key, patient: 'p', device, rule, condition, revision: revision(1) });
  };
  for (const key of open) putOpen(key, 'some');
  const emit = ({ type, input }: AlertRequest): void => {
    const key = 'dedupKey' in input ? input.dedupKey : input.target.dedupKey;
    seen.push(`${type} ${key}`);
    requests.push({ type, input } as AlertRequest);
  };
  const judge = new TrendJudge(rules, registry, book, emit);
  judge.receive(1_000);
  const feed = (isOwn: boolean, ...values: readonly number[]): void => {
    for (const [at, value] of values.entries()) judge.judge(place, at, value, 0, isOwn);
  };
  return { registry, judge, feed, seen, requests, book, putOpen };
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

  it('says once more what it took up as open when somebody else just cleared it', () => {
    const { feed, seen, judge, book } = stage([KEY]);
    feed(true, 140);
    book.remove(KEY);
    judge.over({ key: KEY, patient: 'p', device: 'm' });
    expect(seen).toEqual([]);
    feed(true, 140);
    expect(seen).toEqual([`raise ${KEY}`]);
    feed(true, 100, 100);
    expect(seen).toEqual([`raise ${KEY}`, `clear ${KEY}`]);
  });

  it.each([
    ['that it ended itself', [140, 140, 100, 100], KEY],
    ['that was not on', [100], KEY],
    ['of another condition', [140, 140], 'phys:p:m:HR:LO'],
  ])('says nothing when it hears of an end %s', (_what, values, key) => {
    const { feed, seen, judge } = stage();
    feed(true, ...values);
    const before = [...seen];
    judge.over({ key, patient: 'p', device: 'm' });
    feed(true, values.at(-1) ?? 0);
    expect(seen).toEqual(before);
  });

  it('says nothing about an end of what a peer speaks for', () => {
    const { feed, seen, judge } = stage();
    feed(false, 140, 140);
    judge.over({ key: KEY, patient: 'p', device: 'm' });
    feed(false, 140);
    expect(seen).toEqual([]);
  });

  it('says a trend and a score once more, too, that are cleared while they go on', () => {
    const { feed, seen, registry, judge } = stage([], TRENDS);
    const info = { patient: 'p', device: 'other', metric: 'ARTsys', unit: '' };
    judge.judge(registry.register(info).place, 0, 85, 0, false);
    feed(true, 140, 140, 140, 140);
    seen.length = 0;
    judge.over({ key: 'tech:p:m:HR:STUCK', patient: 'p', device: 'm' });
    feed(true, 140);
    expect(seen).toContain('raise tech:p:m:HR:STUCK');
    expect(seen).not.toContain('raise score:p:NEWS2');
    seen.length = 0;
    judge.over({ key: 'score:p:NEWS2', patient: 'p', device: undefined });
    feed(true, 140);
    expect(seen).toEqual(['raise score:p:NEWS2']);
  });

  it('goes on counting towards the end of what it takes over, though the store has it open', () => {
    const { feed, seen, putOpen } = stage();
    feed(false, 140, 140, 100);
    putOpen(KEY, 'hr-high');
    feed(true, 100);
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

  it('clears what ended while nobody spoke for it: it is open, and not running here', () => {
    const { feed, seen, putOpen } = stage();
    feed(false, 140, 140);
    putOpen(KEY, 'hr-high');
    feed(false, 100, 100);
    feed(true, 100, 100);
    expect(seen).toEqual([`clear ${KEY}`]);
  });

  it('takes trends, scores and clocks over as it does limits', () => {
    const open = ['tech:p:m:HR:STUCK', 'trend:p:m:HR:CUSUM', 'score:p:NEWS2', 'tech:p:m:CLOCK'];
    const { judge, feed, seen } = stage(open, TRENDS);
    feed(true, 80, 81);
    expect(seen).toEqual(['clear score:p:NEWS2', 'clear tech:p:m:HR:STUCK']);
    for (let second = 0; second < 1_000; second += 1) {
      judge.receive(1_000 + second * 1_000);
      judge.judge(0, 1_000 + second * 1_000, 80 + (second % 2), 0, true);
    }
    expect(seen.slice(2).sort()).toEqual(['clear tech:p:m:CLOCK', 'clear trend:p:m:HR:CUSUM']);
  });

  it('says again what runs of trends and scores when it takes a stream over', () => {
    const { feed, seen, registry, judge } = stage([], TRENDS);
    const info = { patient: 'p', device: 'other', metric: 'ARTsys', unit: '' };
    judge.judge(registry.register(info).place, 0, 85, 0, false);
    feed(false, 140, 140, 140, 140);
    expect(seen).toEqual([]);
    feed(true, 140);
    expect(seen.sort()).toEqual([`raise ${KEY}`, 'raise score:p:NEWS2', 'raise tech:p:m:HR:STUCK']);
  });

  it('names the value, the limit and the version of the rule in each alert', () => {
    const { judge, feed, requests } = stage();
    judge.use({ ...RULES, versions: { 'hr-high': 17 } }, 1_000);
    feed(true, 140, 141);
    expect(requests[0]?.input).toMatchObject({
      cause: { metric: 'HR', value: 141, limit: 130, rule: 'hr-high@17' },
    });
  });

  it('goes on under changed rules, and clears conditions whose rules are gone, at home or not', () => {
    for (const isOwn of [true, false]) {
      const { judge, feed, seen } = stage([], TRENDS);
      feed(isOwn, 140, 140, 140, 140);
      seen.length = 0;
      const [high] = RULES.rules;
      judge.use({ ...RULES, rules: high === undefined ? [] : [{ ...high, limit: 135 }] }, 1_000);
      expect(seen).toEqual(['clear tech:p:m:HR:STUCK']);
      feed(true, 134, 134);
      expect(seen).toContain(`clear ${KEY}`);
      judge.use({ ...RULES, rules: [] }, 1_000);
      feed(true, 200, 200);
      expect(seen.filter((one) => one === `raise ${KEY}`).length).toBe(isOwn ? 0 : 1);
    }
  });

  it('clears what a rule has left open that is gone when it begins to speak, and no alert that is none of a rule', () => {
    const { feed, seen, putOpen } = stage();
    putOpen('phys:p:m:HR:LO', 'hr-low');
    putOpen('score:p:NEWS2', 'news2');
    putOpen('phys:p:m:SpO2:LO', undefined);
    feed(false, 100);
    expect(seen).toEqual([]);
    feed(true, 100);
    expect(seen.sort()).toEqual(['clear phys:p:m:HR:LO', 'clear score:p:NEWS2']);
  });

  it('clears once what the rules that change have left open, whether it runs here or nowhere', () => {
    const { judge, feed, seen, putOpen } = stage();
    feed(true, 140, 140);
    putOpen(KEY, 'hr-high');
    putOpen('phys:away:m:HR:HI', 'hr-high');
    putOpen('phys:away:m:HR:LO', 'of-others');
    seen.length = 0;
    judge.use({ ...RULES, rules: [] }, 1_000);
    expect(seen.sort()).toEqual(['clear phys:away:m:HR:HI', `clear ${KEY}`]);
  });

  it('keeps what is open of a rule that was made to be about another condition, if it is that one', () => {
    const { judge, seen, putOpen } = stage();
    putOpen('phys:away:m:HR:HI', 'hr-high');
    putOpen('phys:away:m:HR:LO', 'hr-high');
    const [high] = RULES.rules;
    judge.use({ ...RULES, rules: high === undefined ? [] : [{ ...high, side: 'LO' }] }, 1_000);
    expect(seen).toEqual(['clear phys:away:m:HR:HI']);
  });

  it('tells which open conditions no rule in force has raised', () => {
    const { book, putOpen } = stage();
    putOpen(KEY, 'hr-high');
    putOpen('phys:p:m:HR:LO', 'gone');
    putOpen('tech:p:m:CLOCK', 'device-clock');
    putOpen('phys:p:m:SpO2:LO', undefined);
    const left = (rules: RuleSet): readonly string[] =>
      leftInAll(book, rules).map((one) => one.key);
    expect(left(RULES)).toEqual(['phys:p:m:HR:LO']);
    expect(left({ ...RULES, rules: [] })).toEqual([KEY, 'phys:p:m:HR:LO']);
    const rules = RULES.rules.map((rule) => ({ ...rule, side: 'LO' as const }));
    expect(left({ ...RULES, rules })).toEqual([KEY, 'phys:p:m:HR:LO']);
  });

  it('does not say things twice for a patient whose devices send to different replicas', () => {
    const { judge, feed, seen, registry } = stage([], TRENDS);
    const info = { patient: 'p', device: 'other', metric: 'ARTsys', unit: '' };
    const { place } = registry.register(info);
    feed(true, 140);
    for (let at = 0; at < 5; at += 1) {
      judge.judge(place, at, 85, 0, false);
      judge.judge(0, 10 + at, 141 + at, 0, true);
    }
    expect(seen.filter((one) => one.includes('NEWS2')).length).toBeLessThanOrEqual(1);
  });
});
