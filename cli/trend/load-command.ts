import { Command } from 'commander';
import { METRICS } from '../../src/base/rules/metrics.ts';
import type { Io } from '../commands/io.ts';
import { withExamples } from '../commands/options.ts';
import { report } from '../commands/session.ts';
import { parseInstant, parseText } from '../commands/values.ts';
import { findRecordings, RECORDING_METRICS, readRows } from '../input/recordings.ts';
import { addTrendOptions, type TrendFlags, withTrends } from './flags.ts';

interface LoadFlags extends TrendFlags {
  readonly device: string;
  readonly at?: number;
}

/** Samples on their way before the reader of the files waits. */
const PENDING_MAX = 65_536;

/** `tocsin trend load`: recorded numerics into the trend tier, as fast as it takes them. */
export function loadCommand(io: Io): Command {
  const command = new Command('load')
    .description('put a folder of recorded numerics into the trend tier')
    .argument('<folder>', 'holds recordings named bidmc_NN_Numerics.csv', parseText)
    .option('--device <name>', 'as which device', parseText, 'recording')
    .option('--at <time>', 'the recordings’ time 0 (default: so that they end now)', parseInstant);
  return withExamples(addTrendOptions(command), [
    ['tocsin trend load ./recordings', 'they end now'],
    ['tocsin trend load ./recordings --at 2026-03-01T03:00:00Z', 'at a time of their own'],
  ]).action(async (folder: string, flags: LoadFlags) => {
    const recordings = await findRecordings(folder);
    await withTrends(io, flags, async (client, signal) => {
      const origin = flags.at ?? io.wall() - (await endOf(recordings)) - 1_000;
      const writer = client.writer();
      const numbers = recordings.map(({ patient }) =>
        RECORDING_METRICS.map((metric) =>
          writer.series({ patient, device: flags.device, metric, unit: METRICS[metric].unit }),
        ),
      );
      for await (const { recording, timeMs, values } of readRows(recordings, 'time')) {
        if (signal.aborted) break;
        for (const [at, value] of values.entries())
          writer.add(numbers[recording]?.[at] as number, Math.round(origin + timeMs), value);
        if (writer.pending > PENDING_MAX) await writer.ready(PENDING_MAX);
      }
      await writer.drain();
      const { inOrder, behind, tooOld, tooNew, noRoom } = writer.taken;
      const [taken, refused] = [inOrder + behind, tooOld + tooNew + noRoom];
      const patients = recordings.length;
      await report(io, flags, {
        value: { taken, refused, patients },
        text: () => `${taken} samples taken, ${refused} refused, of ${patients} patients\n`,
      });
    });
  });
}

async function endOf(recordings: Parameters<typeof readRows>[0]): Promise<number> {
  let end = 0;
  for await (const { timeMs } of readRows(recordings, 'patient')) end = Math.max(end, timeMs);
  return end;
}
