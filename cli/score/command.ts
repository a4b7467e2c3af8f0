import { Command, InvalidArgumentError } from 'commander';
import type { SpO2Scale } from '../../src/analytics/scores/news2.ts';
import type { Io } from '../commands/io.ts';
import { withExamples } from '../commands/options.ts';
import { parseAddresses, parseText } from '../commands/values.ts';
import { mustBeWritable, writeWhole } from '../output/whole-file.ts';
import type { BedsideScoreName } from './bedside-of-stays.ts';
import { earlyWarningCommand } from './early-warning-command.ts';
import type { Through } from './kept-stays.ts';

interface ScoreFlags {
  readonly out?: string;
  readonly through?: readonly string[];
}

interface News2Flags extends ScoreFlags {
  readonly scale: SpO2Scale;
  readonly validFor: number;
}

const MEWS = 'MEWS (Subbe 2001), positive at 5; of a GCS the nearest AVPU letter counts';
const QSOFA = 'qSOFA (Sepsis-3), positive at 2';
const SHOCK_INDEX = 'heart rate over systolic pressure, positive above 0.9';

/** `tocsin score`: scores over folders of charted stays. */
export const scoreCommand = (io: Io): Command =>
  withExamples(
    new Command('score')
      .description('compute early-warning scores over folders of charted stays')
      .usage('<command> [options]')
      .addCommand(news2Command(io))
      .addCommand(bedsideCommand(io, 'mews', MEWS))
      .addCommand(bedsideCommand(io, 'qsofa', QSOFA))
      .addCommand(bedsideCommand(io, 'shock-index', SHOCK_INDEX))
      .addCommand(earlyWarningCommand(io)),
    [['tocsin score news2 ./stays', 'as CSV on standard output']],
  );

function news2Command(io: Io): Command {
  const command = new Command('news2')
    .description(
      'NEWS2 at each time at which an input was charted, the last value of each input carried forward; ' +
        '`inputs` below 7 means that the score is partial, a lower bound',
    )
    .argument('<folder>', 'holds stays named NUMBER.txt (Time,Parameter,Value)', parseText)
    .option('--out <file>', 'write the CSV there instead of to standard output')
    .option('--scale <number>', 'SpO2 scale; 2 is for hypercapnic failure only', parseScale, 1)
    .option(
      '--valid-for <hours>',
      'adds a column: complete, stale (an input is older than this) or partial',
      parseHours,
      Infinity,
    )
    .option(
      '--through <addresses>',
      'put the stays into the trend tier at these addresses first, and score what comes back',
      parseAddresses,
    );
  return withExamples(command, [
    ['tocsin score news2 ./stays', 'as CSV on standard output'],
    ['tocsin score news2 ./stays --out news2.csv', 'into a file'],
    ['tocsin score news2 ./stays --valid-for 4', 'says which scores rest on old inputs'],
  ]).action(async (folder: string, flags: News2Flags) => {
    if (flags.out !== undefined) await mustBeWritable(flags.out);
    const { news2OfStays } = await import('./news2-of-stays.ts');
    const options = { scale: flags.scale, validForMs: flags.validFor * HOUR_MS };
    await writeScores(io, flags, (through) => news2OfStays(folder, options, through));
  });
}

function bedsideCommand(io: Io, name: BedsideScoreName, says: string): Command {
  const command = new Command(name)
    .description(
      `${says}; at each time at which an input was charted, the last value of each carried forward; ` +
        '`inputs` below `of` means that it is partial, a lower bound',
    )
    .argument('<folder>', 'holds stays named NUMBER.txt (Time,Parameter,Value)', parseText)
    .option('--out <file>', 'write the CSV there instead of to standard output')
    .option(
      '--through <addresses>',
      'put the stays into the trend tier at these addresses first, and score what comes back',
      parseAddresses,
    );
  return withExamples(command, [
    [`tocsin score ${name} ./stays`, 'as CSV on standard output'],
    [`tocsin score ${name} ./stays --out ${name}.csv`, 'into a file'],
  ]).action(async (folder: string, flags: ScoreFlags) => {
    if (flags.out !== undefined) await mustBeWritable(flags.out);
    const { bedsideOfStays } = await import('./bedside-of-stays.ts');
    await writeScores(io, flags, (through) => bedsideOfStays(folder, name, through));
  });
}

/** Where it was asked for; of what a cluster kept, if one was named. */
async function writeScores(
  io: Io,
  { out, through: endpoints }: ScoreFlags,
  scores: (through: Through | undefined) => Promise<string>,
): Promise<void> {
  const client =
    endpoints &&
    (await io.services.connectTrends({
      endpoints,
      name: 'score',
      timeoutMs: QUERY_MS,
      signal: io.outputGone,
    }));
  let csv: string;
  try {
    csv = await scores(client && { client, now: io.wall() });
  } finally {
    await client?.close();
  }
  if (out === undefined) io.stdout.write(csv);
  else await writeWhole(out, csv);
}

const HOUR_MS = 3_600_000;
const QUERY_MS = 30_000;

function parseScale(text: string): SpO2Scale {
  if (text === '1') return 1;
  if (text === '2') return 2;
  throw new InvalidArgumentError('It must be 1 or 2.');
}

function parseHours(text: string): number {
  const hours = /^\d{1,4}(?:\.\d{1,3})?$/.test(text) ? Number(text) : Number.NaN;
  if (hours > 0) return hours;
  throw new InvalidArgumentError('It must be a number of hours above 0, such as 4 or 0.5.');
}
