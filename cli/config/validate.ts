import type { Command, Option } from 'commander';
import { TocsinError } from '../../src/base/errors.ts';
import { type MemberText, parseAddresses, parseMembers } from '../commands/values.ts';
import { didYouMean } from '../input/suggest.ts';
import type { Section, Value } from './config.ts';
import { type Complaint, ConfigReader } from './config-file.ts';
import { keyOf, parseSetting, settable, variableOf } from './settings.ts';
import { type Leaf, leavesOf } from './tree.ts';

/** @throws TocsinError BAD_ADDRESS when the text is none */
type CheckAddress = (text: string) => Promise<unknown>;

/** Everything that is wrong with a configuration, in the order of its lines. */
export async function complaintsOf(
  text: string,
  path: string,
  program: Command,
  checkAddress: CheckAddress,
): Promise<readonly Complaint[]> {
  const reader = new ConfigReader(text);
  const config = reader.read(path);
  const leaves = leavesOf(program);
  const complaints = [...reader.complaints];
  const judge = async (
    keys: readonly string[],
    section: Section,
    among: readonly Leaf[],
  ): Promise<void> => {
    for (const [key, value] of section) {
      const what = await problemOf(key, value, among, checkAddress);
      if (what !== undefined) complaints.push({ line: reader.lineOf([...keys, key]), what });
    }
  };
  await judge(['defaults'], config.defaults, leaves);
  for (const [name, section] of config.contexts) await judge(['contexts', name], section, leaves);
  for (const [name, section] of config.commands) {
    const leaf = leaves.find((one) => one.path === name);
    if (leaf !== undefined) {
      await judge(['commands', name], section, [leaf]);
      continue;
    }
    const names = leaves.map((one) => one.path);
    const what = `there is no command "${name}"${didYouMean(name, names)}`;
    complaints.push({ line: reader.lineOf(['commands', name]), what });
  }
  return complaints.toSorted((a, b) => a.line - b.line);
}

/** A flag may mean different things to different commands; a value that one of them takes is good. */
async function problemOf(
  key: string,
  text: Value,
  leaves: readonly Leaf[],
  checkAddress: CheckAddress,
): Promise<string | undefined> {
  const options = leaves.flatMap(({ command }) => settable(command));
  const named = options.filter((option) => keyOf(option) === key);
  if (named.length === 0) {
    const known = [...new Set(options.map(keyOf))];
    return `no command has a flag "${key}"${didYouMean(key, known)}`;
  }
  let problem: string | undefined;
  for (const option of named) {
    const variable = variableOf(option);
    const code = 'BAD_CONFIG' as const;
    try {
      const value = parseSetting(option, { option, key, variable, text, origin: 'value', code });
      for (const address of addressesIn(option, value)) await checkAddress(address);
      return undefined;
    } catch (error) {
      if (!TocsinError.is(error)) throw error;
      problem =
        error.code === 'BAD_ADDRESS'
          ? `${key} ${error.message}`
          : error.message.replace(/^value: /, '');
    }
  }
  return problem;
}

/** What a flag takes as it stands, and a command refuses that cannot reach it. */
function addressesIn(option: Option, value: unknown): readonly string[] {
  switch (option.parseArg) {
    case parseAddresses:
      return value as readonly string[];
    case parseMembers:
      return (value as readonly MemberText[]).map(({ address }) => address);
    default:
      return ['listen', 'trend'].includes(keyOf(option)) ? [String(value)] : [];
  }
}
