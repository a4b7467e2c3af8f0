import { hashText, mix } from '../base/hash.ts';
import type { UnixMillis } from '../base/ids.ts';
import type {
  Alert,
  AlertEvent,
  Cause,
  DisplayState,
  Effect,
  Kind,
  Presence,
  Priority,
  Reply,
} from './types.ts';

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
    (alert.latching ? 1 : 0) + (alert.acknowledgementRequired ? 2 : 0),
    alert.raisedAt,
  );
  hash = hashText(alert.id, hash);
  hash = hashText(alert.dedupKey, hash);
  hash = foldText(hash, alert.previous);
  hash = hashText(alert.condition, hash);
  hash = foldSubject(hash, alert.subject);
  return foldLabels(hash, alert.labels);
}

/** The fields that commands change. */
function foldCourse(digest: number, alert: Alert): number {
  const { acknowledgements, resolution } = alert;
  let hash = mix(
    digest,
    alert.activation,
    PRIORITY[alert.priority],
    PRESENCE[alert.presence] + (alert.acknowledged ? 2 : 0) + (resolution === undefined ? 0 : 4),
    alert.count,
    alert.version,
    alert.revision,
    alert.lastSeenAt,
    alert.clearedAt ?? -1,
    acknowledgements.length,
  );
  hash = hashText(alert.text, foldNumber(hash, alert.observedAt));
  hash = foldCause(hash, alert.cause);
  for (const one of acknowledgements)
    hash = foldText(hashText(one.by, mix(hash, one.at, one.activation)), one.note);
  if (resolution === undefined) return hash;
  return hashText(resolution.by, hashText(resolution.how, mix(hash, resolution.at)));
}

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
};
