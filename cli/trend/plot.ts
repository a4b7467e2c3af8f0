import type { TrendSeriesResult } from '../../src/wire/trend/trend-query.ts';
import { printable } from '../output/escape.ts';
import { formatInstant } from '../output/time.ts';

/** A series as text: braille dots, two by four in each character. */

export interface PlotOptions {
  readonly from: number;
  readonly to: number;
  readonly width: number;
  /** Lines of text, the caption not counted. */
  readonly height: number;
}

const LABEL_WIDTH = 8;
const BRAILLE = 0x2800;
/** By row of dots, from above, and column. */
const DOTS = [
  [0x01, 0x08],
  [0x02, 0x10],
  [0x04, 0x20],
  [0x40, 0x80],
] as const;

export function plot(series: TrendSeriesResult, options: PlotOptions): string {
  const times = series.columns['time'] ?? new Float64Array(0);
  const values = series.columns['value'] ?? new Float64Array(0);
  const caption = `${printable(series.key)}${series.unit === '' ? '' : ` (${printable(series.unit)})`}\n`;
  if (values.length === 0) return `${caption}${' '.repeat(LABEL_WIDTH)} no samples in this range\n`;
  const least = values.reduce((a, b) => Math.min(a, b));
  const greatest = values.reduce((a, b) => Math.max(a, b));
  const grid = gridOf(times, values, least, greatest, options);
  const lines = grid.map((cells, row) => {
    const isFirst = row === 0;
    const isLast = row === options.height - 1;
    const label = isFirst ? numberText(greatest) : isLast ? numberText(least) : '';
    const text = Array.from(cells, (dots) => String.fromCharCode(BRAILLE + dots)).join('');
    return `${label.padStart(LABEL_WIDTH)} ${isFirst || isLast ? '┤' : '│'}${text}\n`;
  });
  return `${caption}${lines.join('')}${axisOf(options)}`;
}

function gridOf(
  times: Float64Array,
  values: Float64Array,
  least: number,
  greatest: number,
  { from, to, width, height }: PlotOptions,
): readonly Uint8Array[] {
  const columns = plotWidth(width);
  const grid = Array.from({ length: height }, () => new Uint8Array(columns));
  const wide = columns * 2 - 1;
  const high = height * 4 - 1;
  const span = greatest - least || 1;
  let before: number | undefined;
  let beforeX = -2;
  for (let i = 0; i < times.length; i += 1) {
    const x = Math.round((((times[i] as number) - from) / (to - from)) * wide);
    const y = high - Math.round((((values[i] as number) - least) / span) * high);
    // Neighbours are joined, so that a steep rise is a line; across a gap they are not.
    const start = before !== undefined && x - beforeX <= 1 ? before : y;
    for (let dot = Math.min(start, y); dot <= Math.max(start, y); dot += 1) set(grid, x, dot);
    before = y;
    beforeX = x;
  }
  return grid;
}

function set(grid: readonly Uint8Array[], x: number, y: number): void {
  const row = grid[y >> 2];
  const dots = DOTS[(y & 3) as 0 | 1 | 2 | 3];
  const column = x >> 1;
  if (row === undefined || column < 0 || column >= row.length) return;
  row[column] = (row[column] as number) | dots[(x & 1) as 0 | 1];
}

const plotWidth = (width: number): number => Math.max(8, width - LABEL_WIDTH - 2);

function axisOf({ from, to, width }: PlotOptions): string {
  const [begin, end] = [formatInstant(from), formatInstant(to)];
  const gap = Math.max(1, plotWidth(width) - begin.length - end.length);
  return `${' '.repeat(LABEL_WIDTH + 2)}${begin}${' '.repeat(gap)}${end}\n`;
}

const numberText = (value: number): string =>
  String(Number(value.toPrecision(5))).slice(0, LABEL_WIDTH);
