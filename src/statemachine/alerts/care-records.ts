import { type UnixMillis, unixMillis } from '../../base/ids.ts';
import { rerouted, resumed, started, stopped, waitOf } from '../beside/escalation.ts';
import type { EscalationPolicy } from '../beside/policies.ts';
import { isFresh } from '../beside/sweep.ts';
import type { CareCommand, MergeCommand, TransferCommand } from '../care-commands.ts';
import { secondsAfter } from '../timers.ts';
import type { Alert, EscalationState, Resolution, Subject } from '../types.ts';
import { isAmong, isNewOf, withAcknowledgement } from './acknowledgements.ts';
import type { Course } from './records.ts';

/** What else than the alert decides what a command makes of it. */
export interface CareContext {
  readonly time: UnixMillis;
  /** The version that the alert goes by; undefined when none applies. */
  readonly policy: EscalationPolicy | undefined;
  /** The one in force under the id that a transfer names. */
  readonly named: EscalationPolicy | undefined;
  readonly acknowledgementsMax: number;
  /** Whether a source was missed and is not back. */
  readonly isLost: (source: string) => boolean;
}

/** What a command changes of an alert (T12 to T27), apart from what the table says. */
export function caredFor(
  alert: Alert,
  command: CareCommand,
  context: CareContext,
): Partial<Course> {
  const { time } = context;
  const { actor: by } = command;
  switch (command.type) {
    case 'unacknowledge':
      return {
        acknowledged: false,
        acknowledgedUntil: undefined,
        escalation: again(alert, context),
      };
    case 'accept':
      return {
        responsibility: { state: 'accepted', by, at: time },
        escalation: waiting(alert.escalation, context),
      };
    case 'reject':
      return {
        responsibility: { state: 'rejected', by, at: time },
        escalation: dueNow(alert.escalation, time),
      };
    case 'pause':
      return { pausedUntil: secondsAfter(time, command.seconds) };
    case 'resume':
      return { pausedUntil: undefined };
    case 'escalate':
      return {}; // the step itself says what changes
    case 'resolve':
      return ended(alert, decided('manual', command, time));
    case 'transfer':
      return transferred(alert, command, context);
    case 'discharge': {
      const { reason } = command;
      const resolution = { how: 'discharged', by, at: time } as const;
      return ended(alert, reason === undefined ? resolution : { ...resolution, reason });
    }
    case 'void':
      return ended(alert, decided('entered-in-error', command, time));
    case 'merge':
      return merged(alert, command, context);
  }
}

/** An acknowledgement that held for a time holds no longer (T13): the alert is annunciated again, from the first step. */
export const lapsed = (alert: Alert, { time, policy }: CareContext): Partial<Course> => ({
  acknowledged: false,
  acknowledgedUntil: undefined,
  responsibility: undefined,
  pausedUntil: undefined,
  escalation: policy === undefined ? alert.escalation : started(policy, alert.priority, time),
});

/** What the end of an alert, whichever it is, leaves of what was going on. */
export const ended = (alert: Alert, resolution: Resolution): Partial<Course> => ({
  resolution,
  acknowledgedUntil: undefined,
  pausedUntil: undefined,
  escalation: stopped(alert.escalation),
});

function decided(
  how: Resolution['how'],
  { actor: by, reason, confirmedBy }: CareCommand & { readonly type: 'resolve' | 'void' },
  at: UnixMillis,
): Resolution {
  return { how, by, at, reason, ...(confirmedBy === undefined ? {} : { confirmedBy }) };
}

/** What measures the alert now may be lost: then nobody says when it changes (T22). What was stale is so until its source is back. */
function transferred(
  alert: Alert,
  { subject }: TransferCommand,
  { named, time, isLost }: CareContext,
): Partial<Course> {
  const change = moved(alert, subject, named, time);
  const { device } = subject;
  const isMarked = device !== undefined && isLost(device) && isFresh(alert);
  return isMarked ? { ...change, staleSince: time } : change;
}

/** What a move makes of an alert (T24): whoever the policy named has to be told is told from the first step on. */
export function moved(
  alert: Alert,
  to: Subject,
  named: EscalationPolicy | undefined,
  time: UnixMillis,
): Partial<Course> {
  const subject = movedTo(alert.subject, to);
  if (named === undefined || named.version === alert.escalation?.version) return { subject };
  const { responsibility } = alert;
  return {
    subject,
    escalation: rerouted(alert, named, time),
    // Those who were asked are not any more; who took it has it still.
    responsibility: responsibility?.state === 'accepted' ? responsibility : undefined,
  };
}

/** The fields always in one order: a record that was written out and read back has the same bytes. */
function movedTo(from: Subject, to: Subject): Subject {
  const { unit, bed, patient, device } = { ...from, ...to };
  return {
    ...(unit === undefined ? {} : { unit }),
    ...(bed === undefined ? {} : { bed }),
    ...(patient === undefined ? {} : { patient }),
    ...(device === undefined ? {} : { device }),
  };
}

function again(alert: Alert, { policy, time }: CareContext): EscalationState | undefined {
  const { escalation, priority } = alert;
  if (escalation === undefined || policy === undefined) return escalation;
  return resumed(escalation, policy, priority, time);
}

/** Who takes responsibility gets as long as the step in force has. */
function waiting(
  escalation: EscalationState | undefined,
  { policy, time }: CareContext,
): EscalationState | undefined {
  if (escalation?.dueAt === undefined || policy === undefined) return escalation;
  return { ...escalation, dueAt: secondsAfter(time, waitOf(escalation, policy)) };
}

const dueNow = (
  escalation: EscalationState | undefined,
  time: UnixMillis,
): EscalationState | undefined =>
  escalation?.dueAt === undefined ? escalation : { ...escalation, dueAt: time };

/**
 * Acknowledgements keep their own times. Those of earlier activations are noted and acknowledge nothing; nor do those that
 * are known, which may have been taken back since.
 */
function merged(
  alert: Alert,
  command: MergeCommand,
  { time, acknowledgementsMax }: CareContext,
): Partial<Course> {
  let acknowledgements = alert.acknowledgements;
  for (const one of command.acknowledgements)
    if (one.activation <= alert.activation && !isAmong(acknowledgements, one))
      acknowledgements = withAcknowledgement(
        acknowledgements,
        one,
        alert.activation,
        acknowledgementsMax,
      );
  const own = command.acknowledgements.find((one) => isNewOf(alert, one));
  const raisedAt = unixMillis(Math.min(command.raisedAt, alert.raisedAt));
  if (own === undefined) return { raisedAt, acknowledgements };
  const isOver = alert.presence === 'cleared';
  const { acknowledgementSeconds: seconds } = alert;
  const until = seconds === undefined || isOver ? undefined : secondsAfter(time, seconds);
  return {
    raisedAt,
    acknowledgements,
    acknowledged: true,
    acknowledgedUntil: alert.acknowledged ? alert.acknowledgedUntil : until,
    escalation: stopped(alert.escalation),
    ...(isOver ? ended(alert, { how: 'acknowledged', by: own.by, at: time }) : {}),
  };
}
