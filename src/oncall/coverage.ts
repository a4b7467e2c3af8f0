import { type UnixMillis, unixMillis } from '../base/ids.ts';
import {
  SCHEDULE_AHEAD_MS,
  SCHEDULE_BEFORE_MS,
  SCHEDULE_LEFT_MS_MIN,
  SCHEDULE_SHIFTS_MAX,
  UNIX_MILLIS_MAX,
} from '../base/limits.ts';
import type { Coverage, Schedule } from '../statemachine/beside/schedule.ts';
import { mustBeSensible } from './check.ts';
import { shiftsBetween } from './shifts.ts';

const HOUR_MS = 3_600_000;

/**
 * The shifts of a schedule for some time from `now` on, as they go into the log: fewer of them where people change often.
 * @throws TocsinError BAD_REQUEST when the schedule makes no sense
 */
export function coverageFrom(schedule: Schedule, now: UnixMillis): Coverage {
  mustBeSensible(schedule);
  const from = unixMillis(Math.max(0, now - SCHEDULE_BEFORE_MS));
  const ahead = unixMillis(Math.min(now + SCHEDULE_AHEAD_MS, UNIX_MILLIS_MAX));
  const shifts = shiftsBetween(schedule, from, ahead);
  const first = shifts[SCHEDULE_SHIFTS_MAX];
  return first === undefined
    ? { from, until: ahead, shifts }
    : { from, until: first.from, shifts: shifts.slice(0, SCHEDULE_SHIFTS_MAX) };
}

/** Shifts that go on from what is known, when it is time for them: little is left, or log time is not within it at all. */
export function extensionOf(known: Schedule & Coverage, now: UnixMillis): Coverage | undefined {
  const isWithin = known.from <= now && now < known.until;
  if (isWithin && known.until - now >= SCHEDULE_LEFT_MS_MIN) return undefined;
  const more = coverageFrom(known, now);
  // Where people change so often that no more fits, every hour is enough.
  return isWithin && more.until - known.until < HOUR_MS ? undefined : more;
}
