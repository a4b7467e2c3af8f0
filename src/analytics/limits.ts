import { assert, must } from '../base/assert.ts';
import { RULE_SUBJECTS_MAX } from '../base/limits.ts';
import type { MetricName } from '../base/rules/metrics.ts';
import {
  assertRule,
  type ConditionKind,
  conditionOf,
  findProblem,
  type LimitProfile,
  type LimitRule,
  type MissingRule,
  type RuleSet,
} from '../base/rules/rules.ts';

/** A condition begins or is over. */
export interface Transition {
  /** The number under which the caller knows the patient. */
  readonly subject: number;
  readonly metric: MetricName;
  readonly kind: ConditionKind;
  readonly phase: 'start' | 'end';
  /** Of the sample that decided, as the caller gave it, in milliseconds. */
  readonly time: number;
  /** Of the sample that decided; null = it was missing. */
  readonly value: number | null;
  readonly rule: LimitRule | MissingRule;
}

export type EmitTransition = (transition: Transition) => void;

const ON = 0x8000;
const RUN = 0x7fff;
const SUBJECTS_AT_FIRST = 64;

/**
 * Judges samples by limit rules. O(rules of the metric) a sample; nothing is allocated unless a condition changes or
 * a subject appears for the first time.
 *
 * Per subject and rule it keeps 16 bits: whether the condition is on, and how many consecutive samples speak for the
 * opposite. One sample's transitions come in the order HI, LO, TEC, and in the order of the set within these.
 */
export class LimitEngine {
  /** Ids of rules about metrics that this source does not have: they will never speak. */
  readonly unused: readonly string[];
  readonly #rules: readonly (LimitRule | MissingRule)[];
  /** Rules of metric m stand at #first[m] … #first[m + 1] − 1; those about missing samples last. */
  readonly #first: Int32Array;
  /** Those of everybody, then those of each profile. */
  readonly #limits: Float64Array;
  readonly #hysteresis: Float64Array;
  /** 1 = HI, −1 = LO, 0 = about missing samples. */
  readonly #sides: Int8Array;
  readonly #startAfter: Uint16Array;
  readonly #endAfter: Uint16Array;
  readonly #metricCount: number;
  #runs: Uint16Array;
  /** By subject: where its limits begin. */
  readonly #limitsAt: Map<number, number> = new Map();
  readonly #profiles: readonly LimitProfile[];

  /** `metrics` are what the source measures; `sample` speaks of them by their place in this list. */
  constructor(set: RuleSet, metrics: readonly MetricName[]) {
    const problem = findProblem(set);
    assert(problem === undefined, `rule set ${set.name}: ${problem?.message}`);
    assert(new Set(metrics).size === metrics.length, `a metric stands twice: ${metrics.join()}`);
    const all = [...set.rules, ...set.missing];
    for (const rule of all) assertRule(rule);

    const first: number[] = [0];
    const rules: (LimitRule | MissingRule)[] = [];
    for (const metric of metrics) {
      rules.push(...set.rules.filter((rule) => rule.metric === metric && rule.side === 'HI'));
      rules.push(...set.rules.filter((rule) => rule.metric === metric && rule.side === 'LO'));
      rules.push(...set.missing.filter((rule) => rule.metric === metric));
      first.push(rules.length);
    }
    this.unused = all.filter((rule) => !metrics.includes(rule.metric)).map((rule) => rule.id);
    this.#rules = rules;
    this.#metricCount = metrics.length;
    this.#first = Int32Array.from(first);
    this.#profiles = set.profiles ?? [];
    const limit = (rule: LimitRule | MissingRule): number => ('side' in rule ? rule.limit : 0);
    const ofProfiles = this.#profiles.flatMap(({ limits }) =>
      rules.map((rule) => limits[rule.id] ?? limit(rule)),
    );
    this.#limits = Float64Array.from([...rules.map(limit), ...ofProfiles]);
    this.#hysteresis = Float64Array.from(rules, (rule) =>
      'side' in rule ? (rule.hysteresis ?? 0) : 0,
    );
    this.#sides = Int8Array.from(rules, (rule) => signOf(kindOf(rule)));
    this.#startAfter = Uint16Array.from(rules, (rule) => rule.startAfter);
    this.#endAfter = Uint16Array.from(rules, (rule) => rule.endAfter);
    this.#runs = new Uint16Array(SUBJECTS_AT_FIRST * rules.length);
  }

  /**
   * Judges one sample. `value` NaN, or anything that is not finite, = missing. Samples of one subject and metric come in
   * order of time; the engine counts them and does not look at the times.
   */
  sample(subject: number, metric: number, time: number, value: number, emit: EmitTransition): void {
    const end = this.#first[metric + 1];
    // Messages are only built when they are needed: this runs for every sample of the hospital.
    if (end === undefined || metric < 0)
      assert(false, `no metric ${metric} of ${this.#metricCount}`);
    const base = this.#place(subject);
    const present = Number.isFinite(value);
    const limitsAt = this.#limitsAt.size === 0 ? 0 : (this.#limitsAt.get(subject) ?? 0);
    for (let rule = this.#first[metric] as number; rule < end; rule += 1) {
      const side = this.#sides[rule] as number;
      if (side !== 0 && !present) continue;
      const was = this.#runs[base + rule] as number;
      const on = was >= ON;
      const limit = this.#limits[limitsAt + rule] as number;
      const back = on ? (this.#hysteresis[rule] as number) : 0;
      const bad = side === 0 ? !present : side > 0 ? value >= limit - back : value <= limit + back;
      if (bad === on) {
        // What is, is confirmed: whatever spoke for the opposite starts over.
        this.#runs[base + rule] = was & ON;
        continue;
      }
      const run = (was & RUN) + 1;
      const needed = (on ? this.#endAfter[rule] : this.#startAfter[rule]) as number;
      this.#runs[base + rule] = run < needed ? (was & ON) | run : on ? 0 : ON;
      if (run >= needed) emit(this.#transition(subject, rule, !on, time, value));
    }
  }

  /** Judges a subject by the limits of the patient's profile from now on, if the patient has one. */
  usePatient(subject: number, patient: string): void {
    const place = this.#profiles.findIndex(({ patients }) => patients.includes(patient));
    if (place >= 0) this.#limitsAt.set(subject, (place + 1) * this.#rules.length);
  }

  /**
   * Goes on where another engine stood, for as many subjects: what runs or counts under the same id and condition there goes
   * on here; `ended` hears of the conditions that were on and are judged no longer.
   */
  inherit(
    before: LimitEngine,
    subjects: number,
    ended: (subject: number, rule: LimitRule | MissingRule) => void,
  ): void {
    const places = before.#rules.map((was) =>
      this.#rules.findIndex((rule) => rule.id === was.id && conditionOf(rule) === conditionOf(was)),
    );
    for (let subject = 0; subject < subjects; subject += 1) {
      const from = before.#place(subject);
      const to = this.#place(subject);
      for (const [index, place] of places.entries()) {
        const run = before.#runs[from + index] as number;
        if (place >= 0) this.#runs[to + place] = run;
        else if (run >= ON) ended(subject, must(before.#rules[index], `no rule ${index}`));
      }
    }
  }

  /** Takes up a condition that is known to be on, for example from the open alerts after a restart. */
  resume(subject: number, ruleId: string): void {
    // First the place: making room replaces the array.
    const at = this.#place(subject) + this.#indexOf(ruleId);
    this.#runs[at] = ON;
  }

  isOn(subject: number, ruleId: string): boolean {
    const at = this.#place(subject) + this.#indexOf(ruleId);
    return (this.#runs[at] as number) >= ON;
  }

  /** The rules whose condition is on. */
  on(subject: number): readonly (LimitRule | MissingRule)[] {
    const base = this.#place(subject);
    return this.#rules.filter((_rule, at) => (this.#runs[base + at] as number) >= ON);
  }

  /** Forgets a subject: all its conditions are off, all its counts zero. No transition is emitted. */
  forget(subject: number): void {
    const base = this.#place(subject);
    this.#runs.fill(0, base, base + this.#rules.length);
  }

  #indexOf(ruleId: string): number {
    const index = this.#rules.findIndex((rule) => rule.id === ruleId);
    assert(index >= 0, `no rule ${ruleId} about a metric of this source`);
    return index;
  }

  /** Where the runs of a subject begin; makes room for one that is new. */
  #place(subject: number): number {
    const base = subject * this.#rules.length;
    if (subject >= 0 && Number.isInteger(subject) && base + this.#rules.length <= this.#runs.length)
      return base;
    assert(Number.isInteger(subject) && subject >= 0, `subject ${subject} is not a place`);
    assert(subject < RULE_SUBJECTS_MAX, `subject ${subject} is over ${RULE_SUBJECTS_MAX}`);
    const room = Math.min(RULE_SUBJECTS_MAX, Math.max(subject + 1, subject * 2));
    const grown = new Uint16Array(room * this.#rules.length);
    grown.set(this.#runs);
    this.#runs = grown;
    return base;
  }

  /** With the limit that was in force for the subject. */
  #ruleOf(subject: number, index: number): LimitRule | MissingRule {
    const rule = must(this.#rules[index], `no rule ${index}`);
    const limitsAt = this.#limitsAt.get(subject);
    if (limitsAt === undefined || !('side' in rule)) return rule;
    return { ...rule, limit: must(this.#limits[limitsAt + index], 'a profile has all limits') };
  }

  #transition(
    subject: number,
    index: number,
    start: boolean,
    time: number,
    value: number,
  ): Transition {
    const rule = this.#ruleOf(subject, index);
    return {
      subject,
      metric: rule.metric,
      kind: kindOf(rule),
      phase: start ? 'start' : 'end',
      time,
      value: Number.isFinite(value) ? value : null,
      rule,
    };
  }
}

const kindOf = (rule: LimitRule | MissingRule): ConditionKind =>
  'side' in rule ? rule.side : 'TEC';

const signOf = (kind: ConditionKind): number => (kind === 'HI' ? 1 : kind === 'LO' ? -1 : 0);
