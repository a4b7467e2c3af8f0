import { hashText, mix } from '../../base/hash.ts';
import type { UnixMillis } from '../../base/ids.ts';
import type { EscalationState } from '../beside/escalation.ts';
import {
  type Alert,
  type AlertEvent,
  type Cause,
  type DisplayState,
  type Effect,
  isDone,
  type Kind,
  type Presence,
  type Priority,
  type Reply,
  type Responsibility,
} from '../types.ts';

/**
 * The rolling hash by which replicas compare what they have applied: each function folds one thing
 * into a running 53-bit digest. Every field of every event and reply takes part but one, a
 * refusal's message: it is text for people, made from the code, and a release that words it better
 * must not look like a divergence.
 */

/**
 * What was asked: hash of the key, the fingerprint that stands for the body of the command, and
 * when it was observed, which the fingerprint leaves out and which leaves no event when the command
 * is refused or repeated. `observedAt` is undefined when there is no well-formed command.
 */
export function foldSubmission(
  digest: number,
  keyHash: number,
  fingerprint: number,
  observedAt: UnixMillis | undefined,
): number {
  const asked = Number.isSafeInteger(fingerprint)
    ? mix(digest, keyHash, fingerprint)
    : foldNumber(mix(digest, keyHash), fingerprint);
  return observedAt === undefined ? mix(asked, 0) : foldNumber(asked, observedAt);
}

/** What the caller is told. */
export function foldReply(digest: number, reply: Reply): number {
  if (!reply.ok) return hashText(reply.code, mix(digest, 0));
  if (!isDone(reply))
    return hashText(reply.id, hashText(reply.effect, mix(digest, 2, reply.version)));
  const { activation, effect, revision, state } = reply;
  return hashText(
    reply.alertId,
    mix(digest, 1, activation, revision, EFFECT[effect], STATE[state]),
  );
}

/** What happened. `identity` is `identityOf` of the alert. */
export function foldEvent(digest: number, event: AlertEvent, identity: number): number {
  const hash = mix(digest, event.revision, event.index, event.time, EFFECT[event.effect], identity);
  return foldCourse(hashText(event.actor, foldNumber(hash, event.observedAt)), event.alert);
}

/**
 * Hash of the fields that an occurrence keeps for life. Made once, when it opens, and folded into
 * each of its events: what happens to those fields in memory afterwards does not show.
 */
export function identityOf(alert: Alert): number {
  let hash = mix(
    0,
    alert.occurrence,
    KIND[alert.kind],
    PRIORITY[alert.basePriority],
    (alert.latching ? 1 : 0) +
      (alert.acknowledgementRequired ? 2 : 0) +
      (alert.resetAfterClear ? 4 : 0),
    alert.flaps,
    alert.acknowledgementSeconds ?? -1,
  );
  hash = hashText(alert.id, hash);
  hash = hashText(alert.dedupKey, hash);
  hash = foldText(hash, alert.previous);
  hash = hashText(alert.condition, hash);
  return foldLabels(hash, alert.labels);
}

/** The fields that commands change. */
function foldCourse(digest: number, alert: Alert): number {
  const { acknowledgements, resolution, escalation, responsibility } = alert;
  let hash = mix(
    digest,
    alert.activation,
    alert.activatedAt,
    PRIORITY[alert.priority],
    PRESENCE[alert.presence] +
      (alert.acknowledged ? 2 : 0) +
      (resolution === undefined ? 0 : 4) +
      (escalation === undefined ? 0 : 8) +
      (responsibility === undefined ? 0 : 16),
    alert.count,
    alert.version,
    alert.revision,
    alert.raisedAt,
    alert.lastSeenAt,
    alert.clearedAt ?? -1,
    alert.acknowledgedUntil ?? -1,
    alert.pausedUntil ?? -1,
    alert.staleSince ?? -1,
    acknowledgements.length,
  );
  hash = hashText(alert.text, foldNumber(hash, alert.observedAt));
  hash = foldSubject(foldCause(hash, alert.cause), alert.subject);
  if (escalation !== undefined) hash = foldEscalation(hash, escalation);
  if (responsibility !== undefined) hash = foldResponsibility(hash, responsibility);
  for (const one of acknowledgements)
    hash = foldText(hashText(one.by, mix(hash, one.at, one.activation)), one.note);
  if (resolution === undefined) return hash;
  hash = hashText(resolution.by, hashText(resolution.how, mix(hash, resolution.at)));
  hash = foldText(hash, resolution.reason);
  return resolution.confirmedBy === undefined ? hash : hashText(resolution.confirmedBy, hash);
}

function foldEscalation(digest: number, state: EscalationState): number {
  const { policy, version, loop, step, dueAt, exhausted } = state;
  return hashText(policy, mix(digest, 1, version, loop, step, dueAt ?? -1, exhausted ? 1 : 0));
}

function foldResponsibility(digest: number, responsibility: Responsibility): number {
  const hash = hashText(responsibility.state, mix(digest, responsibility.at));
  if (responsibility.state !== 'offered') return hashText(responsibility.by, hash);
  return responsibility.to.reduce(
    (sum, to) => hashText(to, sum),
    mix(hash, responsibility.to.length),
  );
}

/** A record beside the alerts, as it is now or as it was when it went. Its fields come in the order of its type. */
export const foldRecord = (digest: number, record: object): number =>
  hashText(JSON.stringify(record), mix(digest, 3));

function foldSubject(digest: number, subject: Alert['subject']): number {
  const place = foldText(foldText(digest, subject.unit), subject.bed);
  return foldText(foldText(place, subject.patient), subject.device);
}

function foldCause(digest: number, cause: Cause | undefined): number {
  if (cause === undefined) return mix(digest, 0);
  let hash = hashText(cause.metric, mix(digest, 1));
  hash = cause.value === null ? mix(hash, 0) : foldNumber(hash, cause.value);
  hash = cause.limit === undefined ? mix(hash, 0) : foldNumber(hash, cause.limit);
  return foldText(foldText(hash, cause.unit), cause.rule);
}

/**
 * In order of the names: a record that was written out and read back may hold them in another
 * order.
 */
function foldLabels(digest: number, labels: Alert['labels']): number {
  const names = Object.keys(labels).sort();
  let hash = mix(digest, names.length);
  for (const name of names) hash = hashText(labels[name] ?? '', hashText(name, hash));
  return hash;
}

function foldText(digest: number, text: string | undefined): number {
  return text === undefined ? mix(digest, 0) : hashText(text, mix(digest, 1));
}

const scratch = new DataView(new ArrayBuffer(8));

/** Any number, fractions and the non-finite included: `mix` alone sees integers only. */
function foldNumber(digest: number, value: number): number {
  if (Number.isSafeInteger(value)) return mix(digest, 1, value);
  if (Number.isNaN(value)) return mix(digest, 2); // its bits are not specified
  scratch.setFloat64(0, value, true);
  return mix(digest, 3, scratch.getUint32(0, true), scratch.getUint32(4, true));
}

// Replicas of different releases compare digests: these numbers never change, new words get new ones.

const KIND: Readonly<Record<Kind, number>> = { physiological: 1, technical: 2, advisory: 3 };

const PRIORITY: Readonly<Record<Priority, number>> = { high: 1, medium: 2, low: 3, none: 4 };

const PRESENCE: Readonly<Record<Presence, number>> = { cleared: 0, present: 1 };

const STATE: Readonly<Record<DisplayState, number>> = {
  ACTIVE_UNACK: 1,
  ACTIVE_ACK: 2,
  LATCHED: 3,
  RTN_UNACK: 4,
  RESOLVED: 5,
  ENTERED_IN_ERROR: 6,
};

const EFFECT: Readonly<Record<Effect, number>> = {
  raised: 1,
  continued: 2,
  escalated: 3,
  deescalated: 4,
  reactivated: 5,
  cleared: 6,
  acknowledged: 7,
  unchanged: 8,
  unacknowledged: 9,
  lapsed: 10,
  accepted: 11,
  rejected: 12,
  unanswered: 13,
  paused: 14,
  resumed: 15,
  notified: 16,
  exhausted: 17,
  resolved: 18,
  stale: 19,
  live: 20,
  transferred: 21,
  discharged: 22,
  voided: 23,
  merged: 24,
  audible: 25,
};
