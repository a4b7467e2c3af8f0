import { Command } from 'commander';
import { TocsinError } from '../../src/base/errors.ts';
import { configPath, shownValue } from '../config/config.ts';
import { schemaOf } from '../config/schema.ts';
import { settingsOf } from '../config/settings.ts';
import { surroundingsOf } from '../config/surroundings.ts';
import { leavesOf } from '../config/tree.ts';
import { didYouMean } from '../input/suggest.ts';
import { printable } from '../output/escape.ts';
import { toJsonDocument } from '../output/json.ts';
import type { Column } from '../output/table.ts';
import { Exit, usageError } from './failure.ts';
import type { Io } from './io.ts';
import { addOutputOptions, type OutputFlags, withExamples } from './options.ts';
import { report } from './session.ts';
import { parseText } from './values.ts';

/** The whole tree of commands; handed in, since this command is a part of it. */
export type WholeProgram = () => Promise<Command>;

/** `tocsin config …`: where the values of flags come from. */
export function configCommand(io: Io, wholeProgram: WholeProgram): Command {
  const group = new Command('config')
    .description('what flags are worth that are not given, and why')
    .usage('<command> [options]')
    .addCommand(showCommand(io, wholeProgram))
    .addCommand(validateCommand(io, wholeProgram))
    .addCommand(schemaCommand(io, wholeProgram))
    .addCommand(pathCommand(io));
  return withExamples(group, [
    ['tocsin config show --origin', 'what is set, and where'],
    ['tocsin config validate', 'check the file'],
  ]);
}

interface ShowFlags extends OutputFlags {
  readonly origin?: boolean;
  readonly context?: string;
}

interface Row {
  readonly command: string;
  readonly key: string;
  readonly value: string | null;
  readonly origin: string;
  readonly variable: string;
}

function showCommand(io: Io, wholeProgram: WholeProgram): Command {
  const command = new Command('show')
    .description('show what is set outside the command line; with a command, all of its flags')
    .argument('[command...]', 'words of a command, such as alert list')
    .option('--origin', 'say where each value comes from')
    .option('--context <name>', 'as if this context were in use', parseText);
  return withExamples(addOutputOptions(command), [
    ['tocsin config show', 'what is set'],
    ['tocsin config show --origin', 'and where'],
    ['tocsin config show alert list --origin', 'every flag of one command'],
  ]).action(async (words: readonly string[], flags: ShowFlags) => {
    const surroundings = await surroundingsOf(io, flags.context);
    const path = words.join(' ');
    const leaves = leavesOf(await wholeProgram());
    const chosen = path === '' ? leaves : leaves.filter((leaf) => leaf.path === path);
    if (chosen.length === 0) {
      const meant = didYouMean(
        path,
        leaves.map((leaf) => leaf.path),
      );
      throw usageError(`there is no command "${path}"${meant}`, 'tocsin --help');
    }
    const rows = chosen.flatMap(({ path: name, command: leaf }): Row[] =>
      settingsOf(leaf, name, surroundings)
        .filter(({ text }) => path !== '' || text !== undefined)
        .map(({ option, key, text, origin, variable }) => {
          const set = text === undefined ? undefined : shownValue(text);
          const value = set ?? defaultText(option.defaultValue, option.defaultValueDescription);
          return { command: name, key, value, origin, variable };
        }),
    );
    await showRows(io, flags, path === '' ? mergedByKey(rows) : rows);
  });
}

const defaultText = (value: unknown, description: string | undefined): string | null =>
  description ?? (value === undefined ? null : String(value));

/** What holds for many commands in the same way is one row. */
function mergedByKey(rows: readonly Row[]): readonly Row[] {
  const merged = new Map<string, Row>();
  for (const row of rows) {
    const id = JSON.stringify([row.key, row.value, row.origin]);
    const isShared = merged.has(id) && !row.origin.startsWith('commands.');
    merged.set(id, isShared ? { ...row, command: '*' } : row);
  }
  return [...merged.values()];
}

async function showRows(io: Io, flags: ShowFlags, rows: readonly Row[]): Promise<void> {
  const isFull = flags.origin === true;
  const columns: readonly Column<Row>[] = [
    { title: 'COMMAND', cell: ({ command }) => command },
    { title: 'KEY', cell: ({ key }) => key },
    { title: 'VALUE', cell: ({ value }) => printable(value ?? '-'), shrinkTo: 20 },
    ...(isFull ? [{ title: 'ORIGIN', cell: ({ origin }: Row) => printable(origin) }] : []),
    { title: 'VARIABLE', cell: ({ variable }) => variable, drop: 1, isExtra: !isFull },
  ];
  const { renderTable } = await import('../output/table.ts');
  await report(io, flags, {
    value: rows,
    rows,
    text: (options) =>
      rows.length === 0 ? 'nothing is set\n' : renderTable(columns, rows, options),
  });
}

function validateCommand(io: Io, wholeProgram: WholeProgram): Command {
  const command = new Command('validate')
    .description('check a configuration: keys, values, contexts; exit status 2 if it is not valid')
    .argument('[file]', 'the file (default: the one in use)', parseText);
  return withExamples(addOutputOptions(command), [
    ['tocsin config validate', 'the one in use'],
    ['tocsin config validate ./config.yaml', 'another one'],
  ]).action(async (given: string | undefined, flags: OutputFlags) => {
    const path = given ?? mustHavePath(io);
    const text = await io.files.read(path);
    if (text === undefined) throw new TocsinError('BAD_CONFIG', `there is no ${path}`);
    const { complaintsOf } = await import('../config/validate.ts');
    const { parseAddress } = io.services;
    const complaints = await complaintsOf(text, path, await wholeProgram(), parseAddress);
    await report(io, flags, {
      value: { path, valid: complaints.length === 0, complaints },
      rows: complaints.length === 0 ? [{ path, valid: true }] : complaints,
      text: () =>
        complaints.length === 0
          ? `${printable(path)}: valid\n`
          : complaints
              .map(({ line, what }) => `${printable(path)}:${line}: ${printable(what)}\n`)
              .join(''),
    });
    if (complaints.length > 0) throw new Exit(2);
  });
}

function schemaCommand(io: Io, wholeProgram: WholeProgram): Command {
  const command = new Command('schema').description(
    'print the JSON Schema of the configuration, for editors',
  );
  return withExamples(addOutputOptions(command), [
    ['tocsin config schema', 'as JSON'],
    ['tocsin config schema -o yaml', 'as YAML'],
  ]).action(async (flags: OutputFlags) => {
    const schema = schemaOf(await wholeProgram());
    await report(io, flags, { value: schema, text: () => toJsonDocument(schema) });
  });
}

function pathCommand(io: Io): Command {
  const command = new Command('path').description('print where the configuration is, or would be');
  return withExamples(addOutputOptions(command), [['tocsin config path', 'of this user']]).action(
    async (flags: OutputFlags) => {
      const path = mustHavePath(io);
      const exists = (await io.files.read(path)) !== undefined;
      await report(io, flags, { value: { path, exists }, text: () => `${printable(path)}\n` });
    },
  );
}

/** @throws TocsinError USAGE where there is no home */
export function mustHavePath(io: Io): string {
  const path = configPath(io.env);
  if (path !== undefined) return path;
  throw usageError('there is no home folder', 'TOCSIN_CONFIG names a file');
}
