import { Command, InvalidArgumentError } from 'commander';
import type { RollupStep, TrendQuery, TrendResult } from '../../src/wire/trend/trend-query.ts';
import type { Io, TrendApi } from '../commands/io.ts';
import { withExamples } from '../commands/options.ts';
import { report } from '../commands/session.ts';
import { mustBeWritable, writeWhole } from '../output/whole-file.ts';
import { addRangeOptions, type RangeFlags, rangeOf, withTrends } from './flags.ts';
import { stepOption } from './step-option.ts';

interface ExportFlags extends RangeFlags {
  readonly out: string;
  readonly step?: RollupStep;
}

/** `tocsin trend export`: a range as a file, CSV or Parquet by its ending. */
export function exportCommand(io: Io): Command {
  const command = new Command('export')
    .description('write samples or rollups of a range into a file')
    .argument('<series...>', 'patient/device/metric; * stands for any text in one part')
    .requiredOption('--out <file>', 'ends in .csv or .parquet', parseOut)
    .addOption(stepOption());
  return withExamples(addRangeOptions(command), [
    ["tocsin trend export '*/*/*' --from 8h --out shift.parquet", 'a shift, all series'],
    ['tocsin trend export pt-1/mon-1/HR --step 1m --out hr.csv', 'rollups'],
  ]).action(async (series: readonly string[], flags: ExportFlags) => {
    await mustBeWritable(flags.out);
    await withTrends(io, flags, async (client, signal) => {
      const range = rangeOf(io, flags);
      const { step: stepMs } = flags;
      const query =
        stepMs === undefined
          ? ({ what: 'range', series, ...range } as const)
          : ({ what: 'rollup', series, ...range, stepMs } as const);
      const results = await collect(client, query, signal);
      const { csvOf, parquetOf } = await import('./files.ts');
      const isParquet = flags.out.toLowerCase().endsWith('.parquet');
      await writeWhole(flags.out, isParquet ? parquetOf(results) : csvOf(results));
      const rows = rowCount(results);
      await report(io, flags, {
        value: { rows, file: flags.out },
        text: () => `${rows} rows written to ${flags.out}\n`,
      });
    });
  });
}

async function collect(
  client: TrendApi,
  query: Extract<TrendQuery, { what: 'range' | 'rollup' }>,
  signal: AbortSignal,
): Promise<readonly TrendResult[]> {
  const results: TrendResult[] = [];
  for await (const result of client.queryAll(query, { signal })) results.push(result);
  return results;
}

const rowCount = (results: readonly TrendResult[]): number =>
  results
    .flatMap(({ series }) => series)
    .reduce((total, { columns }) => total + (Object.values(columns)[0]?.length ?? 0), 0);

function parseOut(text: string): string {
  if (/\.(csv|parquet)$/i.test(text)) return text;
  throw new InvalidArgumentError('It must end in .csv or .parquet.');
}
