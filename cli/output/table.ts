import Table from 'cli-table3';
import { must } from '../../src/base/assert.ts';
import type { Paint } from './paint.ts';

export interface Column<Row> {
  readonly title: string;
  /** Safe for a terminal, on one line, painted or not. */
  readonly cell: (row: Row) => string;
  readonly align?: 'left' | 'right';
  /** May be cut down to so many characters where the terminal is narrow. */
  readonly shrinkTo?: number;
  /** May be left out where the terminal is narrow: the highest number goes first. */
  readonly drop?: number;
  /** Shown with `-o wide` alone. */
  readonly isExtra?: boolean;
}

export interface TableOptions {
  /** Columns of the terminal; undefined = as wide as it needs. */
  readonly width: number | undefined;
  readonly paint: Paint;
  /** Every column, at full width. */
  readonly isWide?: boolean;
}

const GAP = '  ';

/**
 * Rows under titles, without lines between them, so that grep, awk and a narrow terminal cope. Where it is too wide,
 * columns are first cut, then left out; each line ends with a line feed.
 */
export function renderTable<Row>(
  columns: readonly Column<Row>[],
  rows: readonly Row[],
  { width, paint, isWide = false }: TableOptions,
): string {
  let kept: readonly Column<Row>[] = columns.filter(({ isExtra = false }) => isWide || !isExtra);
  for (;;) {
    const wanted = measure(kept, rows);
    const widths = width === undefined || isWide ? wanted : shrink(kept, wanted, width);
    if (widths !== undefined) return draw(kept, rows, widths, paint);
    const fewer = withoutOne(kept);
    if (fewer === undefined) return draw(kept, rows, smallest(kept, wanted), paint);
    kept = fewer;
  }
}

/** The same, or a sentence where there are no rows: titles with nothing under them look like an answer that was cut off. */
export const renderTableOr = <Row>(
  none: string,
  columns: readonly Column<Row>[],
  rows: readonly Row[],
  options: TableOptions,
): string => (rows.length === 0 ? `${none}\n` : renderTable(columns, rows, options));

const BLANK = {
  top: '',
  'top-mid': '',
  'top-left': '',
  'top-right': '',
  bottom: '',
  'bottom-mid': '',
  'bottom-left': '',
  'bottom-right': '',
  left: '',
  'left-mid': '',
  mid: '',
  'mid-mid': '',
  right: '',
  'right-mid': '',
  middle: GAP,
} as const;

type Matrix = InstanceType<typeof Table>;

function tableOf<Row>(
  columns: readonly Column<Row>[],
  rows: readonly Row[],
  widths: readonly (number | null)[],
  title: (text: string) => string,
): Matrix {
  const table = new Table({
    head: columns.map((column) => title(column.title)),
    chars: BLANK,
    colWidths: [...widths],
    colAligns: columns.map(({ align = 'left' }) => align),
    style: { head: [], border: [], 'padding-left': 0, 'padding-right': 0 },
  });
  for (const row of rows) table.push(columns.map(({ cell }) => cell(row)));
  return table;
}

/** Drawing settles the width of each column that has none; wide characters count as the library counts them. */
function measure<Row>(columns: readonly Column<Row>[], rows: readonly Row[]): readonly number[] {
  const table = tableOf(
    columns,
    rows,
    columns.map(() => null),
    (text) => text,
  );
  table.toString();
  return columns.map((_, at) => must(table.options.colWidths[at], `column ${at} has no width`));
}

function draw<Row>(
  columns: readonly Column<Row>[],
  rows: readonly Row[],
  widths: readonly number[],
  paint: Paint,
): string {
  const text = tableOf(columns, rows, widths, (title) => paint('title', title)).toString();
  return text
    .split('\n')
    .map((line) => `${line.trimEnd()}\n`)
    .join('');
}

const totalOf = (widths: readonly number[]): number =>
  widths.reduce((sum, one) => sum + one, GAP.length * Math.max(0, widths.length - 1));

const smallest = <Row>(columns: readonly Column<Row>[], wanted: readonly number[]): number[] =>
  wanted.map((one, at) => Math.min(one, columns[at]?.shrinkTo ?? one));

/** Widths that fit, taking from the last shrinkable column first; undefined when they cannot. */
function shrink<Row>(
  columns: readonly Column<Row>[],
  wanted: readonly number[],
  width: number,
): readonly number[] | undefined {
  const least = smallest(columns, wanted);
  if (totalOf(least) > width) return undefined;
  let over = totalOf(wanted) - width;
  return wanted
    .toReversed()
    .map((one, fromEnd) => {
      const taken = Math.min(Math.max(over, 0), one - (least[wanted.length - 1 - fromEnd] ?? one));
      over -= taken;
      return one - taken;
    })
    .toReversed();
}

function withoutOne<Row>(columns: readonly Column<Row>[]): readonly Column<Row>[] | undefined {
  const ranks = columns.flatMap(({ drop }) => (drop === undefined ? [] : [drop]));
  if (ranks.length === 0) return undefined;
  const first = Math.max(...ranks);
  return columns.filter(({ drop }) => drop !== first);
}
