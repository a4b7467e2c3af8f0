import { assert } from '../../base/assert.ts';
import type { Revision, UnixMillis } from '../../base/ids.ts';
import { FLAP_MS_MAX } from '../../base/limits.ts';
import { stopped } from '../beside/escalation.ts';
import { secondsAfter } from '../timers.ts';
import type {
  AcknowledgeCommand,
  Acknowledgement,
  Alert,
  AlertId,
  ClearCommand,
  ConditionCommand,
  EscalationState,
  RaiseCommand,
} from '../types.ts';
import { withAcknowledgement } from './acknowledgements.ts';
import { displayState } from './display.ts';
import type { Transition } from './transitions.ts';

/** Where in history, and when by the log's time, a record is made. */
export interface Stamp {
  readonly revision: Revision;
  readonly time: UnixMillis;
  /** Whether the source that measures what the record is about is lost: nobody will say when that changes (T22). */
  readonly isSourceLost: boolean;
}

/** What is known of the occurrence before: how many there were, the newest one's id, when it ended, and how it flapped. */
export interface Last {
  readonly id: AlertId;
  readonly occurrence: number;
  readonly endedAt: UnixMillis;
  readonly flaps: number;
}

const NO_LABELS: Alert['labels'] = Object.freeze({});
const NO_ACKNOWLEDGEMENTS: Alert['acknowledgements'] = Object.freeze([]);

/** The same of another subject. */
export const about = (command: RaiseCommand, subject: RaiseCommand['subject']): RaiseCommand =>
  subject === command.subject ? command : { ...command, subject };

/**
 * A new occurrence (T1, T6). Its identity (kind, condition, subject, labels, latching,
 * acknowledgementRequired) is that of this raise for good.
 */
export function firstRecord(
  command: RaiseCommand,
  stamp: Stamp,
  last: Last | undefined,
  escalation: EscalationState | undefined,
): Alert {
  return {
    id: `A${stamp.revision}`,
    dedupKey: command.dedupKey,
    occurrence: last === undefined ? 1 : last.occurrence + 1,
    previous: last?.id,
    activation: 1,
    activatedAt: stamp.revision,
    flaps: flapsAfter(last, stamp.time),
    kind: command.kind,
    basePriority: command.priority,
    priority: command.priority,
    condition: command.condition,
    text: command.text,
    subject: command.subject,
    cause: command.cause,
    labels: command.labels ?? NO_LABELS,
    presence: 'present',
    acknowledged: false,
    acknowledgements: NO_ACKNOWLEDGEMENTS,
    acknowledgementSeconds: command.acknowledgementSeconds,
    acknowledgedUntil: undefined,
    escalation,
    responsibility: undefined,
    pausedUntil: undefined,
    staleSince: stamp.isSourceLost ? stamp.time : undefined,
    latching: command.latching,
    resetAfterClear: command.resetAfterClear ?? false,
    acknowledgementRequired: command.acknowledgementRequired,
    resolution: undefined,
    count: 1,
    raisedAt: stamp.time,
    lastSeenAt: stamp.time,
    clearedAt: undefined,
    observedAt: command.observedAt,
    version: 1,
    revision: stamp.revision,
  };
}

function flapsAfter(last: Last | undefined, time: UnixMillis): number {
  return last !== undefined && time - last.endedAt < FLAP_MS_MAX ? last.flaps + 1 : 0;
}

/**
 * What an open occurrence becomes by a transition of the table (T2 to T5, T7 to T11). `escalation` is where it goes on in its
 * policy, if it does not stay where it is.
 */
export function nextRecord(
  alert: Alert,
  command: ConditionCommand,
  transition: Transition,
  stamp: Stamp,
  acknowledgementsMax: number,
  escalation?: EscalationState,
): Alert {
  assert(alert.resolution === undefined, '% is resolved: nothing leads out of that', alert.id);
  const next = changed(alert, command, transition, stamp, acknowledgementsMax, escalation);
  checkState(next, transition);
  return next;
}

/** What an alert becomes by what is done about it: the table says the state, `course` what changes. */
export function caredRecord(
  alert: Alert,
  transition: Transition,
  stamp: Stamp,
  course: Partial<Course>,
): Alert {
  const { annunciates } = transition;
  const next = replaced(alert, stamp.revision, {
    ...courseOf(alert),
    activation: alert.activation + (annunciates ? 1 : 0),
    activatedAt: annunciates ? stamp.revision : alert.activatedAt,
    ...course,
  });
  checkState(next, transition);
  return next;
}

function checkState(next: Alert, transition: Transition): void {
  const state = displayState(next);
  assert(state === transition.to, '% led to %, not %', transition.rule, state, transition.to);
}

function changed(
  alert: Alert,
  command: ConditionCommand,
  transition: Transition,
  stamp: Stamp,
  acknowledgementsMax: number,
  escalation: EscalationState | undefined,
): Alert {
  switch (command.type) {
    case 'raise':
      return raisedAgain(alert, command, transition, stamp, escalation);
    case 'clear':
      return cleared(alert, command, transition, stamp, escalation);
    case 'acknowledge':
      return acknowledged(alert, command, transition, stamp, acknowledgementsMax);
  }
}

/**
 * Priority, text and cause are those of the newest raise: an old cause beside a new time would be
 * untrue.
 */
function raisedAgain(
  alert: Alert,
  command: RaiseCommand,
  transition: Transition,
  stamp: Stamp,
  escalation: EscalationState | undefined,
): Alert {
  const isNew = transition.annunciates;
  return replaced(alert, stamp.revision, {
    activation: alert.activation + (isNew ? 1 : 0),
    activatedAt: isNew ? stamp.revision : alert.activatedAt,
    priority: command.priority,
    text: command.text,
    cause: command.cause,
    subject: alert.subject,
    presence: 'present',
    acknowledged: transition.to === 'ACTIVE_ACK',
    acknowledgements: alert.acknowledgements,
    acknowledgedUntil: isNew ? undefined : alert.acknowledgedUntil,
    escalation: isNew ? escalation : alert.escalation,
    responsibility: isNew ? undefined : alert.responsibility,
    pausedUntil: isNew ? undefined : alert.pausedUntil,
    staleSince: staleSince(alert, stamp),
    resolution: alert.resolution,
    raisedAt: alert.raisedAt,
    count: alert.count + 1,
    lastSeenAt: stamp.time,
    clearedAt: undefined,
    observedAt: command.observedAt,
  });
}

function cleared(
  alert: Alert,
  command: ClearCommand,
  transition: Transition,
  stamp: Stamp,
  escalation: EscalationState | undefined,
): Alert {
  const resolved = transition.to === 'RESOLVED';
  // What has to be looked at again was not acknowledged as it is now.
  const isHeld = !resolved && alert.acknowledged;
  return replaced(alert, stamp.revision, {
    activation: alert.activation,
    priority: alert.priority,
    text: alert.text,
    activatedAt: alert.activatedAt,
    cause: alert.cause,
    subject: alert.subject,
    presence: 'cleared',
    acknowledged: alert.acknowledged && !isHeld,
    acknowledgements: alert.acknowledgements,
    acknowledgedUntil: resolved || isHeld ? undefined : alert.acknowledgedUntil,
    escalation: resolved ? stopped(alert.escalation) : (escalation ?? alert.escalation),
    responsibility: alert.responsibility,
    pausedUntil: resolved ? undefined : alert.pausedUntil,
    staleSince: resolved ? undefined : staleSince(alert, stamp),
    resolution: resolved ? { how: 'auto', by: command.actor, at: stamp.time } : undefined,
    raisedAt: alert.raisedAt,
    count: alert.count,
    lastSeenAt: alert.lastSeenAt,
    clearedAt: stamp.time,
    observedAt: command.observedAt,
  });
}

function acknowledged(
  alert: Alert,
  command: AcknowledgeCommand,
  transition: Transition,
  stamp: Stamp,
  acknowledgementsMax: number,
): Alert {
  const { activation } = alert;
  const base = { by: command.actor, at: stamp.time, activation };
  const added: Acknowledgement =
    command.note === undefined ? base : { ...base, note: command.note };
  const resolved = transition.to === 'RESOLVED';
  return replaced(alert, stamp.revision, {
    activation,
    priority: alert.priority,
    text: alert.text,
    activatedAt: alert.activatedAt,
    cause: alert.cause,
    subject: alert.subject,
    presence: alert.presence,
    acknowledged: true,
    acknowledgements: withAcknowledgement(
      alert.acknowledgements,
      added,
      activation,
      acknowledgementsMax,
    ),
    acknowledgedUntil: resolved ? undefined : heldUntil(alert, stamp),
    escalation: stopped(alert.escalation),
    responsibility: alert.responsibility,
    pausedUntil: resolved ? undefined : alert.pausedUntil,
    staleSince: alert.staleSince,
    resolution: resolved ? { how: 'acknowledged', by: command.actor, at: stamp.time } : undefined,
    raisedAt: alert.raisedAt,
    count: alert.count,
    lastSeenAt: alert.lastSeenAt,
    clearedAt: alert.clearedAt,
    observedAt: alert.observedAt,
  });
}

/** What is said of a condition makes it live, unless its source is lost: only that source's return does then (T23). */
const staleSince = (alert: Alert, { isSourceLost, time }: Stamp): UnixMillis | undefined =>
  isSourceLost ? (alert.staleSince ?? time) : undefined;

/** Who joins in does not make an acknowledgement hold longer. */
function heldUntil(alert: Alert, stamp: Stamp): UnixMillis | undefined {
  if (alert.acknowledged) return alert.acknowledgedUntil;
  const seconds = alert.acknowledgementSeconds;
  return seconds === undefined ? undefined : secondsAfter(stamp.time, seconds);
}

/** What a transition may change; everything else is an occurrence's for good. */
export type Course = Pick<
  Alert,
  | 'activation'
  | 'activatedAt'
  | 'priority'
  | 'text'
  | 'subject'
  | 'cause'
  | 'presence'
  | 'acknowledged'
  | 'acknowledgements'
  | 'acknowledgedUntil'
  | 'escalation'
  | 'responsibility'
  | 'pausedUntil'
  | 'staleSince'
  | 'resolution'
  | 'count'
  | 'raisedAt'
  | 'lastSeenAt'
  | 'clearedAt'
  | 'observedAt'
>;

const courseOf = (alert: Alert): Course => ({
  activation: alert.activation,
  activatedAt: alert.activatedAt,
  priority: alert.priority,
  text: alert.text,
  subject: alert.subject,
  cause: alert.cause,
  presence: alert.presence,
  acknowledged: alert.acknowledged,
  acknowledgements: alert.acknowledgements,
  acknowledgedUntil: alert.acknowledgedUntil,
  escalation: alert.escalation,
  responsibility: alert.responsibility,
  pausedUntil: alert.pausedUntil,
  staleSince: alert.staleSince,
  resolution: alert.resolution,
  count: alert.count,
  raisedAt: alert.raisedAt,
  lastSeenAt: alert.lastSeenAt,
  clearedAt: alert.clearedAt,
  observedAt: alert.observedAt,
});

/**
 * The record that takes the place of `alert`. Every field is written out: a spread of so many, with
 * some replaced, is an order of magnitude slower, and this runs for every command on every replica.
 */
function replaced(alert: Alert, at: Revision, change: Course): Alert {
  return {
    id: alert.id,
    dedupKey: alert.dedupKey,
    occurrence: alert.occurrence,
    previous: alert.previous,
    activation: change.activation,
    activatedAt: change.activatedAt,
    flaps: alert.flaps,
    kind: alert.kind,
    basePriority: alert.basePriority,
    priority: change.priority,
    condition: alert.condition,
    text: change.text,
    subject: change.subject,
    cause: change.cause,
    labels: alert.labels,
    presence: change.presence,
    acknowledged: change.acknowledged,
    acknowledgements: change.acknowledgements,
    acknowledgementSeconds: alert.acknowledgementSeconds,
    acknowledgedUntil: change.acknowledgedUntil,
    escalation: change.escalation,
    responsibility: change.responsibility,
    pausedUntil: change.pausedUntil,
    staleSince: change.staleSince,
    latching: alert.latching,
    resetAfterClear: alert.resetAfterClear,
    acknowledgementRequired: alert.acknowledgementRequired,
    resolution: change.resolution,
    count: change.count,
    raisedAt: change.raisedAt,
    lastSeenAt: change.lastSeenAt,
    clearedAt: change.clearedAt,
    observedAt: change.observedAt,
    version: alert.version + 1,
    revision: at,
  };
}
