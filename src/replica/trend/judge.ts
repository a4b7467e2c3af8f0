import {
  type AlertRequest,
  alertRequest,
  clockAlertRequest,
  dedupKey,
  trendAlertRequest,
} from '../../analytics/alerts.ts';
import { ClockWatch } from '../../analytics/clock-watch.ts';
import { LimitEngine, type Transition } from '../../analytics/limits.ts';
import { TrendEngine, type TrendTransition } from '../../analytics/trend-engine.ts';
import { RULE_SUBJECTS_MAX } from '../../base/limits.ts';
import { isMetricName, METRIC_NAMES } from '../../base/rules/metrics.ts';
import type { ConditionKind, LimitRule, MissingRule, RuleSet } from '../../base/rules/rules.ts';
import { TREND_SKEW_MS_MAX } from '../../base/trend-limits.ts';
import { isUsable } from '../../trend/samples.ts';
import type { SeriesInfo, SeriesRegistry } from '../../trend/series.ts';
import type { SampleJudge } from './trend-replica.ts';

const UNKNOWN = -2;
const UNJUDGED = -1;

/** Who speaks for a patient at a device: nobody yet, a peer, or this replica. */
type Home = 'none' | 'peer' | 'own';

interface SubjectState {
  readonly info: SeriesInfo;
  home: Home;
}

/**
 * Judges samples by rules on the replica to which they were brought. The others, to which they are passed on, judge them
 * too and stay silent: when the stream moves to one of them, it knows each running condition, raises it once more (which
 * the store takes for the same occurrence, by its dedup key) and speaks from then on.
 */
export class TrendJudge implements SampleJudge {
  /** Samples of patients for whom the engine has no room. */
  unjudged = 0;
  readonly #rules: RuleSet;
  readonly #engine: LimitEngine;
  readonly #trends: TrendEngine;
  readonly #clocks: ClockWatch = new ClockWatch(TREND_SKEW_MS_MAX);
  readonly #registry: SeriesRegistry;
  readonly #emit: (request: AlertRequest) => void;
  /** Dedup keys of alerts that were open when this replica started. */
  readonly #open: ReadonlySet<string>;
  /** By place: the subject's number, and which metric it is. */
  #subjects = new Int32Array(256).fill(UNKNOWN);
  #metrics = new Int16Array(256);
  readonly #numbers: Map<string, number> = new Map();
  readonly #states: SubjectState[] = [];
  readonly #hasTrends: boolean;
  #isOwn = false;
  #now = 0;
  readonly #onTransition = (transition: Transition): void => {
    if (this.#isOwn) this.#tell(transition);
  };
  readonly #onTrend = (transition: TrendTransition): void => {
    if (!this.#isOwn) return;
    const { patient, device } = (this.#states[transition.subject] as SubjectState).info;
    this.#emit(trendAlertRequest(transition, { patient, device }, this.#rules.revision));
  };

  constructor(
    rules: RuleSet,
    registry: SeriesRegistry,
    open: ReadonlySet<string>,
    emit: (request: AlertRequest) => void,
  ) {
    this.#rules = rules;
    this.#engine = new LimitEngine(rules, METRIC_NAMES);
    this.#trends = new TrendEngine(rules.trends ?? [], METRIC_NAMES);
    this.#registry = registry;
    this.#hasTrends = (rules.trends ?? []).length > 0;
    this.#open = open;
    this.#emit = emit;
  }

  receive(now: number): void {
    this.#now = now;
  }

  judge(place: number, time: number, value: number, quality: number, isOwn: boolean): void {
    let subject = this.#subjects[place] ?? UNKNOWN;
    if (subject === UNKNOWN) subject = this.#introduce(place);
    if (subject === UNJUDGED) return;
    const state = this.#states[subject] as SubjectState;
    if (isOwn && state.home !== 'own') this.#takeOver(subject, state);
    else if (!isOwn && state.home !== 'peer') state.home = 'peer';
    this.#isOwn = isOwn;
    if (isOwn) this.#watchClock(subject, time, state);
    const seen = isUsable(value, quality) ? value : Number.NaN;
    const metric = this.#metrics[place] as number;
    this.#engine.sample(subject, metric, time, seen, this.#onTransition);
    if (this.#hasTrends) this.#trends.sample(subject, metric, time, seen, this.#onTrend);
  }

  #watchClock(subject: number, time: number, { info }: SubjectState): void {
    const change = this.#clocks.add(subject, this.#now, time);
    if (change === undefined) return;
    const { patient, device } = info;
    this.#emit(clockAlertRequest(change, { patient, device }, TREND_SKEW_MS_MAX, this.#now));
  }

  #tell(transition: Transition): void {
    const { info } = this.#states[transition.subject] as SubjectState;
    const { patient, device } = info;
    this.#emit(alertRequest(transition, { patient, device }, this.#rules.revision));
  }

  /** Whoever spoke for it before may have died before it did: what is on is said again. */
  #takeOver(subject: number, state: SubjectState): void {
    const wasSilent = state.home === 'none';
    state.home = 'own';
    const { patient, device } = state.info;
    const all: readonly (LimitRule | MissingRule)[] = [
      ...this.#rules.rules,
      ...this.#rules.missing,
    ];
    for (const rule of all) {
      if (this.#engine.unused.includes(rule.id)) continue;
      if (wasSilent) {
        if (this.#open.has(dedupKey(rule, { patient, device })))
          this.#engine.resume(subject, rule.id);
        continue;
      }
      if (!this.#engine.isOn(subject, rule.id)) continue;
      const kind: ConditionKind = 'side' in rule ? rule.side : 'TEC';
      const { metric } = rule;
      this.#tell({ subject, metric, kind, phase: 'start', time: this.#now, value: null, rule });
    }
  }

  #introduce(place: number): number {
    if (place >= this.#subjects.length) this.#makeRoom(place);
    const info = this.#registry.at(place)?.info;
    const metric = info?.metric ?? '';
    const isKnown = info !== undefined && isMetricName(metric);
    const subject = isKnown ? this.#subjectOf(info) : UNJUDGED;
    this.#subjects[place] = subject;
    if (isKnown) this.#metrics[place] = METRIC_NAMES.indexOf(metric);
    return subject;
  }

  #subjectOf(info: SeriesInfo): number {
    const name = JSON.stringify([info.patient, info.device]);
    const known = this.#numbers.get(name);
    if (known !== undefined) return known;
    const number = this.#states.length;
    if (number >= RULE_SUBJECTS_MAX) {
      this.unjudged += 1;
      return UNJUDGED;
    }
    this.#numbers.set(name, number);
    this.#states.push({ info, home: 'none' });
    this.#engine.usePatient(number, info.patient);
    return number;
  }

  #makeRoom(place: number): void {
    const room = Math.max(place + 1, this.#subjects.length * 2);
    const subjects = new Int32Array(room).fill(UNKNOWN);
    const metrics = new Int16Array(room);
    subjects.set(this.#subjects);
    metrics.set(this.#metrics);
    this.#subjects = subjects;
    this.#metrics = metrics;
  }
}
