import { displayState } from '../../src/statemachine/alerts/display.ts';
import type { Command } from '../../src/statemachine/commands.ts';
import type {
  AcknowledgeCommand,
  Alert,
  AlertEvent,
  AlertRef,
  Done,
  RaiseCommand,
} from '../../src/statemachine/types.ts';

/** What in the event contradicts what the caller of the command was told, in words; undefined = nothing. */
export function contradictionOf(
  command: Command,
  told: Done,
  event: AlertEvent,
): string | undefined {
  const { alert } = event;
  const state = displayState(alert);
  if (event.effect !== told.effect) return `stands there as ${event.effect}`;
  if (alert.id !== told.alertId) return `stands there as ${alert.id}`;
  if (alert.revision !== told.revision) return `holds a record of revision ${alert.revision}`;
  if (alert.activation !== told.activation) return `stands there as activation ${alert.activation}`;
  if (state !== told.state) return `stands there as ${state}, not ${told.state}`;
  return differenceOf(command, event);
}

/** Whether an event can be what this command did. */
export const couldBe = (command: Command, event: AlertEvent): boolean =>
  event.alert.revision === event.revision && differenceOf(command, event) === undefined;

/** Which of the things a command decides is otherwise in the event. */
function differenceOf(command: Command, event: AlertEvent): string | undefined {
  const { alert } = event;
  if (event.actor !== command.actor) return `stands there as by ${event.actor}`;
  if (event.observedAt !== command.observedAt) return 'stands there as of another time';
  switch (command.type) {
    case 'raise':
      return raiseDifference(command, event);
    case 'clear':
      if (event.effect !== 'cleared') return `stands there as ${event.effect}`;
      if (!isAbout(command.target, alert)) return `stands there as about ${alert.dedupKey}`;
      if (alert.presence !== 'cleared') return 'stands there as present';
      return alert.observedAt === command.observedAt ? undefined : 'holds another time';
    case 'acknowledge':
      if (event.effect !== 'acknowledged') return `stands there as ${event.effect}`;
      if (!isAbout(command.target, alert)) return `stands there as about ${alert.dedupKey}`;
      return acknowledgementDifference(command, alert);
    default:
      return `is of a ${command.type}, which the demonstration does not send`;
  }
}

const EFFECTS_OF_RAISE: readonly AlertEvent['effect'][] = [
  'raised',
  'continued',
  'escalated',
  'deescalated',
  'reactivated',
];

function raiseDifference(command: RaiseCommand, event: AlertEvent): string | undefined {
  const { alert, effect } = event;
  if (!EFFECTS_OF_RAISE.includes(effect)) return `stands there as ${effect}`;
  if (alert.dedupKey !== command.dedupKey) return `stands there as about ${alert.dedupKey}`;
  const course = ({ priority, text, cause, observedAt }: Alert | RaiseCommand): unknown => ({
    priority,
    text,
    cause,
    observedAt,
  });
  if (alert.presence !== 'present') return 'stands there as cleared';
  if (!sameData(course(alert), course(command))) return 'stands there with other words or values';
  if (effect !== 'raised') return undefined;
  return sameData(identityOf(alert), identityOf({ labels: {}, ...command }))
    ? undefined
    : 'stands there with another identity';
}

/** What an occurrence keeps for life. */
const identityOf = ({
  kind,
  condition,
  subject,
  labels,
  latching,
  acknowledgementRequired,
}: Pick<
  Alert,
  'kind' | 'condition' | 'subject' | 'labels' | 'latching' | 'acknowledgementRequired'
>): unknown => ({ kind, condition, subject, labels, latching, acknowledgementRequired });

function acknowledgementDifference(
  { actor, note }: AcknowledgeCommand,
  { acknowledged, acknowledgements, activation }: Alert,
): string | undefined {
  const newest = acknowledgements.at(-1);
  if (!acknowledged) return 'stands there as not acknowledged';
  if (newest?.by !== actor) return `stands there as acknowledged by ${newest?.by}`;
  if (newest.activation !== activation) return 'stands there for another activation';
  return newest.note === note ? undefined : 'stands there with another note';
}

const isAbout = (target: AlertRef, alert: Alert): boolean =>
  'id' in target ? alert.id === target.id : alert.dedupKey === target.dedupKey;

/** Whether two values are the same data; a field that is undefined is as good as absent. */
export function sameData(a: unknown, b: unknown): boolean {
  if (Object.is(a, b)) return true;
  if (typeof a !== 'object' || typeof b !== 'object' || a === null || b === null) return false;
  if (Array.isArray(a) !== Array.isArray(b)) return false;
  const [left, right] = [fieldsOf(a), fieldsOf(b)];
  if (left.size !== right.size) return false;
  for (const [name, value] of left)
    if (!right.has(name) || !sameData(value, right.get(name))) return false;
  return true;
}

const fieldsOf = (value: object): ReadonlyMap<string, unknown> =>
  new Map(Object.entries(value).filter(([, field]) => field !== undefined));
