import type { UnixMillis } from '../base/ids.ts';
import type { Acknowledgement, AlertRef, ConditionCommand, Guarded, Subject } from './types.ts';

/** What people, and what else looks after patients, do about an alert (domain model A.3, T12 to T27). */

interface Targeted extends Guarded {
  readonly target: AlertRef;
}

/** Takes an acknowledgement back: the alert needs somebody again (T12). */
export interface UnacknowledgeCommand extends Targeted {
  readonly type: 'unacknowledge';
  readonly reason: string;
}

/** Takes responsibility, without saying that it was seen to (T14). Escalation waits as long as the step in force does. */
export interface AcceptCommand extends Targeted {
  readonly type: 'accept';
}

/** Cannot take it: the next step of the policy follows at once (T15), unless somebody else has accepted. */
export interface RejectCommand extends Targeted {
  readonly type: 'reject';
  readonly reason?: string;
}

/** Turns the sound off for a time; a new activation turns it on again (T17). */
export interface PauseCommand extends Targeted {
  readonly type: 'pause';
  readonly seconds: number;
}

/** Turns the sound on again (T18). */
export interface ResumeCommand extends Targeted {
  readonly type: 'resume';
}

/** Carries out the next step of the policy now (T20). */
export interface EscalateCommand extends Targeted {
  readonly type: 'escalate';
  readonly reason: string;
}

/** Ends an alert by decision (T21). While the condition is present, only with `force`. */
export interface ResolveCommand extends Targeted {
  readonly type: 'resolve';
  readonly reason: string;
  readonly force?: boolean;
  /** Who else agrees: needed for a high physiological alert that is present. */
  readonly confirmedBy?: string;
}

/** The patient was moved: what is given replaces that part of the subject (T24). With a device that is lost the alert is stale. */
export interface TransferCommand extends Targeted {
  readonly type: 'transfer';
  readonly subject: Subject;
  /** The escalation policy of where the alert is now, in the version in force: it begins at its first step. Absent = as before. */
  readonly policy?: string;
}

/** The patient left, or the device was taken off (T25). */
export interface DischargeCommand extends Targeted {
  readonly type: 'discharge';
  /** Needed while a high alert is not acknowledged. */
  readonly reason?: string;
}

/** It should never have been (T26). Ends an alert for good, also one that is resolved. */
export interface VoidCommand extends Targeted {
  readonly type: 'void';
  readonly reason: string;
  /** Who else agrees: needed for a high physiological alert that is present. */
  readonly confirmedBy?: string;
}

/** What an offline far end knew of the same alert: the earlier begin counts, acknowledgements are united (T27). */
export interface MergeCommand extends Targeted {
  readonly type: 'merge';
  readonly raisedAt: UnixMillis;
  readonly acknowledgements: readonly Acknowledgement[];
}

export type CareCommand =
  | UnacknowledgeCommand
  | AcceptCommand
  | RejectCommand
  | PauseCommand
  | ResumeCommand
  | EscalateCommand
  | ResolveCommand
  | TransferCommand
  | DischargeCommand
  | VoidCommand
  | MergeCommand;

/** A command about one alert. */
export type AlertCommand = ConditionCommand | CareCommand;

export const isCare = (command: AlertCommand): command is CareCommand =>
  command.type !== 'raise' && command.type !== 'clear' && command.type !== 'acknowledge';
