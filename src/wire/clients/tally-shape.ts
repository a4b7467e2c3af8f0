import { NAME_CHARS_MAX, TALLY_BEDS_MAX, TALLY_WAITS_MAX } from '../../base/limits.ts';
import type { Tally } from '../../statemachine/beside/tallies.ts';
import type { Priority } from '../../statemachine/types.ts';
import { asLine } from '../check.ts';
import {
  type Check,
  count,
  flag,
  instant,
  listOf,
  must,
  name,
  ofShape,
} from '../commands/shape.ts';

/** A day and a unit, and alerts may name no unit. */
const line: Check<string> = (origin, field, value) =>
  asLine(origin, field, value, 0, NAME_CHARS_MAX * 2);

export const tally: Check<Tally> = ofShape<Tally>({
  id: must(line),
  version: must(count),
  day: must(instant),
  unit: must(line),
  annunciations: must(
    ofShape<Readonly<Record<Priority, number>>>({
      high: must(count),
      medium: must(count),
      low: must(count),
      none: must(count),
    }),
  ),
  returned: must(count),
  acknowledged: must(count),
  waits: must(listOf(count, 0, TALLY_WAITS_MAX)),
  escalated: must(count),
  exhausted: must(count),
  ended: must(count),
  endedAlone: must(count),
  beds: must(count),
  bedsHeard: must(listOf(name, 0, TALLY_BEDS_MAX)),
  isOver: must(flag),
});
