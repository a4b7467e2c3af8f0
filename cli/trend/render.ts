import type { TrendResult, TrendSeriesResult } from '../../src/wire/trend/trend-query.ts';
import { printable } from '../output/escape.ts';
import { type Column, renderTable, renderTableOr, type TableOptions } from '../output/table.ts';
import { formatDuration, formatInstant } from '../output/time.ts';

/** Answers of the trend tier as rows, for people and programs. */

export type TrendRow = Readonly<Record<string, string | number | null>>;

const QUALITIES = ['good', 'questionable', 'invalid', 'test'];
/** Columns that are instants. */
const TIMES: ReadonlySet<string> = new Set(['time', 'start']);

/** A row for each row of each series; a series without rows has one that says only how fresh it is. */
export const rowsOf = (result: TrendResult): readonly TrendRow[] =>
  result.series.flatMap((series) => {
    const length = Object.values(series.columns)[0]?.length ?? 0;
    const isRange = length > 0;
    if (!isRange && Object.keys(series.columns).length > 0) return [];
    return isRange
      ? Array.from({ length }, (_, at) => rowOf(series, at))
      : [{ series: series.key, unit: series.unit, newest: instant(series.newestAt) }];
  });

function rowOf({ key, unit, columns }: TrendSeriesResult, at: number): TrendRow {
  const cells = Object.entries(columns).map(([name, column]) => {
    const value = column[at] ?? Number.NaN;
    if (TIMES.has(name)) return [name, instant(value)] as const;
    if (name === 'quality') return [name, QUALITIES[value] ?? null] as const;
    return [name, Number.isNaN(value) ? null : value] as const;
  });
  return { series: key, unit, ...Object.fromEntries(cells) };
}

/** To the millisecond: samples differ in less than seconds. */
const instant = (time: number | null): string | null =>
  time === null ? null : new Date(time).toISOString();

export const standingJson = ({ standing }: TrendResult): Readonly<Record<string, unknown>> => ({
  replica: standing.replica,
  at: instant(standing.at),
  completeTo: standing.completeTo === 0 ? null : instant(standing.completeTo),
});

/** How far an answer can be trusted, in a line. */
function standingLine({ standing, series }: TrendResult): string {
  const newest = Math.max(...series.map(({ newestAt }) => newestAt ?? 0), 0);
  const age = newest === 0 ? 'no samples' : `newest ${formatDuration(standing.at - newest)} old`;
  const complete =
    standing.completeTo === 0
      ? 'not compared with all members yet'
      : `complete to ${formatInstant(standing.completeTo)}`;
  return `replica ${standing.replica}: ${age}; ${complete}`;
}

export function renderSeries(result: TrendResult, options: TableOptions): string {
  const { at } = result.standing;
  const columns: readonly Column<TrendSeriesResult>[] = [
    { title: 'SERIES', cell: ({ key }) => printable(key), shrinkTo: 24 },
    { title: 'VALUE', cell: ({ columns: own }) => numberText(own['value']?.[0]), align: 'right' },
    { title: 'UNIT', cell: ({ unit }) => printable(unit), drop: 1 },
    {
      title: 'AGE',
      cell: ({ newestAt }) => (newestAt === null ? '-' : formatDuration(at - newestAt)),
      align: 'right',
    },
    {
      title: 'NEWEST',
      cell: ({ newestAt }) => (newestAt === null ? '-' : formatInstant(newestAt)),
      drop: 2,
    },
  ];
  const hasValues = result.series.some(({ columns: own }) => own['value'] !== undefined);
  const shown = columns.filter(({ title }) => title !== 'VALUE' || hasValues);
  const table = renderTableOr('no series match', shown, result.series, options);
  return `${table}${options.paint('dim', standingLine(result))}\n`;
}

export function renderRows(
  rows: readonly TrendRow[],
  last: TrendResult | undefined,
  options: TableOptions,
): string {
  const names = Object.keys(rows[0] ?? {}).filter((name) => name !== 'unit');
  const columns = names.map(
    (name): Column<TrendRow> => ({
      title: name.toUpperCase(),
      cell: (row) => cellText(row[name]),
      align: typeof rows[0]?.[name] === 'number' ? 'right' : 'left',
    }),
  );
  const line = last === undefined ? 'no answer' : standingLine(last);
  const nothing = last?.series.length === 0 ? 'no series match' : 'no samples in this range';
  const table = rows.length === 0 ? `${nothing}\n` : renderTable(columns, rows, options);
  return `${table}${options.paint('dim', line)}\n`;
}

const cellText = (value: string | number | null | undefined): string =>
  typeof value === 'number' ? numberText(value) : printable(value ?? '-');

/** Seven digits: more than any monitor measures. */
const numberText = (value: number | undefined): string =>
  value === undefined || Number.isNaN(value) ? '-' : String(Number(value.toPrecision(7)));
