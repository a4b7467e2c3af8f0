import { revision } from '../../base/ids.ts';
import {
  ACKNOWLEDGEMENTS_MAX,
  DEDUP_KEY_CHARS_MAX,
  LABELS_MAX,
  OFFERED_CHARS_MAX,
  STEP_TARGETS_MAX,
} from '../../base/limits.ts';
import type {
  Acknowledgement,
  Alert,
  Cause,
  EscalationState,
  Glance,
  Resolution,
  Responsibility,
  Subject,
} from '../../statemachine/types.ts';
import type { Building } from '../commands/command-body.ts';
import { ACTIVATION_MAX, alertNumber, isForbiddenLabel } from '../commands/parse-parts.ts';
import { KINDS, PRIORITIES } from '../commands/words.ts';
import { type ItemReader, malformed } from './item-reader.ts';
import type { ItemWriter } from './item-writer.ts';

/**
 * An alert as an item of a snapshot: its fields by place, without names. A million of them are written and read, so
 * both ways are spelled out; a field that is missing in either does not compile. Layout in FORMAT.md, "Snapshot chunk".
 */

const HOWS: readonly Resolution['how'][] = [
  'auto',
  'acknowledged',
  'manual',
  'discharged',
  'entered-in-error',
];
const RESPONSIBILITIES: readonly Responsibility['state'][] = ['offered', 'accepted', 'rejected'];

/** First byte: two bits each for kind and both priorities. */
const CLEARED = 64;
const ACKNOWLEDGED = 128;

/** Second byte. */
const LATCHING = 1;
const REQUIRED = 2;
const PREVIOUS = 4;
const CAUSE = 8;
const LABELS = 16;
const ACKNOWLEDGEMENTS = 32;
const RESOLUTION = 64;
const CLEARED_AT = 128;

/** Third byte. */
const SECONDS = 1;
const UNTIL = 2;
const ESCALATION = 4;
const RESPONSIBILITY = 8;
const PAUSED = 16;
const STALE = 32;
const RESET = 64;

const bit = (flag: number, isSet: boolean): number => (isSet ? flag : 0);
const bitOf = (flag: number, value: unknown): number => (value === undefined ? 0 : flag);

function hasLabels(labels: Alert['labels']): boolean {
  for (const _ in labels) return true;
  return false;
}

export function writeAlert(out: ItemWriter, alert: Alert): void {
  const { previous, cause, labels, acknowledgements, resolution, clearedAt } = alert;
  const { acknowledgementSeconds, acknowledgedUntil, escalation, responsibility } = alert;
  const { pausedUntil, staleSince } = alert;
  out.byte(
    KINDS.indexOf(alert.kind) |
      (PRIORITIES.indexOf(alert.basePriority) << 2) |
      (PRIORITIES.indexOf(alert.priority) << 4) |
      bit(CLEARED, alert.presence === 'cleared') |
      bit(ACKNOWLEDGED, alert.acknowledged),
  );
  const isLabelled = hasLabels(labels);
  out.byte(
    bit(LATCHING, alert.latching) |
      bit(REQUIRED, alert.acknowledgementRequired) |
      bitOf(PREVIOUS, previous) |
      bitOf(CAUSE, cause) |
      bit(LABELS, isLabelled) |
      bit(ACKNOWLEDGEMENTS, acknowledgements.length > 0) |
      bitOf(RESOLUTION, resolution) |
      bitOf(CLEARED_AT, clearedAt),
  );
  out.byte(
    bitOf(SECONDS, acknowledgementSeconds) |
      bitOf(UNTIL, acknowledgedUntil) |
      bitOf(ESCALATION, escalation) |
      bitOf(RESPONSIBILITY, responsibility) |
      bitOf(PAUSED, pausedUntil) |
      bitOf(STALE, staleSince) |
      bit(RESET, alert.resetAfterClear),
  );
  out.whole(alertNumber(alert.id));
  out.unique(alert.dedupKey);
  out.whole(alert.occurrence);
  if (previous !== undefined) out.whole(alertNumber(previous));
  out.whole(alert.activation);
  out.whole(alert.activatedAt);
  out.whole(alert.flaps);
  out.line(alert.condition);
  out.prose(alert.text);
  writeSubject(out, alert.subject);
  if (cause !== undefined) writeCause(out, cause);
  if (isLabelled) writeLabels(out, labels);
  if (acknowledgements.length > 0) writeAcknowledgements(out, acknowledgements);
  if (acknowledgementSeconds !== undefined) out.whole(acknowledgementSeconds);
  if (acknowledgedUntil !== undefined) out.whole(acknowledgedUntil);
  if (escalation !== undefined) writeEscalation(out, escalation);
  if (responsibility !== undefined) writeResponsibility(out, responsibility);
  if (pausedUntil !== undefined) out.whole(pausedUntil);
  if (staleSince !== undefined) out.whole(staleSince);
  if (resolution !== undefined) writeResolution(out, resolution);
  out.whole(alert.count);
  out.whole(alert.raisedAt);
  out.whole(alert.lastSeenAt);
  if (clearedAt !== undefined) out.whole(clearedAt);
  out.whole(alert.observedAt);
  out.whole(alert.version);
  out.whole(alert.revision);
}

/** @throws TocsinError BODY_MALFORMED */
export function readAlert(input: ItemReader): Alert {
  const words = input.byte();
  const first = input.byte();
  const second = input.flags(0x7f);
  // In the order and with all the fields that the machine gives them, so that all alerts have one hidden class.
  return {
    id: input.alertId(),
    dedupKey: input.uniqueLine(DEDUP_KEY_CHARS_MAX),
    occurrence: input.whole(),
    previous: first & PREVIOUS ? input.alertId() : undefined,
    activation: input.whole(1, ACTIVATION_MAX),
    activatedAt: revision(input.whole()),
    flaps: input.whole(),
    kind: KINDS[words & 3] ?? unknownKind(),
    basePriority: PRIORITIES[(words >> 2) & 3] as Alert['priority'],
    priority: PRIORITIES[(words >> 4) & 3] as Alert['priority'],
    condition: input.line(),
    text: input.prose(),
    subject: readSubject(input),
    cause: first & CAUSE ? readCause(input) : undefined,
    labels: first & LABELS ? readLabels(input) : NO_LABELS,
    presence: words & CLEARED ? 'cleared' : 'present',
    acknowledged: (words & ACKNOWLEDGED) !== 0,
    acknowledgements: first & ACKNOWLEDGEMENTS ? readAcknowledgements(input) : NO_ACKNOWLEDGEMENTS,
    acknowledgementSeconds: second & SECONDS ? input.whole() : undefined,
    acknowledgedUntil: second & UNTIL ? input.instant() : undefined,
    escalation: second & ESCALATION ? readEscalation(input) : undefined,
    responsibility: second & RESPONSIBILITY ? readResponsibility(input) : undefined,
    pausedUntil: second & PAUSED ? input.instant() : undefined,
    staleSince: second & STALE ? input.instant() : undefined,
    latching: (first & LATCHING) !== 0,
    resetAfterClear: (second & RESET) !== 0,
    acknowledgementRequired: (first & REQUIRED) !== 0,
    resolution: first & RESOLUTION ? readResolution(input) : undefined,
    count: input.whole(),
    raisedAt: input.instant(),
    lastSeenAt: input.instant(),
    clearedAt: first & CLEARED_AT ? input.instant() : undefined,
    observedAt: input.instant(),
    version: input.whole(),
    revision: revision(input.whole()),
  };
}

/** What a look at an alert wants: the texts that come before are passed by. @throws TocsinError BODY_MALFORMED */
export function readGlance(input: ItemReader): Glance {
  const words = input.byte();
  const first = input.byte();
  const second = input.flags(0x7f);
  const id = input.alertId();
  input.skipUnique();
  input.whole();
  if (first & PREVIOUS) input.whole();
  input.whole();
  const activatedAt = revision(input.whole());
  input.whole();
  const condition = input.line();
  input.skipLine();
  return {
    id,
    kind: KINDS[words & 3] ?? unknownKind(),
    priority: PRIORITIES[(words >> 4) & 3] as Alert['priority'],
    activatedAt,
    condition,
    subject: readSubject(input),
    presence: words & CLEARED ? 'cleared' : 'present',
    acknowledged: (words & ACKNOWLEDGED) !== 0,
    latching: (first & LATCHING) !== 0,
    staleSince: second & STALE ? true : undefined,
    resolution: first & RESOLUTION ? true : undefined,
    revision: revision(input.lastWhole()),
  };
}

/** The dedup key alone, of which what comes before is skipped. @throws TocsinError BODY_MALFORMED */
export function readDedupKey(input: ItemReader): string {
  for (let flags = 3; flags > 0; flags -= 1) input.byte();
  input.whole();
  return input.uniqueLine(DEDUP_KEY_CHARS_MAX);
}

/** Most alerts have neither: they share these. */
const NO_LABELS: Alert['labels'] = Object.freeze({});
const NO_ACKNOWLEDGEMENTS: Alert['acknowledgements'] = Object.freeze([]);

function unknownKind(): never {
  throw malformed('an alert is of no known kind');
}

function writeSubject(out: ItemWriter, { unit, bed, patient, device }: Subject): void {
  out.byte(bitOf(1, unit) | bitOf(2, bed) | bitOf(4, patient) | bitOf(8, device));
  if (unit !== undefined) out.line(unit);
  if (bed !== undefined) out.line(bed);
  if (patient !== undefined) out.line(patient);
  if (device !== undefined) out.line(device);
}

function readSubject(input: ItemReader): Subject {
  const flags = input.flags(15);
  const subject: Building<Subject> = {};
  if (flags & 1) subject.unit = input.line();
  if (flags & 2) subject.bed = input.line();
  if (flags & 4) subject.patient = input.line();
  if (flags & 8) subject.device = input.line();
  return subject;
}

function writeCause(out: ItemWriter, { metric, value, unit, limit, rule }: Cause): void {
  out.byte(bit(1, value !== null) | bitOf(2, unit) | bitOf(4, limit) | bitOf(8, rule));
  out.line(metric);
  if (value !== null) out.double(value);
  if (unit !== undefined) out.line(unit);
  if (limit !== undefined) out.double(limit);
  if (rule !== undefined) out.line(rule);
}

function readCause(input: ItemReader): Cause {
  const flags = input.flags(15);
  const metric = input.line();
  const cause: Building<Cause> = { metric, value: flags & 1 ? input.double() : null };
  if (flags & 2) cause.unit = input.line();
  if (flags & 4) cause.limit = input.double();
  if (flags & 8) cause.rule = input.line();
  return cause;
}

function writeLabels(out: ItemWriter, labels: Alert['labels']): void {
  const names = Object.keys(labels);
  out.whole(names.length);
  for (const name of names) {
    out.line(name);
    out.line(labels[name] ?? '');
  }
}

function readLabels(input: ItemReader): Alert['labels'] {
  const labels: Record<string, string> = {};
  for (let left = input.whole(1, LABELS_MAX); left > 0; left -= 1) {
    const name = input.line();
    if (isForbiddenLabel(name) || Object.hasOwn(labels, name))
      throw malformed(`${name} cannot be a label, or not twice`);
    labels[name] = input.line(0);
  }
  return labels;
}

function writeAcknowledgements(out: ItemWriter, all: Alert['acknowledgements']): void {
  out.whole(all.length);
  for (const { by, at, activation, note } of all) {
    out.byte(bitOf(1, note));
    out.line(by);
    out.whole(at);
    out.whole(activation);
    if (note !== undefined) out.unique(note);
  }
}

function readAcknowledgements(input: ItemReader): Alert['acknowledgements'] {
  const all: Acknowledgement[] = [];
  for (let left = input.whole(1, ACKNOWLEDGEMENTS_MAX); left > 0; left -= 1) {
    const hasNote = input.flags(1) === 1;
    const by = input.line();
    const at = input.instant();
    const activation = input.whole(1, ACTIVATION_MAX);
    all.push(hasNote ? { by, at, activation, note: input.uniqueProse() } : { by, at, activation });
  }
  return all;
}

function writeEscalation(out: ItemWriter, state: EscalationState): void {
  out.byte(bitOf(1, state.dueAt) | bit(2, state.exhausted));
  out.line(state.policy);
  out.whole(state.version);
  out.whole(state.loop);
  out.whole(state.step);
  if (state.dueAt !== undefined) out.whole(state.dueAt);
}

function readEscalation(input: ItemReader): EscalationState {
  const flags = input.flags(3);
  return {
    policy: input.line(),
    version: input.whole(),
    loop: input.whole(),
    step: input.whole(),
    dueAt: flags & 1 ? input.instant() : undefined,
    exhausted: (flags & 2) !== 0,
  };
}

function writeResponsibility(out: ItemWriter, responsibility: Responsibility): void {
  out.whole(RESPONSIBILITIES.indexOf(responsibility.state));
  out.whole(responsibility.at);
  if (responsibility.state !== 'offered') {
    out.line(responsibility.by);
    return;
  }
  out.whole(responsibility.to.length);
  for (const to of responsibility.to) out.line(to);
}

function readResponsibility(input: ItemReader): Responsibility {
  const state = input.word(RESPONSIBILITIES);
  const at = input.instant();
  if (state !== 'offered') return { state, by: input.line(), at };
  const to: string[] = [];
  for (let left = input.whole(0, STEP_TARGETS_MAX); left > 0; left -= 1)
    to.push(input.line(1, OFFERED_CHARS_MAX));
  return { state, to, at };
}

function writeResolution(out: ItemWriter, resolution: Resolution): void {
  const { how, by, at, reason, confirmedBy } = resolution;
  out.byte(bitOf(1, reason) | bitOf(2, confirmedBy));
  out.whole(HOWS.indexOf(how));
  out.line(by);
  out.whole(at);
  if (reason !== undefined) out.unique(reason);
  if (confirmedBy !== undefined) out.line(confirmedBy);
}

function readResolution(input: ItemReader): Resolution {
  const flags = input.flags(3);
  const how = input.word(HOWS);
  const by = input.line(0);
  const at = input.instant();
  return {
    how,
    by,
    at,
    ...(flags & 1 ? { reason: input.uniqueProse() } : {}),
    ...(flags & 2 ? { confirmedBy: input.line() } : {}),
  };
}
