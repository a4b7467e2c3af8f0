import { DateTime } from 'luxon';
import type { Layer, Schedule } from '../../src/oncall/types.ts';

/**
 * Who is on call at one instant, told the slow way: overrides and layers from the last to the first, handoffs counted one
 * by one from the start, restrictions looked up on the calendar days around the instant.
 */
export function onCallByTheMinute(schedule: Schedule, at: number): string | undefined {
  for (const { user, from, until } of [...schedule.overrides].reverse())
    if (from <= at && at < until) return user;
  for (const layer of [...schedule.layers].reverse()) {
    const user = userOf(layer, schedule.timeZone, at);
    if (user !== undefined) return user;
  }
  return undefined;
}

function userOf(layer: Layer, zone: string, at: number): string | undefined {
  if (!isAllowed(layer, zone, at)) return undefined;
  const { start, every, unit } = layer.rotation;
  const first = earliest(DateTime.fromISO(start, { zone }));
  if (at < first.toMillis()) return undefined;
  let turns = 0;
  while (first.plus({ [unit]: (turns + 1) * every }).toMillis() <= at) turns += 1;
  return layer.users[turns % layer.users.length];
}

function isAllowed({ restrictions }: Layer, zone: string, at: number): boolean {
  if (restrictions.length === 0) return true;
  const today = DateTime.fromMillis(at, { zone }).startOf('day');
  return restrictions.some(({ days, from, to }) =>
    [-1, 0].some((offset) => {
      const day = today.plus({ days: offset });
      if (days.length > 0 && !days.includes(day.weekday)) return false;
      const ends = to > from ? day : day.plus({ days: 1 });
      return clock(day, from) <= at && at < clock(ends, to);
    }),
  );
}

const clock = (day: DateTime, text: string): number =>
  earliest(
    DateTime.fromISO(`${day.toISODate()}T${text}`, { zone: day.zoneName ?? 'UTC' }),
  ).toMillis();

const earliest = (time: DateTime): DateTime => time.getPossibleOffsets()[0] ?? time;
