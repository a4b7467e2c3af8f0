import {
  logIndex,
  REPLICA_ID_MAX,
  type ReplicaId,
  replicaId,
  revision,
  term,
  type UnixMillis,
  unixMillis,
} from '../../base/ids.ts';
import {
  ACKNOWLEDGEMENTS_MAX,
  ADDRESS_CHARS_MAX,
  ALARMS_MAX,
  MEMBERS_MAX,
  NAME_CHARS_MAX,
  OFFERED_CHARS_MAX,
  STEP_TARGETS_MAX,
} from '../../base/limits.ts';
import type { Role } from '../../raft/types.ts';
import type {
  Acknowledgement,
  Alert,
  AlertEvent,
  EscalationState,
  Presence,
  Resolution,
  Responsibility,
} from '../../statemachine/types.ts';
import {
  asArray,
  asBoolean,
  asDedupKey,
  asFields,
  asInstant,
  asLine,
  asName,
  asOneOf,
  asText,
  asWhole,
  refuse,
  type Unchecked,
} from '../check.ts';
import type { Building } from '../commands/command-body.ts';
import {
  ACTIVATION_MAX,
  parseAlertId,
  parseCause,
  parseLabels,
  parseRevision,
  parseSubject,
} from '../commands/parse-parts.ts';
import { EFFECTS, KINDS, PRIORITIES } from '../commands/words.ts';
import { parseRoles } from '../peers/members.ts';
import {
  type Alarm,
  type ReplicaAddress,
  type ReplicaStatus,
  STAGES,
  type StageTime,
} from './status.ts';

/** What a server says, checked by who asked: BODY_MALFORMED, and unknown fields pass. */

const PRESENCES: readonly Presence[] = ['present', 'cleared'];
const HOWS: readonly Resolution['how'][] = [
  'auto',
  'acknowledged',
  'manual',
  'discharged',
  'entered-in-error',
];
const ROLES: readonly Role[] = ['follower', 'pre-candidate', 'candidate', 'leader'];

const fieldsOf = <T>(field: string, value: unknown): Unchecked<T> =>
  asFields('answer', field, value, undefined) as Unchecked<T>;

const instant = (field: string, value: unknown): UnixMillis =>
  unixMillis(asInstant('answer', field, value));

const instantOrNone = (field: string, value: unknown): UnixMillis | undefined =>
  value === undefined ? undefined : instant(field, value);

const count = (field: string, value: unknown): number =>
  asWhole('answer', field, value, 0, Number.MAX_SAFE_INTEGER);

const activationOf = (value: unknown): number =>
  asWhole('answer', 'activation', value, 1, ACTIVATION_MAX);

/** @throws TocsinError BODY_MALFORMED naming the field */
export function parseAlert(value: unknown): Alert {
  const alert = fieldsOf<Alert>('alert', value);
  const { previous, cause, resolution, clearedAt, acknowledgementSeconds: seconds } = alert;
  return {
    id: parseAlertId('answer', 'id', alert.id),
    dedupKey: asDedupKey('answer', 'dedupKey', alert.dedupKey),
    occurrence: count('occurrence', alert.occurrence),
    previous: previous === undefined ? undefined : parseAlertId('answer', 'previous', previous),
    activation: activationOf(alert.activation),
    activatedAt: parseRevision('answer', 'activatedAt', alert.activatedAt),
    flaps: count('flaps', alert.flaps),
    kind: asOneOf('answer', 'kind', alert.kind, KINDS),
    basePriority: asOneOf('answer', 'basePriority', alert.basePriority, PRIORITIES),
    priority: asOneOf('answer', 'priority', alert.priority, PRIORITIES),
    condition: asName('answer', 'condition', alert.condition),
    text: asText('answer', 'text', alert.text),
    subject: parseSubject('answer', alert.subject),
    cause: cause === undefined ? undefined : parseCause('answer', cause),
    labels: parseLabels('answer', alert.labels),
    presence: asOneOf('answer', 'presence', alert.presence, PRESENCES),
    acknowledged: asBoolean('answer', 'acknowledged', alert.acknowledged),
    acknowledgements: asArray(
      'answer',
      'acknowledgements',
      alert.acknowledgements,
      ACKNOWLEDGEMENTS_MAX,
    ).map(parseAcknowledgement),
    acknowledgementSeconds:
      seconds === undefined ? undefined : count('acknowledgementSeconds', seconds),
    acknowledgedUntil: instantOrNone('acknowledgedUntil', alert.acknowledgedUntil),
    escalation: alert.escalation === undefined ? undefined : parseEscalation(alert.escalation),
    responsibility:
      alert.responsibility === undefined ? undefined : parseResponsibility(alert.responsibility),
    pausedUntil: instantOrNone('pausedUntil', alert.pausedUntil),
    staleSince: instantOrNone('staleSince', alert.staleSince),
    latching: asBoolean('answer', 'latching', alert.latching),
    resetAfterClear: asBoolean('answer', 'resetAfterClear', alert.resetAfterClear ?? false),
    acknowledgementRequired: asBoolean(
      'answer',
      'acknowledgementRequired',
      alert.acknowledgementRequired,
    ),
    resolution: resolution === undefined ? undefined : parseResolution(resolution),
    count: count('count', alert.count),
    raisedAt: instant('raisedAt', alert.raisedAt),
    lastSeenAt: instant('lastSeenAt', alert.lastSeenAt),
    clearedAt: instantOrNone('clearedAt', clearedAt),
    observedAt: instant('observedAt', alert.observedAt),
    version: count('version', alert.version),
    revision: parseRevision('answer', 'revision', alert.revision),
  };
}

function parseAcknowledgement(value: unknown): Acknowledgement {
  const { by, at, activation, note } = fieldsOf<Acknowledgement>('acknowledgements', value);
  const result: Building<Acknowledgement> = {
    by: asName('answer', 'acknowledgements.by', by),
    at: instant('acknowledgements.at', at),
    activation: activationOf(activation),
  };
  if (note !== undefined) result.note = asText('answer', 'acknowledgements.note', note);
  return result;
}

function parseResolution(value: unknown): Resolution {
  const { how, by, at, reason, confirmedBy } = fieldsOf<Resolution>('resolution', value);
  const resolution: Building<Resolution> = {
    how: asOneOf('answer', 'resolution.how', how, HOWS),
    by: asLine('answer', 'resolution.by', by, 0, NAME_CHARS_MAX),
    at: instant('resolution.at', at),
  };
  if (reason !== undefined) resolution.reason = asText('answer', 'resolution.reason', reason);
  if (confirmedBy !== undefined)
    resolution.confirmedBy = asLine(
      'answer',
      'resolution.confirmedBy',
      confirmedBy,
      0,
      NAME_CHARS_MAX,
    );
  return resolution;
}

function parseEscalation(value: unknown): EscalationState {
  const state = fieldsOf<EscalationState>('escalation', value);
  return {
    policy: asName('answer', 'escalation.policy', state.policy),
    version: count('escalation.version', state.version),
    loop: count('escalation.loop', state.loop),
    step: count('escalation.step', state.step),
    dueAt: instantOrNone('escalation.dueAt', state.dueAt),
    exhausted: asBoolean('answer', 'escalation.exhausted', state.exhausted),
  };
}

function parseResponsibility(value: unknown): Responsibility {
  const { state, by, to, at } = fieldsOf<{ state: 0; by: 0; to: 0; at: 0 }>(
    'responsibility',
    value,
  );
  const known = asOneOf('answer', 'responsibility.state', state, [
    'offered',
    'accepted',
    'rejected',
  ]);
  if (known !== 'offered')
    return {
      state: known,
      by: asName('answer', 'responsibility.by', by),
      at: instant('responsibility.at', at),
    };
  const targets = asArray('answer', 'responsibility.to', to, STEP_TARGETS_MAX);
  return {
    state: known,
    to: targets.map((target) =>
      asLine('answer', 'responsibility.to', target, 1, OFFERED_CHARS_MAX),
    ),
    at: instant('responsibility.at', at),
  };
}

/** @throws TocsinError BODY_MALFORMED naming the field */
export function parseEvent(value: unknown): AlertEvent {
  const event = fieldsOf<AlertEvent>('event', value);
  const effect = asOneOf('answer', 'effect', event.effect, EFFECTS);
  if (effect === 'unchanged') refuse('answer', 'effect', 'an event changes something');
  return {
    revision: revision(count('revision', event.revision)),
    index: logIndex(count('index', event.index)),
    time: instant('time', event.time),
    observedAt: instant('observedAt', event.observedAt),
    effect,
    actor: asName('answer', 'actor', event.actor),
    alert: parseAlert(event.alert),
  };
}

const replica = (field: string, value: unknown): ReplicaId =>
  replicaId(asWhole('answer', field, value, 1, REPLICA_ID_MAX));

const address = (field: string, value: unknown): string =>
  asLine('answer', field, value, 0, ADDRESS_CHARS_MAX);

function parseMember(value: unknown): ReplicaAddress {
  const member = fieldsOf<ReplicaAddress>('members', value);
  const { roles, priority } = member;
  return {
    id: replica('members.id', member.id),
    address: address('members.address', member.address),
    ...(roles === undefined ? {} : { roles: parseRoles('members.roles', roles) }),
    ...(priority === undefined ? {} : { priority: count('members.priority', priority) }),
  };
}

function parseAlarm(value: unknown): Alarm {
  const alarm = fieldsOf<Alarm>('alarms', value);
  return {
    name: asName('answer', 'alarms.name', alarm.name),
    says: asText('answer', 'alarms.says', alarm.says),
  };
}

/** @throws TocsinError BODY_MALFORMED naming the field */
const parseStages = (value: unknown): readonly StageTime[] =>
  asArray('answer', 'stages', value, STAGES.length).map((one) => {
    const stage = fieldsOf<StageTime>('stages', one);
    return {
      name: asOneOf('answer', 'name', stage.name, STAGES),
      count: count('count', stage.count),
      p50Us: count('p50Us', stage.p50Us),
      p99Us: count('p99Us', stage.p99Us),
    };
  });

/** @throws TocsinError BODY_MALFORMED */
export function parseStatus(value: unknown): ReplicaStatus {
  const status = fieldsOf<ReplicaStatus>('status', value);
  const { leader, leaderAddress } = status;
  const clusterId = asLine('answer', 'clusterId', status.clusterId, 32, 32);
  if (!/^[0-9a-f]*$/.test(clusterId)) refuse('answer', 'clusterId', 'must be hex digits');
  const digest = asLine('answer', 'digest', status.digest, 14, 16);
  if (!/^[0-9a-f]*$/.test(digest)) refuse('answer', 'digest', 'must be hex digits');
  return {
    replicaId: replica('replicaId', status.replicaId),
    incarnation: count('incarnation', status.incarnation ?? 0),
    clusterId,
    role: asOneOf('answer', 'role', status.role, ROLES),
    term: term(count('term', status.term)),
    leader: leader === undefined ? undefined : replica('leader', leader),
    leaderAddress:
      leaderAddress === undefined ? undefined : address('leaderAddress', leaderAddress),
    commit: logIndex(count('commit', status.commit)),
    applied: logIndex(count('applied', status.applied)),
    lastIndex: logIndex(count('lastIndex', status.lastIndex)),
    revision: parseRevision('answer', 'revision', status.revision),
    digest,
    uptimeMs: count('uptimeMs', status.uptimeMs),
    agent: asLine('answer', 'agent', status.agent, 0, NAME_CHARS_MAX),
    openAlerts: count('openAlerts', status.openAlerts),
    members: asArray('answer', 'members', status.members, MEMBERS_MAX).map(parseMember),
    alarms: asArray('answer', 'alarms', status.alarms ?? [], ALARMS_MAX).map(parseAlarm),
    ...(status.stages === undefined ? {} : { stages: parseStages(status.stages) }),
  };
}
