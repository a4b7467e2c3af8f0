import { assert } from '../assert.ts';
import { RULES_PER_SET_MAX, RUN_SAMPLES_MAX } from '../limits.ts';
import type { MetricName } from './metrics.ts';
import { type ScoreRule, scoreConditionOf } from './score-rules.ts';
import { type TrendRule, trendConditionOf } from './trend-rules.ts';

/** The rules of a ward as plain data. `findProblem` tells whether a set may be used. */

/** Above a limit, below a limit. Both limits are part of the violation: HI is `value >= limit`. */
export type Side = 'HI' | 'LO';
/** A side, or TEC: no valid sample (technical). */
export type ConditionKind = Side | 'TEC';
export type RulePriority = 'high' | 'medium' | 'low';

interface Rule {
  /** Unique in the set; stands in each alert's cause. */
  readonly id: string;
  readonly metric: MetricName;
  readonly priority: RulePriority;
  /** What is wrong, for people. @defaultValue made from metric, side and limit */
  readonly text?: string;
}

/** A value on the wrong side of a limit for a while. A missing sample changes neither count. */
export interface LimitRule extends Rule {
  readonly side: Side;
  readonly limit: number;
  /** Once the condition is on, a value has to be so far back inside the limit to speak for its end. @defaultValue 0 */
  readonly hysteresis?: number;
  /** Starts at this many consecutive present samples in violation, 1 … RUN_SAMPLES_MAX. */
  readonly startAfter: number;
  /** Ends at this many consecutive present samples not in violation, 1 … RUN_SAMPLES_MAX. */
  readonly endAfter: number;
  /**
   * Tells limits of the same metric and side apart, for example `extreme`. Part of the alert's dedup key, so it stays the
   * same for as long as the rule means the same.
   */
  readonly instance?: string;
  /** @defaultValue false */
  readonly latching?: boolean;
  /** @defaultValue false */
  readonly acknowledgementRequired?: boolean;
}

/** No valid sample for a while. */
export interface MissingRule extends Rule {
  /** Starts at this many consecutive missing samples, 1 … RUN_SAMPLES_MAX. */
  readonly startAfter: number;
  /** Ends at this many consecutive present samples, 1 … RUN_SAMPLES_MAX. */
  readonly endAfter: number;
}

/** Other limits for patients whose usual is not everybody's. */
export interface LimitProfile {
  readonly name: string;
  /** By the id of a rule about a limit or a score. Rules that are not named keep their limit. */
  readonly limits: Readonly<Record<string, number>>;
  /** SpO2 scale of their scores. @defaultValue what each rule says */
  readonly scale?: 1 | 2;
  /** Whose; a patient has at most one. */
  readonly patients: readonly string[];
}

export interface RuleSet {
  /** Of the format. */
  readonly version: 1;
  readonly name: string;
  /** Of the content: raised by whoever changes a rule. Alerts name it, as in `hr-high@3`. */
  readonly revision: number;
  readonly rules: readonly LimitRule[];
  /** At most one for a metric. */
  readonly missing: readonly MissingRule[];
  /** Limits of their own for some patients. @defaultValue none */
  readonly profiles?: readonly LimitProfile[];
  /** About how values change. @defaultValue none */
  readonly trends?: readonly TrendRule[];
  /** About scores made of several signs. @defaultValue none */
  readonly scores?: readonly ScoreRule[];
  /** By id, of rules that are versioned one by one. @defaultValue all are of the set's revision */
  readonly versions?: Readonly<Record<string, number>>;
}

/** What alerts name beside the rule's id. */
export const versionOf = ({ versions, revision }: RuleSet, id: string): number =>
  versions?.[id] ?? revision;

/** A rule that cannot be used, and why. `index` is its place in the list named by `list`. */
export interface RuleProblem {
  readonly list: 'rules' | 'missing' | 'trends' | 'scores' | 'profiles';
  readonly index: number;
  readonly field: string;
  readonly message: string;
}

/** The first relation between rules that does not hold, or undefined. Each rule alone is taken to be well formed. */
export function findProblem(set: RuleSet): RuleProblem | undefined {
  return (
    findExcess(set) ??
    findDouble(set) ??
    findDoubleOfList(set, 'trends', set.trends ?? [], trendConditionOf) ??
    findDoubleOfList(set, 'scores', set.scores ?? [], scoreConditionOf) ??
    findOverlap(set) ??
    findStrangeProfile(set)
  );
}

function findExcess(set: RuleSet): RuleProblem | undefined {
  const total = set.rules.length + set.missing.length;
  const list = set.rules.length > 0 ? 'rules' : 'missing';
  const excess = (where: RuleProblem['list'], count: number, index: number): RuleProblem => ({
    list: where,
    index,
    field: 'id',
    message: `${count} rules in one set; at most ${RULES_PER_SET_MAX} are allowed`,
  });
  if (total > RULES_PER_SET_MAX) return excess(list, total, set[list].length - 1);
  for (const other of ['trends', 'scores', 'profiles'] as const) {
    const { length } = set[other] ?? [];
    if (length > RULES_PER_SET_MAX) return excess(other, length, length - 1);
  }
  return undefined;
}

/** What the engine relies on in one rule. */
export function assertRule(rule: LimitRule | MissingRule): void {
  for (const count of [rule.startAfter, rule.endAfter]) {
    assert(Number.isSafeInteger(count), `rule ${rule.id}: ${count} samples is not a whole number`);
    assert(count >= 1, `rule ${rule.id}: ${count} samples is below 1`);
    assert(count <= RUN_SAMPLES_MAX, `rule ${rule.id}: ${count} is above ${RUN_SAMPLES_MAX}`);
  }
  if ('side' in rule) assert(Number.isFinite(rule.limit), `rule ${rule.id}: limit ${rule.limit}`);
}

function findDouble(set: RuleSet): RuleProblem | undefined {
  const ids = new Set<string>();
  const keys = new Set<string>();
  for (const list of ['rules', 'missing'] as const) {
    for (const [index, rule] of set[list].entries()) {
      if (ids.has(rule.id))
        return { list, index, field: 'id', message: `another rule has the id ${rule.id}` };
      ids.add(rule.id);
      const key = conditionOf(rule);
      if (keys.has(key)) return { list, index, ...doubleCondition(rule, key) };
      keys.add(key);
    }
  }
  return undefined;
}

function doubleCondition(
  rule: LimitRule | MissingRule,
  key: string,
): Pick<RuleProblem, 'field' | 'message'> {
  if (!('side' in rule))
    return { field: 'metric', message: `another rule is about missing ${rule.metric}` };
  const message = `another rule is about ${key}; give one of them an instance of its own`;
  return { field: 'instance', message };
}

/** In one of the lists that came later: an id that another rule has, or a condition that another of the list is about. */
function findDoubleOfList<R extends { readonly id: string }>(
  set: RuleSet,
  list: 'trends' | 'scores',
  ofList: readonly R[],
  condition: (rule: R) => string,
): RuleProblem | undefined {
  const others = list === 'trends' ? [] : (set.trends ?? []);
  const ids = new Set([...set.rules, ...set.missing, ...others].map(({ id }) => id));
  const conditions = new Set<string>();
  for (const [index, rule] of ofList.entries()) {
    const at = { list, index } as const;
    if (ids.has(rule.id))
      return { ...at, field: 'id', message: `another rule has the id ${rule.id}` };
    ids.add(rule.id);
    const about = condition(rule);
    if (conditions.has(about))
      return { ...at, field: 'kind', message: `another rule is about ${about}` };
    conditions.add(about);
  }
  return undefined;
}

/** Every value would violate one or the other. */
function findOverlap(set: RuleSet): RuleProblem | undefined {
  for (const [index, low] of set.rules.entries()) {
    if (low.side !== 'LO') continue;
    const high = set.rules.find(
      (rule) => rule.side === 'HI' && rule.metric === low.metric && rule.limit <= low.limit,
    );
    if (high === undefined) continue;
    const message = `the low limit ${low.limit} is not below the high limit ${high.limit} of ${high.id}`;
    return { list: 'rules', index, field: 'limit', message };
  }
  return undefined;
}

function findStrangeProfile(set: RuleSet): RuleProblem | undefined {
  const { profiles = [], rules, missing, trends = [], scores = [] } = set;
  const limited = new Set([...rules, ...scores].map(({ id }) => id));
  const names = new Set([...limited, ...[...missing, ...trends].map(({ id }) => id)]);
  const patients = new Set<string>();
  for (const [index, profile] of profiles.entries()) {
    const at = { list: 'profiles', index } as const;
    if (names.has(profile.name))
      return { ...at, field: 'name', message: `${profile.name} is the name of another` };
    names.add(profile.name);
    const unknown = Object.keys(profile.limits).find((id) => !limited.has(id));
    if (unknown !== undefined)
      return { ...at, field: 'limits', message: `no limit rule has the id ${unknown}` };
    const twice = profile.patients.find((patient) => patients.has(patient));
    if (twice !== undefined)
      return { ...at, field: 'patients', message: `${twice} has another profile already` };
    for (const patient of profile.patients) patients.add(patient);
  }
  return undefined;
}

/** The condition a rule is about, unique in a set: `HR:HI`, `HR:HI/extreme`, `HR:TEC`. */
export function conditionOf(rule: LimitRule | MissingRule): string {
  if (!('side' in rule)) return `${rule.metric}:TEC`;
  const condition = `${rule.metric}:${rule.side}`;
  return rule.instance === undefined ? condition : `${condition}/${rule.instance}`;
}
