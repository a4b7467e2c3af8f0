import { DateTime, IANAZone } from 'luxon';
import { assert } from '../base/assert.ts';
import { TocsinError } from '../base/errors.ts';

/**
 * Local times of a zone, by luxon. A local time that a change of the clocks skips means the instant the same span after
 * the change (02:30 becomes 03:30); one that comes twice means the first.
 */

export const isTimeZone = (name: string): boolean => IANAZone.isValidZone(name);

/** The instant of a local `2026-11-02T07:00`. @throws TocsinError BAD_REQUEST */
export function localTime(text: string, timeZone: string): DateTime {
  const time = DateTime.fromISO(text, { zone: timeZone });
  if (!time.isValid || !/^\d{4}-\d{2}-\d{2}T\d{2}:\d{2}$/.test(text))
    throw new TocsinError('BAD_REQUEST', `${text} is not a local time as 2026-11-02T07:00`);
  return first(time);
}

export const localTimeAt = (instant: number, timeZone: string): DateTime =>
  DateTime.fromMillis(instant, { zone: timeZone });

/** Midnight of the local day of `instant`, `days` later. */
export const dayOf = (instant: number, timeZone: string, days = 0): DateTime =>
  localTimeAt(instant, timeZone).startOf('day').plus({ days });

/** A local `HH:MM` of a day. @throws TocsinError BAD_REQUEST */
export function timeOfDay(day: DateTime, text: string): DateTime {
  const [, hour, minute] = /^([01]\d|2[0-3]):([0-5]\d)$/.exec(text) ?? [];
  if (hour === undefined || minute === undefined)
    throw new TocsinError('BAD_REQUEST', `${text} is not a time of day as 07:00`);
  return first(day.set({ hour: Number(hour), minute: Number(minute) }));
}

/** The first of the two instants when the clocks are put back. */
function first(time: DateTime): DateTime {
  assert(time.isValid, `not a time: ${time.invalidExplanation}`);
  return time.getPossibleOffsets()[0] ?? time;
}

/** For people: `Mon 2026-11-02 07:00`. */
export const localText = (instant: number, timeZone: string): string =>
  localTimeAt(instant, timeZone).setLocale('en').toFormat('ccc yyyy-MM-dd HH:mm');
