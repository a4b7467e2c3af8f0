import fc from 'fast-check';
import {
  type LogIndex,
  logIndex,
  type ReplicaId,
  replicaId,
  type Term,
  term,
} from '../../src/base/ids.ts';
import type { EntryId, Message } from '../../src/raft/types.ts';
import type { WatchMessage } from '../../src/statemachine/alert-api.ts';
import type { Command } from '../../src/statemachine/commands.ts';
import type { PartCommand } from '../../src/statemachine/transaction.ts';
import type {
  Alert,
  AlertEvent,
  AlertFilter,
  BatchReply,
  ConditionCommand,
  NotTaken,
  Reply,
} from '../../src/statemachine/types.ts';
import { EFFECTS, KINDS, PRIORITIES, REFUSALS, STATES } from '../../src/wire/commands/words.ts';
import {
  activation,
  alertId,
  aRevision,
  cause,
  count,
  dedupKey,
  finite,
  type Gen,
  label,
  labels,
  name,
  orUndefined,
  record,
  ref,
  subject,
  text,
  when,
  whole,
} from './basic-arbitraries.ts';
import { acknowledgement, escalation, rareCommand, responsibility } from './rare-arbitraries.ts';

export { alertId, aRevision, dedupKey, name, ref, text, when };

/** Values of every type that goes over the wire, the borders of their ranges among them. */

const guard = { actor: name, observedAt: when };
const guardOptions = { expectedRevision: aRevision };

export const conditionCommand: Gen<Command & ConditionCommand> = fc.oneof(
  record<ConditionCommand>(
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
    {
      ...guardOptions,
      acknowledgementSeconds: whole(1, 86_400),
      resetAfterClear: fc.constant(true),
      policy: name,
      cause,
      labels: labels.filter((all) => Object.keys(all).length > 0),
    },
  ),
  record<ConditionCommand>({ type: fc.constant('clear'), ...guard, target: ref }, guardOptions),
  record<ConditionCommand>(
    { type: fc.constant('acknowledge'), ...guard, target: ref },
    { ...guardOptions, activation, note: text },
  ),
);

const isPart = (one: Command): one is PartCommand =>
  one.type === 'raise' || 'target' in one || /-(bed|patient|device)$/.test(one.type);

const transaction: Gen<Command> = record<Command>(
  {
    type: fc.constant('transaction'),
    actor: name,
    observedAt: when,
    guards: fc.array(
      fc.oneof(
        record({ target: ref }, { revision: aRevision, state: fc.constantFrom(...STATES) }),
        record(
          { record: fc.constantFrom('bed', 'patient', 'device'), id: name, version: count },
          {},
        ),
      ),
      { maxLength: 3 },
    ),
    commands: fc.array(fc.oneof(conditionCommand, rareCommand.filter(isPart)), {
      minLength: 1,
      maxLength: 3,
    }),
  },
  {},
);

export const command: Gen<Command> = fc.oneof(
  { weight: 3, arbitrary: conditionCommand },
  { weight: 6, arbitrary: rareCommand },
  { weight: 1, arbitrary: transaction },
);

export const key: Gen<Uint8Array> = fc.uint8Array({ minLength: 16, maxLength: 16 });

export const alert: Gen<Alert> = record<Alert>(
  {
    id: alertId,
    dedupKey,
    occurrence: count,
    previous: orUndefined(alertId),
    activation,
    activatedAt: aRevision,
    flaps: count,
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
    acknowledgementSeconds: orUndefined(count),
    acknowledgedUntil: orUndefined(when),
    escalation: orUndefined(escalation),
    responsibility: orUndefined(responsibility),
    pausedUntil: orUndefined(when),
    staleSince: orUndefined(when),
    latching: fc.boolean(),
    resetAfterClear: fc.boolean(),
    acknowledgementRequired: fc.boolean(),
    resolution: orUndefined(
      record(
        { how: fc.constantFrom('auto', 'acknowledged', 'manual'), by: name, at: when },
        { reason: text, confirmedBy: name },
      ),
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

const watchMessage: Gen<WatchMessage> = fc.oneof(
  event.map((one): WatchMessage => ({ type: 'event', event: one })),
  event.map((one): WatchMessage => ({ type: 'event', event: one, leaves: true })),
  aRevision.map((upTo): WatchMessage => ({ type: 'progress', revision: upTo })),
  fc
    .tuple(aRevision, fc.array(alert, { maxLength: 3 }))
    .map(([upTo, alerts]): WatchMessage => ({ type: 'compacted', revision: upTo, alerts })),
);

/** The steps of a transaction, of which all but the last have more to come. */
const aTransaction: Gen<WatchMessage[]> = fc
  .array(fc.tuple(event, fc.boolean()), { minLength: 2, maxLength: 4 })
  .map((steps) =>
    steps.map(
      ([one, leaves], at): WatchMessage => ({
        type: 'event',
        event: one,
        ...(leaves ? { leaves } : {}),
        ...(at < steps.length - 1 ? { more: true } : {}),
      }),
    ),
  );

export const watchMessages: Gen<WatchMessage[]> = fc
  .array(
    fc.oneof(
      watchMessage.map((one) => [one]),
      aTransaction,
    ),
    { maxLength: 4 },
  )
  .map((parts) => parts.flat());

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
      ok: fc.constant(true),
      effect: fc.constantFrom('kept', 'removed', 'unchanged'),
      id: name,
      version: count,
    },
    {},
  ),
  record<Reply>(
    {
      ok: fc.constant(false),
      code: fc.constantFrom(...REFUSALS),
      message: text.filter((message) => message.length <= 256),
    },
    {},
  ),
);

export const batchReply: Gen<BatchReply> = fc.oneof(
  reply,
  record<NotTaken>(
    {
      ok: fc.constant(false),
      code: fc.constant('DISK_FULL'),
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
    text: name,
    raisedFrom: when,
    raisedUntil: when,
    stale: fc.boolean(),
  },
).filter(({ raisedFrom = 0, raisedUntil = Number.POSITIVE_INFINITY }) => raisedFrom < raisedUntil);

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
    fc.boolean().chain((accepted) =>
      of('append-reply', {
        accepted: fc.constant(accepted),
        index: anIndex,
        hint: fc.record({ index: anIndex, term: aTerm }),
        reverted: accepted ? fc.constant(undefined) : fc.constantFrom(true, undefined),
      }),
    ),
    of('heartbeat', { commit: anIndex, round, stamp: round, echo: round, reached: anIndex }),
    of('heartbeat-reply', {
      round,
      stamp: round,
      beat: round,
      declines: fc.constantFrom(true, undefined),
    }),
    of('read-index', { sequence: round }),
    of('read-index-reply', { sequence: round, accepted: fc.boolean(), index: anIndex }),
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
