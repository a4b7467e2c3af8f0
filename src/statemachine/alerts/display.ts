import type { Alert, DisplayState } from '../types.ts';

/**
 * The one state people are shown, from the axes of a record (domain model A.2). Total: for axes
 * that no command leads to (cleared and not resolved, though nothing asks for it to stay) it
 * answers a state that stays on the list.
 */
export function displayState(alert: Alert): DisplayState {
  if (alert.resolution === undefined) return openState(alert);
  return alert.resolution.how === 'entered-in-error' ? 'ENTERED_IN_ERROR' : 'RESOLVED';
}

/** The same of one that is open. */
export function openState(
  alert: Pick<Alert, 'presence' | 'acknowledged' | 'latching'>,
): DisplayState {
  if (alert.presence === 'present') return alert.acknowledged ? 'ACTIVE_ACK' : 'ACTIVE_UNACK';
  return alert.latching ? 'LATCHED' : 'RTN_UNACK';
}
