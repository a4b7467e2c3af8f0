import { unixMillis } from '../base/ids.ts';
import type {
  AcknowledgeCommand,
  AlertFilter,
  ClearCommand,
  Command,
  ConditionCommand,
  RaiseCommand,
} from '../statemachine/types.ts';
import {
  asArray,
  asBoolean,
  asDedupKey,
  asFields,
  asInstant,
  asName,
  asOneOf,
  asText,
  asWhole,
  refuse,
  type Unchecked,
} from './check.ts';
import type { Building } from './command-body.ts';
import { isRare, parseRareCommand } from './command-shapes.ts';
import {
  ACTIVATION_MAX,
  parseCause,
  parseLabels,
  parseRef,
  parseRevision,
  parseSeconds,
  parseSubject,
} from './parse-parts.ts';
import { KINDS, PRIORITIES, STATES } from './words.ts';

/**
 * Untrusted values become checked types here and in parse-*.ts, nowhere else. Requests: BAD_REQUEST
 * with the field's name as the API has it, and unknown fields are refused.
 */

const names = <T>(...fields: readonly (keyof T & string)[]): ReadonlySet<string> => new Set(fields);

const RAISE = names<RaiseCommand>(
  'type',
  'actor',
  'observedAt',
  'expectedRevision',
  'dedupKey',
  'kind',
  'priority',
  'condition',
  'text',
  'subject',
  'cause',
  'latching',
  'acknowledgementRequired',
  'labels',
  'acknowledgementSeconds',
  'policy',
);
const CLEAR = names<ClearCommand>('type', 'actor', 'observedAt', 'expectedRevision', 'target');
const ACKNOWLEDGE = names<AcknowledgeCommand>(
  'type',
  'actor',
  'observedAt',
  'expectedRevision',
  'target',
  'activation',
  'note',
);

/**
 * A command in the form of the API, from a caller that the compiler did not check: JSON, a plain
 * JavaScript program. A command that passed here can be encoded.
 * @throws TocsinError BAD_REQUEST naming the field
 */
export function parseCommand(type: Command['type'], value: unknown): Command {
  if (isRare(type)) return parseRareCommand(type, asFields('request', type, value, undefined));
  switch (type) {
    case 'raise':
      return parseRaise(asFields('request', type, value, RAISE));
    case 'clear':
      return parseClear(asFields('request', type, value, CLEAR));
    case 'acknowledge':
      return parseAcknowledge(asFields('request', type, value, ACKNOWLEDGE));
  }
}

function parseRaise(fields: Unchecked<RaiseCommand>): RaiseCommand {
  const { cause, labels, latching = false, acknowledgementRequired = false } = fields;
  const raise: Building<RaiseCommand> = {
    type: asType(fields.type, 'raise'),
    ...parseOrigin(fields),
    dedupKey: asDedupKey('request', 'dedupKey', fields.dedupKey),
    kind: asOneOf('request', 'kind', fields.kind, KINDS),
    priority: asOneOf('request', 'priority', fields.priority, PRIORITIES),
    condition: asName('request', 'condition', fields.condition),
    text: asText('request', 'text', fields.text),
    subject: parseSubject('request', fields.subject ?? {}),
    latching: asBoolean('request', 'latching', latching),
    acknowledgementRequired: asBoolean(
      'request',
      'acknowledgementRequired',
      acknowledgementRequired,
    ),
  };
  if (cause !== undefined) raise.cause = parseCause('request', cause);
  if (labels !== undefined) raise.labels = parseLabels('request', labels);
  const { acknowledgementSeconds: seconds, policy } = fields;
  if (seconds !== undefined)
    raise.acknowledgementSeconds = parseSeconds('acknowledgementSeconds', seconds);
  if (policy !== undefined) raise.policy = asName('request', 'policy', policy);
  return withExpectation(raise, fields);
}

function parseClear(fields: Unchecked<ClearCommand>): ClearCommand {
  const clear: Building<ClearCommand> = {
    type: asType(fields.type, 'clear'),
    ...parseOrigin(fields),
    target: parseRef(fields.target, 'target'),
  };
  return withExpectation(clear, fields);
}

function parseAcknowledge(fields: Unchecked<AcknowledgeCommand>): AcknowledgeCommand {
  const { activation, note } = fields;
  const acknowledge: Building<AcknowledgeCommand> = {
    type: asType(fields.type, 'acknowledge'),
    ...parseOrigin(fields),
    target: parseRef(fields.target, 'target'),
  };
  if (activation !== undefined)
    acknowledge.activation = asWhole('request', 'activation', activation, 1, ACTIVATION_MAX);
  if (note !== undefined) acknowledge.note = asText('request', 'note', note);
  return withExpectation(acknowledge, fields);
}

/**
 * The caller already said which command it is; saying it twice is fine, saying two things is not.
 */
function asType<T extends Command['type']>(value: unknown, type: T): T {
  if (value !== undefined && value !== type) refuse('request', 'type', `must be ${type}`);
  return type;
}

const parseOrigin = (fields: Unchecked<ClearCommand>): Pick<Command, 'actor' | 'observedAt'> => ({
  actor: asName('request', 'actor', fields.actor),
  observedAt: unixMillis(asInstant('request', 'observedAt', fields.observedAt)),
});

function withExpectation<T extends Building<ConditionCommand>>(
  command: T,
  { expectedRevision }: Unchecked<ClearCommand>,
): T {
  if (expectedRevision !== undefined)
    command.expectedRevision = parseRevision('request', 'expectedRevision', expectedRevision);
  return command;
}

const FILTER = names<AlertFilter>(
  'open',
  'states',
  'priorities',
  'kinds',
  'dedupKey',
  'unit',
  'bed',
  'patient',
  'device',
);

/** @throws TocsinError BAD_REQUEST naming the field */
export function parseFilter(value: unknown): AlertFilter {
  const fields: Unchecked<AlertFilter> = asFields('request', 'filter', value, FILTER);
  const { open, states, priorities, kinds, dedupKey } = fields;
  const filter: Building<AlertFilter> = {};
  if (open !== undefined) filter.open = asBoolean('request', 'open', open);
  if (states !== undefined) filter.states = asWords('states', states, STATES);
  if (priorities !== undefined) filter.priorities = asWords('priorities', priorities, PRIORITIES);
  if (kinds !== undefined) filter.kinds = asWords('kinds', kinds, KINDS);
  if (dedupKey !== undefined) filter.dedupKey = asDedupKey('request', 'dedupKey', dedupKey);
  for (const place of ['unit', 'bed', 'patient', 'device'] as const)
    if (fields[place] !== undefined) filter[place] = asName('request', place, fields[place]);
  return filter;
}

/** Each word at most once: a filter is a set. */
function asWords<T extends string>(
  field: string,
  value: unknown,
  words: readonly T[],
): readonly T[] {
  const found = asArray('request', field, value, words.length).map((word) =>
    asOneOf('request', field, word, words),
  );
  if (new Set(found).size !== found.length) refuse('request', field, 'names a word twice');
  return found;
}
