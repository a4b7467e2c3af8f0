import type { ListedAlert } from '../../statemachine/alert-api.ts';
import type { AlertEvent } from '../../statemachine/types.ts';
import { withoutUndefined } from '../commands/shape.ts';

/**
 * Alerts and events as maps for MessagePack: the names of the API, in the order of the types,
 * without what is undefined. Parsed back by parse-answers.ts.
 */
export function alertBody(alert: ListedAlert): Readonly<Record<string, unknown>> {
  const { previous, cause, resolution, clearedAt } = alert;
  const { escalation, acknowledgementSeconds, acknowledgedUntil } = alert;
  const { responsibility, pausedUntil, staleSince } = alert;
  return {
    id: alert.id,
    dedupKey: alert.dedupKey,
    occurrence: alert.occurrence,
    ...(previous === undefined ? {} : { previous }),
    activation: alert.activation,
    activatedAt: alert.activatedAt,
    flaps: alert.flaps,
    kind: alert.kind,
    basePriority: alert.basePriority,
    priority: alert.priority,
    condition: alert.condition,
    text: alert.text,
    subject: alert.subject,
    ...(cause === undefined ? {} : { cause }),
    labels: alert.labels,
    presence: alert.presence,
    acknowledged: alert.acknowledged,
    acknowledgements: alert.acknowledgements,
    ...(acknowledgementSeconds === undefined ? {} : { acknowledgementSeconds }),
    ...(acknowledgedUntil === undefined ? {} : { acknowledgedUntil }),
    ...(escalation === undefined ? {} : { escalation: withoutUndefined(escalation) }),
    ...(responsibility === undefined ? {} : { responsibility }),
    ...(pausedUntil === undefined ? {} : { pausedUntil }),
    ...(staleSince === undefined ? {} : { staleSince }),
    latching: alert.latching,
    ...(alert.resetAfterClear ? { resetAfterClear: true } : {}),
    acknowledgementRequired: alert.acknowledgementRequired,
    ...(resolution === undefined ? {} : { resolution }),
    count: alert.count,
    raisedAt: alert.raisedAt,
    lastSeenAt: alert.lastSeenAt,
    ...(clearedAt === undefined ? {} : { clearedAt }),
    observedAt: alert.observedAt,
    version: alert.version,
    revision: alert.revision,
    ...(alert.badges === undefined ? {} : { badges: alert.badges }),
  };
}

export const eventBody = (event: AlertEvent): Readonly<Record<string, unknown>> => ({
  revision: event.revision,
  index: event.index,
  time: event.time,
  observedAt: event.observedAt,
  effect: event.effect,
  actor: event.actor,
  alert: alertBody(event.alert),
});
