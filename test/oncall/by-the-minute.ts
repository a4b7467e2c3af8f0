import type { Layer, Schedule } from '../../src/statemachine/beside/schedule.ts';

/**
 * Who is on call at one instant, told the slow way and without the library: overrides and layers from the last to the
 * first, handoffs counted one by one from the start, restrictions looked up on the calendar days around the instant.
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

const DAY_MS = 86_400_000;
const HOURS = { hour: 1, day: 24, week: 168 } as const;

function userOf(layer: Layer, zone: string, at: number): string | undefined {
  if (!isAllowed(layer, zone, at)) return undefined;
  const { start, every, unit } = layer.rotation;
  const wall = Date.parse(`${start}:00Z`);
  const first = instantOf(wall, zone);
  if (at < first) return undefined;
  const step = every * HOURS[unit] * 3_600_000;
  const handoff = (n: number): number =>
    unit === 'hour' ? first + n * step : instantOf(wall + n * step, zone);
  let turns = 0;
  while (handoff(turns + 1) <= at) turns += 1;
  return layer.users[turns % layer.users.length];
}

function isAllowed({ restrictions }: Layer, zone: string, at: number): boolean {
  if (restrictions.length === 0) return true;
  const today = Math.floor((at + offsetAt(at, zone)) / DAY_MS) * DAY_MS;
  return restrictions.some(({ days, from, to }) =>
    [today - DAY_MS, today].some((day) => {
      const weekday = new Date(day).getUTCDay() || 7;
      if (days.length > 0 && !days.includes(weekday)) return false;
      const ends = to > from ? day : day + DAY_MS;
      return instantOf(day + spanOf(from), zone) <= at && at < instantOf(ends + spanOf(to), zone);
    }),
  );
}

const spanOf = (time: string): number => Date.parse(`1970-01-01T${time}:00Z`);

/** The first instant at which the clocks of the zone show `wall`; if they skip it, as if they had not been changed yet. */
function instantOf(wall: number, zone: string): number {
  const offsets = [offsetAt(wall - DAY_MS, zone), offsetAt(wall + DAY_MS, zone)];
  const shown = offsets
    .map((offset) => wall - offset)
    .filter((at) => at + offsetAt(at, zone) === wall);
  return shown.length > 0 ? Math.min(...shown) : wall - (offsets[0] ?? 0);
}

const formats = new Map<string, Intl.DateTimeFormat>();

/** How far the clocks of the zone are ahead of UTC at an instant, in milliseconds. */
function offsetAt(at: number, zone: string): number {
  const format =
    formats.get(zone) ??
    new Intl.DateTimeFormat('sv-SE', { timeZone: zone, dateStyle: 'short', timeStyle: 'medium' });
  formats.set(zone, format);
  return Date.parse(`${format.format(at).replace(' ', 'T')}Z`) - Math.floor(at / 1_000) * 1_000;
}
