import type { Command, CommanderError } from 'commander';
import { MEANING, TocsinError } from '../../src/base/errors.ts';
import { didYouMean, didYouMeanCommand } from '../input/suggest.ts';
import { printable } from '../output/escape.ts';
import { FORMATS, isForPeople } from '../output/formats.ts';
import { Exit, type FailureLook, failureOf, renderFailure, usageError } from './failure.ts';
import type { Io } from './io.ts';
import { buildProgram, buildWholeProgram } from './program.ts';

/**
 * Runs one command line, without the names of the program and of Node before it. Resolves with the exit status when all
 * output is handed over; never rejects, never ends the process.
 */
export async function run(argv: readonly string[], io: Io): Promise<number> {
  const status = await attempt(argv, io);
  await Promise.all([io.stdout.flush(), io.stderr.flush()]);
  const lost: unknown = io.outputGone.reason;
  if (status !== 0 || !TocsinError.is(lost)) return status;
  const failure = failureOf(lost);
  io.stderr.write(renderFailure(failure, lookFor(argv, undefined, io)));
  await io.stderr.flush();
  return failure.exit;
}

async function attempt(argv: readonly string[], io: Io): Promise<number> {
  let command: Command | undefined;
  try {
    const words = withHelpAsFlag(argv);
    // The program itself takes no flags with values, so the first word without a dash is the command.
    const program = await buildProgram(
      io,
      words.filter((word) => !word.startsWith('-')).slice(0, 1),
      run,
    );
    adopt(program, io);
    command = mustBeCommand(program, words);
    if (command.commands.length === 0 && !asksForHelp(words)) await settle(command, words, io);
    await program.parseAsync(words, { from: 'user' });
    return 0;
  } catch (thrown) {
    if (thrown instanceof Exit) return thrown.status;
    const failure = failureOf(thrown);
    io.stderr.write(renderFailure(failure, lookFor(argv, command?.getOptionValue('output'), io)));
    return failure.exit;
  }
}

/** `help alert list` means `alert list --help`. */
const withHelpAsFlag = (argv: readonly string[]): string[] =>
  argv[0] === 'help' ? [...argv.slice(1), '--help'] : [...argv];

const asksForHelp = (words: readonly string[]): boolean =>
  words.includes('--help') || words.includes('-h');

/** What flags are worth that are not given. These must run whatever the configuration says: they mend it. */
const HEEDLESS: ReadonlySet<string> = new Set([
  'config',
  'context',
  'errors',
  'completion',
  'complete',
]);

async function settle(command: Command, words: readonly string[], io: Io): Promise<void> {
  const { applySettings, settingsOf } = await import('../config/settings.ts');
  const { surroundingsOf } = await import('../config/surroundings.ts');
  const path = pathOf(command).split(' ').slice(1);
  const isHeedless = HEEDLESS.has(path[0] ?? '');
  const surroundings = isHeedless
    ? { env: io.env, config: undefined, context: undefined, isContextGiven: false }
    : await surroundingsOf(io, contextIn(words));
  applySettings(command, settingsOf(command, path.join(' '), surroundings));
  if (isHeedless) return;
  const { complaintsOf } = await import('../config/strangers.ts');
  for (const says of await complaintsOf(command, io.env, () => buildWholeProgram(io)))
    io.stderr.write(`tocsin: ${printable(says)}\n`);
}

/** Decides what other flags are worth, so it is looked for before they are understood. */
function contextIn(words: readonly string[]): string | undefined {
  const at = words.lastIndexOf('--context');
  const joined = words.findLast((word) => word.startsWith('--context='));
  return joined?.slice('--context='.length) ?? (at < 0 ? undefined : words[at + 1]);
}

/** The command that the words lead to. Help for one that does not exist would look as if it did. */
function mustBeCommand(program: Command, words: readonly string[]): Command {
  let command = program;
  for (const word of words.filter((one) => !one.startsWith('-'))) {
    const { commands } = command;
    if (commands.length === 0) return command;
    const found = commands.find((below) => below.name() === word);
    const names = commands.map((below) => below.name());
    if (found === undefined)
      throw usageError(
        `unknown command "${word}"${didYouMeanCommand(word, names)}`,
        usageOf(command),
      );
    command = found;
  }
  return command;
}

/**
 * Whether a program reads the answer: then it gets errors as JSON too. Errors may come before flags are understood, so
 * this looks at the words themselves; `settled` is what the flag is worth if it is not given.
 */
function isForProgram(argv: readonly string[], settled: unknown): boolean {
  const given = argv.flatMap((word, at) => {
    if (word === '--json') return ['json'];
    if (word === '-o' || word === '--output') return argv.slice(at + 1, at + 2);
    return /^(?:-o=?|--output=)(.+)$/.exec(word)?.slice(1) ?? [];
  });
  const named = String(given.at(-1) ?? settled).toLowerCase();
  const format = FORMATS.find((known) => known === named);
  return format !== undefined && !isForPeople(format);
}

const lookFor = (argv: readonly string[], settled: unknown, { stderr }: Io): FailureLook => ({
  isJson: isForProgram(argv, settled),
  width: stderr.columns,
});

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
    .configureHelp({ minWidthToWrap: 30 })
    .helpCommand(false)
    .showSuggestionAfterError(true)
    .allowExcessArguments(false);
  for (const below of command.commands) adopt(below, io);
}

/** What commander's end of a run is to us. */
function leave(command: Command, error: CommanderError): Error {
  if (error.exitCode === 0) return new Exit(0);
  // Help for half a command: it was asked for something that is not there.
  if (error.code === 'commander.help') return new Exit(MEANING.USAGE.exit);
  const [message = '', suggestion] = error.message.replace(/^error: /, '').split('\n');
  const hints = suggestion === undefined ? [] : [suggestion.replace(/^\((.*)\)$/, '$1')];
  if (error.code === 'commander.missingMandatoryOptionValue') hints.push(...strangersOf(command));
  return usageError(message, [...hints, usageOf(command)].join('\n'));
}

/** What is missing may be there under a mistyped name, which commander would tell only when nothing is missing. */
function strangersOf(command: Command): string[] {
  const known = command.options.flatMap(({ long }) => long ?? []);
  return command.args
    .filter((word) => /^--\w/.test(word))
    .map((word) => word.split('=')[0] ?? word)
    .map((word) => `unknown option '${word}'${didYouMean(word, known)}`);
}

const usageOf = (command: Command): string => `usage: ${pathOf(command)} ${command.usage()}`;

function pathOf(command: Command): string {
  return command.parent === null ? command.name() : `${pathOf(command.parent)} ${command.name()}`;
}
