import { type Line, narrow, padLine, paintLine, span } from '../demo/lines.ts';
import { markOf, stateOf, whereOf } from '../output/alerts.ts';
import { renderCluster } from '../output/cluster-table.ts';
import { printable } from '../output/escape.ts';
import { type Paint, plain } from '../output/paint.ts';
import { formatDuration } from '../output/time.ts';
import type { Look, Rates } from './gauge.ts';

export interface Frame {
  readonly look: Look;
  readonly rates: Rates;
  /** Milliseconds since 1970. */
  readonly now: number;
}

const COLUMNS_MIN = 40;
const ROWS_MIN = 8;

/** The live view as lines: fewer than there are rows, each narrower than the terminal. */
export function renderTop(
  { look, rates, now }: Frame,
  size: { readonly columns: number; readonly rows: number },
  paint: Paint,
): readonly string[] {
  const width = Math.max(COLUMNS_MIN, size.columns) - 1;
  const rows = Math.max(ROWS_MIN, size.rows) - 1;
  const clock = new Date(now).toISOString().slice(11, 19);
  const title: Line = [
    ...padLine([span('tocsin top', 'title')], width - clock.length),
    span(clock, 'dim'),
  ];
  const head = [
    paintLine(title, width, paint),
    paintLine([span(summaryOf(look, rates))], width, paint),
    ...(look.problem === undefined
      ? []
      : [paintLine([span(narrow(look.problem), 'bad')], width, paint)]),
    '',
  ];
  const cluster =
    look.view === undefined ? [] : renderCluster(look.view, { width, paint }).trimEnd().split('\n');
  const room = rows - head.length - cluster.length - 1;
  return [...head, ...cluster, ...alertsOf(look, now, room, width, paint)].slice(0, rows);
}

function alertsOf(
  { alerts, view }: Look,
  now: number,
  room: number,
  width: number,
  paint: Paint,
): string[] {
  if (view === undefined || room < 2) return [];
  if (alerts.length === 0) return ['', paint('dim', 'no alert is open')];
  const shown = alerts.slice(0, room - 1).map((alert) => {
    const age = formatDuration(now - alert.raisedAt).padStart(6);
    const mark = markOf(alert.priority, plain).padEnd(3);
    const text = `${alert.id.padEnd(6)} ${mark} ${stateOf(alert, plain).padEnd(12)} ${age}  ${whereOf(alert.subject)}  ${printable(alert.text)}`;
    const { acknowledged, priority } = alert;
    const look = acknowledged || priority === 'none' ? 'dim' : priority;
    return paintLine([span(narrow(text), look)], width, paint);
  });
  return ['', ...shown];
}

/** The figures in one line, which is all there is where no terminal shows a table. */
export function summaryOf(
  { view }: Look,
  { commitsPerSecond, eventsPerSecond, read, unanswered, looks }: Rates,
): string {
  const reached = view?.members.filter(({ status }) => status !== undefined).length ?? 0;
  const open = Math.max(0, ...(view?.members.map(({ status }) => status?.openAlerts ?? 0) ?? []));
  const figure = (value: number | undefined): string =>
    value === undefined ? '-' : value.toFixed(0);
  return [
    `leader ${view?.leader ?? 'none'}`,
    `members ${reached}/${view?.members.length ?? 0}`,
    `commits/s ${figure(commitsPerSecond)}`,
    `events/s ${figure(eventsPerSecond)}`,
    `open ${open}`,
    read === undefined
      ? 'read no answer'
      : `read ${ms(read.now)}, p50 ${ms(read.p50)}, p99 ${ms(read.p99)}`,
    ...(unanswered === 0 ? [] : [`unanswered ${unanswered} of ${looks}`]),
  ].join('  ');
}

const ms = (value: number): string => `${value.toFixed(value < 10 ? 1 : 0)} ms`;
