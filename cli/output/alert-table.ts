import type { ListedAlert } from '../../src/statemachine/alert-api.ts';
import type { Alert } from '../../src/statemachine/types.ts';
import { type AlertView, markOf, stateOf, whereOf } from './alerts.ts';
import { printable } from './escape.ts';
import { type Column, renderTable } from './table.ts';
import { formatDuration, formatInstant } from './time.ts';

/** One line per alert, under titles. What makes one quiet has a column of its own, where any is quiet. */
export function renderAlerts(alerts: readonly ListedAlert[], view: AlertView): string {
  const { now, paint } = view;
  const columns: readonly Column<ListedAlert>[] = [
    { title: 'ID', cell: ({ id }) => id },
    { title: 'PRI', cell: ({ priority }) => markOf(priority, paint) },
    { title: 'STATE', cell: (alert) => stateOf(alert, paint) },
    ...(alerts.some((alert) => quietOf(alert) !== '')
      ? [{ title: 'QUIET', cell: quietOf, shrinkTo: 11 }]
      : []),
    { title: 'WHERE', cell: ({ subject }) => whereOf(subject), shrinkTo: 8 },
    { title: 'CONDITION', cell: ({ condition }) => printable(condition), shrinkTo: 9 },
    { title: 'AGE', cell: ({ raisedAt }) => formatDuration(now - raisedAt), align: 'right' },
    { title: 'N', cell: ({ count }) => String(count), align: 'right', drop: 2 },
    { title: 'ACKNOWLEDGED BY', cell: acknowledgerOf, shrinkTo: 12, drop: 1 },
    { title: 'KEY', cell: ({ dedupKey }) => printable(dedupKey), shrinkTo: 20, drop: 3 },
    { title: 'KIND', cell: ({ kind }) => kind, isExtra: true },
    { title: 'PATIENT', cell: ({ subject }) => printable(subject.patient ?? ''), isExtra: true },
    { title: 'DEVICE', cell: ({ subject }) => printable(subject.device ?? ''), isExtra: true },
    {
      title: 'ACT',
      cell: ({ activation }) => String(activation),
      align: 'right',
      isExtra: true,
    },
    { title: 'REVISION', cell: ({ revision }) => String(revision), align: 'right', isExtra: true },
    { title: 'RAISED', cell: ({ raisedAt }) => formatInstant(raisedAt), isExtra: true },
    { title: 'TEXT', cell: ({ text }) => printable(text), shrinkTo: 16 },
  ];
  return renderTable(columns, alerts, view);
}

const acknowledgerOf = ({ acknowledged, acknowledgements }: Alert): string =>
  acknowledged ? printable(acknowledgements.at(-1)?.by ?? '') : '';

/** Why an alert makes no sound, or less than it would, though it is open. */
function quietOf({ badges, pausedUntil, staleSince }: ListedAlert): string {
  const why: readonly (readonly [string, readonly string[] | boolean | undefined])[] = [
    ['silenced', badges?.silencedBy],
    ['inhibited', badges?.inhibitedBy],
    ['maintenance', badges?.maintenanceBy],
    ['sound off', pausedUntil !== undefined],
    ['stale', staleSince !== undefined],
  ];
  return why
    .filter(([, by]) => by === true || (typeof by === 'object' && by.length > 0))
    .map(([says, by]) => (typeof by === 'object' ? `${says} ${by.join(' ')}` : says))
    .join(', ');
}
