import type { Command } from 'commander';
import { TocsinError } from '../../src/base/errors.ts';
import { didYouMean } from '../input/suggest.ts';
import type { Section, Value } from './config.ts';
import { type Complaint, ConfigReader } from './config-file.ts';
import { keyOf, parseSetting, settable, variableOf } from './settings.ts';
import { type Leaf, leavesOf } from './tree.ts';

/** Everything that is wrong with a configuration, in the order of its lines. */
export function complaintsOf(text: string, path: string, program: Command): readonly Complaint[] {
  const reader = new ConfigReader(text);
  const config = reader.read(path);
  const leaves = leavesOf(program);
  const judge = (keys: readonly string[], section: Section, among: readonly Leaf[]): Complaint[] =>
    [...section].flatMap(([key, value]) => {
      const what = problemOf(key, value, among);
      return what === undefined ? [] : [{ line: reader.lineOf([...keys, key]), what }];
    });
  const complaints = [
    ...reader.complaints,
    ...judge(['defaults'], config.defaults, leaves),
    ...[...config.contexts].flatMap(([name, section]) =>
      judge(['contexts', name], section, leaves),
    ),
    ...[...config.commands].flatMap(([name, section]) => {
      const leaf = leaves.find((one) => one.path === name);
      if (leaf !== undefined) return judge(['commands', name], section, [leaf]);
      const names = leaves.map((one) => one.path);
      const what = `there is no command "${name}"${didYouMean(name, names)}`;
      return [{ line: reader.lineOf(['commands', name]), what }];
    }),
  ];
  return complaints.toSorted((a, b) => a.line - b.line);
}

/** A flag may mean different things to different commands; a value that one of them takes is good. */
function problemOf(key: string, text: Value, leaves: readonly Leaf[]): string | undefined {
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
      parseSetting(option, { option, key, variable, text, origin: 'value', code });
      return undefined;
    } catch (error) {
      if (!TocsinError.is(error)) throw error;
      problem = error.message.replace(/^value: /, '');
    }
  }
  return problem;
}
