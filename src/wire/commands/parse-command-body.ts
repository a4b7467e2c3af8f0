import type { UnixMillis } from '../../base/ids.ts';
import type { Command } from '../../statemachine/commands.ts';
import type {
  AcknowledgeCommand,
  ClearCommand,
  ConditionCommand,
  RaiseCommand,
} from '../../statemachine/types.ts';
import {
  asDedupKey,
  asFields,
  asName,
  asText,
  asWhole,
  asWordAt,
  refuse,
  type Unchecked,
} from '../check.ts';
import type { Building, CommandBody } from './command-body.ts';
import { isRare, parseRareBody } from './command-shapes.ts';
import {
  ACTIVATION_MAX,
  parseCause,
  parseLabels,
  parseRevision,
  parseSeconds,
  parseSubject,
  refOf,
} from './parse-parts.ts';
import { KINDS, PRIORITIES } from './words.ts';

const names = (...fields: readonly (keyof CommandBody)[]): ReadonlySet<string> => new Set(fields);

const KNOWN: Readonly<Record<ConditionCommand['type'], ReadonlySet<string>>> = {
  raise: names(
    'by',
    'rev',
    'key',
    'kind',
    'prio',
    'code',
    'text',
    'subj',
    'cause',
    'latch',
    'ackr',
    'reset',
    'tags',
    'ackt',
    'pol',
  ),
  clear: names('by', 'rev', 'id', 'key'),
  acknowledge: names('by', 'rev', 'id', 'key', 'act', 'note'),
};

/**
 * A command from the map in its record and the time in its header, which is checked already.
 * Errors name the fields as the API does.
 * @throws TocsinError BAD_REQUEST
 */
export function parseCommandBody(
  type: Command['type'],
  observedAt: UnixMillis,
  value: unknown,
): Command {
  if (isRare(type)) return { type, ...parseRareBody(type, value), observedAt } as Command;
  const body: Unchecked<CommandBody> = asFields('request', type, value, KNOWN[type]);
  switch (type) {
    case 'raise':
      return parseRaise(body, observedAt);
    case 'clear':
      return parseClear(body, observedAt);
    case 'acknowledge':
      return parseAcknowledge(body, observedAt);
  }
}

function parseRaise(body: Unchecked<CommandBody>, observedAt: UnixMillis): RaiseCommand {
  const raise: Building<RaiseCommand> = {
    type: 'raise',
    actor: asName('request', 'actor', body.by),
    observedAt,
    dedupKey: asDedupKey('request', 'dedupKey', body.key),
    kind: asWordAt('request', 'kind', body.kind, KINDS),
    priority: asWordAt('request', 'priority', body.prio, PRIORITIES),
    condition: asName('request', 'condition', body.code),
    text: asText('request', 'text', body.text),
    subject: body.subj === undefined ? {} : parseSubject('request', body.subj),
    latching: parseMark('latching', body.latch),
    acknowledgementRequired: parseMark('acknowledgementRequired', body.ackr),
  };
  if (parseMark('resetAfterClear', body.reset)) raise.resetAfterClear = true;
  if (body.cause !== undefined) raise.cause = parseCause('request', body.cause);
  if (body.tags !== undefined) raise.labels = parseLabels('request', body.tags);
  if (body.ackt !== undefined)
    raise.acknowledgementSeconds = parseSeconds('acknowledgementSeconds', body.ackt);
  if (body.pol !== undefined) raise.policy = asName('request', 'policy', body.pol);
  if (body.rev !== undefined)
    raise.expectedRevision = parseRevision('request', 'expectedRevision', body.rev);
  return raise;
}

function parseClear(body: Unchecked<CommandBody>, observedAt: UnixMillis): ClearCommand {
  const clear: Building<ClearCommand> = {
    type: 'clear',
    actor: asName('request', 'actor', body.by),
    observedAt,
    target: refOf('target', body.id, body.key),
  };
  if (body.rev !== undefined)
    clear.expectedRevision = parseRevision('request', 'expectedRevision', body.rev);
  return clear;
}

function parseAcknowledge(
  body: Unchecked<CommandBody>,
  observedAt: UnixMillis,
): AcknowledgeCommand {
  const acknowledge: Building<AcknowledgeCommand> = {
    type: 'acknowledge',
    actor: asName('request', 'actor', body.by),
    observedAt,
    target: refOf('target', body.id, body.key),
  };
  if (body.act !== undefined)
    acknowledge.activation = asWhole('request', 'activation', body.act, 1, ACTIVATION_MAX);
  if (body.note !== undefined) acknowledge.note = asText('request', 'note', body.note);
  if (body.rev !== undefined)
    acknowledge.expectedRevision = parseRevision('request', 'expectedRevision', body.rev);
  return acknowledge;
}

/** True or absent: one spelling for each value, so that equal commands are equal bytes. */
function parseMark(field: string, value: unknown): boolean {
  if (value !== undefined && value !== true) refuse('request', field, 'must be true or absent');
  return value === true;
}
