import { resolve } from 'node:path';
import fc from 'fast-check';
import { beforeAll, describe, expect, it } from 'vitest';
import { loadRules } from '../../../cli/input/rules-file.ts';
import {
  ARTEFACT_PAUSE_SAMPLES,
  ARTEFACT_SAMPLES_MAX,
  FIRST_STEPS_MAX,
  WARD_METRICS,
  Ward,
} from '../../../cli/input/ward.ts';
import { LimitEngine } from '../../../src/analytics/limits.ts';
import { WARD_BEDS_MAX } from '../../../src/base/limits.ts';
import type { RuleSet } from '../../../src/base/rules/rules.ts';

/** What no body does, artefacts apart; by place in WARD_METRICS. */
const PLAUSIBLE: readonly (readonly [number, number])[] = [
  [20, 165],
  [70, 100],
  [6, 42],
  [60, 175],
  [40, 140],
  [35.5, 41],
];

let rules: RuleSet;
beforeAll(async () => {
  rules = await loadRules(resolve(import.meta.dirname, '../../../examples/rules/ward.yaml'));
});

const seeds = fc.integer({ min: 0, max: 2 ** 32 - 1 });

function samplesOf(ward: Ward, steps: number, bed: number): readonly string[] {
  const seen: string[] = [];
  for (let step = 0; step < steps; step += 1)
    ward.step((at, metric, value, artefact) => {
      if (at === bed) seen.push(`${step} ${metric} ${value} ${artefact}`);
    });
  return seen;
}

describe('simulated ward', () => {
  it('is the same for the same seed, and each bed the same in a larger ward', () => {
    fc.assert(
      fc.property(seeds, fc.integer({ min: 2, max: 6 }), fc.nat(10), (seed, beds, more) => {
        const bed = beds - 1;
        const small = new Ward({ seed, beds });
        const large = new Ward({ seed, beds: beds + more });
        expect(large.beds.slice(0, beds)).toEqual(small.beds);
        expect(samplesOf(large, 60, bed)).toEqual(samplesOf(small, 60, bed));
      }),
      { numRuns: 30 },
    );
  });

  it('shares no bed between neighbouring seeds, nor within a ward', () => {
    const all = [8, 9, 10, 11].flatMap((seed) =>
      [0, 1, 2, 3].map((bed) => samplesOf(new Ward({ seed, beds: 4 }), 30, bed).join()),
    );
    expect(new Set(all).size).toBe(all.length);
  });

  it('gives each bed, patient and device a name of its own', () => {
    const { beds } = new Ward({ seed: 1, beds: WARD_BEDS_MAX });
    expect(beds[0]).toMatchObject({ bed: 'B01', device: 'mon-01', unit: 'ED' });
    for (const key of ['bed', 'patient', 'device'] as const)
      expect(new Set(beds.map((one) => one[key])).size).toBe(WARD_BEDS_MAX);
    for (const { patient } of beds) expect(patient).toMatch(/^pt-[0-9a-f]{4}$/);
  });

  it('has a deterioration and a lost sensor within its first steps, for any seed and number of beds', () => {
    fc.assert(
      fc.property(seeds, fc.integer({ min: 1, max: 5 }), (seed, beds) => {
        const ward = new Ward({ seed, beds });
        let ill = false;
        let lost = false;
        for (let step = 0; step < FIRST_STEPS_MAX; step += 1) {
          ward.step((_, __, value) => {
            lost ||= Number.isNaN(value);
          });
          ill ||= ward.beds.some((_, bed) => ward.deterioration(bed) !== undefined);
        }
        expect({ ill, lost }).toEqual({ ill: true, lost: true });
      }),
      { numRuns: 300 },
    );
  });

  it('raises an alarm of each kind within twenty seconds under its example rules', () => {
    fc.assert(
      fc.property(seeds, fc.integer({ min: 2, max: 4 }), (seed, beds) => {
        const ward = new Ward({ seed, beds });
        const engine = new LimitEngine(rules, WARD_METRICS);
        const kinds = new Set<string>();
        for (let step = 0; step < 20; step += 1)
          ward.step((bed, metric, value) =>
            engine.sample(bed, metric, step, value, (t) =>
              kinds.add(t.kind === 'TEC' ? 'TEC' : 'limit'),
            ),
          );
        expect([...kinds].toSorted()).toEqual(['TEC', 'limit']);
      }),
      { numRuns: 300 },
    );
  });

  it('alarms for deteriorations and lost sensors only, stays plausible, and every bed recovers', () => {
    fc.assert(
      fc.property(seeds, (seed) => {
        const beds = 6;
        const ward = new Ward({ seed, beds });
        const engine = new LimitEngine(rules, WARD_METRICS);
        const stableSince = new Array<number>(beds).fill(0);
        for (let step = 0; step < 1_500; step += 1)
          ward.step((bed, metric, value, artefact) => {
            if (ward.deterioration(bed) === undefined) stableSince[bed] = step;
            if (step - (stableSince[bed] ?? 0) >= 600)
              expect.fail(`bed ${bed} is ill at step ${step}`);
            const [low, high] = PLAUSIBLE[metric] ?? [0, 0];
            if (!artefact && !Number.isNaN(value) && (value < low || value > high))
              expect.fail(`bed ${bed}, step ${step}: ${WARD_METRICS[metric]} ${value}`);
            engine.sample(bed, metric, step, value, (t) => {
              if (t.kind === 'TEC' || t.phase === 'end') return;
              if (ward.deterioration(bed) === undefined)
                expect.fail(
                  `bed ${bed}, step ${step}: ${t.rule.id} at ${value} in a stable patient`,
                );
            });
          });
      }),
      { numRuns: 12 },
    );
  });

  it('has artefacts, none longer than promised, with clean samples between them even across lost sensors', () => {
    const ward = new Ward({ seed: 14, beds: 20 });
    const seen = new Map<string, { run: number; clean: number }>();
    let longest = 0;
    for (let step = 0; step < 3_000; step += 1)
      ward.step((bed, metric, value, artefact) => {
        if (Number.isNaN(value)) return;
        const key = `${bed} ${metric}`;
        const { run, clean } = seen.get(key) ?? { run: 0, clean: ARTEFACT_PAUSE_SAMPLES };
        if (artefact && run === 0 && clean < ARTEFACT_PAUSE_SAMPLES)
          expect.fail(`bed ${bed}, step ${step}: only ${clean} clean samples before an artefact`);
        seen.set(key, artefact ? { run: run + 1, clean: 0 } : { run: 0, clean: clean + 1 });
        longest = Math.max(longest, artefact ? run + 1 : 0);
      });
    expect(longest).toBe(ARTEFACT_SAMPLES_MAX);
  });
});
