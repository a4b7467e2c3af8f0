import {
  type AlertRequest,
  alertRequest,
  clearRequest,
  clockAlertRequest,
  clockDedupKey,
  dedupKey,
  scoreAlertRequest,
  scoreDedupKey,
  trendAlertRequest,
  trendDedupKey,
} from '../../analytics/alerts.ts';
import { ClockWatch } from '../../analytics/clock-watch.ts';
import { LimitEngine, type Transition } from '../../analytics/limits.ts';
import { ScoreEngine, type ScoreTransition } from '../../analytics/score-engine.ts';
import { TrendEngine, type TrendTransition } from '../../analytics/trend-engine.ts';
import { unixMillis } from '../../base/ids.ts';
import { METRIC_NAMES } from '../../base/rules/metrics.ts';
import {
  type ConditionKind,
  type LimitRule,
  type MissingRule,
  type RuleSet,
  versionOf,
} from '../../base/rules/rules.ts';
import { TREND_PATIENT_MS, TREND_SKEW_MS_MAX } from '../../base/trend-limits.ts';
import { isUsable } from '../../trend/samples.ts';
import type { SeriesRegistry } from '../../trend/series.ts';
import { leftAtSource, leftByChange, leftOfPatient } from './leftovers.ts';
import { LiveOrder } from './live-order.ts';
import type { OpenBook, PatientCondition } from './open-book.ts';
import { type Patient, type Subject, Subjects } from './subjects.ts';
import type { SampleJudge } from './trend-replica.ts';

/**
 * Judges samples by rules on the replica to which they were brought. The others, to which they are passed on, judge them
 * too and stay silent: when the stream moves to one of them, it knows each running condition, raises it once more (which
 * the store takes for the same occurrence, by its dedup key) and speaks from then on. What is open in the store and not
 * running here, because this replica started late or has missed samples, it takes up, so that its end is told.
 */
export class TrendJudge implements SampleJudge {
  #rules: RuleSet;
  #limits: LimitEngine;
  readonly #trends: TrendEngine;
  readonly #scores: ScoreEngine;
  readonly #clocks: ClockWatch = new ClockWatch(TREND_SKEW_MS_MAX);
  readonly #order: LiveOrder = new LiveOrder();
  readonly #subjects: Subjects;
  readonly #emit: (request: AlertRequest) => void;
  /** Kept up to date by whoever made it. */
  readonly #open: OpenBook;
  #isOwn = false;
  #now = 0;
  readonly #onLimit = (transition: Transition): void => {
    if (this.#isOwn) this.#tellLimit(transition);
  };
  readonly #onTrend = (transition: TrendTransition): void => {
    if (this.#isOwn) this.#tellTrend(transition);
  };
  readonly #onScore = (transition: ScoreTransition): void => {
    if (this.#isOwn) this.#tellScore(transition);
  };

  constructor(
    rules: RuleSet,
    registry: SeriesRegistry,
    open: OpenBook,
    emit: (request: AlertRequest) => void,
  ) {
    this.#rules = rules;
    this.#limits = new LimitEngine(rules, METRIC_NAMES);
    this.#trends = new TrendEngine(rules.trends ?? [], METRIC_NAMES);
    this.#scores = new ScoreEngine(rules.scores ?? [], rules.profiles ?? [], METRIC_NAMES);
    this.#open = open;
    this.#emit = emit;
    this.#subjects = new Subjects(registry, {
      patient: ({ number, name }) => this.#scores.introduce(number, name),
      subject: ({ number, info }) => this.#limits.usePatient(number, info.patient),
    });
  }

  /** Samples of patients for whom there is no room. */
  get unjudged(): number {
    return this.#subjects.leftOut;
  }

  /**
   * Judges by other rules from now on. What runs under a rule that stays goes on; a condition whose rule is gone is cleared,
   * by every replica that knows of it, since there is nobody else who would; also one that runs nowhere, since all who
   * judged it have been started anew.
   */
  use(rules: RuleSet, now: number): void {
    this.#now = now;
    const left = new Set(leftByChange(this.#open, this.#rules, rules));
    const before = this.#limits;
    this.#rules = rules;
    this.#limits = new LimitEngine(rules, METRIC_NAMES);
    for (const { number, info } of this.#subjects.all)
      this.#limits.usePatient(number, info.patient);
    this.#limits.inherit(before, this.#subjects.all.length, (subject, rule) => {
      left.add(dedupKey(rule, this.#sourceOf(subject)));
    });
    this.#trends.use(rules.trends ?? [], (subject, rule) => {
      left.add(trendDedupKey(rule, this.#sourceOf(subject)));
    });
    this.#scores.use(rules.scores ?? [], rules.profiles ?? [], (patient, rule) => {
      left.add(scoreDedupKey(rule, this.#subjects.patient(patient).name));
    });
    this.#clear(left);
  }

  /**
   * The store says that a condition is over. If it goes on here, it was taken up as open when it no longer was, or cleared by
   * somebody who knew less: it is said again with the next sample that is brought here.
   */
  over({ key, patient, device }: PatientCondition): void {
    const about =
      device === undefined
        ? this.#subjects.patientNamed(patient)
        : this.#subjects.named(patient, device);
    if (about?.home !== 'own') return;
    const isOn = 'patient' in about ? this.#isOn(about, key) : this.#isScoreOn(about, key);
    if (isOn) about.home = 'none';
  }

  #isOn({ number, info }: Subject, key: string): boolean {
    const { rules, missing, trends = [] } = this.#rules;
    return (
      [...rules, ...missing].some(
        (rule) => dedupKey(rule, info) === key && this.#limits.isOn(number, rule.id),
      ) ||
      trends.some((rule) => trendDedupKey(rule, info) === key && this.#trends.isOn(number, rule))
    );
  }

  #isScoreOn({ number, name }: Patient, key: string): boolean {
    const { scores = [] } = this.#rules;
    return scores.some(
      (rule) => scoreDedupKey(rule, name) === key && this.#scores.isOn(number, rule.id),
    );
  }

  #clear(keys: Iterable<string>): void {
    for (const key of keys) this.#emit(clearRequest(key, unixMillis(this.#now)));
  }

  receive(now: number): void {
    this.#now = now;
  }

  judge(place: number, time: number, value: number, quality: number, isOwn: boolean): void {
    const subject = this.#subjects.at(place);
    if (subject === undefined) return;
    this.#settleHome(subject, isOwn);
    if (isOwn) this.#watchClock(subject, time);
    this.#order.pass(place, time);
    this.#judge(subject, place, time, value, quality);
  }

  /**
   * Most samples that come late are of a backlog, and say nothing about now. Those of a device whose clock is wrong, or was
   * ahead, do: they are judged in their order, as of the time at which they are received.
   */
  astray(place: number, time: number, value: number, quality: number, isRefused: boolean): void {
    const subject = this.#subjects.at(place);
    if (subject === undefined) return;
    // A backlog may be brought to another replica than what is measured now.
    const isTelling = isRefused || subject.home !== 'peer';
    if (isTelling) this.#watchClock(subject, time);
    const isWrong = isTelling && this.#clocks.isWrong(subject.number);
    if (!this.#order.isNews(place, time, this.#now, isWrong)) return;
    this.#settleHome(subject, true);
    this.#judge(subject, place, this.#now, value, quality);
  }

  #settleHome(subject: Subject, isOwn: boolean): void {
    const { patient } = subject;
    if (isOwn && subject.home !== 'own') this.#takeOver(subject);
    else if (!isOwn && subject.home !== 'peer') subject.home = 'peer';
    if (isOwn) this.#takePatient(patient);
    else if (patient.home === 'own' && this.#now - patient.ownAt > TREND_PATIENT_MS)
      patient.home = 'peer';
    else if (patient.home === 'none') patient.home = 'peer';
    this.#isOwn = isOwn;
  }

  #judge(
    { number, patient }: Subject,
    place: number,
    time: number,
    value: number,
    quality: number,
  ): void {
    const seen = isUsable(value, quality) ? value : Number.NaN;
    const metric = this.#subjects.metricAt(place);
    this.#limits.sample(number, metric, time, seen, this.#onLimit);
    this.#trends.sample(number, metric, time, seen, this.#onTrend);
    this.#scores.sample(patient.number, metric, time, seen, this.#onScore);
  }

  #watchClock({ number, info }: Subject, time: number): void {
    const change = this.#clocks.add(number, this.#now, time);
    if (change === undefined) return;
    const { patient, device } = info;
    this.#emit(clockAlertRequest(change, { patient, device }, TREND_SKEW_MS_MAX, this.#now));
  }

  #tellLimit(transition: Transition): void {
    const version = versionOf(this.#rules, transition.rule.id);
    this.#emit(alertRequest(transition, this.#sourceOf(transition.subject), version));
  }

  #tellTrend(transition: TrendTransition): void {
    const version = versionOf(this.#rules, transition.rule.id);
    this.#emit(trendAlertRequest(transition, this.#sourceOf(transition.subject), version));
  }

  #tellScore(transition: ScoreTransition): void {
    const version = versionOf(this.#rules, transition.rule.id);
    const { name } = this.#subjects.patient(transition.patient);
    this.#emit(scoreAlertRequest(transition, name, version));
  }

  #sourceOf(subject: number): { readonly patient: string; readonly device: string } {
    const { patient, device } = this.#subjects.subject(subject).info;
    return { patient, device };
  }

  /**
   * Whoever spoke for it before may have died before it did: what is on is said again, what is open is taken up, and cleared
   * if no rule knows of it.
   */
  #takeOver(subject: Subject): void {
    subject.home = 'own';
    const { number } = subject;
    const source = this.#sourceOf(number);
    const { rules, missing, trends = [] } = this.#rules;
    for (const rule of this.#limits.on(number)) this.#tellLimit(this.#begun(number, rule));
    for (const rule of trends)
      if (this.#trends.isOn(number, rule)) this.#tellTrend(this.#trendBegun(number, rule));
    // Mostly nothing is open, and no key has to be made: all streams of a replica that died may come at once.
    const open = this.#openOf(source.patient, source.device);
    if (open.size === 0) return;
    for (const rule of [...rules, ...missing])
      if (!this.#limits.isOn(number, rule.id) && open.has(dedupKey(rule, source)))
        this.#limits.resume(number, rule.id);
    for (const rule of trends)
      if (!this.#trends.isOn(number, rule) && open.has(trendDedupKey(rule, source)))
        this.#trends.resume(number, rule);
    if (open.has(clockDedupKey(source))) this.#clocks.resume(number);
    this.#clear(leftAtSource(this.#open, this.#rules, source));
  }

  #openOf(patient: string, device: string | undefined): ReadonlySet<string> {
    return new Set([...this.#open.of(patient, device)].map(({ key }) => key));
  }

  #begun(subject: number, rule: LimitRule | MissingRule): Transition {
    const kind: ConditionKind = 'side' in rule ? rule.side : 'TEC';
    return {
      subject,
      metric: rule.metric,
      kind,
      phase: 'start',
      time: this.#now,
      value: null,
      rule,
    };
  }

  #trendBegun(subject: number, rule: TrendTransition['rule']): TrendTransition {
    const unknown = { value: Number.NaN, finding: Number.NaN };
    return { subject, rule, phase: 'start', time: this.#now, ...unknown };
  }

  #takePatient(patient: Patient): void {
    patient.ownAt = this.#now;
    if (patient.home === 'own') return;
    patient.home = 'own';
    const { number, name } = patient;
    const open = this.#openOf(name, undefined);
    for (const rule of this.#rules.scores ?? []) {
      if (this.#scores.isOn(number, rule.id)) {
        const standing = this.#scores.standing(number, rule.id, this.#now);
        if (standing !== undefined) this.#tellScore(standing);
      } else if (open.has(scoreDedupKey(rule, name))) this.#scores.resume(number, rule.id);
    }
    if (open.size > 0) this.#clear(leftOfPatient(this.#open, this.#rules, name));
  }
}
