import { must } from '../base/assert.ts';
import { TocsinError } from '../base/errors.ts';
import { type UnixMillis, unixMillis } from '../base/ids.ts';
import { ROTATIONS_UNTIL, SHIFTS_MAX } from '../base/limits.ts';
import type {
  Layer,
  Restriction,
  Rotation,
  Schedule,
  Shift,
} from '../statemachine/beside/schedule.ts';
import { type Interval, intersect, joined, overlay } from './intervals.ts';
import { dayOf, localTime, localTimeAt, timeOfDay } from './local-time.ts';

const HOUR_MS = 3_600_000;

/**
 * Who is on call between two instants, in order; nobody where there is a gap.
 *
 * The answer depends on the time zone data of the machine, which differ between versions: replicas must not each work it
 * out for themselves. Whoever proposes puts the shifts into the log.
 * @throws TocsinError BAD_REQUEST when the schedule is not well formed or there are more than SHIFTS_MAX shifts
 */
export function shiftsBetween(
  schedule: Schedule,
  from: UnixMillis,
  until: UnixMillis,
): readonly Shift[] {
  const span: Interval = { from, until };
  let shifts: readonly Turn[] = [];
  const worked = intersect(span, { from: 0, until: ROTATIONS_UNTIL });
  if (worked !== undefined)
    for (const layer of schedule.layers)
      shifts = overlay(shifts, turnsOf(layer, schedule.timeZone, worked));
  for (const override of schedule.overrides) {
    const part = intersect(override, span);
    if (part !== undefined) shifts = overlay(shifts, [{ user: override.user, ...part }]);
  }
  return merged(shifts);
}

/** Who is on call at an instant. */
export function onCallAt(schedule: Schedule, at: UnixMillis): string | undefined {
  return shiftsBetween(schedule, at, unixMillis(at + 1))[0]?.user;
}

interface Turn extends Interval {
  readonly user: string;
}

/** The turns of a layer that fall into the span, cut to it and to the layer's restrictions. */
function turnsOf(layer: Layer, timeZone: string, span: Interval): readonly Turn[] {
  const allowed = allowedTimes(layer.restrictions, timeZone, span);
  const turns: Turn[] = [];
  const handoff = handoffsOf(layer.rotation, timeZone);
  for (let n = handoff.before(span.from); ; n += 1) {
    const turn = { from: handoff.at(n), until: handoff.at(n + 1) };
    if (turn.from >= span.until) return turns;
    const user = must(layer.users[n % layer.users.length], `layer ${layer.name} has nobody`);
    for (const time of allowed) {
      const part = intersect(turn, time);
      if (part !== undefined) turns.push({ user, ...part });
    }
    mustBeFew(turns.length);
  }
}

interface Handoffs {
  /** The instant of the `n`th handoff; 0 = the start. */
  at(n: number): number;
  /** The last handoff at or before an instant, 0 if there is none. */
  before(instant: number): number;
}

function handoffsOf({ start, every, unit }: Rotation, timeZone: string): Handoffs {
  const first = localTime(start, timeZone);
  const at = (n: number): number =>
    unit === 'hour'
      ? first.toMillis() + n * every * HOUR_MS
      : first.plus({ [unit]: n * every }).toMillis();
  return {
    at,
    before: (instant) => {
      if (instant <= first.toMillis()) return 0;
      const length =
        unit === 'hour'
          ? (instant - first.toMillis()) / HOUR_MS
          : localTimeAt(instant, timeZone).diff(first, `${unit}s`).as(`${unit}s`);
      let n = Math.max(0, Math.floor(length / every));
      // A day with a change of the clocks is longer or shorter than what was divided by.
      while (n > 0 && at(n) > instant) n -= 1;
      while (at(n + 1) <= instant) n += 1;
      return n;
    },
  };
}

/** When a layer applies, within the span: all of it, or the union of its restrictions. */
function allowedTimes(
  restrictions: readonly Restriction[],
  timeZone: string,
  span: Interval,
): readonly Interval[] {
  if (restrictions.length === 0) return [span];
  const times: Interval[] = [];
  // One that began the day before may still run.
  for (let day = dayOf(span.from, timeZone, -1); day.toMillis() < span.until; ) {
    for (const { days, from, to } of restrictions) {
      if (days.length > 0 && !days.includes(day.weekday)) continue;
      const begins = timeOfDay(day, from).toMillis();
      const sameDay = timeOfDay(day, to).toMillis();
      const ends = to > from ? sameDay : timeOfDay(day.plus({ days: 1 }), to).toMillis();
      const part = intersect({ from: begins, until: ends }, span);
      if (part !== undefined) times.push(part);
    }
    mustBeFew(times.length);
    day = day.plus({ days: 1 }).startOf('day');
  }
  return joined(times);
}

/** One shift where the same person goes on without a break. */
function merged(turns: readonly Turn[]): readonly Shift[] {
  const shifts: Shift[] = [];
  for (const { user, from, until } of turns) {
    const last = shifts.at(-1);
    if (last?.user === user && last.until === from)
      shifts[shifts.length - 1] = { ...last, until: unixMillis(until) };
    else shifts.push({ user, from: unixMillis(from), until: unixMillis(until) });
  }
  return shifts;
}

function mustBeFew(count: number): void {
  if (count > SHIFTS_MAX)
    throw new TocsinError('BAD_REQUEST', `more than ${SHIFTS_MAX} shifts: ask for a shorter time`);
}
