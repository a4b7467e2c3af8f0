import { TocsinError } from '../../base/errors.ts';
import type { Revision } from '../../base/ids.ts';
import type { AlertHistory } from '../alert-api.ts';
import type { AlertEvent, AlertId } from '../types.ts';
import type { History } from './history.ts';

/**
 * The steps of one alert, from `from` back: each names the record before it, and so the step before.
 * @throws TocsinError BAD_REQUEST when the step at `from` is of another alert
 */
export function historyOf(
  history: History,
  id: AlertId,
  from: Revision,
  limit: number,
): AlertHistory {
  const events: AlertEvent[] = [];
  let next: Revision | undefined = from;
  while (next !== undefined && events.length < limit) {
    const event = history.at(next);
    if (event === undefined)
      return { events: events.reverse(), next: undefined, isCompacted: true };
    if (event.alert.id !== id)
      throw new TocsinError('BAD_REQUEST', `from: revision ${from} is not a step of ${id}`);
    events.push(event);
    next = event.before?.revision;
  }
  return { events: events.reverse(), next, isCompacted: false };
}
