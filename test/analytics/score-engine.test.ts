import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { ScoreEngine, type ScoreTransition } from '../../src/analytics/score-engine.ts';
import { mews, qSofa, shockIndex } from '../../src/analytics/scores/bedside.ts';
import { warningsOf } from '../../src/analytics/scores/early-warning.ts';
import { type Consciousness, type News2Inputs, news2 } from '../../src/analytics/scores/news2.ts';
import { METRIC_NAMES, type MetricName } from '../../src/base/rules/metrics.ts';
import type { LimitProfile } from '../../src/base/rules/rules.ts';
import type { ScoreRule } from '../../src/base/rules/score-rules.ts';

const common = {
  priority: 'high',
  startAfterSeconds: 0,
  endAfterSeconds: 0,
  validMinutes: 60,
} as const;
const NEWS2: ScoreRule = { ...common, id: 'news2', kind: 'news2', limit: 5 };
const RULES: readonly ScoreRule[] = [
  NEWS2,
  { ...common, id: 'single', kind: 'news2', instance: 'single', limit: 20, singleLimit: 3 },
  { ...common, id: 'mews', kind: 'mews', limit: 4 },
  { ...common, id: 'qsofa', kind: 'qsofa', limit: 2 },
  { ...common, id: 'shock', kind: 'shock-index', limit: 0.9 },
];

type Sample = readonly [metric: MetricName, value: number, second: number];

function engineOf(rules: readonly ScoreRule[], profiles: readonly LimitProfile[] = []) {
  const engine = new ScoreEngine(rules, profiles, METRIC_NAMES);
  engine.introduce(0, 'p');
  const told: ScoreTransition[] = [];
  const feed = (...samples: readonly Sample[]): void => {
    for (const [metric, value, second] of samples)
      engine.sample(0, METRIC_NAMES.indexOf(metric), second * 1_000, value, (one) =>
        told.push(one),
      );
  };
  const said = (): string[] => told.map(({ rule, phase }) => `${rule.id} ${phase}`);
  return { engine, told, feed, said };
}

const LETTERS: readonly Consciousness[] = ['A', 'C', 'V', 'P', 'U'];

/** The same by the scores as they are defined, input by input. */
function expectedOn(inputs: News2Inputs): Record<string, boolean> {
  const score = news2(inputs, { now: 0, scale: 1, validForMs: Infinity });
  const awake = inputs.consciousness?.value;
  const bedside = {
    systolic: inputs.systolic?.value,
    pulse: inputs.pulse?.value,
    respiration: inputs.respiration?.value,
    temperature: inputs.temperature?.value,
    avpu: awake === 'C' ? ('V' as const) : awake,
    gcs: awake === undefined ? undefined : awake === 'A' ? 15 : 9,
  };
  return {
    news2: score.aggregate >= 5,
    single: score.maxSingle >= 3,
    mews: mews(bedside).points >= 4,
    qsofa: qSofa(bedside).points >= 2,
    shock: (shockIndex(bedside) ?? 0) >= 0.9,
  };
}

const sampleOf = (metric: MetricName, min: number, max: number) =>
  fc.tuple(
    fc.constant(metric),
    fc.oneof(
      fc.integer({ min: min * 10, max: max * 10 }).map((tenths) => tenths / 10),
      fc.integer({ min, max }),
    ),
  );
const anySample = fc.oneof(
  sampleOf('HR', 20, 180),
  sampleOf('RESP', 3, 40),
  sampleOf('SpO2', 80, 100),
  sampleOf('ARTsys', 60, 240),
  sampleOf('TEMP', 33, 41),
  fc.tuple(fc.constant('FiO2' as const), fc.constantFrom(0.21, 0.4)),
  fc.tuple(fc.constant('AVPU' as const), fc.constantFrom(0, 1, 2, 3, 4)),
);

const inputOf = (metric: MetricName, value: number): News2Inputs => {
  const of = <T>(one: T) => ({ value: one, at: 0 });
  switch (metric) {
    case 'HR':
      return { pulse: of(value) };
    case 'RESP':
      return { respiration: of(value) };
    case 'SpO2':
      return { spO2: of(value) };
    case 'ARTsys':
      return { systolic: of(value) };
    case 'TEMP':
      return { temperature: of(value) };
    case 'FiO2':
      return { onOxygen: of(value > 0.21) };
    default:
      return { consciousness: of(LETTERS[value] as Consciousness) };
  }
};

describe('scores over running samples', () => {
  it('are on exactly while the score of the newest inputs reaches the limit', () => {
    fc.assert(
      fc.property(fc.array(anySample, { maxLength: 40 }), (samples) => {
        const { engine, feed } = engineOf(RULES);
        let inputs: News2Inputs = {};
        for (const [second, [metric, value]] of samples.entries()) {
          feed([metric, value, second]);
          inputs = { ...inputs, ...inputOf(metric, value) };
          for (const [id, isOn] of Object.entries(expectedOn(inputs)))
            expect(engine.isOn(0, id), id).toBe(isOn);
        }
      }),
      { numRuns: 300 },
    );
  });

  it('go by the heart rate while it is measured, and by the pulse rate when that is all there is', () => {
    const { feed, said } = engineOf([{ ...NEWS2, limit: 3 }]);
    feed(['PULSE', 80, 0]);
    for (let second = 1; second <= 60; second += 1)
      feed(['HR', 150, second], ['PULSE', 80, second]);
    expect(said()).toEqual(['news2 start']);
    // The leads are off: the finger is all that is left.
    for (let second = 61; second <= 80; second += 1) feed(['PULSE', 80, second]);
    expect(said()).toEqual(['news2 start', 'news2 end']);
    feed(['PULSE', 150, 81]);
    expect(said()).toEqual(['news2 start', 'news2 end', 'news2 start']);
  });

  it('are what they would be without the pulse rate, wherever the heart rate comes with it', () => {
    const beat = fc.record({
      heart: fc.integer({ min: 20, max: 200 }),
      pulse: fc.integer({ min: 20, max: 200 }),
      isFirst: fc.boolean(),
    });
    fc.assert(
      fc.property(fc.array(beat, { maxLength: 60 }), (beats) => {
        const [both, one] = [engineOf(RULES), engineOf(RULES)];
        for (const of of [both, one]) of.feed(['ARTsys', 100, 0], ['HR', 70, 0]);
        for (const [at, { heart, pulse, isFirst }] of beats.entries()) {
          const pair: Sample[] = [
            ['HR', heart, at + 1],
            ['PULSE', pulse, at + 1],
          ];
          both.feed(...(isFirst ? pair : pair.reverse()));
          one.feed(['HR', heart, at + 1]);
        }
        expect(both.told).toEqual(one.told);
      }),
    );
  });

  it('name the inputs that are not known, and those that are old', () => {
    const { told, feed } = engineOf([NEWS2]);
    feed(['RESP', 26, 0], ['ARTsys', 120, 0], ['HR', 135, 3_601]);
    expect(told).toEqual([
      expect.objectContaining({
        phase: 'start',
        score: 6,
        missing: ['spO2', 'onOxygen', 'consciousness', 'temperature'],
        stale: ['respiration', 'systolic'],
      }),
    ]);
  });

  it('begin and end only after the score has been so for as long as the rule says', () => {
    const rule = { ...NEWS2, limit: 3, startAfterSeconds: 10, endAfterSeconds: 5 };
    const { said, feed } = engineOf([rule]);
    feed(['HR', 140, 0], ['HR', 140, 9], ['HR', 80, 9.5], ['HR', 140, 10], ['HR', 140, 19.9]);
    expect(said()).toEqual([]);
    feed(['HR', 140, 20], ['HR', 80, 21], ['HR', 140, 25], ['HR', 80, 26], ['HR', 80, 30.9]);
    expect(said()).toEqual(['news2 start']);
    feed(['HR', 80, 31]);
    expect(said()).toEqual(['news2 start', 'news2 end']);
  });

  it('go by the limits and the SpO2 scale of a profile', () => {
    const profile = { name: 'copd', limits: { news2: 2 }, scale: 2, patients: ['p'] } as const;
    const samples: readonly Sample[] = [
      ['FiO2', 0.4, 0],
      ['SpO2', 90, 1],
      ['SpO2', 97, 2],
    ];
    const own = engineOf([NEWS2], [profile]);
    own.feed(...samples);
    expect(own.told.map(({ score, rule }) => [score, rule.limit])).toEqual([[2, 2]]);
    const other = engineOf([NEWS2]);
    other.feed(...samples);
    expect(other.said()).toEqual(['news2 start', 'news2 end']);
  });

  it('take no notice of what is older than what is known, nor of what no patient has', () => {
    const { said, feed } = engineOf([{ ...NEWS2, limit: 3 }]);
    feed(['HR', 80, 10], ['HR', 140, 9], ['HR', Number.NaN, 11], ['RESP', 0, 12]);
    expect(said()).toEqual([]);
  });

  it('warn early exactly when the measured rule does', () => {
    const chart = fc.array(
      fc.tuple(fc.integer({ min: 1, max: 90 }), fc.constantFrom(70, 100, 120, 140, 35)),
      { maxLength: 60 },
    );
    const rule: ScoreRule = {
      ...common,
      id: 'early',
      kind: 'early-warning',
      limit: 1.5,
      windowMinutes: 120,
      scoresMin: 2,
    };
    fc.assert(
      fc.property(chart, (steps) => {
        const { told, feed } = engineOf([rule]);
        let minute = 0;
        const scores = steps.map(([later, pulse]) => {
          minute += later;
          feed(['HR', pulse, minute * 60]);
          const inputs = { pulse: { value: pulse, at: 0 } };
          const { aggregate } = news2(inputs, { now: 0, scale: 1, validForMs: Infinity });
          return { at: minute * 60_000, aggregate };
        });
        // The last minute has not ended yet.
        feed(['HR', 70, (minute + 1) * 60]);
        const [first] = warningsOf(scores, {
          windowMs: 120 * 60_000,
          scoresMin: 2,
          threshold: 1.5,
        });
        expect(told.find(({ phase }) => phase === 'start')?.time).toBe(first);
      }),
      { numRuns: 300 },
    );
  });
});

describe('other rules', () => {
  it('leave on what runs under a rule that stays, and tell of what is judged no longer', () => {
    const { engine, feed, said } = engineOf(RULES);
    feed(['HR', 140, 0], ['ARTsys', 80, 1]);
    const ended: string[] = [];
    engine.use([{ ...NEWS2, limit: 6 }], [], (_patient, { id }) => ended.push(id));
    expect(ended).toEqual(['single', 'mews', 'shock']);
    expect(engine.isOn(0, 'news2')).toBe(true);
    feed(['HR', 120, 2]);
    expect(said()).toContain('news2 end');
  });

  it('take up what is known to be on, so that its end is told', () => {
    const { engine, feed, said } = engineOf([NEWS2]);
    engine.resume(0, 'news2');
    feed(['HR', 80, 0]);
    expect(said()).toEqual(['news2 end']);
  });
});
