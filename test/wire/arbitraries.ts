import fc from 'fast-check';
import {
  type LogIndex,
  logIndex,
  type ReplicaId,
  type Revision,
  replicaId,
  revision,
  type Term,
  term,
  type UnixMillis,
  unixMillis,
} from '../../src/base/ids.ts';
import { UNIX_MILLIS_MAX } from '../../src/base/limits.ts';
import type { EntryId, Message } from '../../src/raft/types.ts';
import type { WatchMessage } from '../../src/statemachine/alert-api.ts';
import type {
  Acknowledgement,
  Alert,
  AlertEvent,
  AlertFilter,
  AlertId,
  AlertRef,
  Cause,
  Command,
  RefusalCode,
  Reply,
  Subject,
} from '../../src/statemachine/types.ts';
import { EFFECTS, KINDS, PRIORITIES, STATES } from '../../src/wire/words.ts';

/** Values of every type that goes over the wire, the borders of their ranges among them. */

type Gen<T> = fc.Arbitrary<T>;

/** An object in which each optional field may be absent. */
const record = <T>(
  required: Record<string, Gen<unknown>>,
  optional: Record<string, Gen<unknown>>,
) =>
  fc.record(
    { ...required, ...optional },
    { requiredKeys: Object.keys(required) },
  ) as unknown as Gen<T>;

const whole = (min: number, max: number): Gen<number> =>
  fc.oneof(
    fc.constantFrom(min, max),
    fc.integer({ min, max: Math.min(max, min + 300) }),
    fc.integer({ min, max }),
  );

const finite: Gen<number> = fc
  .double({ noNaN: true, noDefaultInfinity: true })
  .map((value) => value + 0); // MessagePack integers have no minus zero

const char: Gen<string> = fc.oneof(
  { weight: 8, arbitrary: fc.string({ unit: 'grapheme-ascii', minLength: 1, maxLength: 1 }) },
  { weight: 1, arbitrary: fc.constantFrom('é', '心', '🫀', '\u{10ffff}', '\ufffd', '\uffff') },
);
const lineOf = (min: number, max: number): Gen<string> =>
  fc
    .oneof(
      fc.string({ unit: char, minLength: min, maxLength: 24 }),
      fc.string({ unit: char, minLength: min, maxLength: Math.floor(max / 2) }),
      fc.constantFrom('x'.repeat(max), '心'.repeat(max)),
    )
    .filter((text) => text.length >= min && text.length <= max);
export const name: Gen<string> = lineOf(1, 128);
export const dedupKey: Gen<string> = lineOf(1, 255);
export const text: Gen<string> = fc.oneof(
  lineOf(0, 1024),
  fc.constantFrom('', '\t\n', 'two\nlines'),
);

export const when: Gen<UnixMillis> = whole(0, UNIX_MILLIS_MAX).map(unixMillis);
export const aRevision: Gen<Revision> = whole(0, Number.MAX_SAFE_INTEGER).map(revision);
export const alertId: Gen<AlertId> = whole(1, Number.MAX_SAFE_INTEGER).map(
  (number): AlertId => `A${number}`,
);
export const ref: Gen<AlertRef> = fc.oneof(
  alertId.map((id) => ({ id })),
  dedupKey.map((key) => ({ dedupKey: key })),
);
const activation: Gen<number> = whole(1, 2 ** 32 - 1);

export const subject: Gen<Subject> = record<Subject>(
  {},
  { unit: name, bed: name, patient: name, device: name },
);
export const cause: Gen<Cause> = record<Cause>(
  { metric: name, value: fc.option(finite, { nil: null }) },
  { unit: name, limit: finite, rule: name },
);
const label: Gen<string> = name.filter(
  (key) => !['__proto__', 'constructor', 'prototype'].includes(key),
);
export const labels: Gen<Record<string, string>> = fc
  .uniqueArray(fc.tuple(label, lineOf(0, 128)), { selector: ([key]) => key, maxLength: 5 })
  .map((pairs) => Object.fromEntries(pairs));

const guard = { actor: name, observedAt: when };
const guardOptions = { expectedRevision: aRevision };

export const command: Gen<Command> = fc.oneof(
  record<Command>(
    {
      type: fc.constant('raise'),
      ...guard,
      dedupKey,
      kind: fc.constantFrom(...KINDS),
      priority: fc.constantFrom(...PRIORITIES),
      condition: name,
      text,
      subject,
      latching: fc.boolean(),
      acknowledgementRequired: fc.boolean(),
    },
    { ...guardOptions, cause, labels: labels.filter((all) => Object.keys(all).length > 0) },
  ),
  record<Command>({ type: fc.constant('clear'), ...guard, target: ref }, guardOptions),
  record<Command>(
    { type: fc.constant('acknowledge'), ...guard, target: ref },
    { ...guardOptions, activation, note: text },
  ),
);

export const key: Gen<Uint8Array> = fc.uint8Array({ minLength: 16, maxLength: 16 });

const acknowledgement: Gen<Acknowledgement> = record<Acknowledgement>(
  { by: name, at: when, activation },
  { note: text },
);
const count: Gen<number> = whole(0, Number.MAX_SAFE_INTEGER);
const orUndefined = <T>(values: Gen<T>): Gen<T | undefined> =>
  fc.option(values, { nil: undefined });

export const alert: Gen<Alert> = record<Alert>(
  {
    id: alertId,
    dedupKey,
    occurrence: count,
    previous: orUndefined(alertId),
    activation,
    kind: fc.constantFrom(...KINDS),
    basePriority: fc.constantFrom(...PRIORITIES),
    priority: fc.constantFrom(...PRIORITIES),
    condition: name,
    text,
    subject,
    cause: orUndefined(cause),
    labels,
    presence: fc.constantFrom('present', 'cleared'),
    acknowledged: fc.boolean(),
    acknowledgements: fc.array(acknowledgement, { maxLength: 3 }),
    latching: fc.boolean(),
    acknowledgementRequired: fc.boolean(),
    resolution: orUndefined(
      record({ how: fc.constantFrom('auto', 'acknowledged'), by: name, at: when }, {}),
    ),
    count,
    raisedAt: when,
    lastSeenAt: when,
    clearedAt: orUndefined(when),
    observedAt: when,
    version: count,
    revision: aRevision,
  },
  {},
);

export const anIndex: Gen<LogIndex> = whole(0, Number.MAX_SAFE_INTEGER).map(logIndex);
export const aTerm: Gen<Term> = whole(0, Number.MAX_SAFE_INTEGER).map(term);

export const event: Gen<AlertEvent> = record<AlertEvent>(
  {
    revision: aRevision,
    index: anIndex,
    time: when,
    observedAt: when,
    effect: fc.constantFrom(...EFFECTS.filter((effect) => effect !== 'unchanged')),
    actor: name,
    alert,
  },
  {},
);

export const watchMessage: Gen<WatchMessage> = fc.oneof(
  event.map((one): WatchMessage => ({ type: 'event', event: one })),
  aRevision.map((upTo): WatchMessage => ({ type: 'progress', revision: upTo })),
  fc
    .tuple(aRevision, fc.array(alert, { maxLength: 3 }))
    .map(([upTo, alerts]): WatchMessage => ({ type: 'compacted', revision: upTo, alerts })),
);

export const REFUSAL_CODES: readonly RefusalCode[] = [
  'BAD_REQUEST',
  'ALERT_NOT_FOUND',
  'REVISION_MISMATCH',
  'ACTIVATION_MISMATCH',
  'ALREADY_RESOLVED',
  'KEY_REUSED',
];

export const reply: Gen<Reply> = fc.oneof(
  record<Reply>(
    {
      ok: fc.constant(true),
      effect: fc.constantFrom(...EFFECTS),
      alertId,
      activation,
      revision: aRevision,
      state: fc.constantFrom(...STATES),
    },
    {},
  ),
  record<Reply>(
    {
      ok: fc.constant(false),
      code: fc.constantFrom(...REFUSAL_CODES),
      message: text.filter((message) => message.length <= 256),
    },
    {},
  ),
);

export const filter: Gen<AlertFilter> = record<AlertFilter>(
  {},
  {
    open: fc.boolean(),
    states: fc.uniqueArray(fc.constantFrom(...STATES)),
    priorities: fc.uniqueArray(fc.constantFrom(...PRIORITIES)),
    kinds: fc.uniqueArray(fc.constantFrom(...KINDS)),
    dedupKey,
    unit: name,
    bed: name,
    patient: name,
    device: name,
  },
);

export const aReplica: Gen<ReplicaId> = whole(1, 65_535).map(replicaId);

/** A place in the log no later than `latest`. */
const past = (latest: Term): Gen<EntryId> =>
  latest === 0
    ? fc.constant({ index: logIndex(0), term: term(0) })
    : fc.oneof(
        fc.constant({ index: logIndex(0), term: term(0) }),
        fc.record({
          index: whole(1, Number.MAX_SAFE_INTEGER).map(logIndex),
          term: whole(1, latest).map(term),
        }),
      );

/** Every message but an append with entries. */
export const message: Gen<Message> = aTerm.chain((now) => {
  const envelope = { from: aReplica, to: aReplica, term: fc.constant(now) };
  const of = (type: Message['type'], fields: Record<string, Gen<unknown>>): Gen<Message> =>
    record<Message>({ type: fc.constant(type), ...envelope, ...fields }, {});
  const round = whole(0, Number.MAX_SAFE_INTEGER);
  return fc.oneof(
    of('vote-request', { pre: fc.boolean(), last: past(now), transfer: fc.boolean() }),
    of('vote-reply', { pre: fc.boolean(), granted: fc.boolean() }),
    of('append-request', { prev: past(now), entries: fc.constant([]), commit: anIndex }),
    of('append-reply', {
      accepted: fc.boolean(),
      index: anIndex,
      hint: fc.record({ index: anIndex, term: aTerm }),
    }),
    of('heartbeat', { commit: anIndex, round }),
    of('heartbeat-reply', { round }),
    of('timeout-now', { last: past(now) }),
    of('snapshot-offer', { last: past(now) }),
  );
});

/** JSON-like values within the limits of a body. */
export const bodyValue: Gen<unknown> = fc.letrec((tie) => ({
  value: fc.oneof(
    { maxDepth: 6, depthSize: 'small' },
    fc.constantFrom(null, true, false, '', 0, -1, 2 ** 32, -(2 ** 31), Number.MAX_SAFE_INTEGER),
    fc.integer(),
    finite,
    text,
    fc.array(tie('value'), { maxLength: 20 }),
    fc.dictionary(label, tie('value'), { maxKeys: 20, noNullPrototype: true }),
  ),
})).value;
