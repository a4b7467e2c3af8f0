import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { LimitEngine, type Transition } from '../../src/analytics/limits.ts';
import { BugError } from '../../src/base/assert.ts';
import { RULE_SUBJECTS_MAX, RULES_PER_SET_MAX } from '../../src/base/limits.ts';
import type { MetricName } from '../../src/base/rules/metrics.ts';
import {
  conditionOf,
  findProblem,
  type LimitRule,
  type MissingRule,
  type RuleSet,
} from '../../src/base/rules/rules.ts';

const NAN = Number.NaN;
const METRICS: readonly MetricName[] = ['HR', 'RESP'];

function limit(id: string, change: Partial<LimitRule> = {}): LimitRule {
  const rule = { id, metric: 'HR', side: 'HI', limit: 130, startAfter: 3, endAfter: 2 } as const;
  return { ...rule, priority: 'high', ...change };
}

function missing(id: string, change: Partial<MissingRule> = {}): MissingRule {
  return { id, metric: 'HR', startAfter: 3, endAfter: 1, priority: 'low', ...change };
}

const setOf = (
  rules: readonly LimitRule[],
  missingRules: readonly MissingRule[] = [],
): RuleSet => ({
  version: 1,
  name: 'test',
  revision: 1,
  rules,
  missing: missingRules,
});

/** `2 HI start` for each transition of HR samples given one a second. */
function run(set: RuleSet, values: readonly number[]): readonly string[] {
  const engine = new LimitEngine(set, METRICS);
  const seen: string[] = [];
  for (const [time, value] of values.entries())
    engine.sample(0, 0, time, value, (t) => seen.push(`${t.time} ${t.rule.id} ${t.phase}`));
  return seen;
}

/** As slow and plain as can be: looks back over all that was seen, at each sample. */
function judgePlainly(rule: LimitRule | MissingRule, values: readonly number[]): readonly string[] {
  const seen: string[] = [];
  let on = false;
  for (let now = 0; now < values.length; now += 1) {
    const history: boolean[] = [];
    for (const value of values.slice(0, now + 1)) {
      if (!('side' in rule)) history.push(Number.isNaN(value));
      else if (!Number.isNaN(value))
        history.push(rule.side === 'HI' ? value >= rule.limit : value <= rule.limit);
    }
    // A missing sample decides nothing about a limit.
    if ('side' in rule && Number.isNaN(values[now])) continue;
    const needed = on ? rule.endAfter : rule.startAfter;
    const newest = history.slice(-needed);
    if (newest.length === needed && newest.every((bad) => bad !== on)) {
      on = !on;
      seen.push(`${now} ${rule.id} ${on ? 'start' : 'end'}`);
    }
  }
  return seen;
}

const counts = fc.integer({ min: 1, max: 5 });
const anyLimit = fc
  .record({
    side: fc.constantFrom('HI', 'LO'),
    limit: fc.integer({ min: 0, max: 4 }),
    startAfter: counts,
    endAfter: counts,
  })
  .map((fields) => fields as Partial<LimitRule>);
const anyValues = fc.array(fc.oneof(fc.integer({ min: 0, max: 4 }), fc.constant(NAN)), {
  maxLength: 60,
});

describe('limit engine', () => {
  it('finds what a plain look back over all samples finds, for any rule and any samples', () => {
    fc.assert(
      fc.property(anyLimit, counts, counts, anyValues, (fields, startAfter, endAfter, values) => {
        const phys = limit('phys', fields);
        const tech = missing('tech', { startAfter, endAfter });
        expect(run(setOf([phys]), values)).toEqual(judgePlainly(phys, values));
        expect(run(setOf([], [tech]), values)).toEqual(judgePlainly(tech, values));
      }),
      { numRuns: 500 },
    );
  });

  it('judges each rule, subject and metric as if it were alone', () => {
    const samples = fc.array(
      fc.tuple(
        fc.integer({ min: 0, max: 200 }),
        fc.constantFrom(0, 1),
        fc.oneof(fc.integer({ min: 0, max: 4 }), fc.constant(NAN)),
      ),
      { maxLength: 200 },
    );
    const rules = [
      limit('a', { limit: 3, startAfter: 2 }),
      limit('b', { limit: 4, instance: 'extreme', startAfter: 1 }),
      limit('c', { side: 'LO', limit: 1 }),
      limit('d', { metric: 'RESP', limit: 2 }),
    ];
    const set = setOf(rules, [missing('e'), missing('f', { metric: 'RESP', startAfter: 1 })]);
    fc.assert(
      fc.property(samples, fc.constantFrom(1, 97), (all, stride) => {
        const together = new LimitEngine(set, METRICS);
        const seen: Transition[] = [];
        for (const [time, [subject, metric, value]] of all.entries())
          together.sample(subject * stride, metric, time, value, (t) => seen.push(t));
        for (const rule of [...set.rules, ...set.missing]) {
          for (const subject of new Set(all.map(([one]) => one))) {
            const mine = all.flatMap(([one, metric, value], time) =>
              one === subject && METRICS[metric] === rule.metric ? [{ time, value }] : [],
            );
            const expected = judgePlainly(
              rule,
              mine.map(({ value }) => value),
            );
            const found = seen.filter(
              (t) => t.rule.id === rule.id && t.subject === subject * stride,
            );
            const place = (time: number) => mine.findIndex((one) => one.time === time);
            expect(found.map((t) => `${place(t.time)} ${t.rule.id} ${t.phase}`)).toEqual(expected);
          }
        }
      }),
      { numRuns: 60 },
    );
  });

  it('emits start and end of a condition in turn, beginning with a start', () => {
    fc.assert(
      fc.property(anyLimit, anyValues, (fields, values) => {
        const phases = run(setOf([limit('a', fields)]), values).map((text) => text.split(' ')[2]);
        expect(phases).toEqual(phases.map((_, index) => (index % 2 === 0 ? 'start' : 'end')));
      }),
    );
  });

  const hi = setOf([limit('hi')]);
  const lo = setOf([limit('lo', { side: 'LO', limit: 40 })]);
  const tec = setOf([], [missing('tec')]);
  it.each<[string, RuleSet, readonly number[], readonly string[]]>([
    ['a value at the high limit violates it', hi, [130, 130, 130], ['2 hi start']],
    ['a value just below the high limit does not', hi, [129.999, 129.999, 129.999], []],
    ['a value at the low limit violates it', lo, [40, 40, 40], ['2 lo start']],
    ['a value just above the low limit does not', lo, [40.001, 40.001, 40.001], []],
    ['one sample too few does not start', hi, [130, 130, 129, 130, 130], []],
    [
      'a missing sample changes neither count',
      hi,
      [130, NAN, 130, NAN, 130, 1, NAN, 1],
      ['4 hi start', '7 hi end'],
    ],
    [
      'a violation starts the count towards the end over',
      hi,
      [130, 130, 130, 1, 130, 1, 1],
      ['2 hi start', '6 hi end'],
    ],
    ['a condition still on at the end has no end', hi, [130, 130, 130, 130, 1], ['2 hi start']],
    ['an infinite value is no sample', hi, [Infinity, Infinity, Infinity], []],
    ['a missing run starts a technical condition', tec, [NAN, NAN, NAN, NAN], ['2 tec start']],
    ['infinite values are missing ones', tec, [Infinity, -Infinity, NAN], ['2 tec start']],
    [
      'a technical condition ends at the next present sample',
      tec,
      [NAN, NAN, NAN, 0],
      ['2 tec start', '3 tec end'],
    ],
    ['a present sample starts the count of missing ones over', tec, [NAN, NAN, 0, NAN, NAN], []],
  ])('%s', (_, set, values, expected) => {
    expect(run(set, values)).toEqual(expected);
  });

  it('orders the transitions of one sample HI, LO, TEC, and by the set within these', () => {
    const rules = [
      limit('lo', { side: 'LO', limit: 40, startAfter: 1, endAfter: 1 }),
      limit('hi', { startAfter: 1, instance: 'first' }),
      limit('hi-2', { startAfter: 1, limit: 120 }),
    ];
    const set = setOf(rules, [missing('tec', { startAfter: 1 })]);
    expect(run(set, [1, NAN, 200])).toEqual([
      '0 lo start',
      '1 tec start',
      '2 hi start',
      '2 hi-2 start',
      '2 lo end',
      '2 tec end',
    ]);
  });

  it('tells with a transition what was decided and by what', () => {
    const engine = new LimitEngine(
      setOf([limit('a', { startAfter: 1 })], [missing('m', { startAfter: 1 })]),
      METRICS,
    );
    const seen: Transition[] = [];
    engine.sample(7, 0, 5_000, 142, (t) => seen.push(t));
    engine.sample(7, 0, 6_000, NAN, (t) => seen.push(t));
    expect(seen).toMatchObject([
      {
        subject: 7,
        metric: 'HR',
        kind: 'HI',
        phase: 'start',
        time: 5_000,
        value: 142,
        rule: { id: 'a' },
      },
      {
        subject: 7,
        metric: 'HR',
        kind: 'TEC',
        phase: 'start',
        time: 6_000,
        value: null,
        rule: { id: 'm' },
      },
    ]);
  });

  it('takes up a condition that was on, and ends it', () => {
    const engine = new LimitEngine(hi, METRICS);
    engine.resume(3, 'hi');
    expect(engine.isOn(3, 'hi')).toBe(true);
    const seen: string[] = [];
    for (const value of [131, 1, 1]) engine.sample(3, 0, 0, value, (t) => seen.push(t.phase));
    expect(seen).toEqual(['end']);
    expect(engine.isOn(3, 'hi')).toBe(false);
  });

  it('forgets one subject and no other', () => {
    const engine = new LimitEngine(hi, METRICS);
    for (const subject of [0, 1, 2]) engine.resume(subject, 'hi');
    engine.forget(1);
    expect([0, 1, 2].map((subject) => engine.isOn(subject, 'hi'))).toEqual([true, false, true]);
  });

  it('keeps what it knows while subjects are added up to the limit, and refuses one more', () => {
    const engine = new LimitEngine(hi, METRICS);
    engine.resume(0, 'hi');
    for (const subject of [63, 64, 1_000, RULE_SUBJECTS_MAX - 1]) {
      engine.resume(subject, 'hi');
      expect(engine.isOn(subject, 'hi')).toBe(true);
    }
    expect(engine.isOn(0, 'hi')).toBe(true);
    for (const subject of [RULE_SUBJECTS_MAX, -1, 0.5, NAN])
      expect(() => engine.sample(subject, 0, 0, 1, () => {})).toThrow(BugError);
  });

  it.each([-1, 2, 0.5, NAN])('refuses metric %s of two', (metric) => {
    expect(() => new LimitEngine(hi, METRICS).sample(0, metric, 0, 1, () => {})).toThrow(BugError);
  });

  it('names the rules about metrics that the source does not have', () => {
    const set = setOf(
      [limit('a'), limit('b', { metric: 'TEMP', limit: 39 })],
      [missing('c', { metric: 'SpO2' })],
    );
    const engine = new LimitEngine(set, METRICS);
    expect(engine.unused).toEqual(['b', 'c']);
    expect(() => engine.resume(0, 'b')).toThrow(BugError);
  });

  it('lives on when the receiver of a transition throws', () => {
    const engine = new LimitEngine(setOf([limit('a', { startAfter: 1 })]), METRICS);
    const fail = () => {
      throw new Error('no');
    };
    expect(() => engine.sample(0, 0, 0, 200, fail)).toThrow('no');
    expect(engine.isOn(0, 'a')).toBe(true);
  });
});

describe('rule sets', () => {
  it.each<[string, RuleSet, object]>([
    [
      'two rules with one id',
      setOf([limit('a')], [missing('a')]),
      { list: 'missing', index: 0, field: 'id' },
    ],
    [
      'two rules of one key',
      setOf([limit('a'), limit('b', { limit: 110 })]),
      { index: 1, field: 'instance' },
    ],
    [
      'two missing rules of a metric',
      setOf([], [missing('a'), missing('b')]),
      { index: 1, field: 'metric' },
    ],
    [
      'limits that overlap',
      setOf([limit('a'), limit('b', { side: 'LO', limit: 130 })]),
      { index: 1, field: 'limit' },
    ],
    [
      'too many rules',
      setOf(
        Array.from({ length: RULES_PER_SET_MAX + 1 }, (_, i) =>
          limit(`r${i}`, { instance: `${i}` }),
        ),
      ),
      { index: RULES_PER_SET_MAX },
    ],
  ])('may not hold %s', (_, set, expected) => {
    expect(findProblem(set)).toMatchObject(expected);
    expect(() => new LimitEngine(set, METRICS)).toThrow(BugError);
  });

  it('may hold two limits of one metric and side, under names of their own', () => {
    const set = setOf(
      [limit('a'), limit('b', { limit: 150, instance: 'extreme' })],
      [missing('c')],
    );
    expect(findProblem(set)).toBeUndefined();
    expect([...set.rules, ...set.missing].map(conditionOf)).toEqual([
      'HR:HI',
      'HR:HI/extreme',
      'HR:TEC',
    ]);
  });

  it.each([0, -1, 1.5, NAN, 3_601])('may not wait for %s samples', (startAfter) => {
    expect(() => new LimitEngine(setOf([limit('a', { startAfter })]), METRICS)).toThrow(BugError);
  });
});

describe('a limit with hysteresis', () => {
  it('ends only with values that are so far back inside', () => {
    const set = setOf([limit('hr', { startAfter: 1, endAfter: 2, hysteresis: 5 })]);
    expect(run(set, [130, 126, 126, 125, 130, 124, 125.5, 124, 124])).toEqual([
      '0 hr start',
      '8 hr end',
    ]);
  });

  it('of none is the plain limit', () => {
    const values = fc.array(fc.integer({ min: 120, max: 140 }));
    const [without, zero] = [limit('hr'), limit('hr', { hysteresis: 0 })];
    fc.assert(
      fc.property(values, (all) => {
        expect(run(setOf([zero]), all)).toEqual(run(setOf([without]), all));
      }),
    );
  });
});

describe('a profile', () => {
  const set: RuleSet = {
    ...setOf([
      limit('hr', { startAfter: 1, endAfter: 1 }),
      limit('resp', { metric: 'RESP', limit: 25, startAfter: 1 }),
    ]),
    profiles: [{ name: 'athlete', limits: { hr: 150 }, patients: ['p1'] }],
  };

  it('gives a patient limits of its own, says them in the cause, and leaves the others alone', () => {
    const engine = new LimitEngine(set, METRICS);
    engine.usePatient(0, 'p0');
    engine.usePatient(1, 'p1');
    const seen: string[] = [];
    const emit = (t: Transition): void =>
      void seen.push(`${t.subject} ${t.phase} ${'limit' in t.rule ? t.rule.limit : ''}`);
    for (const subject of [0, 1])
      for (const value of [140, 155]) engine.sample(subject, 0, 0, value, emit);
    engine.sample(1, 1, 0, 30, emit);
    expect(seen).toEqual(['0 start 130', '1 start 150', '1 start 25']);
  });

  it.each([
    [{ name: 'a', limits: { none: 1 }, patients: [] }, 'limits'],
    [{ name: 'a', limits: {}, patients: ['p1'] }, 'patients'],
  ])('that makes no sense is found: %j', (profile, field) => {
    const found = findProblem({ ...set, profiles: [...(set.profiles ?? []), profile] });
    expect(found).toMatchObject({ list: 'profiles', index: 1, field });
  });
});
