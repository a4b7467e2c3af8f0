import type { Command } from 'commander';
import { didYouMean } from '../input/suggest.ts';
import { settable, variableOf } from './settings.ts';

const PREFIX = 'TOCSIN_';

/** Variables that are no flag's. */
const OTHERS: ReadonlySet<string> = new Set(['TOCSIN_CONFIG', 'TOCSIN_CONTEXT']);

/**
 * Complaints about variables that look like a mistyped one of this command: they would be passed over in silence. `whole`
 * is the tree of all commands, asked for only if there is a suspect, because another command may know it.
 */
export async function complaintsOf(
  command: Command,
  env: Readonly<Record<string, string | undefined>>,
  whole: () => Promise<Command>,
): Promise<readonly string[]> {
  const known = settable(command).map(variableOf);
  const suspects = Object.keys(env)
    .filter((name) => name.startsWith(PREFIX) && !known.includes(name) && !OTHERS.has(name))
    .map((name) => ({ name, close: didYouMean(name, known) }))
    .filter(({ close }) => close !== '');
  if (suspects.length === 0) return [];
  const everywhere = new Set(variablesBelow(await whole()));
  return suspects
    .filter(({ name }) => !everywhere.has(name))
    .map(({ name, close }) => `no command knows the variable ${name}${close}`);
}

const variablesBelow = (command: Command): readonly string[] => [
  ...settable(command).map(variableOf),
  ...command.commands.flatMap(variablesBelow),
];
