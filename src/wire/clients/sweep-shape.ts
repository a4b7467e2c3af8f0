import { EXPLANATIONS_PER_SWEEP_MAX } from '../../base/limits.ts';
import type { Inhibition } from '../../statemachine/beside/inhibition.ts';
import type { MaintenanceWindow, Silence } from '../../statemachine/beside/suppression.ts';
import type { AlertSweep, Gone, SweepCause } from '../../statemachine/beside/sweep.ts';
import { asFields, type Unchecked } from '../check.ts';
import { parseRevision } from '../commands/parse-parts.ts';
import {
  type Check,
  count,
  instant,
  listOf,
  must,
  name,
  ofShape,
  oneOf,
} from '../commands/shape.ts';
import { idOf } from './record-ids.ts';

type CauseOf<K extends SweepCause['over']> = Extract<SweepCause, { over: K }>;
type CauseChecks = { readonly [K in SweepCause['over']]: Check<CauseOf<K>> };

const gone: Check<Gone> = ofShape<Gone>({ device: must(name), at: must(parseRevision) });

const only = <K extends string>(word: K): Check<K> => oneOf([word]);

/** A sweep that is not through, by description; with what a silence, a window and a rule of inhibition have to be. */
export function sweepOf(
  silence: Check<Silence>,
  window: Check<MaintenanceWindow>,
  rule: Check<Inhibition>,
): Check<AlertSweep> {
  const checks: CauseChecks = {
    silence: ofShape<CauseOf<'silence'>>({ over: must(only('silence')), silence: must(silence) }),
    window: ofShape<CauseOf<'window'>>({ over: must(only('window')), window: must(window) }),
    explanation: ofShape<CauseOf<'explanation'>>({
      over: must(only('explanation')),
      rule: must(rule),
      gone: must(listOf(gone, 1, EXPLANATIONS_PER_SWEEP_MAX)),
    }),
    rule: ofShape<CauseOf<'rule'>>({ over: must(only('rule')), rule: must(rule) }),
    measuring: ofShape<CauseOf<'measuring'>>({
      over: must(only('measuring')),
      device: must(name),
    }),
  };
  const over = oneOf(Object.keys(checks) as SweepCause['over'][]);
  const cause: Check<SweepCause> = (origin, field, value) => {
    const fields = asFields(origin, field, value, undefined) as Unchecked<SweepCause>;
    return checks[over(origin, field, fields.over)](origin, field, value);
  };
  return ofShape<AlertSweep>({
    id: must(idOf('K', 'a sweep id')),
    version: must(count),
    cause: must(cause),
    at: must(instant),
    until: must(parseRevision),
    done: must(count),
    by: must(name),
    dueAt: must(instant),
  });
}
