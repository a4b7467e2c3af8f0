import type { Alert, AlertEvent, DisplayState, Kind, Priority } from '../types.ts';

/**
 * How alerts are said in the words of other systems: IHE PCD-04 (Report Alert: event phase, alarm state, inactivation state,
 * priority, type), ISA-18.2, and IEC 60601-1-8. As data, so that every connector says the same.
 */

/** IHE PCD-04, OBX facet .3, MDC_ATTR_EVENT_PHASE. */
export type Phase = 'start' | 'continue' | 'update' | 'escalate' | 'deescalate' | 'end' | 'reset';

/** IHE PCD-04, OBX facet .4, MDC_ATTR_ALARM_STATE. */
export type AlarmState = 'active' | 'latched' | 'inactive';

/** IHE PCD-04, OBX facet .5, MDC_ATTR_ALARM_INACTIVATION_STATE; may repeat. */
export type Inactivation = 'enabled' | 'audio-paused' | 'alert-acknowledged';

export const ALARM_STATES: Readonly<Record<DisplayState, AlarmState>> = {
  ACTIVE_UNACK: 'active',
  ACTIVE_ACK: 'active',
  LATCHED: 'latched',
  RTN_UNACK: 'inactive',
  RESOLVED: 'inactive',
  ENTERED_IN_ERROR: 'inactive',
};

/** ISA-18.2, figure of alarm states. */
export const ISA_STATES: Readonly<Record<DisplayState, string>> = {
  ACTIVE_UNACK: 'UNACK',
  ACTIVE_ACK: 'ACKED',
  LATCHED: 'RTNUN',
  RTN_UNACK: 'RTNUN',
  RESOLVED: 'NORM',
  ENTERED_IN_ERROR: 'NORM',
};

/** IHE PCD-04, OBX facet .6, MDC_ATTR_ALARM_PRIORITY. */
export const PRIORITY_CODES: Readonly<Record<Priority, string>> = {
  high: 'PH',
  medium: 'PM',
  low: 'PL',
  none: 'PN',
};

/** IHE PCD-04, OBX facet .7, MDC_ATTR_ALERT_TYPE. */
export const KIND_CODES: Readonly<Record<Kind, string>> = {
  physiological: 'SP',
  technical: 'ST',
  advisory: 'SA',
};

/** The phase of an event that leaves its alert open. */
export const PHASES: Readonly<Record<AlertEvent['effect'], Phase>> = {
  raised: 'start',
  continued: 'continue',
  escalated: 'escalate',
  deescalated: 'deescalate',
  reactivated: 'update',
  cleared: 'update',
  acknowledged: 'update',
  unacknowledged: 'update',
  lapsed: 'update',
  accepted: 'update',
  rejected: 'update',
  unanswered: 'update',
  paused: 'update',
  resumed: 'update',
  audible: 'update',
  notified: 'update',
  exhausted: 'update',
  resolved: 'end',
  stale: 'update',
  live: 'update',
  transferred: 'update',
  discharged: 'end',
  voided: 'end',
  merged: 'update',
};

/** The phase of an event: one that ends an alert by acknowledging it when it is latched resets it, any other end is the end. */
export function phaseOf({ effect, alert }: AlertEvent): Phase {
  if (alert.resolution === undefined) return PHASES[effect];
  return effect === 'acknowledged' && alert.latching ? 'reset' : 'end';
}

/** What of the signal of an alert is off; `enabled` alone when nothing is. */
export function inactivationsOf(alert: Alert): readonly Inactivation[] {
  const off: Inactivation[] = [];
  if (alert.pausedUntil !== undefined) off.push('audio-paused');
  if (alert.acknowledged) off.push('alert-acknowledged');
  return off.length === 0 ? ['enabled'] : off;
}
