import { Command, Option } from 'commander';
import { TocsinError } from '../../src/base/errors.ts';
import { TREND_POINTS_MAX, TREND_WINDOW_MS } from '../../src/base/trend-limits.ts';
import type {
  RollupStep,
  TrendMethod,
  TrendQuery,
  TrendResult,
} from '../../src/wire/trend/trend-query.ts';
import type { Io } from '../commands/io.ts';
import { withExamples } from '../commands/options.ts';
import { report } from '../commands/session.ts';
import { oneOf, parseNumber, whole } from '../commands/values.ts';
import { exportCommand } from './export-command.ts';
import {
  addRangeOptions,
  addTrendOptions,
  type RangeFlags,
  rangeOf,
  type TrendFlags,
  withTrends,
} from './flags.ts';
import { loadCommand } from './load-command.ts';
import { plotCommand } from './plot-command.ts';
import { renderRows, renderSeries, rowsOf, standingJson } from './render.ts';
import { stepOption } from './step-option.ts';

/** `tocsin trend`: vital signs as the trend tier keeps them. */
export const trendCommand = (io: Io): Command =>
  withExamples(new Command('trend').description('look at vital signs, plot and export them'), [
    ['tocsin trend latest', 'the newest value of each series'],
    ['tocsin trend plot pt-1/mon-1/HR --from 2h', 'two hours in the terminal'],
    ["tocsin trend export '*/*/HR' --out hr.parquet", 'for other programs'],
  ])
    .addCommand(seriesCommand(io))
    .addCommand(latestCommand(io))
    .addCommand(queryCommand(io))
    .addCommand(plotCommand(io))
    .addCommand(exportCommand(io))
    .addCommand(loadCommand(io));

const SERIES = ['[series...]', 'patient/device/metric; * stands for any text in one part'] as const;
const ALL = ['*/*/*'];

function seriesCommand(io: Io): Command {
  const command = new Command('series')
    .description('list series, and how fresh they are')
    .argument(...SERIES);
  return withExamples(addTrendOptions(command), [
    ['tocsin trend series', 'all of them'],
    ["tocsin trend series 'pt-1/*/*'", 'of one patient'],
  ]).action(async (series: readonly string[], flags: TrendFlags) => {
    await ask(io, flags, { what: 'series', series: orAll(series) }, renderSeries);
  });
}

function latestCommand(io: Io): Command {
  const command = new Command('latest')
    .description('the newest value of each series, and how old it is')
    .argument(...SERIES);
  return withExamples(addTrendOptions(command), [
    ['tocsin trend latest', 'of all series'],
    ["tocsin trend latest 'pt-1/*/*' -o json", 'of one patient, for programs'],
  ]).action(async (series: readonly string[], flags: TrendFlags) => {
    await ask(io, flags, { what: 'latest', series: orAll(series) }, renderSeries);
  });
}

const orAll = (series: readonly string[]): readonly string[] => (series.length > 0 ? series : ALL);

async function ask(
  io: Io,
  flags: TrendFlags,
  query: TrendQuery,
  render: typeof renderSeries,
): Promise<void> {
  await withTrends(io, flags, async (client, signal) => {
    const result = await client.query(query, { signal });
    await report(io, flags, {
      value: {
        standing: standingJson(result),
        series: result.series.map(({ key }) => key),
        rows: rowsOf(result),
      },
      rows: rowsOf(result),
      text: (options) => render(result, options),
    });
  });
}

interface QueryFlags extends RangeFlags {
  readonly step?: RollupStep;
  readonly points?: number;
  readonly method?: TrendMethod;
  readonly quantiles?: readonly number[];
}

function queryCommand(io: Io): Command {
  const command = new Command('query')
    .description('samples or rollups of a range of time')
    .argument('<series...>', SERIES[1])
    .addOption(stepOption())
    .option('--points <number>', 'thin out to about so many', whole(3, TREND_POINTS_MAX))
    .addOption(
      new Option('--method <name>', 'how to thin out: minmax or lttb').argParser(
        oneOf<TrendMethod>(['minmax', 'lttb']),
      ),
    )
    .option('--quantiles <list>', 'of rollups of 1m and 1h, such as 0.5,0.95', (text: string) =>
      text.split(',').map((one) => parseNumber(one.trim())),
    );
  return withExamples(addRangeOptions(command), [
    ['tocsin trend query pt-1/mon-1/HR --from 15m', 'samples'],
    ['tocsin trend query pt-1/mon-1/HR --step 1m --quantiles 0.5,0.95', 'rollups'],
    ["tocsin trend query 'pt-1/*/*' --points 200 -o csv", 'thinned out'],
  ]).action(async (series: readonly string[], flags: QueryFlags) => {
    await withTrends(io, flags, async (client, signal) => {
      const query = queryOf(series, rangeOf(io, flags), flags);
      const results: TrendResult[] = [];
      for await (const result of client.queryAll(query, { signal })) results.push(result);
      const rows = results.flatMap(rowsOf);
      const last = results.at(-1);
      await report(io, flags, {
        value: { standing: last === undefined ? null : standingJson(last), rows },
        rows,
        text: (options) => renderRows(rows, last, options),
      });
    });
  });
}

type Ranged = Extract<TrendQuery, { what: 'range' | 'rollup' }>;

function queryOf(
  series: readonly string[],
  range: { readonly from: number; readonly to: number },
  flags: Pick<QueryFlags, 'step' | 'points' | 'method' | 'quantiles'>,
): Ranged {
  const { step: stepMs, points, method, quantiles } = flags;
  if (quantiles !== undefined && (stepMs === undefined || stepMs < TREND_WINDOW_MS))
    throw new TocsinError('USAGE', '--quantiles are of rollups of a minute or an hour: --step 1m');
  if (points !== undefined && stepMs !== undefined)
    throw new TocsinError('USAGE', '--points thins out samples, not the rollups of --step');
  if (method !== undefined && points === undefined)
    throw new TocsinError('USAGE', '--method is how to thin out: --points says to how many');
  if (stepMs !== undefined)
    return { what: 'rollup', series, ...range, stepMs, ...(quantiles && { quantiles }) };
  return { what: 'range', series, ...range, ...(points && { points }), ...(method && { method }) };
}
