import { Command } from 'commander';
import type { Io } from '../commands/io.ts';
import { withExamples } from '../commands/options.ts';
import { report } from '../commands/session.ts';
import { whole } from '../commands/values.ts';
import { addRangeOptions, type RangeFlags, rangeOf, withTrends } from './flags.ts';
import { plot } from './plot.ts';
import { rowsOf, standingJson } from './render.ts';

interface PlotFlags extends RangeFlags {
  readonly width?: number;
  readonly height: number;
}

const WIDTH_DEFAULT = 80;
const HEIGHT_DEFAULT = 12;

/** `tocsin trend plot`: lines in the terminal, thinned out by least and greatest so that no peak is lost. */
export function plotCommand(io: Io): Command {
  const command = new Command('plot')
    .description('draw series in the terminal; least and greatest of each column are kept')
    .argument('<series...>', 'patient/device/metric; * stands for any text in one part')
    .option('--width <columns>', 'default: that of the terminal', whole(20, 400))
    .option('--height <rows>', 'of each series', whole(3, 60), HEIGHT_DEFAULT);
  return withExamples(addRangeOptions(command), [
    ['tocsin trend plot pt-1/mon-1/HR --from 2h', 'two hours of heart rate'],
    ["tocsin trend plot 'pt-1/*/*' --from 8h --height 6", 'all of a patient'],
  ]).action(async (series: readonly string[], flags: PlotFlags) => {
    await withTrends(io, flags, async (client, signal) => {
      const width = flags.width ?? io.stdout.columns ?? WIDTH_DEFAULT;
      const range = rangeOf(io, flags);
      // A column of braille dots is two wide.
      const points = Math.min(width * 4, 1_600);
      const result = await client.query({ what: 'range', series, ...range, points }, { signal });
      const rows = rowsOf(result);
      const options = { ...range, width, height: flags.height };
      await report(io, flags, {
        value: { standing: standingJson(result), rows },
        rows,
        text: () => result.series.map((one) => plot(one, options)).join('') || 'no series match\n',
      });
    });
  });
}
