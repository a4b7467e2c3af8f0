import { TREND_HOUR_MS, TREND_WINDOW_MS } from '../../base/trend-limits.ts';
import {
  coarsen,
  concatRollups,
  decodeRollups,
  type Rollups,
  rollUp,
  rowsBetween,
} from '../../trend/rollup.ts';
import type { Series } from '../../trend/series.ts';
import type { QuantileSketch, SketchMaker } from '../../trend/sketch.ts';
import type { TrendQuery, TrendSeriesResult } from '../../wire/trend/trend-query.ts';
import type { TrendKeeper } from './keeper.ts';
import { keyOf, startOf } from './keys.ts';
import { decodeSummary, type Summary, summaryOf } from './minute-record.ts';
import type { Dated } from './queries.ts';

export type RollupQuery = Extract<TrendQuery, { what: 'rollup' }>;

interface Source {
  readonly keeper: TrendKeeper;
  readonly sketches: SketchMaker;
  readonly series: Series;
}

type Chunks = (from: number, to: number) => AsyncIterable<Dated>;

/**
 * Rows of one series: from what was rolled up when its window was written, and from the samples themselves where some of
 * them are still in memory.
 */
export async function rollupColumns(
  source: Source,
  query: RollupQuery,
  chunks: Chunks,
): Promise<TrendSeriesResult['columns']> {
  const { from, to, stepMs, quantiles = [] } = query;
  if (stepMs < TREND_WINDOW_MS) {
    const pieces = await secondsOf(source, from, to, chunks);
    return columnsOf(rowsBetween(concatRollups(stepMs, pieces), from, to));
  }
  const begin = Math.floor(from / stepMs) * stepMs;
  const summaries = await minutesOf(source, begin, Math.ceil(to / stepMs) * stepMs, chunks);
  const minutes = concatRollups(
    TREND_WINDOW_MS,
    summaries.map(({ row }) => row),
  );
  const rows = rowsBetween(coarsen(minutes, stepMs), begin, to);
  const columns: Record<string, Float64Array> = { ...columnsOf(rows) };
  for (const q of quantiles)
    columns[`q${q}`] = new Float64Array(rows.starts.length).fill(Number.NaN);
  if (quantiles.length > 0) fillQuantiles(columns, rows, summaries, quantiles, source.sketches);
  return columns;
}

/**
 * Memory is newer than what was written: where both have a window, its samples decide. Listed before the disk is looked at,
 * so that what is written meanwhile is in either.
 */
const inMemory = ({ keeper, series }: Source, from: number, to: number): readonly number[] =>
  keeper.store.windows(series.place).filter((start) => start >= from && start < to);

async function* windowsOf(starts: readonly number[], chunks: Chunks): AsyncGenerator<Dated> {
  for (const start of starts) yield* chunks(start, start + 1);
}

async function secondsOf(
  source: Source,
  from: number,
  to: number,
  chunks: Chunks,
): Promise<readonly Rollups[]> {
  const { keeper, series } = source;
  const first = Math.floor(from / TREND_WINDOW_MS) * TREND_WINDOW_MS;
  const pieces = new Map<number, Rollups>();
  const fresh = inMemory(source, first, to);
  const stored = keeper.disk.scan(...rangeOf('seconds', series, first, to));
  for await (const [key, value] of stored)
    pieces.set(startOf(key), decodeRollups(value, 1_000, startOf(key)));
  for await (const { start, chunk } of windowsOf(fresh, chunks))
    pieces.set(start, rollUp(chunk.samples, 1_000));
  return inOrder(pieces);
}

async function minutesOf(
  source: Source,
  from: number,
  to: number,
  chunks: Chunks,
): Promise<readonly Summary[]> {
  const { keeper, series, sketches } = source;
  const pieces = new Map<number, Summary>();
  const fresh = inMemory(source, from, to);
  const minutes = keeper.disk.scan(...rangeOf('minutes', series, from, to));
  for await (const [key, value] of minutes)
    pieces.set(startOf(key), decodeSummary(value, TREND_WINDOW_MS, startOf(key), sketches));
  // After the minutes, so that none is missed that is summed up meanwhile. An hour has all of its own in it, also such as a
  // crash has left behind.
  const hours = keeper.disk.scan(...rangeOf('hours', series, from, to));
  for await (const [key, value] of hours) {
    const hour = startOf(key);
    for (let start = hour; start < hour + TREND_HOUR_MS; start += TREND_WINDOW_MS)
      pieces.delete(start);
    pieces.set(hour, decodeSummary(value, TREND_HOUR_MS, hour, sketches));
  }
  for await (const { start, chunk } of windowsOf(fresh, chunks))
    pieces.set(start, summaryOf(chunk.samples, sketches));
  return inOrder(pieces);
}

const rangeOf = (
  level: 'seconds' | 'minutes' | 'hours',
  { id }: Series,
  from: number,
  to: number,
): readonly [Uint8Array, Uint8Array] => [
  keyOf(level, id, from),
  keyOf(level, id, Math.ceil(to / TREND_WINDOW_MS) * TREND_WINDOW_MS),
];

const inOrder = <T>(pieces: ReadonlyMap<number, T>): readonly T[] =>
  [...pieces].sort(([a], [b]) => a - b).map(([, piece]) => piece);

function fillQuantiles(
  columns: Record<string, Float64Array>,
  rows: Rollups,
  summaries: readonly Summary[],
  quantiles: readonly number[],
  sketches: SketchMaker,
): void {
  const merged = new Map<number, QuantileSketch>();
  for (const { row, sketch } of summaries) {
    const start = Math.floor((row.starts[0] ?? 0) / rows.stepMs) * rows.stepMs;
    const whole = merged.get(start) ?? sketches.empty();
    whole.merge(sketch);
    merged.set(start, whole);
  }
  for (const [at, start] of rows.starts.entries())
    for (const q of quantiles) {
      const column = columns[`q${q}`];
      if (column !== undefined) column[at] = merged.get(start)?.quantile(q) ?? Number.NaN;
    }
}

const columnsOf = (rows: Rollups): TrendSeriesResult['columns'] => ({
  start: rows.starts.slice(),
  count: rows.counts.slice(),
  missing: rows.missing.slice(),
  min: rows.mins.slice(),
  max: rows.maxs.slice(),
  mean: rows.means.slice(),
  first: rows.firsts.slice(),
  last: rows.lasts.slice(),
});
