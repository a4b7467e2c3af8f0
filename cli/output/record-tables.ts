import type { Incident } from '../../src/statemachine/beside/incidents.ts';
import type { KeptInhibition } from '../../src/statemachine/beside/inhibition.ts';
import type { Notification } from '../../src/statemachine/beside/notifications.ts';
import type { EscalationPolicy, EscalationStep } from '../../src/statemachine/beside/policies.ts';
import type { KeptSession } from '../../src/statemachine/beside/sessions.ts';
import type { Source } from '../../src/statemachine/beside/sources.ts';
import type {
  MaintenanceWindow,
  Matcher,
  Silence,
} from '../../src/statemachine/beside/suppression.ts';
import { printable } from './escape.ts';
import { type Column, renderTable, type TableOptions } from './table.ts';
import { formatDuration } from './time.ts';

/** The records beside the alerts as tables. */

type Render<T> = (records: readonly T[], now: number, options: TableOptions) => string;

const render =
  <T>(columnsAt: (now: number) => readonly Column<T>[]): Render<T> =>
  (records, now, options) =>
    renderTable(columnsAt(now), records, options);

/** `in 5m`, `5m ago`. */
function fromNow(time: number | undefined, now: number): string {
  if (time === undefined) return '-';
  return time > now ? `in ${formatDuration(time - now)}` : `${formatDuration(now - time)} ago`;
}

const stepText = ({ targets, delaySeconds }: EscalationStep): string =>
  `${targets.length === 0 ? 'wait' : targets.join(',')} ${delaySeconds}s`;

export const renderPolicies: Render<EscalationPolicy> = render(() => [
  { title: 'ID', cell: ({ id }) => printable(id) },
  { title: 'VERSION', cell: ({ version }) => String(version), align: 'right' },
  { title: 'FROM', cell: ({ minPriority }) => minPriority },
  { title: 'STEPS', cell: ({ steps }) => printable(steps.map(stepText).join(' > ')), shrinkTo: 30 },
  { title: 'REPEAT', cell: ({ repeat }) => String(repeat), align: 'right' },
  { title: 'CONFIRM', cell: ({ confirmSeconds }) => `${confirmSeconds}s`, align: 'right', drop: 1 },
]);

export const renderNotifications: Render<Notification> = render((now) => [
  { title: 'ID', cell: ({ id }) => id },
  { title: 'ALERT', cell: ({ alert, activation }) => `${alert}/${activation}` },
  { title: 'STEP', cell: ({ loop, step }) => `${loop}.${step}` },
  { title: 'TARGET', cell: ({ target }) => printable(target), shrinkTo: 16 },
  { title: 'TO', cell: ({ to = '-' }) => printable(to), drop: 1 },
  { title: 'STATE', cell: ({ state }) => state },
  { title: 'CHANGED', cell: ({ changedAt }) => fromNow(changedAt, now), align: 'right' },
  { title: 'DETAIL', cell: ({ detail = '' }) => printable(detail), shrinkTo: 16, drop: 2 },
]);

const matcherText = ({ field, values }: Matcher): string => `${field}=${values.join(',')}`;

export const renderSilences: Render<Silence> = render((now) => [
  { title: 'ID', cell: ({ id }) => id },
  { title: 'STATE', cell: ({ endedAt }) => (endedAt === undefined ? 'active' : 'ended') },
  {
    title: 'WHAT',
    cell: ({ matchers }) => printable(matchers.map(matcherText).join(' ')),
    shrinkTo: 24,
  },
  { title: 'ENDS', cell: ({ until, endedAt }) => fromNow(endedAt ?? until, now), align: 'right' },
  { title: 'CLEARED', cell: ({ untilCleared }) => (untilCleared ? 'ends it' : '-'), drop: 2 },
  { title: 'BY', cell: ({ by }) => printable(by), drop: 1 },
  { title: 'REASON', cell: ({ reason }) => printable(reason), shrinkTo: 20 },
]);

export const renderWindows: Render<MaintenanceWindow> = render((now) => [
  { title: 'ID', cell: ({ id }) => id },
  { title: 'STATE', cell: ({ endedAt }) => (endedAt === undefined ? 'open' : 'ended') },
  {
    title: 'WHERE',
    cell: ({ unit, bed, device }) =>
      printable([unit, bed, device].filter((part) => part !== undefined).join(' ')),
    shrinkTo: 16,
  },
  { title: 'BEGINS', cell: ({ startAt }) => fromNow(startAt, now), align: 'right' },
  { title: 'ENDS', cell: ({ endAt, endedAt }) => fromNow(endedAt ?? endAt, now), align: 'right' },
  { title: 'BY', cell: ({ by }) => printable(by), drop: 1 },
  { title: 'REASON', cell: ({ reason }) => printable(reason), shrinkTo: 20 },
]);

export const renderSources: Render<Source> = render((now) => [
  { title: 'ID', cell: ({ id }) => printable(id), shrinkTo: 20 },
  { title: 'STATE', cell: ({ state }) => state },
  { title: 'HEARD', cell: ({ seenAt }) => fromNow(seenAt, now), align: 'right' },
  { title: 'LEASE', cell: ({ leaseSeconds }) => `${leaseSeconds}s`, align: 'right' },
  { title: 'MISSED', cell: ({ dueAt }) => fromNow(dueAt, now), align: 'right' },
  { title: 'PRIORITY', cell: ({ priority }) => priority, drop: 1 },
]);

export const renderIncidents: Render<Incident> = render((now) => [
  { title: 'ID', cell: ({ id }) => id },
  { title: 'STATE', cell: ({ closedAt }) => (closedAt === undefined ? 'open' : 'closed') },
  { title: 'SEVERITY', cell: ({ severity }) => severity },
  { title: 'TITLE', cell: ({ title }) => printable(title), shrinkTo: 24 },
  { title: 'ALERTS', cell: ({ alerts }) => String(alerts.length), align: 'right' },
  { title: 'COMMANDER', cell: ({ commander = '-' }) => printable(commander), drop: 1 },
  { title: 'OPENED', cell: ({ openedAt }) => fromNow(openedAt, now), align: 'right' },
  { title: 'REVIEW', cell: ({ review }) => (review === undefined ? '-' : 'written'), drop: 2 },
]);

export const renderSessions: Render<KeptSession> = render((now) => [
  { title: 'ID', cell: ({ id }) => id },
  { title: 'CLIENT', cell: ({ by }) => printable(by), shrinkTo: 20 },
  { title: 'HEARD', cell: ({ seenAt }) => fromNow(seenAt, now), align: 'right' },
  { title: 'LEASE', cell: ({ leaseSeconds }) => `${leaseSeconds}s`, align: 'right' },
  { title: 'WINDOW', cell: ({ window }) => String(window), align: 'right' },
  { title: 'ANSWERED', cell: ({ floor }) => `up to ${floor}`, align: 'right', drop: 1 },
  { title: 'OPENED', cell: ({ openedAt }) => fromNow(openedAt, now), align: 'right', drop: 2 },
]);

export const renderInhibitions: Render<KeptInhibition> = render((now) => [
  { title: 'ID', cell: ({ id }) => printable(id) },
  { title: 'VERSION', cell: ({ version }) => String(version), align: 'right', drop: 1 },
  { title: 'EXPLAINS', cell: ({ targets }) => printable(targets.join(' ')), shrinkTo: 16 },
  { title: 'BY', cell: ({ sources }) => printable(sources.join(' ')), shrinkTo: 16 },
  { title: 'SET BY', cell: ({ by }) => printable(by), drop: 2 },
  {
    title: 'SET',
    cell: ({ changedAt }) => (changedAt === 0 ? '-' : fromNow(changedAt, now)),
    align: 'right',
    drop: 2,
  },
]);
