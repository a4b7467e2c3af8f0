import { type UnixMillis, unixMillis } from '../../base/ids.ts';
import type { Command } from '../../statemachine/commands.ts';
import type {
  AcknowledgeCommand,
  ClearCommand,
  ConditionCommand,
  RaiseCommand,
} from '../../statemachine/types.ts';
import {
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
} from '../check.ts';
import type { Building } from './command-body.ts';
import {
  ACTIVATION_MAX,
  parseCause,
  parseLabels,
  parseRef,
  parseRevision,
  parseSeconds,
  parseSubject,
} from './parse-parts.ts';
import { KINDS, PRIORITIES } from './words.ts';

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
  'resetAfterClear',
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
 * A raise, clear or acknowledge in the form of the API.
 * @throws TocsinError BAD_REQUEST naming the field
 */
export function parseCondition(type: ConditionCommand['type'], value: unknown): ConditionCommand {
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
    actor: actorOf(fields),
    observedAt: observedAtOf(fields),
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
  const { acknowledgementSeconds: seconds, policy, resetAfterClear: reset } = fields;
  if (reset !== undefined && asBoolean('request', 'resetAfterClear', reset))
    raise.resetAfterClear = true;
  if (seconds !== undefined)
    raise.acknowledgementSeconds = parseSeconds('acknowledgementSeconds', seconds);
  if (policy !== undefined) raise.policy = asName('request', 'policy', policy);
  return withExpectation(raise, fields);
}

function parseClear(fields: Unchecked<ClearCommand>): ClearCommand {
  const clear: Building<ClearCommand> = {
    type: asType(fields.type, 'clear'),
    actor: actorOf(fields),
    observedAt: observedAtOf(fields),
    target: parseRef(fields.target, 'target'),
  };
  return withExpectation(clear, fields);
}

function parseAcknowledge(fields: Unchecked<AcknowledgeCommand>): AcknowledgeCommand {
  const { activation, note } = fields;
  const acknowledge: Building<AcknowledgeCommand> = {
    type: asType(fields.type, 'acknowledge'),
    actor: actorOf(fields),
    observedAt: observedAtOf(fields),
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

const actorOf = ({ actor }: Unchecked<ClearCommand>): string => asName('request', 'actor', actor);

const observedAtOf = ({ observedAt }: Unchecked<ClearCommand>): UnixMillis =>
  unixMillis(asInstant('request', 'observedAt', observedAt));

function withExpectation<T extends Building<ConditionCommand>>(
  command: T,
  { expectedRevision }: Unchecked<ClearCommand>,
): T {
  if (expectedRevision !== undefined)
    command.expectedRevision = parseRevision('request', 'expectedRevision', expectedRevision);
  return command;
}
