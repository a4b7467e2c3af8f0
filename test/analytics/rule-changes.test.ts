import fc from 'fast-check';
import { expect, test } from 'vitest';
import { LimitEngine } from '../../src/analytics/limits.ts';
import {
  conditionOf,
  findProblem,
  type LimitRule,
  type MissingRule,
  type RuleSet,
} from '../../src/base/rules/rules.ts';

const PATIENTS = ['usual', 'other'] as const;
const METRICS = ['HR', 'RESP'] as const;

/** What a ward may do to its rules, and what its monitors send. */
type Step =
  | {
      readonly do: 'sample';
      readonly patient: number;
      readonly metric: 0 | 1;
      readonly value: number;
    }
  | { readonly do: 'change'; readonly set: RuleSet };

const small = fc.integer({ min: 0, max: 8 });
const counts = fc.integer({ min: 1, max: 4 });

const anyLimitRule: fc.Arbitrary<LimitRule> = fc.record({
  id: fc.constantFrom('a', 'b', 'c', 'd'),
  metric: fc.constantFrom(...METRICS),
  side: fc.constantFrom('HI', 'LO'),
  limit: small,
  hysteresis: fc.constantFrom(0, 1, 2, 9),
  instance: fc.constantFrom('x', 'y'),
  startAfter: counts,
  endAfter: counts,
  priority: fc.constant('high'),
});

const anyMissingRule: fc.Arbitrary<MissingRule> = fc.record({
  id: fc.constantFrom('m', 'n'),
  metric: fc.constantFrom(...METRICS),
  startAfter: counts,
  endAfter: counts,
  priority: fc.constant('low'),
});

const anySet: fc.Arbitrary<RuleSet> = fc
  .record({
    rules: fc.array(anyLimitRule, { maxLength: 4 }),
    missing: fc.array(anyMissingRule, { maxLength: 2 }),
    limits: fc.dictionary(fc.constantFrom('a', 'b', 'c', 'd'), small),
  })
  .map(({ rules, missing, limits }): RuleSet => {
    const known = Object.entries(limits).filter(([id]) => rules.some((rule) => rule.id === id));
    const profile = { name: 'p', limits: Object.fromEntries(known), patients: [PATIENTS[1]] };
    return { version: 1, name: 'ward', revision: 1, rules, missing, profiles: [profile] };
  })
  .filter((set) => findProblem(set) === undefined);

const anyStep: fc.Arbitrary<Step> = fc.oneof(
  {
    weight: 12,
    arbitrary: fc.record({
      do: fc.constant('sample' as const),
      patient: fc.constantFrom(0, 1),
      metric: fc.constantFrom(0 as const, 1 as const),
      value: fc.oneof({ weight: 4, arbitrary: small }, fc.constant(Number.NaN)),
    }),
  },
  { weight: 1, arbitrary: fc.record({ do: fc.constant('change' as const), set: anySet }) },
);

/** By the words of the rules alone: each condition of each patient has a state, and a count of samples that speak against it. */
class Plain {
  readonly told: string[] = [];
  #set: RuleSet;
  readonly #states = new Map<string, { isOn: boolean; against: number }>();

  constructor(set: RuleSet) {
    this.#set = set;
  }

  #all(): readonly (LimitRule | MissingRule)[] {
    const { rules, missing } = this.#set;
    const of = (side: 'HI' | 'LO') => rules.filter((rule) => rule.side === side);
    return [...of('HI'), ...of('LO'), ...missing];
  }

  sample(patient: number, metric: 0 | 1, time: number, value: number): void {
    for (const rule of this.#all()) {
      if (rule.metric !== METRICS[metric]) continue;
      if ('side' in rule && Number.isNaN(value)) continue;
      const name = `${patient} ${rule.id} ${conditionOf(rule)}`;
      const state = this.#states.get(name) ?? { isOn: false, against: 0 };
      this.#states.set(name, state);
      if (this.#isBad(rule, patient, value, state.isOn) === state.isOn) {
        state.against = 0;
        continue;
      }
      state.against += 1;
      if (state.against < (state.isOn ? rule.endAfter : rule.startAfter)) continue;
      state.isOn = !state.isOn;
      state.against = 0;
      this.told.push(`${time} ${name} ${state.isOn ? 'start' : 'end'}`);
    }
  }

  #isBad(rule: LimitRule | MissingRule, patient: number, value: number, isOn: boolean): boolean {
    if (!('side' in rule)) return Number.isNaN(value);
    const profile = this.#set.profiles?.find(({ patients }) =>
      patients.includes(PATIENTS[patient] as string),
    );
    const limit = profile?.limits[rule.id] ?? rule.limit;
    const back = isOn ? (rule.hysteresis ?? 0) : 0;
    return rule.side === 'HI' ? value >= limit - back : value <= limit + back;
  }

  change(set: RuleSet, time: number): void {
    this.#set = set;
    const kept = new Set(this.#all().map((rule) => `${rule.id} ${conditionOf(rule)}`));
    for (const [name, { isOn }] of [...this.#states]) {
      if (kept.has(name.slice(2))) continue;
      this.#states.delete(name);
      if (isOn) this.told.push(`${time} ${name} gone`);
    }
  }
}

function judged(first: RuleSet, steps: readonly Step[]): readonly string[] {
  const told: string[] = [];
  const engineOf = (set: RuleSet): LimitEngine => {
    const made = new LimitEngine(set, METRICS);
    for (const [number, patient] of PATIENTS.entries()) made.usePatient(number, patient);
    return made;
  };
  let engine = engineOf(first);
  for (const [time, step] of steps.entries())
    if (step.do === 'sample')
      engine.sample(step.patient, step.metric, time, step.value, ({ subject, rule, phase }) =>
        told.push(`${time} ${subject} ${rule.id} ${conditionOf(rule)} ${phase}`),
      );
    else {
      const before = engine;
      engine = engineOf(step.set);
      engine.inherit(before, PATIENTS.length, (subject, rule) =>
        told.push(`${time} ${subject} ${rule.id} ${conditionOf(rule)} gone`),
      );
    }
  return told;
}

test('limits with hysteresis and profiles begin and end as plainly counted, however their rules change, go and come back meanwhile', () => {
  fc.assert(
    fc.property(anySet, fc.array(anyStep, { maxLength: 120 }), (first, steps) => {
      const plain = new Plain(first);
      for (const [time, step] of steps.entries())
        if (step.do === 'sample') plain.sample(step.patient, step.metric, time, step.value);
        else plain.change(step.set, time);
      expect([...judged(first, steps)].sort()).toEqual(plain.told.sort());
    }),
    { numRuns: 300 },
  );
});
