import type {
  DisplayState,
  Effect,
  Kept,
  Kind,
  Priority,
  RefusalCode,
} from '../../statemachine/types.ts';

/**
 * The closed sets of words that have numbers on the wire and in the log: a word's number is its
 * place. Words are only ever added at the end, and only together with a new wire version.
 */

export const KINDS: readonly Kind[] = ['physiological', 'technical', 'advisory'];
export const PRIORITIES: readonly Priority[] = ['high', 'medium', 'low', 'none'];
export const EFFECTS: readonly Effect[] = [
  'raised',
  'continued',
  'escalated',
  'deescalated',
  'reactivated',
  'cleared',
  'acknowledged',
  'unchanged',
  'unacknowledged',
  'lapsed',
  'accepted',
  'rejected',
  'unanswered',
  'paused',
  'resumed',
  'notified',
  'exhausted',
  'resolved',
  'stale',
  'live',
  'transferred',
  'discharged',
  'voided',
  'merged',
  'audible',
];
/** What becomes of a record beside the alerts. */
export const KEPT_EFFECTS: readonly Kept['effect'][] = ['kept', 'removed', 'unchanged'];
export const STATES: readonly DisplayState[] = [
  'ACTIVE_UNACK',
  'ACTIVE_ACK',
  'LATCHED',
  'RTN_UNACK',
  'RESOLVED',
  'ENTERED_IN_ERROR',
];

export const REFUSALS: readonly RefusalCode[] = [
  'BAD_REQUEST',
  'ALERT_NOT_FOUND',
  'REVISION_MISMATCH',
  'ACTIVATION_MISMATCH',
  'ALREADY_RESOLVED',
  'KEY_REUSED',
  'CONFIRMATION_REQUIRED',
  'RECORD_NOT_FOUND',
  'OVER_LIMIT',
  'NOT_OWNER',
  'TOO_BROAD',
  'QUOTA_EXCEEDED',
  'GUARD_FAILED',
  'SESSION_EXPIRED',
  'REPLY_FORGOTTEN',
  'CONFLICT',
];

/** The number of a word. */
export const placeOf = <T extends string>(words: readonly T[], word: T): number =>
  words.indexOf(word);
