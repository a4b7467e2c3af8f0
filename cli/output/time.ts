import { UNIX_MILLIS_MAX } from '../../src/base/limits.ts';

/** `2026-03-01T03:04:05Z`: whole seconds, since nobody acts on less. */
export function formatInstant(time: number): string {
  if (!(Math.abs(time) <= UNIX_MILLIS_MAX)) return '-';
  return new Date(time).toISOString().replace(/\.\d{3}Z$/, 'Z');
}

const SECOND = 1_000;
const MINUTE = 60 * SECOND;
const HOUR = 60 * MINUTE;
const DAY = 24 * HOUR;

/** The two greatest units of a duration: `4s`, `3m12s`, `5h02m`, `2d04h`. Below zero is shown as `0s`. */
export function formatDuration(duration: number): string {
  const time = Math.max(0, duration);
  if (time < MINUTE) return `${Math.floor(time / SECOND)}s`;
  if (time < HOUR) return `${Math.floor(time / MINUTE)}m${two((time % MINUTE) / SECOND)}s`;
  if (time < DAY) return `${Math.floor(time / HOUR)}h${two((time % HOUR) / MINUTE)}m`;
  return `${Math.floor(time / DAY)}d${two((time % DAY) / HOUR)}h`;
}

const two = (value: number): string => String(Math.floor(value)).padStart(2, '0');
