import { assert } from '../base/assert.ts';
import { RULE_SUBJECTS_MAX } from '../base/limits.ts';
import type { MetricName } from '../base/rules/metrics.ts';
import type { LimitProfile } from '../base/rules/rules.ts';
import { type ScoreRule, scoreConditionOf } from '../base/rules/score-rules.ts';
import { HEART_RATE_HOLDS_MS } from '../base/trend-limits.ts';
import { WarningWindow } from './scores/early-warning.ts';
import {
  INPUTS_OF,
  inputOf,
  inputValue,
  type LiveInputs,
  mewsLive,
  news2Live,
  qSofaLive,
  shockIndexLive,
} from './scores/live-inputs.ts';
import { NEWS2_PARAMETERS, type News2Parameter, type SpO2Scale } from './scores/news2.ts';

/** A score reaches a rule's limit, or is below it again. */
export interface ScoreTransition {
  /** The number under which the caller knows the patient. */
  readonly patient: number;
  /** With the limit that is in force for the patient. */
  readonly rule: ScoreRule;
  readonly phase: 'start' | 'end';
  readonly time: number;
  readonly score: number;
  /** Inputs that are not known: the score is partial, a lower bound. */
  readonly missing: readonly News2Parameter[];
  /** Inputs that are older than the rule lets them be. */
  readonly stale: readonly News2Parameter[];
}

export type EmitScore = (transition: ScoreTransition) => void;

interface RuleState {
  readonly rule: ScoreRule;
  readonly scale: SpO2Scale;
  readonly window: WarningWindow | undefined;
  isOn: boolean;
  /** Since when the opposite has been so; NaN = it is not. */
  since: number;
}

interface PatientState {
  readonly name: string;
  readonly inputs: LiveInputs;
  /** When each input was measured. */
  readonly times: Float64Array;
  /** When the heart rate was measured last: while it is, the pulse rate says nothing that counts. */
  heartAt: number;
  rules: readonly RuleState[];
  /** Early warnings look at the score that each minute ended with. */
  minute: number;
}

const MINUTE_MS = 60_000;

/**
 * Judges patients by scores over the latest value of each input, from whichever device it comes. O(rules) a sample of an
 * input; nothing is allocated unless a condition changes or a patient appears for the first time.
 */
export class ScoreEngine {
  readonly #metrics: readonly MetricName[];
  /** By metric: the place of its input, −1 = none. */
  readonly #inputs: Int8Array;
  #rules: readonly ScoreRule[];
  #profiles: readonly LimitProfile[];
  readonly #patients: PatientState[] = [];

  constructor(
    rules: readonly ScoreRule[],
    profiles: readonly LimitProfile[],
    metrics: readonly MetricName[],
  ) {
    this.#rules = rules;
    this.#profiles = profiles;
    this.#metrics = metrics;
    this.#inputs = Int8Array.from(metrics, inputOf);
  }

  /** Patients are numbered 0, 1, 2 … as they appear. */
  introduce(patient: number, name: string): void {
    assert(patient === this.#patients.length, `patient ${patient} is not the next one`);
    assert(patient < RULE_SUBJECTS_MAX, `patient ${patient} is over ${RULE_SUBJECTS_MAX}`);
    this.#patients.push({
      name,
      inputs: new Float64Array(NEWS2_PARAMETERS.length).fill(Number.NaN),
      times: new Float64Array(NEWS2_PARAMETERS.length).fill(-Infinity),
      heartAt: -Infinity,
      rules: this.#rulesFor(name, []),
      minute: Number.NaN,
    });
  }

  /**
   * What is no measurement changes nothing: the input grows old. Of two devices the newer value counts; of heart rate and
   * pulse rate, which come together and may differ, the heart's own while it is measured.
   */
  sample(patient: number, metric: number, time: number, value: number, emit: EmitScore): void {
    const input = this.#inputs[metric] as number;
    if (input < 0 || this.#rules.length === 0) return;
    const state = this.#patients[patient] as PatientState;
    const name = this.#metrics[metric] as MetricName;
    const known = inputValue(name, value);
    if (Number.isNaN(known) || time < (state.times[input] as number)) return;
    if (name === 'PULSE' && time - state.heartAt < HEART_RATE_HOLDS_MS) return;
    if (name === 'HR') state.heartAt = time;
    this.#endMinute(patient, state, time, emit);
    state.inputs[input] = known;
    state.times[input] = time;
    for (const one of state.rules)
      if (one.window === undefined) settle(patient, state, one, time, scoreOf(one, state), emit);
  }

  /** Judges by other rules from now on. What is running under the same id and condition goes on; `ended` hears of the rest. */
  use(
    rules: readonly ScoreRule[],
    profiles: readonly LimitProfile[],
    ended: (patient: number, rule: ScoreRule) => void,
  ): void {
    this.#rules = rules;
    this.#profiles = profiles;
    for (const [patient, state] of this.#patients.entries()) {
      const before = state.rules;
      state.rules = this.#rulesFor(state.name, before);
      for (const { rule, isOn } of before)
        if (isOn && !state.rules.some((after) => isSuccessor(after.rule, rule)))
          ended(patient, rule);
    }
  }

  isOn(patient: number, id: string): boolean {
    return this.#patients[patient]?.rules.find(({ rule }) => rule.id === id)?.isOn === true;
  }

  /** Takes up a condition that is known to be on. */
  resume(patient: number, id: string): void {
    const state = this.#patients[patient]?.rules.find(({ rule }) => rule.id === id);
    if (state === undefined) return;
    state.isOn = true;
    state.since = Number.NaN;
  }

  /** The score as it stands, as a transition would tell it. */
  standing(patient: number, id: string, time: number): ScoreTransition | undefined {
    const state = this.#patients[patient];
    const one = state?.rules.find(({ rule }) => rule.id === id);
    if (state === undefined || one === undefined) return undefined;
    const score = one.window === undefined ? scoreOf(one, state) : one.window.mean;
    return told(patient, state, one.rule, time, one.isOn ? 'start' : 'end', score);
  }

  /** The minute of an earlier sample has ended: its last score counts for early warnings. */
  #endMinute(patient: number, state: PatientState, time: number, emit: EmitScore): void {
    const minute = Math.floor(time / MINUTE_MS);
    if (minute <= state.minute) return;
    const at = state.minute * MINUTE_MS;
    state.minute = minute;
    if (Number.isNaN(at)) return;
    for (const one of state.rules) {
      if (one.window === undefined) continue;
      one.window.add(at, news2Live(state.inputs, one.scale) % 100);
      settle(patient, state, one, at, one.window.mean, emit);
    }
  }

  #rulesFor(name: string, before: readonly RuleState[]): readonly RuleState[] {
    const profile = this.#profiles.find(({ patients }) => patients.includes(name));
    return this.#rules.map((plain): RuleState => {
      const rule = { ...plain, limit: profile?.limits[plain.id] ?? plain.limit };
      const scale = profile?.scale ?? (rule.kind === 'news2' ? (rule.scale ?? 1) : 1);
      const was = before.find((one) => isSuccessor(rule, one.rule));
      const isSame = was?.scale === scale && JSON.stringify(was.rule) === JSON.stringify(rule);
      if (was !== undefined && isSame) return was;
      return { rule, scale, window: windowOf(rule), isOn: was?.isOn ?? false, since: Number.NaN };
    });
  }
}

const isSuccessor = (after: ScoreRule, before: ScoreRule): boolean =>
  after.id === before.id && scoreConditionOf(after) === scoreConditionOf(before);

function windowOf(rule: ScoreRule): WarningWindow | undefined {
  if (rule.kind !== 'early-warning') return undefined;
  const { windowMinutes, scoresMin, limit } = rule;
  const warning = { windowMs: windowMinutes * MINUTE_MS, scoresMin, threshold: limit };
  return new WarningWindow(warning, windowMinutes + 1);
}

/** NaN = it says nothing. For NEWS2 the highest single points stand in the hundreds. */
function scoreOf({ rule, scale }: RuleState, { inputs }: PatientState): number {
  switch (rule.kind) {
    case 'news2':
      return news2Live(inputs, scale);
    case 'mews':
      return mewsLive(inputs);
    case 'qsofa':
      return qSofaLive(inputs);
    case 'shock-index':
      return shockIndexLive(inputs);
    case 'early-warning':
      return Number.NaN;
  }
}

function settle(
  patient: number,
  state: PatientState,
  one: RuleState,
  time: number,
  score: number,
  emit: EmitScore,
): void {
  if (Number.isNaN(score)) return;
  const { rule, window, isOn } = one;
  const isBad = window === undefined ? isReached(rule, score) : window.isBad;
  if (isBad === isOn) {
    one.since = Number.NaN;
    return;
  }
  if (Number.isNaN(one.since)) one.since = time;
  const seconds = isOn ? rule.endAfterSeconds : rule.startAfterSeconds;
  if (time - one.since < seconds * 1_000) return;
  one.isOn = isBad;
  one.since = Number.NaN;
  emit(told(patient, state, rule, time, isBad ? 'start' : 'end', score));
}

function isReached(rule: ScoreRule, score: number): boolean {
  if (rule.kind !== 'news2') return score >= rule.limit;
  return score % 100 >= rule.limit || Math.floor(score / 100) >= (rule.singleLimit ?? Infinity);
}

function told(
  patient: number,
  { inputs, times }: PatientState,
  rule: ScoreRule,
  time: number,
  phase: 'start' | 'end',
  score: number,
): ScoreTransition {
  const places = INPUTS_OF[rule.kind];
  const names = (isOf: (at: number) => boolean): readonly News2Parameter[] =>
    places.filter(isOf).map((at) => NEWS2_PARAMETERS[at] as News2Parameter);
  const oldest = time - rule.validMinutes * MINUTE_MS;
  return {
    patient,
    rule,
    phase,
    time,
    score: rule.kind === 'news2' ? score % 100 : score,
    missing: names((at) => Number.isNaN(inputs[at])),
    stale: names((at) => !Number.isNaN(inputs[at]) && (times[at] as number) < oldest),
  };
}
