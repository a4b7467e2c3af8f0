import type { Argument, Command, Option } from 'commander';

/** A word that may stand where the cursor is. */
export interface Candidate {
  readonly word: string;
  readonly says: string;
}

/** What only the world knows: names of contexts, open alerts. */
export type Knowledge = (what: 'alert' | 'context') => Promise<readonly Candidate[]>;

/**
 * What may follow: `words` are those after the name of the program, the last one being written, and empty when it is not
 * begun. Only what begins as that one does.
 */
export async function complete(
  program: Command,
  words: readonly string[],
  known: Knowledge,
): Promise<readonly Candidate[]> {
  const last = words.at(-1) ?? '';
  const { command, operands, open } = walk(program, words.slice(0, -1));
  // A word that leads nowhere: nothing can follow.
  if (operands > 0 && command.commands.length > 0) return [];
  const found =
    open === undefined
      ? ((await joinedTo(command, last, known)) ?? (await wordsOf(command, operands, last, known)))
      : await valuesOf(open, known);
  return found.filter(({ word }) => word.startsWith(last) && word !== '');
}

interface Place {
  readonly command: Command;
  /** Operands that the command has already. */
  readonly operands: number;
  /** The flag whose value is being written. */
  readonly open: Option | undefined;
}

function walk(program: Command, words: readonly string[]): Place {
  let command = program;
  let operands = 0;
  let open: Option | undefined;
  for (const word of words) {
    if (open !== undefined) {
      open = undefined;
      continue;
    }
    if (word.startsWith('-')) {
      const flag = command.options.find(({ long, short }) => word === long || word === short);
      if (flag?.required === true || flag?.optional === true) open = flag;
      continue;
    }
    const below = command.commands.find((one) => one.name() === word);
    if (below === undefined) operands += 1;
    else command = below;
  }
  return { command, operands, open };
}

/** What a flag may be worth that the same word names: `--output=json`. Undefined = it names none. */
async function joinedTo(
  command: Command,
  last: string,
  known: Knowledge,
): Promise<readonly Candidate[] | undefined> {
  const [, name] = /^(--[^=]+)=/.exec(last) ?? [];
  const flag = command.options.find(({ long }) => long === name);
  if (flag === undefined || flag.isBoolean()) return undefined;
  const values = await valuesOf(flag, known);
  return values.map(({ word, says }) => ({ word: `${name}=${word}`, says }));
}

async function wordsOf(
  command: Command,
  operands: number,
  last: string,
  known: Knowledge,
): Promise<readonly Candidate[]> {
  if (last.startsWith('-'))
    return [...command.options, ...command.createHelp().visibleOptions(command)]
      .filter((option, at, all) => all.findIndex((one) => one.long === option.long) === at)
      .map(({ long, description }) => ({ word: long ?? '', says: description }));
  if (command.commands.length > 0)
    return command
      .createHelp()
      .visibleCommands(command)
      .map((below) => ({ word: below.name(), says: below.description() }));
  const argument = command.registeredArguments[operands];
  return argument === undefined ? [] : await valuesOf(argument, known);
}

/** The words of a closed set, or what the world knows by the name of the flag or argument. */
async function valuesOf(taker: Option | Argument, known: Knowledge): Promise<readonly Candidate[]> {
  const { parseArg } = taker;
  const words: unknown = parseArg === undefined ? undefined : Reflect.get(parseArg, 'words');
  if (Array.isArray(words)) return words.map((word) => ({ word: String(word), says: '' }));
  const name = taker.name();
  return name === 'alert' || name === 'context' ? await known(name) : [];
}
