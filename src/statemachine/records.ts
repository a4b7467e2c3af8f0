import { assert } from '../base/assert.ts';
import type { Revision, UnixMillis } from '../base/ids.ts';
import { displayState } from './display.ts';
import type { Transition } from './transitions.ts';
import type {
  AcknowledgeCommand,
  Acknowledgement,
  Alert,
  AlertId,
  ClearCommand,
  Command,
  RaiseCommand,
} from './types.ts';

/** Where in history, and when by the log's time, a record is made. */
export interface Stamp {
  readonly revision: Revision;
  readonly time: UnixMillis;
}

/** What is known of the occurrence before: how many there were, and the newest one's id. */
export interface Last {
  readonly id: AlertId;
  readonly occurrence: number;
}

const NO_LABELS: Alert['labels'] = Object.freeze({});
const NO_ACKNOWLEDGEMENTS: Alert['acknowledgements'] = Object.freeze([]);

/**
 * A new occurrence (T1, T6). Its identity (kind, condition, subject, labels, latching,
 * acknowledgementRequired) is that of this raise for good.
 */
export function firstRecord(command: RaiseCommand, stamp: Stamp, last: Last | undefined): Alert {
  return {
    id: `A${stamp.revision}`,
    dedupKey: command.dedupKey,
    occurrence: last === undefined ? 1 : last.occurrence + 1,
    previous: last?.id,
    activation: 1,
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
    latching: command.latching,
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

/** What an open occurrence becomes by a transition of the table (T2 to T5, T7 to T11). */
export function nextRecord(
  alert: Alert,
  command: Command,
  transition: Transition,
  stamp: Stamp,
  acknowledgementsMax: number,
): Alert {
  assert(alert.resolution === undefined, `${alert.id} is resolved: nothing leads out of that`);
  const next = changed(alert, command, transition, stamp, acknowledgementsMax);
  const state = displayState(next);
  assert(state === transition.to, `${transition.rule} led to ${state}, not ${transition.to}`);
  return next;
}

function changed(
  alert: Alert,
  command: Command,
  transition: Transition,
  stamp: Stamp,
  acknowledgementsMax: number,
): Alert {
  switch (command.type) {
    case 'raise':
      return raisedAgain(alert, command, transition, stamp);
    case 'clear':
      return cleared(alert, command, transition, stamp);
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
): Alert {
  return replaced(alert, stamp.revision, {
    activation: alert.activation + (transition.annunciates ? 1 : 0),
    priority: command.priority,
    text: command.text,
    cause: command.cause,
    presence: 'present',
    acknowledged: transition.to === 'ACTIVE_ACK',
    acknowledgements: alert.acknowledgements,
    resolution: alert.resolution,
    count: alert.count + 1,
    lastSeenAt: stamp.time,
    clearedAt: undefined,
    observedAt: command.observedAt,
  });
}

function cleared(alert: Alert, command: ClearCommand, transition: Transition, stamp: Stamp): Alert {
  const resolved = transition.to === 'RESOLVED';
  return replaced(alert, stamp.revision, {
    activation: alert.activation,
    priority: alert.priority,
    text: alert.text,
    cause: alert.cause,
    presence: 'cleared',
    acknowledged: alert.acknowledged,
    acknowledgements: alert.acknowledgements,
    resolution: resolved ? { how: 'auto', by: command.actor, at: stamp.time } : undefined,
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
    cause: alert.cause,
    presence: alert.presence,
    acknowledged: true,
    acknowledgements: withAcknowledgement(alert.acknowledgements, added, acknowledgementsMax),
    resolution: resolved ? { how: 'acknowledged', by: command.actor, at: stamp.time } : undefined,
    count: alert.count,
    lastSeenAt: alert.lastSeenAt,
    clearedAt: alert.clearedAt,
    observedAt: alert.observedAt,
  });
}

/** What a transition may change; everything else is an occurrence's for good. */
type Change = Pick<
  Alert,
  | 'activation'
  | 'priority'
  | 'text'
  | 'cause'
  | 'presence'
  | 'acknowledged'
  | 'acknowledgements'
  | 'resolution'
  | 'count'
  | 'lastSeenAt'
  | 'clearedAt'
  | 'observedAt'
>;

/**
 * The record that takes the place of `alert`. Every field is written out: a spread of so many, with
 * some replaced, is an order of magnitude slower, and this runs for every command on every replica.
 */
function replaced(alert: Alert, at: Revision, change: Change): Alert {
  return {
    id: alert.id,
    dedupKey: alert.dedupKey,
    occurrence: alert.occurrence,
    previous: alert.previous,
    activation: change.activation,
    kind: alert.kind,
    basePriority: alert.basePriority,
    priority: change.priority,
    condition: alert.condition,
    text: change.text,
    subject: alert.subject,
    cause: change.cause,
    labels: alert.labels,
    presence: change.presence,
    acknowledged: change.acknowledged,
    acknowledgements: change.acknowledgements,
    latching: alert.latching,
    acknowledgementRequired: alert.acknowledgementRequired,
    resolution: change.resolution,
    count: change.count,
    raisedAt: alert.raisedAt,
    lastSeenAt: change.lastSeenAt,
    clearedAt: change.clearedAt,
    observedAt: change.observedAt,
    version: alert.version + 1,
    revision: at,
  };
}

/**
 * A full list gives up its oldest, except two: the first of the occurrence, and the first of the
 * activation in force, who took charge of it.
 */
function withAcknowledgement(
  before: readonly Acknowledgement[],
  added: Acknowledgement,
  acknowledgementsMax: number,
): readonly Acknowledgement[] {
  const after = [...before, added];
  if (after.length <= acknowledgementsMax) return after;
  const tookCharge = after.findIndex((one) => one.activation === added.activation);
  after.splice(tookCharge === 1 ? 2 : 1, 1);
  return after;
}
