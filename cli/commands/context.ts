import { Command } from 'commander';
import type { Document } from 'yaml';
import { NO_CONFIG, shownValue } from '../config/config.ts';
import { variableFor } from '../config/settings.ts';
import { loadConfig } from '../config/surroundings.ts';
import { didYouMean } from '../input/suggest.ts';
import { printable } from '../output/escape.ts';
import type { Column } from '../output/table.ts';
import { mustHavePath } from './config.ts';
import { usageError } from './failure.ts';
import type { Io } from './io.ts';
import { addOutputOptions, type OutputFlags, withExamples } from './options.ts';
import { report } from './session.ts';
import { parseAddresses, parseDuration, parseText } from './values.ts';

/** `tocsin context …`: clusters under names. */
export function contextCommand(io: Io): Command {
  const group = new Command('context')
    .description('clusters under names, so that nobody types addresses at night')
    .usage('<command> [options]');
  for (const make of [listCommand, addCommand, selectCommand, removeCommand, checkCommand])
    group.addCommand(make(io));
  return withExamples(group, [
    ['tocsin context add icu --endpoints /ip4/10.0.0.1/tcp/7400', 'a name for a cluster'],
    ['tocsin context select icu', 'use it from now on'],
    ['tocsin context select -', 'back to the one before'],
  ]);
}

interface Row {
  readonly name: string;
  readonly isInUse: boolean;
  readonly settings: Readonly<Record<string, string>>;
}

function listCommand(io: Io): Command {
  const command = new Command('list').description('list the contexts; * is the one in use');
  return withExamples(addOutputOptions(command), [['tocsin context list', 'all of them']]).action(
    async (flags: OutputFlags) => {
      const { contexts, context } = (await loadConfig(io)) ?? NO_CONFIG;
      const rows = [...contexts].map(
        ([name, section]): Row => ({
          name,
          isInUse: name === context,
          settings: Object.fromEntries(
            [...section].map(([key, value]) => [key, shownValue(value)]),
          ),
        }),
      );
      const { renderTable } = await import('../output/table.ts');
      await report(io, flags, {
        value: rows,
        rows,
        text: (options) => (rows.length === 0 ? NONE : renderTable(COLUMNS, rows, options)),
      });
    },
  );
}

const NONE = 'there is no context yet: tocsin context add NAME --endpoints ADDRESSES\n';

const COLUMNS: readonly Column<Row>[] = [
  { title: ' ', cell: ({ isInUse }) => (isInUse ? '*' : '') },
  { title: 'NAME', cell: ({ name }) => printable(name) },
  { title: 'ENDPOINTS', cell: ({ settings }) => printable(settings['endpoints'] ?? '-') },
  {
    title: 'OTHERS',
    cell: ({ settings }) =>
      Object.entries(settings)
        .filter(([key]) => key !== 'endpoints')
        .map(([key, value]) => printable(`${key}=${value}`))
        .join(' '),
  },
];

interface AddFlags extends OutputFlags {
  readonly endpoints: readonly string[];
  readonly actor?: string;
  readonly timeout?: number;
  readonly select?: boolean;
}

function addCommand(io: Io): Command {
  const command = new Command('add')
    .description('give a cluster a name, or change what it stands for')
    .argument('<name>', 'the name', parseName)
    .requiredOption('--endpoints <addresses>', 'replicas, with commas between them', parseAddresses)
    .option('--actor <name>', 'who one is there', parseText)
    .option('--timeout <duration>', 'how long to wait for an answer there', parseDuration)
    .option('--select', 'and use it from now on');
  return withExamples(addOutputOptions(command), [
    ['tocsin context add icu --endpoints /ip4/10.0.0.1/tcp/7400', 'a name for a cluster'],
  ]).action(async (name: string, flags: AddFlags) => {
    for (const endpoint of flags.endpoints) await io.services.parseAddress(endpoint);
    const { actor, timeout } = flags;
    const settings = {
      endpoints: flags.endpoints,
      ...(actor === undefined ? {} : { actor }),
      ...(timeout === undefined ? {} : { timeout: `${timeout}ms` }),
    };
    const before = await contextsOf(io);
    const isSelected = flags.select === true || before.names.length === 0;
    await edit(io, (document) => {
      document.setIn(['contexts', name], document.createNode(settings));
      if (isSelected) select(document, name, before.context);
    });
    const overriddenBy = overriding(io, name, Object.keys(settings));
    const said = isSelected ? inUse(name, overriddenBy) : `tocsin context select ${name} uses it`;
    await say(io, flags, { name, isInUse: isSelected, overriddenBy }, `added ${name}: ${said}`);
  });
}

function selectCommand(io: Io): Command {
  const command = new Command('select')
    .description('use a context from now on')
    .argument('<context>', 'the name; - is the one before', parseText);
  return withExamples(addOutputOptions(command), [
    ['tocsin context select icu', 'use it from now on'],
    ['tocsin context select -', 'back to the one before'],
  ]).action(async (given: string, flags: OutputFlags) => {
    const { names, context, previous } = await contextsOf(io);
    const name = given === '-' ? previous : given;
    if (name === undefined) throw usageError('no other context was in use before');
    mustBeKnown(name, names);
    await edit(io, (document) => select(document, name, context));
    const { contexts } = (await loadConfig(io)) ?? NO_CONFIG;
    const overriddenBy = overriding(io, name, [...(contexts.get(name)?.keys() ?? [])]);
    await say(io, flags, { name, isInUse: true, overriddenBy }, inUse(name, overriddenBy));
  });
}

function removeCommand(io: Io): Command {
  const command = new Command('remove')
    .description('forget a context; the cluster is not touched')
    .argument('<context>', 'the name', parseText);
  return withExamples(addOutputOptions(command), [
    ['tocsin context remove icu', 'forget it'],
  ]).action(async (name: string, flags: OutputFlags) => {
    mustBeKnown(name, (await contextsOf(io)).names);
    await edit(io, (document) => {
      document.deleteIn(['contexts', name]);
      for (const key of ['context', 'previous'])
        if (document.get(key) === name) document.delete(key);
    });
    await say(io, flags, { name, isInUse: false }, `removed ${name}`);
  });
}

function checkCommand(io: Io): Command {
  const command = new Command('check')
    .description('connect to the cluster of a context')
    .argument('[context]', 'the name (default: the one in use)', parseText);
  return withExamples(addOutputOptions(command), [
    ['tocsin context check', 'the one in use'],
    ['tocsin context check icu', 'another one'],
  ]).action(async (given: string | undefined, flags: OutputFlags) => {
    const { names, context } = await contextsOf(io);
    const name = given ?? context;
    if (name === undefined) throw usageError('no context is in use', 'tocsin context list');
    mustBeKnown(name, names);
    const { contexts } = (await loadConfig(io)) ?? NO_CONFIG;
    const endpoints = parseAddresses(shownValue(contexts.get(name)?.get('endpoints') ?? ''));
    const signal = AbortSignal.timeout(CHECK_MS);
    const client = await io.services.connect({ endpoints, name, timeoutMs: CHECK_MS, signal });
    try {
      const { clusterId, leader } = await client.status(undefined, { timeoutMs: CHECK_MS });
      const led = leader === undefined ? 'no leader is known' : `replica ${leader} leads`;
      const value = { name, clusterId, leader: leader ?? null };
      await say(io, flags, value, `${name}: cluster ${clusterId}, ${led}`);
    } finally {
      await client.close();
    }
  });
}

const CHECK_MS = 5_000;

/** The variables that keep a context from deciding, though it is in use. */
function overriding({ env }: Io, name: string, keys: readonly string[]): readonly string[] {
  const set = keys.map(variableFor).filter((variable) => (env[variable] ?? '') !== '');
  const other = env['TOCSIN_CONTEXT'] ?? '';
  return other === '' || other === name ? set : ['TOCSIN_CONTEXT', ...set];
}

const inUse = (name: string, overriddenBy: readonly string[]): string =>
  overriddenBy.length === 0
    ? `${name} is in use`
    : `${name} is in use, but overridden by ${overriddenBy.join(', ')}: unset that, or give --context ${name}`;

const say = (io: Io, flags: OutputFlags, value: unknown, text: string): Promise<void> =>
  report(io, flags, { value, text: () => `${printable(text)}\n` });

async function contextsOf(io: Io): Promise<{
  readonly names: readonly string[];
  readonly context: string | undefined;
  readonly previous: string | undefined;
}> {
  const { contexts, context, previous } = (await loadConfig(io)) ?? NO_CONFIG;
  return { names: [...contexts.keys()], context, previous };
}

function mustBeKnown(name: string, names: readonly string[]): void {
  if (names.includes(name)) return;
  throw usageError(`there is no context ${name}${didYouMean(name, names)}`, 'tocsin context list');
}

function select(document: Document, name: string, before: string | undefined): void {
  if (before !== undefined && before !== name) document.set('previous', before);
  document.set('context', name);
}

async function edit(io: Io, change: (document: Document) => void): Promise<void> {
  const path = mustHavePath(io);
  const { editConfig } = await import('../config/config-file.ts');
  await io.files.write(path, editConfig((await io.files.read(path)) ?? '', path, change));
}

function parseName(text: string): string {
  if (/^[\w.-]{1,64}$/.test(text) && text !== '-') return text;
  throw usageError(`context ${JSON.stringify(text)}: letters, digits, dots and dashes, at most 64`);
}
