import type { UnixMillis } from '../base/ids.ts';
import type { CareApi, WriteOptions } from '../statemachine/alert-api.ts';
import type { Schedule } from '../statemachine/beside/schedule.ts';
import type { Asked, Kept } from '../statemachine/types.ts';
import { parseSchedule } from '../wire/clients/schedule-shapes.ts';

export interface ScheduleInput extends Schedule, Partial<Asked> {
  readonly id: string;
  /** The present: shifts are worked out from then on. */
  readonly now: UnixMillis;
  /** Refuse unless the schedule is at this version; 0 = unless there is none yet. */
  readonly expectedVersion?: number;
}

/**
 * Makes an on-call schedule, or the next version of one. Its shifts for the next time are worked out here, by the time zone data
 * of this machine; whoever leads goes on with them.
 * @throws TocsinError BAD_REQUEST when it makes no sense, REVISION_MISMATCH, OVER_LIMIT
 * @example
 * const rotation = { start: '2026-11-02T07:00', every: 1, unit: 'week' } as const;
 * const layers = [{ name: 'weeks', users: ['anna', 'ben'], rotation, restrictions: [] }];
 * await setSchedule(alerts, { id: 'icu', now: unixMillis(Date.now()), timeZone: 'Europe/Berlin', layers, overrides: [] });
 */
export async function setSchedule(
  client: Pick<CareApi, 'keep'>,
  { now, timeZone, layers, overrides, ...rest }: ScheduleInput,
  options?: WriteOptions,
): Promise<Kept> {
  // Loaded when it is needed: time zones are of no use to who only raises alerts.
  const { coverageFrom } = await import('../oncall/coverage.ts');
  const rules = parseSchedule({ timeZone, layers, overrides });
  const coverage = coverageFrom(rules, now);
  return client.keep({ type: 'set-schedule', ...rest, ...rules, ...coverage }, options);
}
