import { Command } from 'commander';
import { DEMO_BEDS_MAX } from '../../src/base/limits.ts';
import { Exit } from '../commands/failure.ts';
import type { Io } from '../commands/io.ts';
import {
  addJsonOption,
  addOutputOptions,
  type OutputFlags,
  withExamples,
} from '../commands/options.ts';
import { processIo } from '../commands/process-io.ts';
import { INTERRUPTED, report, watchInterrupts } from '../commands/session.ts';
import { whole } from '../commands/values.ts';
import { isForPeople } from '../output/formats.ts';
import { type Paint, paintFor } from '../output/paint.ts';
import type { Reporter } from './reporter.ts';

interface DemoFlags extends OutputFlags {
  readonly beds: number;
  readonly seed?: number;
  readonly duration: number;
}

const SEED_MAX = 2 ** 32 - 1;
const SECONDS_MIN = 10;
const SECONDS_MAX = 3_600;

/** `tocsin demo`: the whole way of the data, with a failover in the middle and an account at the end. */
export function demoCommand(io: Io = processIo()): Command {
  const command = new Command('demo')
    .description(
      'run three replicas and a simulated ward, kill the leader, and check that nothing is lost',
    )
    .option(
      '--beds <number>',
      `beds of the ward, 1 to ${DEMO_BEDS_MAX}`,
      whole(1, DEMO_BEDS_MAX),
      24,
    )
    .option(
      '--seed <number>',
      'decides what happens on the ward (default: drawn)',
      whole(0, SEED_MAX),
    )
    .option('--duration <seconds>', 'how long the ward plays', whole(SECONDS_MIN, SECONDS_MAX), 30);
  withExamples(addJsonOption(addOutputOptions(command)), [
    ['tocsin demo', '24 beds for half a minute'],
    ['tocsin demo --beds 100 --duration 120', 'a larger ward, for longer'],
    ['tocsin demo --seed 7', 'the same ward each time'],
    ['tocsin demo --duration 20 --json', 'for programs; the story goes to standard error'],
  ]);
  command.addHelpText(
    'after',
    '\nExit status: 0 if nothing was lost or doubled and the replicas agree, else 1.',
  );
  return command.action((flags: DemoFlags) => demo(io, flags));
}

async function demo(io: Io, flags: DemoFlags): Promise<void> {
  const [{ runDemo }, { failuresOf, renderSummary, summaryOf }, { randomInt }] = await Promise.all([
    import('./run.ts'),
    import('./summary.ts'),
    import('node:crypto'),
  ]);
  const { beds, seed = randomInt(SEED_MAX), duration, color } = flags;
  const isForProgram = !isForPeople(flags.output);
  const output = isForProgram ? io.stderr : io.stdout;
  const paint = paintFor({ isTTY: output.isTTY, color, env: io.env });
  const stop = new AbortController();
  const end = (): void => stop.abort(new Exit(INTERRUPTED));
  const patience = watchInterrupts(io, (count) => {
    end();
    return count > 1;
  });
  io.outputGone.addEventListener('abort', end);
  try {
    const reporter = await reporterFor(io, isForProgram, paint);
    const { signal } = stop;
    const running = runDemo({ beds, seed, durationMs: duration * 1_000, reporter, signal });
    const result = await Promise.race([running, patience.isOver]);
    const text = renderSummary(result, { beds, seed }, paint);
    output.write(text);
    await output.flush();
    if (isForProgram)
      await report(io, flags, { value: summaryOf(result, { beds, seed }), text: () => text });
    if (failuresOf(result).length > 0) throw new Exit(1);
  } finally {
    patience.dispose();
    io.outputGone.removeEventListener('abort', end);
  }
}

/** A live table on a terminal that can draw one, lines elsewhere. */
async function reporterFor(io: Io, isForProgram: boolean, paint: Paint): Promise<Reporter> {
  const { liveReporter, plainReporter } = await import('./reporter.ts');
  const output = isForProgram ? io.stderr : io.stdout;
  const isLive = !isForProgram && output.isTTY && io.env['TERM'] !== 'dumb';
  if (!isLive) return plainReporter((text) => output.write(text), paint);
  const { processTerminal } = await import('./process-terminal.ts');
  return liveReporter(processTerminal(output), paint);
}
