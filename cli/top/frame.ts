import { type Line, narrow, padLine, paintLine, type Span, span, widthOf } from '../demo/lines.ts';
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

/** The live view as lines: fewer than there are rows, each narrower than the terminal. `exit` is the key that ends it. */
export function renderTop(
  { look, rates, now }: Frame,
  size: { readonly columns: number; readonly rows: number },
  paint: Paint,
  exit = 'Ctrl-C',
): readonly string[] {
  const width = Math.max(COLUMNS_MIN, size.columns) - 1;
  const rows = Math.max(ROWS_MIN, size.rows) - 1;
  const clock = `${exit} ends  ${new Date(now).toISOString().slice(11, 19)}`;
  const title: Line = [
    ...padLine([span('tocsin top', 'title')], width - clock.length),
    span(clock, 'dim'),
  ];
  const head = [
    paintLine(title, width, paint),
    paintLine(whatFits(figuresOf(look, rates), width), width, paint),
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
  { alerts, readMs }: Look,
  now: number,
  room: number,
  width: number,
  paint: Paint,
): string[] {
  if (room < 2) return [];
  if (alerts === undefined) return ['', paint('bad', 'nobody says which alerts are open')];
  const isSure = readMs !== undefined;
  if (alerts.length === 0 && isSure) return ['', paint('dim', 'no alert is open')];
  const says = `${alerts.length === 0 ? 'none is open that' : 'open as'} one replica knows; there may be newer ones`;
  const doubt = isSure ? [] : [paintLine([span(says, 'bad')], width, paint)];
  const shown = alerts.slice(0, room - 1 - doubt.length).map((alert) => {
    const age = formatDuration(now - alert.raisedAt).padStart(6);
    const mark = markOf(alert.priority, plain).padEnd(3);
    const text = `${alert.id.padEnd(6)} ${mark} ${stateOf(alert, plain).padEnd(12)} ${age}  ${whereOf(alert.subject)}  ${printable(alert.text)}`;
    const { acknowledged, priority } = alert;
    const look = acknowledged || priority === 'none' ? 'dim' : priority;
    return paintLine([span(narrow(text), look)], width, paint);
  });
  return ['', ...doubt, ...shown];
}

/** The figures in one line, which is all there is where no terminal shows a table. */
export const summaryOf = (look: Look, rates: Rates): string => figuresOf(look, rates).join('  ');

/** Whole figures: half a number is another number. */
function whatFits(figures: readonly string[], width: number): Line {
  const line: Span[] = [];
  for (const figure of figures) {
    const next = span(line.length === 0 ? figure : `  ${figure}`);
    if (widthOf([...line, next]) > width) break;
    line.push(next);
  }
  return line;
}

/** What matters most comes first. */
function figuresOf(
  { view }: Look,
  { commitsPerSecond, eventsPerSecond, read, unanswered, looks }: Rates,
): readonly string[] {
  const reached = view?.members.filter(({ status }) => status !== undefined).length ?? 0;
  const open = Math.max(0, ...(view?.members.map(({ status }) => status?.openAlerts ?? 0) ?? []));
  const figure = (value: number | undefined): string =>
    value === undefined ? '-' : value.toFixed(0);
  return [
    `leader ${view?.leader ?? 'none'}`,
    `members ${reached}/${view?.members.length ?? 0}`,
    `commits/s ${figure(commitsPerSecond)}`,
    `open ${open}`,
    ...(read === undefined
      ? []
      : [`read ${ms(read.now)}, p50 ${ms(read.p50)}, p99 ${ms(read.p99)} ms`]),
    ...(unanswered === 0 ? [] : [`no answer to ${unanswered} of ${looks} reads`]),
    `events/s ${figure(eventsPerSecond)}`,
  ];
}

const ms = (value: number): string => value.toFixed(value < 10 ? 1 : 0);
