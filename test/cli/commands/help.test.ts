import { readFileSync } from 'node:fs';
import { describe, expect, test } from 'vitest';
import { buildWholeProgram } from '../../../cli/commands/program.ts';
import { pathsOf } from '../../../cli/config/tree.ts';
import { MEANING } from '../../../src/base/errors.ts';
import { allSources, type Source } from '../../sources.ts';
import { runIn, SETTLED, World } from './world.ts';

const COMMANDS = pathsOf(await buildWholeProgram(new World()));

/** An example that waits for something waits no longer than a test does. */
const IN_A_HURRY = { ...SETTLED, env: { ...SETTLED.env, TOCSIN_TIMEOUT: '200ms' } };

describe('help', () => {
  test.each(COMMANDS.map((command) => [command]))('of %j begins with examples', async (command) => {
    const { status, stdout, stderr, calls } = await runIn({}, ...command, '--help');

    expect(status).toBe(0);
    expect(stderr).toBe('');
    expect(stdout).toMatch(/^Examples:\n( {2}# .*\n)? {2}tocsin /);
    expect(stdout).toContain(`\nUsage: ${['tocsin', ...command].join(' ')} `);
    expect(calls).toEqual([]);
  });

  test.each(COMMANDS.map((command) => [command]))('of %j describes every flag', async (command) => {
    const { stdout } = await runIn({ columns: 300 }, ...command, '--help');
    const flags = stdout.split('\n').filter((line) => /^ {2}-/.test(line));

    expect(flags.length).toBeGreaterThan(0);
    for (const flag of flags) expect(flag).toMatch(/^ {2}-\S.*? {2,}\S/);
  });

  test('and examples are command lines that are understood', async () => {
    for (const command of COMMANDS) {
      const { stdout } = await runIn({ columns: 300 }, ...command, '--help');
      for (const line of examplesIn(stdout)) {
        // What would run for ever is interrupted once it runs.
        const { stderr } = await new World(IN_A_HURRY).interruptAfterOutput().run(...wordsOf(line));
        expect(stderr, line).not.toContain('USAGE');
      }
    }
  });

  test('shows lengths of time as they would be written', async () => {
    for (const command of COMMANDS) {
      const { stdout } = await runIn({ columns: 300 }, ...command, '--help');
      const durations = stdout.split('\n').filter((line) => / {2}-.*<duration>/.test(line));
      for (const line of durations) expect(line).not.toMatch(/default: \d+\)/);
    }
  });

  test('names every command', async () => {
    const { stdout } = await runIn({}, '--help');

    expect(COMMANDS.length).toBeGreaterThan(12);
    for (const [name] of COMMANDS)
      if (name !== undefined && name !== 'complete')
        expect(stdout.match(new RegExp(`\n  ${name} `, 'g'))).toHaveLength(1);
  });

  test('names every status that a code can end with', async () => {
    const { stdout } = await runIn({}, '--help');

    for (const { exit } of Object.values(MEANING))
      expect(stdout).toMatch(new RegExp(`\n  ${exit} +\\S`));
  });

  test.each(COMMANDS.map((command) => [command]))(
    'of %j is the same from help',
    async (command) => {
      const flag = await runIn({}, ...command, '--help');
      const word = await runIn({}, 'help', ...command);

      expect(word).toEqual(flag);
    },
  );

  test.each([[], ...COMMANDS].map((command) => [command]))(
    'of %j fits a narrow terminal but for command lines, which must not be broken',
    async (command) => {
      const { stdout } = await runIn({ columns: 80 }, ...command, '--help');

      for (const line of stdout.split('\n'))
        if (!/^ {2}tocsin (?!.* {2})/.test(line)) expect(line.length, line).toBeLessThanOrEqual(80);
    },
  );
});

test('the version is that of the package', async () => {
  const text = readFileSync(new URL('../../../package.json', import.meta.url), 'utf8');
  const { version } = JSON.parse(text) as { version: string };
  const { stdout, status } = await runIn({}, '--version');

  expect(status).toBe(0);
  expect(stdout).toBe(`tocsin ${version}\n`);
});

/** What is loaded when a file is: without what it only imports when it gets there. */
function loadedWith(entry: string, sources: ReadonlyMap<string, Source>): Set<string> {
  const found = new Set<string>();
  const open = [entry];
  for (let path = open.pop(); path !== undefined; path = open.pop()) {
    const source = sources.get(path);
    if (found.has(path) || source === undefined) continue;
    found.add(path);
    for (const { specifier, target, isTypeOnly } of source.imports) {
      const isLazy = specifier !== undefined && source.text.includes(`import('${specifier}')`);
      if (isTypeOnly || isLazy) continue;
      if (target === undefined) found.add(specifier ?? '');
      else open.push(target);
    }
  }
  return found;
}

describe('help is quick', () => {
  const sources = new Map(allSources().map((source) => [source.path, source]));
  const COMMAND_FILES = [
    ...['alert', 'cluster', 'format', 'serve', 'errors'].map((name) => `cli/commands/${name}.ts`),
    ...['demo', 'replay'].map((name) => `cli/${name}/command.ts`),
  ];

  test.each(['cli/main.ts', ...COMMAND_FILES])('%s loads nothing heavy', (entry) => {
    const loaded = [...loadedWith(entry, sources)];

    expect(loaded).toContain('commander');
    expect(
      loaded.filter((name) => /^src\/(storage|transport|client|replica)\//.test(name)),
    ).toEqual([]);
    expect(loaded.filter((name) => !/^(cli|src|node:)/.test(name))).toEqual(['commander']);
  });

  test('the commands themselves are loaded when they are asked for', () => {
    const loaded = loadedWith('cli/main.ts', sources);

    for (const file of COMMAND_FILES) expect(loaded).not.toContain(file);
  });
});

/** The lines of the examples, with what stands for something to be filled in left out. */
const examplesIn = (help: string): string[] =>
  (help.split('\n\n')[0] ?? '')
    .split('\n')
    .map((line) => line.trim())
    .filter((line) => line.startsWith('tocsin ') && !line.includes('…'))
    .filter(
      (line) => !/^tocsin (demo|replay|score|trend export|bench --local|doctor --data)/.test(line),
    )
    .map((line) => line.replace(/ {2,}.*$/, ''));

/** As a shell splits them, as far as the examples need it. */
const wordsOf = (line: string): string[] =>
  [...line.matchAll(/'([^']*)'|(\S+)/g)].map(([, quoted, plain]) => quoted ?? plain ?? '').slice(1);
