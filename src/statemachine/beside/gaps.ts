import { type UnixMillis, unixMillis } from '../../base/ids.ts';
import { SCHEDULE_GAP_AHEAD_MS } from '../../base/limits.ts';
import type { Coverage } from './schedule.ts';

/** A time for which nobody is on call. */
export interface Gap {
  readonly from: UnixMillis;
  /** Not included; undefined = nobody has worked out what follows. */
  readonly until: UnixMillis | undefined;
}

/** The first gap that is not over. Where what was worked out ends, one begins: it is extended long before, if it can be. */
export function firstGap({ from, shifts }: Coverage, time: UnixMillis): Gap {
  let covered: number = Math.max(from, time);
  for (const shift of shifts) {
    if (shift.until <= covered) continue;
    if (shift.from > covered) return { from: unixMillis(covered), until: shift.from };
    covered = shift.until;
  }
  return { from: unixMillis(covered), until: undefined };
}

/** From when on a gap is announced. */
export const announcedFrom = ({ from }: Gap): UnixMillis =>
  unixMillis(Math.max(0, from - SCHEDULE_GAP_AHEAD_MS));

/** For people: the instants are those of the schedule, in whatever zone. */
export function gapText(schedule: string, { from, until }: Gap, time: UnixMillis): string {
  const when = from <= time ? 'now' : `in ${spanText(from - time)}`;
  const howLong = until === undefined ? '' : `, for ${spanText(until - Math.max(from, time))}`;
  return `Nobody is on call by the schedule ${schedule} ${when}${howLong}`;
}

/** `2 h 5 min`, rounded up to minutes. */
function spanText(ms: number): string {
  const minutes = Math.ceil(ms / 60_000);
  const [hours, rest] = [Math.floor(minutes / 60), minutes % 60];
  return hours === 0 ? `${rest} min` : rest === 0 ? `${hours} h` : `${hours} h ${rest} min`;
}
