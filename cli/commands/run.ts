import type { Command, CommanderError } from 'commander';
import { MEANING, TocsinError } from '../../src/base/errors.ts';
import { Exit, failureOf, HintedError, renderFailure } from './failure.ts';
import type { Io } from './io.ts';
import { buildProgram } from './program.ts';

/**
 * Runs one command line, without the names of the program and of Node before it. Resolves with the exit status when all
 * output is handed over; never rejects, never ends the process.
 */
export async function run(argv: readonly string[], io: Io): Promise<number> {
  const status = await attempt(argv, io);
  await Promise.all([io.stdout.flush(), io.stderr.flush()]);
  return status;
}

async function attempt(argv: readonly string[], io: Io): Promise<number> {
  try {
    const program = await buildProgram(io, argv);
    adopt(program, io);
    await program.parseAsync([...argv], { from: 'user' });
    return 0;
  } catch (thrown) {
    if (thrown instanceof Exit) return thrown.status;
    const failure = failureOf(thrown);
    io.stderr.write(renderFailure(failure, wantsJson(argv)));
    return failure.exit;
  }
}

/** Errors may come before flags are understood, so this looks at the words themselves. */
function wantsJson(argv: readonly string[]): boolean {
  return argv.some(
    (word, at) =>
      word === '-ojson' ||
      word === '--output=json' ||
      ((word === '-o' || word === '--output') && argv[at + 1] === 'json'),
  );
}

/** Gives a command and all below it our streams, and makes it throw where it would end the process. */
function adopt(command: Command, io: Io): void {
  command
    .exitOverride((error) => {
      throw leave(command, error);
    })
    .configureOutput({
      writeOut: (text) => io.stdout.write(text),
      writeErr: (text) => io.stderr.write(text),
      outputError: () => {}, // `run` reports it, with its code.
      getOutHelpWidth: () => io.stdout.columns ?? 100,
      getErrHelpWidth: () => io.stderr.columns ?? 100,
      getOutHasColors: () => false,
      getErrHasColors: () => false,
    })
    .showSuggestionAfterError(true)
    .allowExcessArguments(false);
  for (const below of command.commands) adopt(below, io);
}

/** What commander's end of a run is to us. */
function leave(command: Command, error: CommanderError): Error {
  if (error.code === 'commander.help') return new Exit(MEANING.USAGE.exit);
  if (error.exitCode === 0) return new Exit(0);
  const [message = '', suggestion] = error.message.replace(/^error: /, '').split('\n');
  const line = `usage: ${pathOf(command)} ${command.usage()}`;
  const hints = [
    ...(suggestion === undefined ? [] : [suggestion.replace(/^\((.*)\)$/, '$1')]),
    line,
  ];
  return new HintedError(new TocsinError('USAGE', message), hints.join('\n'));
}

function pathOf(command: Command): string {
  return command.parent === null ? command.name() : `${pathOf(command.parent)} ${command.name()}`;
}
