import type { Command } from '../../statemachine/commands.ts';
import type {
  AcknowledgeCommand,
  AlertRef,
  Cause,
  ConditionCommand,
  RaiseCommand,
  Subject,
} from '../../statemachine/types.ts';
import { isRare, parseRareBody } from './command-shapes.ts';
import { KINDS, PRIORITIES, placeOf } from './words.ts';

/**
 * A command as the map that stands in its record: short names, because they are written to every
 * replica's log with every command; words as numbers; whatever is absent, empty or false left out;
 * always in this order. Equal commands give equal bytes. `observedAt` is not part of it: it stands
 * in the record's header. Names in FORMAT.md, "Command record".
 */
export function bodyOf(command: Command): object {
  if (isRare(command.type)) {
    const { type: _, observedAt: __, ...body } = command;
    return parseRareBody(command.type, body);
  }
  return conditionBody(command as ConditionCommand);
}

function conditionBody(command: ConditionCommand): CommandBody {
  const body: CommandBody = { by: command.actor };
  if (command.expectedRevision !== undefined) body.rev = command.expectedRevision;
  switch (command.type) {
    case 'raise':
      return withRaise(body, command);
    case 'clear':
      return withTarget(body, command.target);
    case 'acknowledge':
      return withAcknowledgement(withTarget(body, command.target), command);
  }
}

export interface CommandBody {
  by: string;
  rev?: number;
  key?: string;
  kind?: number;
  prio?: number;
  code?: string;
  text?: string;
  subj?: Subject;
  cause?: Cause;
  latch?: true;
  ackr?: true;
  reset?: true;
  tags?: ReadonlyMap<string, string>;
  ackt?: number;
  pol?: string;
  id?: string;
  act?: number;
  note?: string;
}

function withRaise(body: CommandBody, command: RaiseCommand): CommandBody {
  body.key = command.dedupKey;
  body.kind = placeOf(KINDS, command.kind);
  body.prio = placeOf(PRIORITIES, command.priority);
  body.code = command.condition;
  body.text = command.text;
  const subject = subjectInOrder(command.subject);
  if (subject !== undefined) body.subj = subject;
  if (command.cause !== undefined) body.cause = causeInOrder(command.cause);
  if (command.latching) body.latch = true;
  if (command.acknowledgementRequired) body.ackr = true;
  if (command.resetAfterClear) body.reset = true;
  if (command.labels !== undefined) {
    const labels = labelsInOrder(command.labels);
    if (labels !== undefined) body.tags = labels;
  }
  if (command.acknowledgementSeconds !== undefined) body.ackt = command.acknowledgementSeconds;
  if (command.policy !== undefined) body.pol = command.policy;
  return body;
}

function withTarget(body: CommandBody, target: AlertRef): CommandBody {
  if ('id' in target) body.id = target.id;
  else body.key = target.dedupKey;
  return body;
}

function withAcknowledgement(body: CommandBody, command: AcknowledgeCommand): CommandBody {
  if (command.activation !== undefined) body.act = command.activation;
  if (command.note !== undefined) body.note = command.note;
  return body;
}

/** An interface's fields as they are while it is being built. */
export type Building<T> = { -readonly [K in keyof T]: T[K] };

function subjectInOrder(subject: Subject): Subject | undefined {
  const { unit, bed, patient, device } = subject;
  const result: Building<Subject> = {};
  if (unit !== undefined) result.unit = unit;
  if (bed !== undefined) result.bed = bed;
  if (patient !== undefined) result.patient = patient;
  if (device !== undefined) result.device = device;
  for (const _ in result) return result;
  return undefined;
}

function causeInOrder(cause: Cause): Cause {
  const result: Building<Cause> = { metric: cause.metric, value: cause.value };
  if (cause.unit !== undefined) result.unit = cause.unit;
  if (cause.limit !== undefined) result.limit = cause.limit;
  if (cause.rule !== undefined) result.rule = cause.rule;
  return result;
}

/**
 * By code units, which every machine sorts alike; a Map, since an object puts names such as `10`
 * where it likes.
 */
function labelsInOrder(
  labels: Readonly<Record<string, string>>,
): ReadonlyMap<string, string> | undefined {
  const names = Object.keys(labels).sort();
  if (names.length === 0) return undefined;
  return new Map(names.map((name) => [name, labels[name] as string]));
}
