import { openOf, perform } from './condition-model.ts';
import {
  differenceOf,
  type Finding,
  type Get,
  type History,
  isWrite,
  type SeenAlert,
  type Write,
} from './history.ts';
import {
  checkLinearizable,
  type Interval,
  type Linearizability,
  type Sequential,
} from './linearizability.ts';
import { settled } from './settled.ts';

/**
 * Each condition as a black box: its commands and its reads, without any of the numbers by which the cluster orders
 * them. Revisions serve as names alone, of the version that a guarded command expects.
 */

type Touch = Write | Get;

/** More of them make the search give up; no run of the simulator has so many on one condition. */
export const OPERATIONS_PER_KEY_MAX = 10_000;

export interface ConditionVerdicts {
  readonly keys: number;
  readonly operations: number;
  readonly unknown: number;
  readonly findings: readonly Finding[];
}

/** Every condition of the history. Commands of unknown outcome are settled first, from the events. */
export function checkConditions(history: History): ConditionVerdicts {
  const touches = new Map<string, Interval<Touch>[]>();
  for (const operation of settled(history)) {
    if (operation.kind === 'list' || isVoid(operation)) continue;
    const { key, call, end } = operation;
    const known = touches.get(key);
    if (known === undefined) touches.set(key, [{ operation, call, end }]);
    else known.push({ operation, call, end });
  }
  const findings: Finding[] = [];
  let unknown = 0;
  let operations = 0;
  for (const [key, intervals] of touches) {
    operations += intervals.length;
    const verdict = judge(intervals);
    if (verdict === 'unknown') unknown += 1;
    if (verdict === 'no')
      findings.push({
        rule: 'linearizable',
        says: `no order explains the ${intervals.length} operations on ${key}`,
      });
  }
  return { keys: touches.size, operations, unknown, findings };
}

function judge(intervals: readonly Interval<Touch>[]): Linearizability {
  if (intervals.length > OPERATIONS_PER_KEY_MAX) return 'unknown';
  return checkLinearizable(intervals, CONDITION);
}

/** What proves nothing: a read without an answer, or from one replica alone, and a command that never took effect. */
function isVoid(operation: Touch): boolean {
  if (isWrite(operation))
    return operation.outcome.type === 'none' || operation.outcome.type === 'unknown';
  return operation.answer === undefined || operation.consistency === 'local';
}

/** A condition that never was. */
const NEVER: SeenAlert = {
  id: '',
  key: '',
  unit: '',
  occurrence: 0,
  activation: 0,
  priority: 'none',
  state: 'RESOLVED',
  text: '',
  latching: false,
  acknowledgementRequired: false,
  revision: 0,
};

const CONDITION: Sequential<SeenAlert, Touch> = {
  initial: NEVER,
  // All of it: what two orders leave may differ in nothing but the id.
  keyOf: (condition) => JSON.stringify(condition),
  step: (condition, touch) =>
    touch.kind === 'get' ? stepGet(condition, touch) : stepWrite(condition, touch),
};

function stepGet(condition: SeenAlert, { answer }: Get): SeenAlert | undefined {
  const isSame = differenceOf(answer?.value, openOf(condition)) === undefined;
  return isSame ? condition : undefined;
}

function stepWrite(condition: SeenAlert, write: Write): SeenAlert | undefined {
  const { outcome } = write;
  const done = perform(condition, write, outcome.type === 'done' ? outcome.revision : 0);
  if ('code' in done)
    return outcome.type === 'refused' && outcome.code === done.code ? condition : undefined;
  if (outcome.type !== 'done' || outcome.effect !== done.effect) return undefined;
  const { activation, state } = done.after;
  return outcome.activation === activation && outcome.state === state ? done.after : undefined;
}
