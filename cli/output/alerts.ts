import type { ListedAlert } from '../../src/statemachine/alert-api.ts';
import { displayState } from '../../src/statemachine/alerts/display.ts';
import type {
  Alert,
  AlertEvent,
  Cause,
  Done,
  EscalationState,
  Priority,
  Responsibility,
  Subject,
} from '../../src/statemachine/types.ts';
import { printable } from './escape.ts';
import type { Paint } from './paint.ts';
import { renderPairs } from './pairs.ts';
import type { TableOptions } from './table.ts';
import { formatDuration, formatInstant } from './time.ts';

/** What people see of alerts. All text in a record is somebody else's and passes `printable` here. */

export interface AlertView extends TableOptions {
  /** Milliseconds since 1970, for ages. */
  readonly now: number;
}

const MARKS: Readonly<Record<Priority, string>> = { high: '***', medium: '**', low: '*', none: '' };

/** `***`, `**`, `*` as on bedside monitors: legible without colour. */
export const markOf = (priority: Priority, paint: Paint): string =>
  priority === 'none' ? '' : paint(priority, MARKS[priority]);

/** `ED/B12`, or what else there is to find the patient by. */
export function whereOf({ unit, bed, patient, device }: Subject): string {
  const place = [unit, bed].flatMap((part) => (part === undefined ? [] : [printable(part)]));
  if (place.length > 0) return place.join('/');
  return printable(patient ?? device ?? '-');
}

/** The state in words; coloured while somebody should act. */
export function stateOf(alert: Alert, paint: Paint): string {
  const state = displayState(alert);
  const isSilent = state === 'RESOLVED' || state === 'ACTIVE_ACK' || alert.priority === 'none';
  return isSilent ? state : paint(alert.priority, state);
}

/** Everything about one alert. */
export function renderAlert(alert: ListedAlert, { now, paint }: AlertView): string {
  const { subject, previous, labels, acknowledgements, resolution } = alert;
  const since = (time: number): string =>
    `${formatInstant(time)} (${formatDuration(now - time)} ago)`;
  const labelList = Object.entries(labels).map(([name, value]) => printable(`${name}=${value}`));
  return renderPairs(
    [
      ['Alert', `${alert.id}  ${markOf(alert.priority, paint)} ${stateOf(alert, paint)}`],
      ['Text', printable(alert.text)],
      ['Condition', printable(alert.condition)],
      ['Key', printable(alert.dedupKey)],
      ['Kind', alert.kind],
      ['Priority', priorityOf(alert)],
      ['Unit', shown(subject.unit)],
      ['Bed', shown(subject.bed)],
      ['Patient', shown(subject.patient)],
      ['Device', shown(subject.device)],
      ['Cause', alert.cause === undefined ? undefined : causeOf(alert.cause)],
      ['Labels', labelList.length === 0 ? undefined : labelList.join(', ')],
      ['Presence', alert.presence],
      ['Latching', alert.latching ? 'yes' : undefined],
      ['Acknowledgement', acknowledgementNeedOf(alert)],
      ['Raised', since(alert.raisedAt)],
      ['Last seen', `${since(alert.lastSeenAt)}, ${times(alert.count)}`],
      ['Observed', formatInstant(alert.observedAt)],
      ['Cleared', alert.clearedAt === undefined ? undefined : since(alert.clearedAt)],
      ...acknowledgements.map(({ by, at, activation, note }): readonly [string, string] => [
        'Acknowledged',
        `${since(at)} by ${printable(by)}, activation ${activation}${noteOf(note)}`,
      ]),
      [
        'Resolved',
        resolution && `${since(resolution.at)} by ${printable(resolution.by)} (${resolution.how})`,
      ],
      ...careOf(alert, now),
      ['Occurrence', `${alert.occurrence}${previous === undefined ? '' : `, after ${previous}`}`],
      ['Activation', String(alert.activation)],
      ['Revision', `${alert.revision}, version ${alert.version}`],
    ],
    paint,
  );
}

/** What is being done about it, and why it may be quiet. */
function careOf(
  alert: ListedAlert,
  now: number,
): readonly (readonly [string, string | undefined])[] {
  const { escalation, responsibility, pausedUntil, staleSince, badges } = alert;
  const left = (time: number): string => formatDuration(Math.max(0, time - now));
  return [
    ['Escalation', escalation && escalationOf(escalation, now)],
    ['Responsibility', responsibility && responsibilityOf(responsibility)],
    ['Sound', pausedUntil === undefined ? undefined : `off for ${left(pausedUntil)}`],
    ['Stale', staleSince === undefined ? undefined : `for ${formatDuration(now - staleSince)}`],
    ['Silenced', badges?.silencedBy.join(', ') || undefined],
    ['Inhibited', badges?.inhibitedBy.join(', ') || undefined],
    ['Maintenance', badges?.maintenanceBy.join(', ') || undefined],
  ];
}

/** Where an alert is in its policy. */
export function escalationOf(
  { policy, version, loop, step, dueAt, exhausted }: EscalationState,
  now: number,
): string {
  const next = dueAt === undefined ? '' : `, next in ${formatDuration(Math.max(0, dueAt - now))}`;
  const where = exhausted ? 'nobody answered' : `step ${step} of round ${loop + 1}`;
  return `${printable(policy)} (version ${version}): ${where}${next}`;
}

const responsibilityOf = (responsibility: Responsibility): string =>
  responsibility.state === 'offered'
    ? `offered to ${printable(responsibility.to.join(', '))}`
    : `${responsibility.state} by ${printable(responsibility.by)}`;

const shown = (text: string | undefined): string | undefined =>
  text === undefined ? undefined : printable(text);

const times = (count: number): string => (count === 1 ? 'once' : `${count} times`);

const noteOf = (note: string | undefined): string =>
  note === undefined ? '' : `: ${printable(note)}`;

const priorityOf = ({ priority, basePriority }: Alert): string =>
  priority === basePriority ? priority : `${priority}, first ${basePriority}`;

function acknowledgementNeedOf({ acknowledged, acknowledgementRequired }: Alert): string {
  if (acknowledged) return 'done';
  return acknowledgementRequired ? 'required' : 'none yet';
}

/** `HR 141 /min, limit 131, by hr-high@1`. */
function causeOf({ metric, value, unit, limit, rule }: Cause): string {
  const amount = (number: number): string =>
    unit === undefined ? String(number) : `${number} ${printable(unit)}`;
  const said = [
    `${printable(metric)} ${value === null ? 'without a valid sample' : amount(value)}`,
    ...(limit === undefined ? [] : [`limit ${amount(limit)}`]),
    ...(rule === undefined ? [] : [`by ${printable(rule)}`]),
  ];
  return said.join(', ');
}

/** What a command did, in one line. */
export const renderDone = ({ effect, alertId, state, activation, revision }: Done): string =>
  `${alertId} ${effect}: ${state}, activation ${activation}, revision ${revision}\n`;

/** One step of the history, in one line whose columns stand still. `stamp` is its time in words. */
export function renderEvent(event: AlertEvent, stamp: string, paint: Paint): string {
  const { revision, effect, actor, alert } = event;
  const head = [stamp, `r${revision}`.padEnd(6), effect.padEnd(12)];
  return `${head.join(' ')} ${renderAlertLine(alert, paint)} ${paint('dim', `by ${printable(actor)}`)}\n`;
}

/** One alert as it stands, in one line, for a history that begins with a state. */
export function renderAlertLine(alert: Alert, paint: Paint): string {
  const mark = markOf(alert.priority, paint) + ' '.repeat(3 - MARKS[alert.priority].length);
  const state = stateOf(alert, paint) + ' '.repeat(Math.max(0, 12 - displayState(alert).length));
  const what = `${printable(alert.condition)} ${printable(alert.text)}`;
  return [alert.id.padEnd(6), mark, state, whereOf(alert.subject), what].join(' ');
}

/** The alert as JSON has it: the record, and the state people are shown. */
export const alertJson = (alert: Alert): unknown => ({ ...alert, state: displayState(alert) });
