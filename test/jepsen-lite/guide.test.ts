import { spawn } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, describe, expect, test } from 'vitest';
import { freePorts } from '../../cli/local/free-ports.ts';
import { childIsGone, reapChild } from '../../cli/local/reaper.ts';
import { NEMESES } from '../../jepsen-lite/nemeses/table.ts';
import { HELP } from '../../jepsen-lite/options.ts';
import { WORKLOADS } from '../../jepsen-lite/workloads/table.ts';
import { must } from '../../src/base/assert.ts';

/** The guide for testers: what it names is there, and its commands do what it says, for a shorter time. */

const ROOT = join(import.meta.dirname, '..', '..');
const GUIDE = readFileSync(join(ROOT, 'docs', 'jepsen-lite.md'), 'utf8');
const FOLDER = mkdtempSync(join(tmpdir(), 'tocsin-guide-'));
afterAll(() => rmSync(FOLDER, { recursive: true, force: true }));

const COMMANDS = [...GUIDE.matchAll(/^\$ npm run jepsen -- (.*)$/gm)].map(([, args = '']) => args);
const SHORT = ['--time', '2', '--minimum', '0', '--interval', '0.5', '--lasts', '0.5'];
const SECONDS_MAX = 120;

function run(args: readonly string[]): Promise<{ status: number | null; said: string }> {
  const script = join(ROOT, 'scripts', 'jepsen.mjs');
  const child = spawn(process.execPath, [script, ...args], { cwd: ROOT });
  const pid = must(child.pid, 'a process');
  reapChild(pid);
  let said = '';
  for (const stream of [child.stdout, child.stderr])
    stream.setEncoding('utf8').on('data', (text: string) => {
      said += text;
    });
  return new Promise((resolve) =>
    child.once('close', (status) => {
      childIsGone(pid);
      resolve({ status, said });
    }),
  );
}

test('the guide names every option, nemesis and workload', () => {
  for (const name of [...NEMESES, ...WORKLOADS]) expect(GUIDE).toContain(`\`${name}\``);
  const options = [...HELP.matchAll(/^ {2}(--[a-z]+)/gm)].map(([, name = '']) => name);
  expect(options.length).toBeGreaterThan(10);
  for (const option of options) expect(GUIDE).toContain(option);
});

describe('the commands of the guide', () => {
  const runs = COMMANDS.filter((args) => !/--(?:help|attach|mutants|all)\b/.test(args));
  test.each(runs.map((args, at) => [args, at] as const))(
    'npm run jepsen -- %s ends valid',
    { timeout: SECONDS_MAX * 1_000 },
    async (args, at) => {
      const { status, said } = await run([
        ...args.split(' '),
        ...SHORT,
        ...['--out', join(FOLDER, `${at}`)],
      ]);
      expect({ status, said }).toEqual({ status: 0, said: expect.stringMatching(/^valid: /m) });
    },
  );

  test('are of every kind that the guide tells of', () => {
    expect(runs.length).toBeGreaterThan(4);
    for (const option of ['--help', '--attach', '--mutants'])
      expect(COMMANDS.some((args) => args.includes(option))).toBe(true);
  });

  test('help says what it is asked', async () => {
    const { status, said } = await run(['--help']);
    expect({ status, said }).toEqual({ status: 0, said: `${HELP}\n` });
  });

  test('a cluster to attach to is looked for at the addresses that are given', {
    timeout: SECONDS_MAX * 1_000,
  }, async () => {
    const ports = [...(await freePorts(2))];
    const args = COMMANDS.find((each) => each.includes('--attach')) ?? '';
    const here = args.replace(/\/ip4\/[^,\s]+/g, () => `/ip4/127.0.0.1/tcp/${ports.shift()}`);
    const { status, said } = await run([...here.split(' '), '--out', join(FOLDER, 'attach')]);
    expect({ status, said }).toEqual({
      status: 3,
      said: expect.stringContaining('the cluster cannot be reached: UNAVAILABLE'),
    });
  });

  test('a seeded bug is found', { timeout: 2 * SECONDS_MAX * 1_000 }, async () => {
    const args = COMMANDS.find((each) => each.includes('--mutants')) ?? '';
    const { status, said } = await run(args.split(' '));
    expect({ status, said }).toEqual({
      status: 0,
      said: expect.stringMatching(/^ignore-a-guard +runs \d+, +\d+ s {2}\S.*\n1 passed, 0 failed/m),
    });
  });
});
