import { type ChildProcess, spawn, spawnSync } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync, symlinkSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { freePorts } from '../cli/local/free-ports.ts';

/** The console sessions of the README, run as they stand there, ports aside. */

const ROOT = join(import.meta.dirname, '..');
const PROGRAM = join(ROOT, 'dist', 'cli', 'main.js');
const README = readFileSync(join(ROOT, 'README.md'), 'utf8');
const PORTS = ['7401', '7402', '7403', '7411', '7511'];

interface Step {
  readonly command: string;
  readonly output: string;
}

/** Commands (`$ …`) of the console blocks under a heading, with what the README shows of their output. */
function stepsUnder(heading: string): Step[] {
  const section = README.split(/^## /m).find((part) => part.startsWith(heading)) ?? '';
  const blocks = [...section.matchAll(/```console\n([\s\S]*?)```/g)].map(([, text = '']) => text);
  return blocks.flatMap((block) =>
    block
      .split(/^\$ /m)
      .slice(1)
      .map((part) => {
        const [command = '', ...output] = part.split('\n');
        return { command, output: output.join('\n').trim() };
      }),
  );
}

/** What differs from run to run: ages, digests, who leads, times, speeds. */
const normal = (text: string): string =>
  text
    .replace(/\d{4}-\d\d-\d\dT[\d:]+Z/g, 'TIME')
    .replace(/\b[0-9a-f]{8}\b/g, 'DIGEST')
    .replace(/\b\d+(?:\.\d+)? ?(?:s|ms|rows\/s)\b/g, 'AGE')
    .replace(/\b(?:leader|follower)\b/g, 'ROLE')
    .replace(/replica \d leads/g, 'replica N leads')
    .replace(/\b(entry |commit=)\d+/g, '$1N')
    .replace(/\s+\d+\s+\d(?=\s+\d+\s+\d+\s+0\s)/g, ' TERM LEADER')
    .replace(/\s+\d+\s+\d+(?=\s+0\s)/g, ' COMMIT APPLIED')
    .replace(/[ \t]+/g, ' ')
    .replace(/ ?\n ?/g, '\n')
    .trim();

/** The README may leave lines out, and says so with a line of its own: `…`. */
function expectShown(actual: string, shown: string, command: string): void {
  const [first = '', ...others] = normal(shown).split(/^…$/m);
  let rest = normal(actual);
  expect(others.length === 0 ? rest : rest.slice(0, first.length), command).toBe(first);
  rest = rest.slice(first.length);
  for (const part of others) {
    const at = rest.indexOf(part);
    expect(at, `${command} shows ${part} in ${rest}`).toBeGreaterThanOrEqual(0);
    rest = rest.slice(at + part.length);
  }
}

let folder = '';
let servers: ChildProcess[] = [];
let ports: Readonly<Record<string, string>> = {};

const withPorts = (text: string): string =>
  text.replace(/tcp\/(7\d{3})/g, (whole, port: string) => `tcp/${ports[port] ?? whole}`);

beforeEach(async () => {
  folder = mkdtempSync(join(tmpdir(), 'tocsin-readme-'));
  symlinkSync(join(ROOT, 'examples'), join(folder, 'examples'));
  servers = [];
  const free = await freePorts(PORTS.length);
  ports = Object.fromEntries(PORTS.map((port, at) => [port, `${free[at]}`]));
});

afterEach(async () => {
  await Promise.all(
    servers.map((server) => {
      const ended = new Promise((resolve) => server.once('exit', resolve));
      if (server.exitCode !== null || !server.kill('SIGKILL')) return undefined;
      return ended;
    }),
  );
  rmSync(folder, { recursive: true, force: true });
});

function words(command: string): string[] {
  return [...command.matchAll(/'([^']*)'|(\S+)/g)].map(([, quoted, bare]) => quoted ?? bare ?? '');
}

/** Starts a server; its first line of output. */
function serve(args: readonly string[], env: NodeJS.ProcessEnv): Promise<string> {
  const server = spawn(process.execPath, [PROGRAM, ...args], { cwd: folder, env, stdio: 'pipe' });
  servers.push(server);
  return new Promise((resolve, reject) => {
    server.stdout?.once('data', (line: Buffer) => resolve(line.toString().trim()));
    server.once('exit', (code) => reject(new Error(`${args.join(' ')} ended with ${code}`)));
  });
}

const environment = (): NodeJS.ProcessEnv => ({ ...process.env, NO_COLOR: '1', HOME: folder });

async function play(steps: readonly Step[]): Promise<void> {
  const env = environment();
  for (const { command, output } of steps) {
    const [program, name, ...args] = words(withPorts(command));
    if (program === 'export') {
      const [variable = '', value = ''] = (name ?? '').split('=');
      env[variable] = value;
      continue;
    }
    expect([program, name], command).toEqual(['npx', 'tocsin']);
    if (args.at(-1) === '&') {
      expect(await serve(args.slice(0, -1), env), command).toBe(withPorts(output));
      continue;
    }
    const ran = spawnSync(process.execPath, [PROGRAM, ...args], { cwd: folder, env });
    expect(ran.status, `${command}: ${ran.stderr}`).toBe(0);
    expectShown(ran.stdout.toString(), withPorts(output), command);
  }
}

describe('the README', () => {
  test('the session of the README gives what the README shows', async () => {
    const steps = [...stepsUnder('A cluster of your own'), ...stepsUnder('At night')];
    expect(steps.length).toBeGreaterThan(16);
    await play(steps);
  }, 90_000);

  test.each([
    ['Recordings', 2],
    ['Vital signs', 6],
  ])(
    'the commands under %s give what it shows',
    async (heading, count) => {
      const steps = stepsUnder(heading);
      expect(steps).toHaveLength(count);
      await play(steps);
    },
    90_000,
  );

  test('the demo ends as the README shows', () => {
    const [demo] = stepsUnder('Two commands');
    expect(demo?.command).toBe('npm run demo');
    const line = ['demo', '--seed', '1006507801', '--duration', '10'];
    const ran = spawnSync(process.execPath, [PROGRAM, ...line], { env: environment() });
    expect(ran.status, `${ran.stderr}`).toBe(0);
    const kinds = kindsOfLines(ran.stdout.toString());
    for (const kind of kindsOfLines(demo?.output ?? '')) expect([...kinds]).toContain(kind);
  }, 90_000);

  test('every console block is under a heading that is played here', () => {
    const played = ['Two commands', 'A cluster of your own', 'At night', 'Recordings'];
    for (const section of README.split(/^## /m).slice(1))
      if (section.includes('```console'))
        expect([...played, 'Vital signs'].some((heading) => section.startsWith(heading))).toBe(
          true,
        );
  });
});

/** Lines without what differs between runs of the demo: numbers, addresses, and which alerts there are. */
function kindsOfLines(text: string): Set<string> {
  const kinds = text.split('\n').map((line) =>
    line
      .replace(/A\d+ +\*+ +(\w+) .*/, 'ALERT $1')
      .replace(/\/ip4\/\S+/, 'ADDRESS')
      .replace(/\d+(?:\.\d+)?/g, 'N')
      .replace(/ +/g, ' ')
      .trim(),
  );
  return new Set(kinds.filter((kind) => kind !== '' && kind !== '…'));
}
