import { spawnSync } from 'node:child_process';
import { chmodSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { describe, expect, test } from 'vitest';
import { buildWholeProgram } from '../../../cli/commands/program.ts';
import { complete } from '../../../cli/completion/complete.ts';
import { SCRIPTS, SHELLS } from '../../../cli/completion/scripts.ts';
import { leavesOf } from '../../../cli/config/tree.ts';
import { anAlert, pageOf, SETTLED, World } from '../commands/world.ts';

const program = await buildWholeProgram(new World());

/** What may follow a line, the cursor at its end. */
const following = async (line: string): Promise<string[]> =>
  (await complete(program, line.split(' '), () => Promise.resolve([]))).map(({ word }) => word);

describe('what may follow', () => {
  test.each<readonly [string, readonly string[]]>([
    ['aler', ['alert']],
    ['alert ', ['list', 'get', 'watch', 'ack', 'raise', 'clear']],
    ['alert l', ['list']],
    ['alert list --prio', ['--priority']],
    ['alert list --priority ', ['high', 'medium', 'low', 'none']],
    ['alert list --priority h', ['high']],
    ['alert list --priority high --stat', ['--state']],
    ['alert list -o j', ['json', 'jsonl']],
    ['alert list --output=', ['--output=table', '--output=json']],
    ['alert list --output=js', ['--output=json', '--output=jsonl']],
    ['alert list --output=json --prio', ['--priority']],
    ['completion ', ['bash', 'zsh', 'fish']],
    ['nonsense ', []],
    ['alert list --nonsense', []],
    ['alert list --nonsense=', []],
    ['alert list --all=', []],
  ])('%j is %j', async (line, words) => {
    const found = await following(line);
    for (const word of words) expect(found).toContain(word);
    if (words.length === 0) expect(found).toEqual([]);
  });

  test('leads to every command, and to every flag of it', async () => {
    for (const { path, command } of leavesOf(program)) {
      if (path === 'complete') continue;
      const words = path.split(' ');
      for (const [at, word] of words.entries())
        expect(await following(words.slice(0, at).concat('').join(' '))).toContain(word);
      const flags = await following(`${path} -`);
      for (const { long } of command.options) expect(flags, path).toContain(long);
    }
  });

  test('is an open alert or a context where one belongs', async () => {
    const pages = [pageOf([anAlert()])];
    const alerts = await new World({ answers: { pages } }).run(
      'complete',
      '--',
      'alert',
      'ack',
      'A',
    );
    const contexts = await new World(SETTLED).run('complete', '--', 'context', 'select', '');

    expect(alerts.stdout).toBe('A1042\tB12: Heart rate high\n');
    expect(contexts.stdout).toMatch(/^icu\t.*\ned\t/);
  });

  test('is nothing when nobody can be asked, and no error', async () => {
    const world = new World({ answers: { connect: new Error('away') } });

    expect(await world.run('complete', '--', 'alert', 'ack', '')).toMatchObject({
      status: 0,
      stdout: '',
      stderr: '',
    });
  });
});

describe('the scripts', () => {
  test.each(SHELLS)('%s is printed as it is', async (shell) => {
    const { stdout } = await new World().run('completion', shell);
    expect(stdout).toBe(SCRIPTS[shell]);
  });

  test.each<readonly [string, readonly string[], readonly string[]]>([
    ['tocsin alert li', ['alert', 'li'], ['got-alert', 'got-li', 'got-last']],
    ['tocsin alert list ', ['alert', 'list', ''], ['got-alert', 'got-list', 'got-', 'got-last']],
    ['tocsin a --output=', ['a', '--output', '='], ['got-a', 'got---output=', 'got-last']],
    [
      'tocsin a --output=js',
      ['a', '--output', '=', 'js'],
      ['got-a', 'got---output=js', 'got-last'],
    ],
    [
      'tocsin get  p:7:HR',
      ['get', 'p', ':', '7', ':', 'HR'],
      ['got-get', 'got-p:7:HR', 'got-last'],
    ],
  ])('a real bash asks about %j with the words so far', (line, words, asked) => {
    expect(bash(line, words, `printf 'got-%s\\tsays so\\n' "$@" last`)).toEqual(asked);
  });

  test.each<readonly [string, readonly string[], readonly string[]]>([
    ['tocsin a --output=', ['a', '--output', '='], ['json', 'jsonl']],
    ['tocsin a --output=js', ['a', '--output', '=', 'js'], ['json', 'jsonl']],
    ['tocsin a --output=js', ['a', '--output=js'], ['--output=json', '--output=jsonl']],
  ])(
    'a real bash is given for %j, in words %j, what stands in the place of the last',
    (...given) => {
      const [line, words, offered] = given;
      expect(bash(line, words, 'echo --output=json; echo --output=jsonl')).toEqual(offered);
    },
  );

  test('a real bash is told of no error', () => {
    expect(bash('tocsin x', ['x'], 'echo complaint >&2; exit 1')).toEqual([]);
  });
});

/** What a bash would offer at the end of a line, which it takes for these words, if `tocsin complete` were this program. */
function bash(line: string, words: readonly string[], program: string): string[] {
  const folder = mkdtempSync(join(tmpdir(), 'tocsin-completion-'));
  try {
    const fake = join(folder, 'tocsin');
    writeFileSync(fake, `#!/bin/sh\nshift 2\n${program}\n`);
    chmodSync(fake, 0o755);
    const ask = [
      SCRIPTS.bash,
      `COMP_LINE='${line}'; COMP_POINT=\${#COMP_LINE}; COMP_CWORD=${words.length}`,
      `COMP_WORDS=(tocsin ${words.map((word) => `'${word}'`).join(' ')}); _tocsin_complete`,
      `for one in "\${COMPREPLY[@]}"; do printf '%s\\n' "$one"; done`,
    ].join('\n');
    const env = { ...process.env, PATH: `${folder}:${process.env['PATH']}` };
    const { stdout, stderr } = spawnSync('bash', ['-c', ask], { env, encoding: 'utf8' });
    expect(stderr).toBe('');
    return stdout.split('\n').slice(0, -1);
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
}
