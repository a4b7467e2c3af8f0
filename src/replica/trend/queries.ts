import { TocsinError } from '../../base/errors.ts';
import {
  TREND_ANSWER_ROWS_MAX,
  TREND_HOUR_MS,
  TREND_QUERY_SERIES_MAX,
  TREND_SCAN_SAMPLES_MAX,
  TREND_WINDOW_MS,
} from '../../base/trend-limits.ts';
import { type Chunk, decodeChunk, joinChunks } from '../../trend/chunk.ts';
import { lttb, minMax } from '../../trend/downsample.ts';
import { between, concat, type Samples } from '../../trend/samples.ts';
import type { Series } from '../../trend/series.ts';
import type { SketchMaker } from '../../trend/sketch.ts';
import { windowOf } from '../../trend/window.ts';
import type {
  TrendQuery,
  TrendResult,
  TrendSeriesResult,
  TrendStanding,
} from '../../wire/trend/trend-query.ts';
import type { TrendKeeper } from './keeper.ts';
import { keyOf, startOf } from './keys.ts';
import { type RollupQuery, rollupColumns } from './rollup-query.ts';

type RangeQuery = Extract<TrendQuery, { what: 'range' }>;

/** Answers from what this replica has, in memory and on disk, and says how fresh and how complete that is. */
export class TrendQueries {
  readonly #keeper: TrendKeeper;
  readonly #sketches: SketchMaker;
  readonly #standing: () => TrendStanding;

  constructor(keeper: TrendKeeper, sketches: SketchMaker, standing: () => TrendStanding) {
    this.#keeper = keeper;
    this.#sketches = sketches;
    this.#standing = standing;
  }

  /** @throws TocsinError BAD_REQUEST when it asks for too much at once */
  async answer(query: TrendQuery): Promise<TrendResult> {
    const all = this.#match(query.series);
    switch (query.what) {
      case 'series':
        return this.#result(await this.#each(all, (series) => this.#head(series)));
      case 'latest':
        return this.#result(await this.#each(all, (series) => this.#latest(series)));
      case 'range':
        return await (query.points === undefined
          ? this.#range(all, query)
          : this.#thinned(all, query, query.points));
      case 'rollup':
        return await this.#rollups(all, query);
    }
  }

  #result(series: readonly TrendSeriesResult[], coveredTo?: number): TrendResult {
    const standing = this.#standing();
    return { standing: coveredTo === undefined ? standing : { ...standing, coveredTo }, series };
  }

  /** In order of key. @throws TocsinError BAD_REQUEST */
  #match(patterns: readonly string[]): readonly Series[] {
    const tests = patterns.map(matcherOf);
    const found = [...this.#keeper.registry].filter(({ key }) => tests.some((test) => test(key)));
    if (found.length > TREND_QUERY_SERIES_MAX)
      throw new TocsinError(
        'BAD_REQUEST',
        `series: ${found.length} match, at most ${TREND_QUERY_SERIES_MAX} are answered at once`,
      );
    return found.sort((a, b) => (a.key < b.key ? -1 : 1));
  }

  async #each(
    all: readonly Series[],
    answer: (series: Series) => Promise<TrendSeriesResult>,
  ): Promise<readonly TrendSeriesResult[]> {
    const results: TrendSeriesResult[] = [];
    for (const series of all) results.push(await answer(series));
    return results;
  }

  async #head(
    series: Series,
    columns: TrendSeriesResult['columns'] = {},
  ): Promise<TrendSeriesResult> {
    const latest = await this.#keeper.latest(series);
    const { key, info } = series;
    return {
      key,
      unit: info.unit,
      newestAt: latest?.time ?? null,
      newestReceivedAt: latest === undefined ? null : Math.round(latest.receivedAt),
      columns,
    };
  }

  async #latest(series: Series): Promise<TrendSeriesResult> {
    const latest = await this.#keeper.latest(series);
    if (latest === undefined) return this.#head(series);
    const { time, value, quality } = latest;
    return this.#head(series, {
      time: Float64Array.of(time),
      value: Float64Array.of(value),
      quality: Float64Array.of(quality),
    });
  }

  /** As many whole windows as fit one answer, the same of all series. */
  async #range(all: readonly Series[], query: RangeQuery): Promise<TrendResult> {
    const budget = Math.max(1, Math.floor(TREND_ANSWER_ROWS_MAX / Math.max(1, all.length)));
    const answers: { series: Series; samples: Samples }[] = [];
    let end = query.to;
    for (const series of all) {
      const pieces: Samples[] = [];
      let count = 0;
      for await (const { start, chunk } of this.#chunks(series, query.from, end)) {
        if (start >= end) break;
        const piece = between(chunk.samples, query.from, query.to);
        if (pieces.length > 0 && count + piece.times.length > budget) {
          end = start;
          break;
        }
        count += piece.times.length;
        pieces.push(piece);
      }
      answers.push({ series, samples: concat(pieces) });
    }
    const results: TrendSeriesResult[] = [];
    for (const { series, samples } of answers)
      results.push(await this.#head(series, columnsOf(between(samples, query.from, end))));
    return this.#result(results, end < query.to ? end : undefined);
  }

  async #thinned(all: readonly Series[], query: RangeQuery, points: number): Promise<TrendResult> {
    const { from, to, method = 'minmax' } = query;
    if (points * all.length > TREND_ANSWER_ROWS_MAX)
      throw new TocsinError('BAD_REQUEST', `points: more than ${TREND_ANSWER_ROWS_MAX} in all`);
    const results: TrendSeriesResult[] = [];
    let looked = 0;
    for (const series of all) {
      const pieces: Samples[] = [];
      for await (const { chunk } of this.#chunks(series, from, to)) {
        looked += chunk.samples.times.length;
        if (looked > TREND_SCAN_SAMPLES_MAX)
          throw new TocsinError('BAD_REQUEST', 'too many samples to thin out: ask for rollups');
        pieces.push(between(chunk.samples, from, to));
      }
      const whole = concat(pieces);
      const thin =
        method === 'lttb' ? lttb(whole, points) : minMax(whole, from, to, Math.ceil(points / 2));
      results.push(await this.#head(series, columnsOf(thin)));
    }
    return this.#result(results);
  }

  async #rollups(all: readonly Series[], query: RollupQuery): Promise<TrendResult> {
    const rows = Math.ceil((query.to - query.from) / query.stepMs) + 1;
    const room = Math.floor(TREND_ANSWER_ROWS_MAX / Math.max(1, all.length));
    // Whole hours from where a row does, so that each answer begins there too.
    const span = Math.max(1, Math.floor((room * query.stepMs) / TREND_HOUR_MS)) * TREND_HOUR_MS;
    const step = Math.max(query.stepMs, TREND_WINDOW_MS);
    const begin = Math.floor(query.from / step) * step;
    const end = rows <= room ? query.to : Math.min(query.to, begin + span);
    const results: TrendSeriesResult[] = [];
    for (const series of all) {
      const columns = await rollupColumns(
        { keeper: this.#keeper, sketches: this.#sketches, series },
        { ...query, to: end },
        (from, to) => this.#chunks(series, from, to),
      );
      results.push(await this.#head(series, columns));
    }
    return this.#result(results, end < query.to ? end : undefined);
  }

  /** Chunks of a series, on disk and in memory joined, in order of time. */
  async *#chunks(series: Series, from: number, to: number): AsyncGenerator<Dated, void, undefined> {
    const first = windowOf(from);
    const { store, disk } = this.#keeper;
    const inMemory = store
      .windows(series.place)
      .filter((start) => start >= first && start < to)
      .sort((a, b) => a - b);
    const end = Math.ceil(to / TREND_WINDOW_MS) * TREND_WINDOW_MS;
    const stored = disk.scan(keyOf('chunk', series.id, first), keyOf('chunk', series.id, end));
    for await (const [key, bytes] of stored) {
      const start = startOf(key);
      while ((inMemory[0] ?? Infinity) < start) yield* this.#fromMemory(series, inMemory.shift());
      if (inMemory[0] === start) {
        yield* this.#fromMemory(series, inMemory.shift());
        continue;
      }
      await this.#keeper.breathe();
      const held = store.chunk(series.place, start);
      const chunk = decodeChunk(bytes, start);
      yield { start, chunk: held === undefined ? chunk : joinChunks(chunk, held) };
    }
    for (const start of inMemory) yield* this.#fromMemory(series, start);
  }

  /** Or from disk, if it has been written meanwhile: what is being scanned is older. */
  async *#fromMemory(
    series: Series,
    start: number | undefined,
  ): AsyncGenerator<Dated, void, undefined> {
    await this.#keeper.breathe();
    const chunk = start === undefined ? undefined : await this.#keeper.chunk(series, start);
    if (start !== undefined && chunk !== undefined) yield { start, chunk };
  }
}

export interface Dated {
  readonly start: number;
  readonly chunk: Chunk;
}

const columnsOf = ({ times, values, qualities }: Samples): TrendSeriesResult['columns'] => ({
  time: times.slice(),
  value: values.slice(),
  quality: Float64Array.from(qualities),
});

/** `*` stands for any text without a slash. */
function matcherOf(pattern: string): (key: string) => boolean {
  if (!pattern.includes('*')) return (key) => key === pattern;
  const parts = pattern.split('*').map((part) => part.replaceAll(/[.+?^${}()|[\]\\]/g, '\\$&'));
  const expression = new RegExp(`^${parts.join('[^/]*')}$`);
  return (key) => expression.test(key);
}
