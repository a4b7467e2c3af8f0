import { assert, must } from '../base/assert.ts';
import { RULE_SUBJECTS_MAX } from '../base/limits.ts';
import type { MetricName } from '../base/rules/metrics.ts';
import type { TrendRule } from '../base/rules/trend-rules.ts';
import { Baseline } from './baseline.ts';
import { CusumChart, EwmaChart } from './charts.ts';
import { ArtefactGate, PLAUSIBLE } from './plausible.ts';
import { RateWindow } from './rate-window.ts';
import { Slope } from './slope.ts';

/** A condition of a trend begins or is over. */
export interface TrendTransition {
  readonly subject: number;
  readonly rule: TrendRule;
  readonly phase: 'start' | 'end';
  /** Of the sample that decided, in milliseconds. */
  readonly time: number;
  /** The sample, or the median of the block; NaN = missing. */
  readonly value: number;
  /** What was compared with the rule's limit: a score, a rate, minutes. */
  readonly finding: number;
}

export type EmitTrend = (transition: TrendTransition) => void;

/** Blocks of half a minute; the usual is that of the last twenty minutes, and takes five to be known. */
const BLOCK_MS = 30_000;
const BLOCKS = 40;
const BLOCKS_MIN = 10;
/** After so many blocks within an alarm, what is unusual has become usual. */
const ALARM_BLOCKS_MAX = 60;

/** Judges one block or sample; undefined = it says nothing. */
type Judge = (time: number, value: number) => { readonly finding: number; readonly isBad: boolean };

interface RuleState {
  readonly rule: TrendRule;
  readonly judge: Judge;
  readonly isByBlock: boolean;
  isOn: boolean;
  run: number;
  /** What the chart has gathered is to begin anew when the condition is over. */
  readonly reset: () => void;
}

interface MetricState {
  readonly gate: ArtefactGate;
  readonly baseline: Baseline;
  readonly rules: readonly RuleState[];
  alarmBlocks: number;
}

/**
 * Judges samples by rules about trends. O(rules of the metric) a sample; what it needs of a subject is allocated with its
 * first sample, and sorted anew once in a block, which is each half minute.
 */
export class TrendEngine {
  readonly #rules: readonly TrendRule[];
  readonly #metrics: readonly MetricName[];
  /** By subject and metric; null = no rule is about the metric. */
  readonly #states: (MetricState | null | undefined)[] = [];

  constructor(rules: readonly TrendRule[], metrics: readonly MetricName[]) {
    this.#rules = rules;
    this.#metrics = metrics;
  }

  /** `value` NaN = missing. Samples of one subject and metric come in order of time. */
  sample(subject: number, metric: number, time: number, value: number, emit: EmitTrend): void {
    assert(subject >= 0 && subject < RULE_SUBJECTS_MAX, `subject ${subject} is not a place`);
    const place = subject * this.#metrics.length + metric;
    let state = this.#states[place];
    if (state === undefined) {
      state = this.#begin(metric);
      this.#states[place] = state;
    }
    if (state === null) return;
    for (const one of state.rules)
      if (one.rule.kind === 'stuck') settle(subject, one, time, value, emit);
    if (!state.gate.passes(time, value)) return;
    for (const one of state.rules)
      if (one.rule.kind === 'rate') settle(subject, one, time, value, emit);
    if (state.baseline.add(time, value)) this.#closeBlock(subject, state, emit);
  }

  #closeBlock(subject: number, state: MetricState, emit: EmitTrend): void {
    const { baseline, rules } = state;
    let isAlarm = false;
    for (const one of rules) {
      if (!one.isByBlock) continue;
      settle(subject, one, baseline.time, baseline.value, emit);
      isAlarm ||= one.isOn;
    }
    state.alarmBlocks = isAlarm ? state.alarmBlocks + 1 : 0;
    if (!isAlarm || state.alarmBlocks > ALARM_BLOCKS_MAX) baseline.accept();
  }

  #begin(metric: number): MetricState | null {
    const name = must(this.#metrics[metric], `no metric ${metric}`);
    const rules = this.#rules.filter((rule) => rule.metric === name);
    if (rules.length === 0) return null;
    const plausible = PLAUSIBLE[name];
    const { sigmaMin } = plausible;
    const options = { blockMs: BLOCK_MS, blocks: BLOCKS, blocksMin: BLOCKS_MIN, sigmaMin };
    const baseline = new Baseline(options);
    return {
      gate: new ArtefactGate(plausible),
      baseline,
      rules: rules.map((rule) => stateOf(rule, baseline)),
      alarmBlocks: 0,
    };
  }
}

const nothing = { finding: Number.NaN, isBad: false };

function stateOf(rule: TrendRule, baseline: Baseline): RuleState {
  const isByBlock = rule.kind !== 'stuck' && rule.kind !== 'rate';
  const common = { rule, isByBlock, isOn: false, run: 0 };
  const inform =
    (judge: () => number, limit: number): Judge =>
    () => {
      if (!baseline.isReady) return nothing;
      const finding = judge();
      return { finding, isBad: Math.abs(finding) >= limit };
    };
  switch (rule.kind) {
    case 'stuck': {
      let before = Number.NaN;
      const judge: Judge = (_time, value) => {
        const isBad = value === before;
        before = value;
        return { finding: value, isBad };
      };
      return { ...common, judge, reset: () => {} };
    }
    case 'rate': {
      const window = new RateWindow(rule.overSeconds * 1_000);
      const judge: Judge = (time, value) => {
        const finding = window.add(time, value);
        const isBad = rule.side === 'HI' ? finding >= rule.perMinute : finding <= -rule.perMinute;
        return { finding, isBad };
      };
      return { ...common, judge, reset: () => {} };
    }
    case 'zscore':
      return { ...common, judge: inform(() => baseline.score, rule.limit), reset: () => {} };
    case 'ewma': {
      const chart = new EwmaChart(rule.weight);
      return {
        ...common,
        judge: inform(() => chart.add(baseline.score), rule.limit),
        reset: () => {},
      };
    }
    case 'cusum': {
      const chart = new CusumChart(rule.slack, rule.limit * 1.5);
      const judge = inform(() => chart.add(baseline.score), rule.limit);
      return { ...common, judge, reset: () => chart.reset() };
    }
    case 'slope': {
      const slope = new Slope(rule.points);
      const judge: Judge = (time, value) => {
        slope.add(time, value);
        if (!slope.isFull) return nothing;
        const isToward = rule.side === 'HI' ? slope.perMinute > 0 : slope.perMinute < 0;
        const finding = isToward ? slope.minutesTo(rule.limit) : Infinity;
        return { finding, isBad: finding <= rule.withinMinutes };
      };
      return { ...common, judge, reset: () => {} };
    }
  }
}

/** Consecutive findings start and end a condition, as with limits. */
function settle(
  subject: number,
  state: RuleState,
  time: number,
  value: number,
  emit: EmitTrend,
): void {
  const { finding, isBad } = state.judge(time, value);
  const { rule } = state;
  if (isBad === state.isOn) {
    state.run = 0;
    return;
  }
  state.run += 1;
  if (state.run < (state.isOn ? rule.endAfter : rule.startAfter)) return;
  state.isOn = isBad;
  state.run = 0;
  if (!isBad) state.reset();
  emit({ subject, rule, phase: isBad ? 'start' : 'end', time, value, finding });
}
