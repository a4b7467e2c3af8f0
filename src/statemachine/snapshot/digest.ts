import { RunningHash } from '../../base/hash.ts';
import type { UnixMillis } from '../../base/ids.ts';
import {
  type Alert,
  type AlertEvent,
  type Cause,
  type DisplayState,
  type Effect,
  type EscalationState,
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
  digest: RunningHash,
  keyHash: number,
  fingerprint: number,
  observedAt: UnixMillis | undefined,
): void {
  if (Number.isSafeInteger(fingerprint)) digest.add(keyHash).add(fingerprint).end();
  else foldNumber(digest.add(keyHash).end(), fingerprint);
  if (observedAt === undefined) digest.add(0).end();
  else foldNumber(digest, observedAt);
}

/** What the caller is told. */
export function foldReply(digest: RunningHash, reply: Reply): void {
  if (!reply.ok) digest.add(0).end().text(reply.code);
  else if (isDone(reply)) {
    const { activation, effect, revision, state } = reply;
    digest.add(1).add(activation).add(revision).add(EFFECT[effect]).add(STATE[state]).end();
    digest.text(reply.alertId);
  } else digest.add(2).add(reply.version).end().text(reply.effect).text(reply.id);
}

/** What happened. `identity` is `identityOf` of the alert. */
export function foldEvent(digest: RunningHash, event: AlertEvent, identity: number): void {
  digest.add(event.revision).add(event.index).add(event.time).add(EFFECT[event.effect]);
  foldNumber(digest.add(identity).end(), event.observedAt);
  foldCourse(digest.text(event.actor), event.alert);
}

const own = new RunningHash();

/**
 * Hash of the fields that an occurrence keeps for life. Made once, when it opens, and folded into
 * each of its events: what happens to those fields in memory afterwards does not show.
 */
export function identityOf(alert: Alert): number {
  own.value = 0;
  own.add(alert.occurrence).add(KIND[alert.kind]).add(PRIORITY[alert.basePriority]);
  own.add(
    (alert.latching ? 1 : 0) +
      (alert.acknowledgementRequired ? 2 : 0) +
      (alert.resetAfterClear ? 4 : 0),
  );
  own.add(alert.flaps).add(alert.acknowledgementSeconds ?? -1);
  foldText(own.end().text(alert.id).text(alert.dedupKey), alert.previous);
  foldLabels(own.text(alert.condition), alert.labels);
  return own.value;
}

/** The fields that commands change. */
function foldCourse(digest: RunningHash, alert: Alert): void {
  const { acknowledgements, resolution, escalation, responsibility } = alert;
  const { clearedAt = -1, acknowledgedUntil = -1, pausedUntil = -1, staleSince = -1 } = alert;
  digest.add(alert.activation).add(alert.activatedAt).add(PRIORITY[alert.priority]);
  digest.add(
    PRESENCE[alert.presence] +
      (alert.acknowledged ? 2 : 0) +
      (resolution === undefined ? 0 : 4) +
      (escalation === undefined ? 0 : 8) +
      (responsibility === undefined ? 0 : 16),
  );
  digest.add(alert.count).add(alert.version).add(alert.revision);
  digest.add(alert.raisedAt).add(alert.lastSeenAt).add(clearedAt).add(acknowledgedUntil);
  digest.add(pausedUntil).add(staleSince).add(acknowledgements.length).end();
  foldNumber(digest, alert.observedAt);
  foldCause(digest.text(alert.text), alert.cause);
  foldSubject(digest, alert.subject);
  if (escalation !== undefined) foldEscalation(digest, escalation);
  if (responsibility !== undefined) foldResponsibility(digest, responsibility);
  if (acknowledgements.length > 0)
    for (const one of acknowledgements)
      foldText(digest.add(one.at).add(one.activation).end().text(one.by), one.note);
  if (resolution === undefined) return;
  digest.add(resolution.at).end().text(resolution.how).text(resolution.by);
  foldText(digest, resolution.reason);
  if (resolution.confirmedBy !== undefined) digest.text(resolution.confirmedBy);
}

function foldEscalation(digest: RunningHash, state: EscalationState): void {
  const { policy, version, loop, step, dueAt = -1, exhausted } = state;
  const isExhausted = exhausted ? 1 : 0;
  digest.add(1).add(version).add(loop).add(step).add(dueAt).add(isExhausted).end().text(policy);
}

function foldResponsibility(digest: RunningHash, responsibility: Responsibility): void {
  digest.add(responsibility.at).end().text(responsibility.state);
  if (responsibility.state !== 'offered') digest.text(responsibility.by);
  else {
    digest.add(responsibility.to.length).end();
    for (const to of responsibility.to) digest.text(to);
  }
}

/** A record beside the alerts, as it is now or as it was when it went. Its fields come in the order of its type. */
export function foldRecord(digest: RunningHash, record: object): void {
  digest.add(3).end().text(JSON.stringify(record));
}

function foldSubject(digest: RunningHash, subject: Alert['subject']): void {
  foldText(digest, subject.unit);
  foldText(digest, subject.bed);
  foldText(digest, subject.patient);
  foldText(digest, subject.device);
}

function foldCause(digest: RunningHash, cause: Cause | undefined): void {
  if (cause === undefined) {
    digest.add(0).end();
    return;
  }
  digest.add(1).end().text(cause.metric);
  if (cause.value === null) digest.add(0).end();
  else foldNumber(digest, cause.value);
  if (cause.limit === undefined) digest.add(0).end();
  else foldNumber(digest, cause.limit);
  foldText(digest, cause.unit);
  foldText(digest, cause.rule);
}

/**
 * In order of the names: a record that was written out and read back may hold them in another
 * order.
 */
function foldLabels(digest: RunningHash, labels: Alert['labels']): void {
  const names = Object.keys(labels).sort();
  digest.add(names.length).end();
  for (const name of names) digest.text(name).text(labels[name] ?? '');
}

function foldText(digest: RunningHash, text: string | undefined): void {
  if (text === undefined) digest.add(0).end();
  else digest.add(1).end().text(text);
}

const scratch = new DataView(new ArrayBuffer(8));

/** Any number, fractions and the non-finite included: `add` alone sees integers only. */
function foldNumber(digest: RunningHash, value: number): void {
  if (Number.isSafeInteger(value)) digest.add(1).add(value).end();
  else if (Number.isNaN(value))
    digest.add(2).end(); // its bits are not specified
  else {
    scratch.setFloat64(0, value, true);
    digest.add(3).add(scratch.getUint32(0, true)).add(scratch.getUint32(4, true)).end();
  }
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
