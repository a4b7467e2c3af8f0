import { assert, must } from '../base/assert.ts';
import { RULE_SUBJECTS_MAX } from '../base/limits.ts';
import type { MetricName } from '../base/rules/metrics.ts';
import { type TrendRule, trendConditionOf } from '../base/rules/trend-rules.ts';
import { Baseline } from './baseline.ts';
import { ArtefactGate, PLAUSIBLE } from './plausible.ts';
import { type Finder, finderOf } from './trend-finders.ts';

/** A condition of a trend begins or is over. */
export interface TrendTransition {
  readonly subject: number;
  readonly rule: TrendRule;
  readonly phase: 'start' | 'end';
  /** Of the sample that decided, in milliseconds. */
  readonly time: number;
  /** The sample, or the median of the block; NaN = missing. */
  readonly value: number;
  /** What was compared with the rule's limit: a score, a rate, minutes; NaN = it is not known here. */
  readonly finding: number;
}

export type EmitTrend = (transition: TrendTransition) => void;

/** Blocks of half a minute; the usual is that of the last twenty minutes, and takes five to be known. */
const BLOCK_MS = 30_000;
const BLOCKS = 40;
const BLOCKS_MIN = 10;
/** After so many blocks within an alarm, what is unusual has become usual. */
const ALARM_BLOCKS_MAX = 60;

interface RuleState {
  readonly rule: TrendRule;
  readonly finder: Finder;
  readonly isByBlock: boolean;
  isOn: boolean;
  run: number;
}

interface MetricState {
  readonly gate: ArtefactGate;
  readonly baseline: Baseline;
  rules: readonly RuleState[];
  alarmBlocks: number;
}

/**
 * Judges samples by rules about trends. O(rules of the metric) a sample; what it needs of a subject is allocated with its
 * first sample, and sorted anew once in a block, which is each half minute.
 */
export class TrendEngine {
  #rules: readonly TrendRule[];
  readonly #metrics: readonly MetricName[];
  /** By metric: whether any rule is about it. */
  #isRuled: readonly boolean[];
  /** By subject and metric. */
  readonly #states: (MetricState | undefined)[] = [];

  constructor(rules: readonly TrendRule[], metrics: readonly MetricName[]) {
    this.#rules = rules;
    this.#metrics = metrics;
    this.#isRuled = this.#ruled();
  }

  /** `value` NaN = missing. Samples of one subject and metric come in order of time. */
  sample(subject: number, metric: number, time: number, value: number, emit: EmitTrend): void {
    if (this.#isRuled[metric] !== true) return;
    const state = this.#stateOf(subject, metric);
    for (const one of state.rules)
      if (one.rule.kind === 'stuck') settle(subject, one, time, value, emit);
    if (!state.gate.passes(time, value)) return;
    for (const one of state.rules)
      if (one.rule.kind === 'rate') settle(subject, one, time, value, emit);
    if (state.baseline.add(time, value)) closeBlock(subject, state, emit);
  }

  /** Judges by other rules from now on. What is running under the same id and condition goes on; `ended` hears of the rest. */
  use(rules: readonly TrendRule[], ended: (subject: number, rule: TrendRule) => void): void {
    this.#rules = rules;
    this.#isRuled = this.#ruled();
    for (const [place, state] of this.#states.entries()) {
      if (state === undefined) continue;
      const subject = Math.floor(place / this.#metrics.length);
      const before = state.rules;
      state.rules = this.#rulesFor(place % this.#metrics.length, state.baseline, before);
      for (const { rule, isOn } of before)
        if (isOn && !state.rules.some((after) => isSuccessor(after.rule, rule)))
          ended(subject, rule);
    }
  }

  isOn(subject: number, { id, metric }: TrendRule): boolean {
    const place = this.#metrics.indexOf(metric);
    const state = this.#states[subject * this.#metrics.length + place];
    return place >= 0 && state?.rules.find(({ rule }) => rule.id === id)?.isOn === true;
  }

  /** Takes up a condition that is known to be on, and about which nothing else is known yet. */
  resume(subject: number, { id, metric }: TrendRule): void {
    const place = this.#metrics.indexOf(metric);
    if (place < 0) return;
    const state = this.#stateOf(subject, place).rules.find(({ rule }) => rule.id === id);
    if (state === undefined) return;
    state.isOn = true;
    state.run = 0;
  }

  #ruled(): readonly boolean[] {
    return this.#metrics.map((name) => this.#rules.some(({ metric }) => metric === name));
  }

  #stateOf(subject: number, metric: number): MetricState {
    const place = subject * this.#metrics.length + metric;
    const known = this.#states[place];
    if (known !== undefined) return known;
    assert(subject >= 0 && subject < RULE_SUBJECTS_MAX, `subject ${subject} is not a place`);
    const plausible = PLAUSIBLE[must(this.#metrics[metric], `no metric ${metric}`)];
    const { sigmaMin } = plausible;
    const baseline = new Baseline({
      blockMs: BLOCK_MS,
      blocks: BLOCKS,
      blocksMin: BLOCKS_MIN,
      sigmaMin,
    });
    const rules = this.#rulesFor(metric, baseline, []);
    const state = { gate: new ArtefactGate(plausible), baseline, rules, alarmBlocks: 0 };
    this.#states[place] = state;
    return state;
  }

  /** States of the rules of a metric, those of before where the rule is the same. */
  #rulesFor(
    metric: number,
    baseline: Baseline,
    before: readonly RuleState[],
  ): readonly RuleState[] {
    return this.#rules
      .filter((rule) => rule.metric === this.#metrics[metric])
      .map((rule): RuleState => {
        const was = before.find((one) => isSuccessor(rule, one.rule));
        const isSame = was !== undefined && JSON.stringify(was.rule) === JSON.stringify(rule);
        if (isSame) return was;
        const isByBlock = rule.kind !== 'stuck' && rule.kind !== 'rate';
        const finder = finderOf(rule, baseline);
        return { rule, finder, isByBlock, isOn: was?.isOn ?? false, run: 0 };
      });
  }
}

const isSuccessor = (after: TrendRule, before: TrendRule): boolean =>
  after.id === before.id && trendConditionOf(after) === trendConditionOf(before);

function closeBlock(subject: number, state: MetricState, emit: EmitTrend): void {
  const { baseline, rules } = state;
  let isAlarm = false;
  for (const one of rules) {
    if (!one.isByBlock) continue;
    settle(subject, one, baseline.time, baseline.value, emit);
    isAlarm ||= one.isOn;
  }
  state.alarmBlocks = isAlarm ? state.alarmBlocks + 1 : 0;
  if (!isAlarm || !baseline.isReady || state.alarmBlocks > ALARM_BLOCKS_MAX) baseline.accept();
}

/** Consecutive findings start and end a condition, as with limits. */
function settle(
  subject: number,
  state: RuleState,
  time: number,
  value: number,
  emit: EmitTrend,
): void {
  const { rule, finder } = state;
  const finding = finder.find(time, value);
  if (Number.isNaN(finding)) return;
  const isBad = finder.isBad(finding);
  if (isBad === state.isOn) {
    state.run = 0;
    return;
  }
  state.run += 1;
  if (state.run < (state.isOn ? rule.endAfter : rule.startAfter)) return;
  state.isOn = isBad;
  state.run = 0;
  if (!isBad) finder.reset();
  emit({ subject, rule, phase: isBad ? 'start' : 'end', time, value, finding });
}
