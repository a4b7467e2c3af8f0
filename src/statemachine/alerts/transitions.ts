import type {
  Alert,
  ConditionCommand,
  DisplayState,
  Effect,
  Priority,
  RefusalCode,
} from '../types.ts';
import { CARE_TRANSITIONS, type CareMove } from './care-transitions.ts';
import { displayState } from './display.ts';
import type { Last } from './records.ts';

/**
 * What each command does in each state, as data (domain model A.3, T1 to T27). One cell for each
 * pair: nothing is left to the order of `if`s, and docs/lifecycle.md prints this table. The turns of a condition stand
 * here, what is done about it in care-transitions.ts.
 */

/** Where an alert stands when a command finds it; NONE = no occurrence is known. */
export type From = 'NONE' | DisplayState;

/** A command together with what of the alert, besides its state, decides. */
export type Move = ConditionMove | CareMove;

export type ConditionMove =
  | 'raise-lower'
  | 'raise-same'
  | 'raise-higher'
  | 'clear-plain'
  | 'clear-required'
  | 'clear-latching'
  | 'clear-reset'
  | 'acknowledge'
  | 'acknowledge-again';

/** One change of one alert: one event. */
export interface Transition {
  readonly does: 'change';
  /** Number in the domain table. */
  readonly rule: `T${number}`;
  readonly effect: Exclude<Effect, 'unchanged'>;
  readonly to: DisplayState;
  /** Begins a new activation, which needs a new acknowledgement. */
  readonly annunciates: boolean;
}

export type Cell =
  | Transition
  | { readonly does: 'nothing' }
  | { readonly does: 'refuse'; readonly code: RefusalCode };

export const FROM_STATES: readonly From[] = [
  'NONE',
  'ACTIVE_UNACK',
  'ACTIVE_ACK',
  'LATCHED',
  'RTN_UNACK',
  'RESOLVED',
  'ENTERED_IN_ERROR',
];

export const CONDITION_MOVES: readonly ConditionMove[] = [
  'raise-lower',
  'raise-same',
  'raise-higher',
  'clear-plain',
  'clear-required',
  'clear-latching',
  'clear-reset',
  'acknowledge',
  'acknowledge-again',
];

const change = (
  rule: Transition['rule'],
  effect: Transition['effect'],
  to: DisplayState,
): Transition => ({ does: 'change', rule, effect, to, annunciates: false });

const annunciate = (rule: Transition['rule'], effect: Transition['effect']): Transition => ({
  does: 'change',
  rule,
  effect,
  to: 'ACTIVE_UNACK',
  annunciates: true,
});

const NOTHING: Cell = { does: 'nothing' };
const NOT_FOUND: Cell = { does: 'refuse', code: 'ALERT_NOT_FOUND' };
const RESOLVED: Cell = { does: 'refuse', code: 'ALREADY_RESOLVED' };

const returned: Readonly<Record<ConditionMove, Cell>> = {
  'raise-lower': annunciate('T5', 'reactivated'),
  'raise-same': annunciate('T5', 'reactivated'),
  'raise-higher': annunciate('T5', 'reactivated'),
  'clear-plain': NOTHING,
  'clear-required': NOTHING,
  'clear-latching': NOTHING,
  'clear-reset': NOTHING,
  acknowledge: change('T10', 'acknowledged', 'RESOLVED'),
  'acknowledge-again': change('T10', 'acknowledged', 'RESOLVED'),
};

const ended: Readonly<Record<ConditionMove, Cell>> = {
  'raise-lower': annunciate('T6', 'raised'),
  'raise-same': annunciate('T6', 'raised'),
  'raise-higher': annunciate('T6', 'raised'),
  'clear-plain': RESOLVED,
  'clear-required': RESOLVED,
  'clear-latching': RESOLVED,
  'clear-reset': RESOLVED,
  acknowledge: RESOLVED,
  'acknowledge-again': RESOLVED,
};

const CONDITION_TRANSITIONS: Readonly<Record<From, Readonly<Record<ConditionMove, Cell>>>> = {
  NONE: {
    'raise-lower': annunciate('T1', 'raised'),
    'raise-same': annunciate('T1', 'raised'),
    'raise-higher': annunciate('T1', 'raised'),
    'clear-plain': NOT_FOUND,
    'clear-required': NOT_FOUND,
    'clear-latching': NOT_FOUND,
    'clear-reset': NOT_FOUND,
    acknowledge: NOT_FOUND,
    'acknowledge-again': NOT_FOUND,
  },
  ACTIVE_UNACK: {
    'raise-lower': change('T4', 'deescalated', 'ACTIVE_UNACK'),
    'raise-same': change('T2', 'continued', 'ACTIVE_UNACK'),
    'raise-higher': annunciate('T3', 'escalated'),
    'clear-plain': change('T7', 'cleared', 'RESOLVED'),
    'clear-required': change('T7', 'cleared', 'RTN_UNACK'),
    'clear-latching': change('T7', 'cleared', 'LATCHED'),
    'clear-reset': change('T7', 'cleared', 'LATCHED'),
    acknowledge: change('T9', 'acknowledged', 'ACTIVE_ACK'),
    'acknowledge-again': change('T9', 'acknowledged', 'ACTIVE_ACK'),
  },
  ACTIVE_ACK: {
    'raise-lower': change('T4', 'deescalated', 'ACTIVE_ACK'),
    'raise-same': change('T2', 'continued', 'ACTIVE_ACK'),
    'raise-higher': annunciate('T3', 'escalated'),
    'clear-plain': change('T8', 'cleared', 'RESOLVED'),
    'clear-required': change('T8', 'cleared', 'RESOLVED'),
    'clear-latching': change('T8', 'cleared', 'RESOLVED'),
    'clear-reset': change('T8', 'cleared', 'LATCHED'),
    acknowledge: change('T11', 'acknowledged', 'ACTIVE_ACK'),
    'acknowledge-again': NOTHING,
  },
  LATCHED: returned,
  RTN_UNACK: returned,
  RESOLVED: ended,
  ENTERED_IN_ERROR: ended,
};

const both = (from: From): Readonly<Record<Move, Cell>> => ({
  ...CONDITION_TRANSITIONS[from],
  ...CARE_TRANSITIONS[from],
});

export const TRANSITIONS: Readonly<Record<From, Readonly<Record<Move, Cell>>>> = {
  NONE: both('NONE'),
  ACTIVE_UNACK: both('ACTIVE_UNACK'),
  ACTIVE_ACK: both('ACTIVE_ACK'),
  LATCHED: both('LATCHED'),
  RTN_UNACK: both('RTN_UNACK'),
  RESOLVED: both('RESOLVED'),
  ENTERED_IN_ERROR: both('ENTERED_IN_ERROR'),
};

/** How urgent, as a number. */
export const RANK: Readonly<Record<Priority, number>> = { none: 0, low: 1, medium: 2, high: 3 };

/** The row of the table: a condition that was open before and is not now stands where its last occurrence does. */
export function fromOf(alert: Alert | undefined, last: Last | undefined): From {
  if (alert !== undefined) return displayState(alert);
  return last === undefined ? 'NONE' : 'RESOLVED';
}

/**
 * Which column of the table a command is, for the alert it is about; undefined = there is no such
 * alert.
 */
export function moveOf(command: ConditionCommand, alert: Alert | undefined): ConditionMove {
  switch (command.type) {
    case 'raise': {
      const step = alert === undefined ? 0 : RANK[command.priority] - RANK[alert.priority];
      return step === 0 ? 'raise-same' : step > 0 ? 'raise-higher' : 'raise-lower';
    }
    case 'clear':
      if (alert?.latching) return alert.resetAfterClear ? 'clear-reset' : 'clear-latching';
      return alert?.acknowledgementRequired ? 'clear-required' : 'clear-plain';
    case 'acknowledge': {
      const again = alert?.acknowledgements.some(
        (one) => one.by === command.actor && one.activation === alert.activation,
      );
      return again ? 'acknowledge-again' : 'acknowledge';
    }
  }
}
