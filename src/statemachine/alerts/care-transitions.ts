import type { CareCommand } from '../care-commands.ts';
import type { Alert, DisplayState } from '../types.ts';
import { isNewOf } from './acknowledgements.ts';
import type { Cell, From, Transition } from './transitions.ts';

/** What is done about an alert by people, by time and by the loss of its source (domain model A.3, T12 to T27). */

export type CareMove =
  | 'unacknowledge'
  | 'lapse'
  | 'accept'
  | 'reject'
  | 'unanswered'
  | 'pause'
  | 'resume'
  | 'sound'
  | 'notify'
  | 'exhaust'
  | 'escalate'
  | 'resolve'
  | 'lose'
  | 'regain'
  | 'transfer'
  | 'discharge'
  | 'void'
  | 'merge'
  | 'merge-acknowledged'
  | 'nothing-new';

type OpenState = Exclude<DisplayState, 'RESOLVED' | 'ENTERED_IN_ERROR'>;
type Row = Readonly<Record<OpenState, Cell>>;

const NOTHING: Cell = { does: 'nothing' };

const lead = (
  rule: Transition['rule'],
  effect: Transition['effect'],
  to: DisplayState,
  annunciates = false,
): Cell => ({ does: 'change', rule, effect, to, annunciates });

/** The same in every open state, which it leaves as it is. */
const stay = (rule: Transition['rule'], effect: Transition['effect']): Row => ({
  ACTIVE_UNACK: lead(rule, effect, 'ACTIVE_UNACK'),
  ACTIVE_ACK: lead(rule, effect, 'ACTIVE_ACK'),
  LATCHED: lead(rule, effect, 'LATCHED'),
  RTN_UNACK: lead(rule, effect, 'RTN_UNACK'),
});

/** The same from every open state, to one. */
const end = (rule: Transition['rule'], effect: Transition['effect'], to: DisplayState): Row => ({
  ACTIVE_UNACK: lead(rule, effect, to),
  ACTIVE_ACK: lead(rule, effect, to),
  LATCHED: lead(rule, effect, to),
  RTN_UNACK: lead(rule, effect, to),
});

const NOWHERE: Row = {
  ACTIVE_UNACK: NOTHING,
  ACTIVE_ACK: NOTHING,
  LATCHED: NOTHING,
  RTN_UNACK: NOTHING,
};

const ROWS: Readonly<Record<CareMove, Row>> = {
  unacknowledge: { ...NOWHERE, ACTIVE_ACK: lead('T12', 'unacknowledged', 'ACTIVE_UNACK') },
  lapse: { ...NOWHERE, ACTIVE_ACK: lead('T13', 'lapsed', 'ACTIVE_UNACK', true) },
  accept: stay('T14', 'accepted'),
  reject: stay('T15', 'rejected'),
  unanswered: stay('T16', 'unanswered'),
  pause: stay('T17', 'paused'),
  resume: stay('T18', 'resumed'),
  sound: { ...stay('T18', 'audible'), ACTIVE_ACK: NOTHING },
  notify: { ...stay('T19', 'notified'), ACTIVE_ACK: NOTHING },
  exhaust: { ...stay('T19', 'exhausted'), ACTIVE_ACK: NOTHING },
  escalate: stay('T20', 'notified'),
  resolve: end('T21', 'resolved', 'RESOLVED'),
  lose: stay('T22', 'stale'),
  regain: stay('T23', 'live'),
  transfer: stay('T24', 'transferred'),
  discharge: end('T25', 'discharged', 'RESOLVED'),
  void: end('T26', 'voided', 'ENTERED_IN_ERROR'),
  merge: stay('T27', 'merged'),
  'merge-acknowledged': {
    ACTIVE_UNACK: lead('T27', 'merged', 'ACTIVE_ACK'),
    ACTIVE_ACK: lead('T27', 'merged', 'ACTIVE_ACK'),
    LATCHED: lead('T27', 'merged', 'RESOLVED'),
    RTN_UNACK: lead('T27', 'merged', 'RESOLVED'),
  },
  'nothing-new': NOWHERE,
};

export const CARE_MOVES: readonly CareMove[] = Object.keys(ROWS) as CareMove[];

const each = (cellOf: (move: CareMove) => Cell): Readonly<Record<CareMove, Cell>> =>
  Object.fromEntries(CARE_MOVES.map((move) => [move, cellOf(move)])) as Record<CareMove, Cell>;

const NOT_FOUND: Cell = { does: 'refuse', code: 'ALERT_NOT_FOUND' };
const RESOLVED: Cell = { does: 'refuse', code: 'ALREADY_RESOLVED' };

export const CARE_TRANSITIONS: Readonly<Record<From, Readonly<Record<CareMove, Cell>>>> = {
  NONE: each(() => NOT_FOUND),
  ACTIVE_UNACK: each((move) => ROWS[move].ACTIVE_UNACK),
  ACTIVE_ACK: each((move) => ROWS[move].ACTIVE_ACK),
  LATCHED: each((move) => ROWS[move].LATCHED),
  RTN_UNACK: each((move) => ROWS[move].RTN_UNACK),
  RESOLVED: {
    ...each(() => RESOLVED),
    void: lead('T26', 'voided', 'ENTERED_IN_ERROR'),
  },
  ENTERED_IN_ERROR: each(() => RESOLVED),
};

/** Which row of the table a command is, for the alert it is about. */
export function careMoveOf(command: CareCommand, alert: Alert | undefined): CareMove {
  if (alert === undefined) return 'nothing-new';
  switch (command.type) {
    case 'resume':
      return alert.pausedUntil === undefined ? 'nothing-new' : 'resume';
    case 'accept': {
      const answer = alert.responsibility;
      const isRepeated = answer?.state === 'accepted' && answer.by === command.actor;
      return isRepeated ? 'nothing-new' : 'accept';
    }
    case 'reject': {
      // Whoever took it answers for it still, whoever else cannot come.
      const answer = alert.responsibility;
      const isTaken = answer?.state === 'accepted' && answer.by !== command.actor;
      return isTaken ? 'nothing-new' : 'reject';
    }
    case 'merge': {
      const isAcknowledged = command.acknowledgements.some((one) => isNewOf(alert, one));
      return isAcknowledged ? 'merge-acknowledged' : 'merge';
    }
    default:
      return command.type;
  }
}
