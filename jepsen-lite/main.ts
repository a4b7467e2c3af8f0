import { TocsinError } from '../src/base/errors.ts';
import { HELP, type Options, parseOptions } from './options.ts';
import { exitOf, runPairs, tableOf } from './pairs.ts';
import { writeReport } from './report/report.ts';
import { type Run, runTest } from './run.ts';

/**
 * The command behind `npm run jepsen`. Ends with 0 when the run is valid, 1 when it is not, 2 when it proves nothing or
 * its options are wrong, 3 when it could not be done.
 */

const SIGNALS = [
  ['SIGINT', 130],
  ['SIGTERM', 143],
  ['SIGHUP', 129],
] as const;

const EXITS = { valid: 0, INVALID: 1, VOID: 2 } as const;

function tell(run: Run): void {
  const { verdict, why, counts, codes, checks, faults, folder } = run;
  if (run.options.json) {
    console.log(JSON.stringify(summaryOf(run)));
    return;
  }
  for (const line of why.slice(0, 20)) console.log(`  ${line}`);
  const { done, refused, none, unknown, reads, readsFailed } = counts;
  console.log(
    `commands: ${done} done, ${refused} refused, ${none} not written, ${unknown} unknown`,
  );
  console.log(`reads: ${reads} answered, ${readsFailed} failed`);
  console.log(
    `checked: ${checks.operations} operations, ${checks.events} events, ${checks.watchMessages} watch messages, ${checks.conditions} conditions (${checks.unknown} not decided)`,
  );
  console.log(`told instead: ${counted(codes)}`);
  for (const [name, figures] of Object.entries(run.figures))
    console.log(`${name}: ${listed(figures)}`);
  console.log(`faults: ${counted(faults)}`);
  console.log(`${verdict}: ${folder}/report.html`);
}

/** What fits on a line: not each operation, each event and each fault. */
function summaryOf(run: Run): object {
  const { history: _, seenAt: __, times: ___, timings: ____, spans, stretches, ...rest } = run;
  return rest;
}

const listed = (figures: Readonly<Record<string, string | number>>): string =>
  Object.entries(figures)
    .map(([name, value]) => `${name} ${value}`)
    .join(', ');

const counted = (counts: Readonly<Record<string, number>>): string => listed(counts) || 'none';

const say =
  ({ json }: Options) =>
  (line: string): void => {
    if (!json) console.error(line);
  };

/** Whoever interrupts gets a verdict on what was done until then; whoever does it twice, an end at once. */
function interruption(): AbortSignal {
  const stop = new AbortController();
  for (const [signal, status] of SIGNALS)
    process.on(signal, () => {
      if (stop.signal.aborted) process.exit(status);
      console.error(
        `jepsen: ${signal}: healing, then checking what was done; again to end at once`,
      );
      stop.abort();
    });
  return stop.signal;
}

async function main(options: Options): Promise<number> {
  if (options.help) {
    console.log(HELP);
    return 0;
  }
  if (options.all) return await testPairs(options);
  const run = await runTest(options, say(options), interruption());
  await writeReport(run);
  tell(run);
  return EXITS[run.verdict];
}

async function testPairs(options: Options): Promise<number> {
  const stop = interruption();
  const runOne = async (own: Options): Promise<Run> => {
    const run = await runTest(own, () => {}, stop);
    if (run.verdict !== 'valid') await writeReport(run);
    return run;
  };
  const outcomes = await runPairs(options, runOne, say(options), stop);
  console.log(options.json ? JSON.stringify(outcomes) : tableOf(outcomes));
  return exitOf(outcomes);
}

function fail(error: unknown, status: number): never {
  const code = TocsinError.is(error) ? `${error.code}: ` : '';
  console.error(`jepsen: ${code}${error instanceof Error ? error.message : String(error)}`);
  process.exit(status);
}

function optionsOf(args: readonly string[]): Options {
  try {
    return parseOptions(args);
  } catch (error) {
    return fail(error, 2);
  }
}

try {
  process.exit(await main(optionsOf(process.argv.slice(2))));
} catch (error) {
  fail(error, 3);
}
