import { TocsinError } from '../base/errors.ts';
import { type UnixMillis, unixMillis } from '../base/ids.ts';
import { DEDUP_KEY_CHARS_MAX } from '../base/limits.ts';
import { METRICS } from '../base/rules/metrics.ts';
import {
  conditionOf,
  type LimitRule,
  type MissingRule,
  type RulePriority,
} from '../base/rules/rules.ts';
import {
  describeScoreRule,
  type ScoreRule,
  scoreConditionOf,
  scoreNameOf,
} from '../base/rules/score-rules.ts';
import { describeTrendRule, type TrendRule, trendConditionOf } from '../base/rules/trend-rules.ts';
import type { ClockTransition } from './clock-watch.ts';
import type { Transition } from './limits.ts';
import type { ScoreTransition } from './score-engine.ts';
import type { TrendTransition } from './trend-engine.ts';

/** From a condition that changed to what the alert store is asked. Plain data of the shape that AlertApi takes. */

/** Whose samples they are. */
export interface AlertSource {
  /** Pseudonym. */
  readonly patient: string;
  /** Absent = the samples of several devices make it up. */
  readonly device?: string;
  readonly unit?: string;
  readonly bed?: string;
}

/** Of the shape of RaiseInput. */
export interface RaiseRequest {
  readonly dedupKey: string;
  readonly kind: 'physiological' | 'technical' | 'advisory';
  readonly priority: RulePriority;
  readonly condition: string;
  readonly text: string;
  readonly subject: AlertSource;
  readonly cause: {
    readonly metric: string;
    readonly value: number | null;
    readonly unit: string;
    readonly limit?: number;
    readonly rule: string;
  };
  readonly latching: boolean;
  readonly acknowledgementRequired: boolean;
  readonly observedAt: UnixMillis;
}

/** Of the shape of ClearInput. */
export interface ClearRequest {
  readonly target: { readonly dedupKey: string };
  readonly observedAt: UnixMillis;
}

export type AlertRequest =
  | { readonly type: 'raise'; readonly input: RaiseRequest }
  | { readonly type: 'clear'; readonly input: ClearRequest };

export const clearRequest = (key: string, observedAt: UnixMillis): AlertRequest => ({
  type: 'clear',
  input: { target: { dedupKey: key }, observedAt },
});

/**
 * What to ask of the store. `ruleRevision` is that of the rule set; `transition.time` is in milliseconds since 1970.
 * @throws TocsinError BAD_REQUEST when the names make a dedup key that is too long
 */
export function alertRequest(
  transition: Transition,
  source: AlertSource,
  ruleRevision: number,
): AlertRequest {
  const { rule, phase, value, time } = transition;
  const key = dedupKey(rule, source);
  const observedAt = unixMillis(time);
  if (phase === 'end') return clearRequest(key, observedAt);
  const limit = 'side' in rule ? rule : undefined;
  const cause = {
    metric: rule.metric,
    value,
    unit: METRICS[rule.metric].unit,
    ...(limit === undefined ? {} : { limit: limit.limit }),
    rule: `${rule.id}@${ruleRevision}`,
  };
  const input: RaiseRequest = {
    dedupKey: key,
    kind: limit === undefined ? 'technical' : 'physiological',
    priority: rule.priority,
    condition: conditionOf(rule),
    text: rule.text ?? textOf(rule),
    subject: source,
    cause,
    latching: limit?.latching ?? false,
    acknowledgementRequired: limit?.acknowledgementRequired ?? false,
    observedAt,
  };
  return { type: 'raise', input };
}

/**
 * Names the condition of a patient at a device: `phys:pt-07f3:mon-01:HR:HI`, `phys:pt-07f3:mon-01:HR:HI/extreme`,
 * `tech:pt-07f3:mon-01:HR:TEC`. Depends on nothing that changes while the condition lasts.
 * @throws TocsinError BAD_REQUEST when it is too long
 */
export const dedupKey = (rule: LimitRule | MissingRule, source: AlertSource): string =>
  keyOf('side' in rule ? 'phys' : 'tech', source, conditionOf(rule));

function keyOf(namespace: string, source: AlertSource, condition: string): string {
  const device = source.device === undefined ? '' : `${escaped(source.device)}:`;
  const key = `${namespace}:${escaped(source.patient)}:${device}${condition}`;
  if (key.length > DEDUP_KEY_CHARS_MAX) {
    const message = `dedup key of ${key.length} characters is over ${DEDUP_KEY_CHARS_MAX}: ${key.slice(0, 80)}…`;
    throw new TocsinError('BAD_REQUEST', message);
  }
  return key;
}

/**
 * The same for a trend. Advisory, but for a signal that stands still, which is technical. The cause carries the value and
 * the rule's limit; the text says what was found.
 * @throws TocsinError BAD_REQUEST when the names make a dedup key that is too long
 */
export function trendAlertRequest(
  transition: TrendTransition,
  source: AlertSource,
  ruleRevision: number,
): AlertRequest {
  const { rule, phase, value, finding } = transition;
  const condition = trendConditionOf(rule);
  const isTechnical = rule.kind === 'stuck';
  const key = trendDedupKey(rule, source);
  const observedAt = unixMillis(transition.time);
  if (phase === 'end') return clearRequest(key, observedAt);
  const limit = limitOf(rule);
  const input: RaiseRequest = {
    dedupKey: key,
    kind: isTechnical ? 'technical' : 'advisory',
    priority: rule.priority,
    condition,
    text:
      rule.text ??
      `${describeTrendRule(rule)}${Number.isNaN(finding) ? '' : ` (${toShort(finding)})`}`,
    subject: source,
    cause: {
      metric: rule.metric,
      value: Number.isNaN(value) ? null : value,
      unit: METRICS[rule.metric].unit,
      ...(limit === undefined ? {} : { limit }),
      rule: `${rule.id}@${ruleRevision}`,
    },
    latching: false,
    acknowledgementRequired: false,
    observedAt,
  };
  return { type: 'raise', input };
}

/** @throws TocsinError BAD_REQUEST when it is too long */
export const trendDedupKey = (rule: TrendRule, source: AlertSource): string =>
  keyOf(rule.kind === 'stuck' ? 'tech' : 'trend', source, trendConditionOf(rule));

/**
 * The same for a score: of a patient, from whichever devices the inputs come. An early warning is advisory. The text says
 * what the score is made without, and what of it is old.
 * @throws TocsinError BAD_REQUEST when the name makes a dedup key that is too long
 */
export function scoreAlertRequest(
  { rule, phase, time, score, missing, stale }: ScoreTransition,
  patient: string,
  ruleVersion: number,
): AlertRequest {
  const key = scoreDedupKey(rule, patient);
  const observedAt = unixMillis(time);
  if (phase === 'end') return clearRequest(key, observedAt);
  const value = Number.isNaN(score) ? null : Number(score.toFixed(2));
  const notKnown = missing.length === 0 ? '' : `; partial, not known: ${missing.join(', ')}`;
  const old = stale.length === 0 ? '' : `; old: ${stale.join(', ')}`;
  const input: RaiseRequest = {
    dedupKey: key,
    kind: rule.kind === 'early-warning' ? 'advisory' : 'physiological',
    priority: rule.priority,
    condition: scoreConditionOf(rule),
    text: `${rule.text ?? describeScoreRule(rule)}${value === null ? '' : ` (${value})`}${notKnown}${old}`,
    subject: { patient },
    cause: {
      metric: scoreNameOf(rule),
      value,
      unit: rule.kind === 'shock-index' ? '1' : '{score}',
      limit: rule.limit,
      rule: `${rule.id}@${ruleVersion}`,
    },
    latching: false,
    acknowledgementRequired: false,
    observedAt,
  };
  return { type: 'raise', input };
}

/** `score:pt-07f3:NEWS2/emergency`. @throws TocsinError BAD_REQUEST when it is too long */
export const scoreDedupKey = (rule: ScoreRule, patient: string): string =>
  keyOf('score', { patient }, scoreConditionOf(rule));

/** Of the one rule that is in force everywhere. */
export const CLOCK_RULE = 'device-clock';

export const clockDedupKey = (source: AlertSource): string => keyOf('tech', source, 'CLOCK');

/** The clock of a device goes wrong by more than the bound: technical, with the skew in seconds as its value. */
export function clockAlertRequest(
  { phase, delayMs }: ClockTransition,
  source: AlertSource,
  boundMs: number,
  now: number,
): AlertRequest {
  const key = clockDedupKey(source);
  const observedAt = unixMillis(Math.round(now));
  if (phase === 'end') return clearRequest(key, observedAt);
  const seconds = Math.round(Math.abs(delayMs) / 100) / 10;
  const input: RaiseRequest = {
    dedupKey: key,
    kind: 'technical',
    priority: 'low',
    condition: 'CLOCK',
    text: `Clock of ${source.device} is ${seconds} s ${delayMs < 0 ? 'ahead' : 'behind'}`,
    subject: source,
    cause: {
      metric: 'CLOCK',
      value: seconds,
      unit: 's',
      limit: boundMs / 1_000,
      rule: `${CLOCK_RULE}@1`,
    },
    latching: false,
    acknowledgementRequired: false,
    observedAt,
  };
  return { type: 'raise', input };
}

const limitOf = (rule: TrendRule): number | undefined =>
  rule.kind === 'stuck' ? undefined : rule.kind === 'rate' ? rule.perMinute : rule.limit;

const toShort = (finding: number): string => String(Number(finding.toPrecision(3)));

/** A colon inside a name must not make two different sources share a key. */
const escaped = (name: string): string => name.replaceAll('%', '%25').replaceAll(':', '%3A');

function textOf(rule: LimitRule | MissingRule): string {
  if (!('side' in rule)) return `${rule.metric}: no signal`;
  const unit = UNIT_FOR_PEOPLE[METRICS[rule.metric].unit] ?? METRICS[rule.metric].unit;
  const relation = rule.side === 'HI' ? 'at or above' : 'at or below';
  return `${rule.metric} ${relation} ${rule.limit} ${unit}`;
}

const UNIT_FOR_PEOPLE: Readonly<Record<string, string>> = { 'mm[Hg]': 'mmHg', Cel: '°C' };
