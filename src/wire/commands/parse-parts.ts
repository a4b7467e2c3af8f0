import { type Revision, revision } from '../../base/ids.ts';
import { LABELS_MAX, NAME_CHARS_MAX, SECONDS_MAX } from '../../base/limits.ts';
import type { AlertId, AlertRef, Cause, Subject } from '../../statemachine/types.ts';
import {
  asDedupKey,
  asFields,
  asFinite,
  asLine,
  asName,
  asWhole,
  type Origin,
  refuse,
  type Unchecked,
} from '../check.ts';
import type { Building } from './command-body.ts';

/** The pieces that requests and answers, and both forms of a command, have in common. */

export const ACTIVATION_MAX: number = 2 ** 32 - 1;

export const parseRevision = (origin: Origin, field: string, value: unknown): Revision =>
  revision(asWhole(origin, field, value, 0, Number.MAX_SAFE_INTEGER));

export const parseSeconds = (field: string, value: unknown): number =>
  asWhole('request', field, value, 1, SECONDS_MAX);

/** An alert's id as the number in it: the revision at which the occurrence began. */
export const alertNumber = (id: AlertId): number => Number(id.slice(1));

/** `A` and a positive safe integer in its only spelling. */
export function isAlertId(value: unknown): value is AlertId {
  if (typeof value !== 'string' || value.length > 17) return false;
  const number = Number(value.slice(1));
  return Number.isSafeInteger(number) && number >= 1 && `A${number}` === value;
}

export function parseAlertId(origin: Origin, field: string, value: unknown): AlertId {
  if (!isAlertId(value)) refuse(origin, field, 'must be an alert id such as A1042');
  return value;
}

/** Where a page of a list begins: after which alert, in the state of which revision. */
export interface ListPlace {
  readonly after: AlertId | undefined;
  readonly at?: Revision;
}

/** `A1042`, or `A1042@5310` for the state of revision 5310; undefined = the beginning of the list of now. */
export function parseCursor(origin: Origin, field: string, value: unknown): ListPlace {
  if (value === undefined) return { after: undefined };
  const [id, at, ...rest] = typeof value === 'string' ? value.split('@') : [];
  const isPlain = at === undefined || /^[1-9][0-9]{0,15}$/.test(at);
  if (!isAlertId(id) || !isPlain || rest.length > 0)
    refuse(origin, field, 'must be an alert id such as A1042, or the next of a page: A1042@5310');
  return {
    after: id,
    ...(at === undefined ? {} : { at: parseRevision(origin, field, Number(at)) }),
  };
}

const REF: ReadonlySet<string> = new Set(['id', 'dedupKey']);

/** A reference in the form of the API. */
export function parseRef(value: unknown, field: string): AlertRef {
  const { id, dedupKey } = asFields('request', field, value, REF) as {
    readonly id?: unknown;
    readonly dedupKey?: unknown;
  };
  return refOf(field, id, dedupKey);
}

export function refOf(field: string, id: unknown, dedupKey: unknown): AlertRef {
  if ((id === undefined) === (dedupKey === undefined))
    refuse('request', field, 'must have either an id or a dedupKey');
  return id === undefined
    ? { dedupKey: asDedupKey('request', 'dedupKey', dedupKey) }
    : { id: parseAlertId('request', 'id', id) };
}

const SUBJECT: ReadonlySet<string> = new Set<keyof Subject>(['unit', 'bed', 'patient', 'device']);

export function parseSubject(origin: Origin, value: unknown): Subject {
  const { unit, bed, patient, device }: Unchecked<Subject> = asFields(
    origin,
    'subject',
    value,
    SUBJECT,
  );
  const subject: Building<Subject> = {};
  if (unit !== undefined) subject.unit = asName(origin, 'subject.unit', unit);
  if (bed !== undefined) subject.bed = asName(origin, 'subject.bed', bed);
  if (patient !== undefined) subject.patient = asName(origin, 'subject.patient', patient);
  if (device !== undefined) subject.device = asName(origin, 'subject.device', device);
  return subject;
}

const CAUSE: ReadonlySet<string> = new Set<keyof Cause>([
  'metric',
  'value',
  'unit',
  'limit',
  'rule',
]);

export function parseCause(origin: Origin, value: unknown): Cause {
  const fields: Unchecked<Cause> = asFields(origin, 'cause', value, CAUSE);
  const { unit, limit, rule } = fields;
  const cause: Building<Cause> = {
    metric: asName(origin, 'cause.metric', fields.metric),
    value: fields.value === null ? null : asFinite(origin, 'cause.value', fields.value),
  };
  if (unit !== undefined) cause.unit = asName(origin, 'cause.unit', unit);
  if (limit !== undefined) cause.limit = asFinite(origin, 'cause.limit', limit);
  if (rule !== undefined) cause.rule = asName(origin, 'cause.rule', rule);
  return cause;
}

/** Names that would reach an object's prototype instead of the object. */
const FORBIDDEN_LABELS: ReadonlySet<string> = new Set(['__proto__', 'constructor', 'prototype']);

export const isForbiddenLabel = (label: string): boolean => FORBIDDEN_LABELS.has(label);

export function parseLabels(origin: Origin, value: unknown): Readonly<Record<string, string>> {
  const fields = asFields(origin, 'labels', value, undefined);
  const labelNames = Object.keys(fields);
  if (labelNames.length > LABELS_MAX)
    refuse(origin, 'labels', `${labelNames.length} labels, at most ${LABELS_MAX}`);
  const labels: Record<string, string> = {};
  for (const label of labelNames) {
    asName(origin, 'labels', label);
    if (isForbiddenLabel(label)) refuse(origin, 'labels', `${label} cannot be a label`);
    labels[label] = asLine(origin, `labels.${label}`, fields[label], 0, NAME_CHARS_MAX);
  }
  return labels;
}
