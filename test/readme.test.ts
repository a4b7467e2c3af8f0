import { type ChildProcess, spawn, spawnSync } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { freePorts } from '../cli/local/free-ports.ts';

/** The console session of the README, run as it stands there, ports aside. */

const ROOT = join(import.meta.dirname, '..');
const PROGRAM = join(ROOT, 'dist', 'cli', 'main.js');
const README = readFileSync(join(ROOT, 'README.md'), 'utf8');

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

/** What differs from run to run: ages, digests, who leads. */
const normal = (text: string): string =>
  text
    .replace(/\b[0-9a-f]{8}\b/g, 'DIGEST')
    .replace(/\b\d+s\b/g, 'AGE')
    .replace(/\b(?:leader|follower)\b/g, 'ROLE')
    .replace(/replica \d leads/g, 'replica N leads')
    .replace(/\s+\d+\s+\d(?=\s+\d+\s+\d+\s+0\s)/g, ' TERM LEADER')
    .replace(/\s+\d+\s+\d+(?=\s+0\s)/g, ' COMMIT APPLIED')
    .replace(/[ \t]+/g, ' ')
    .replace(/ ?\n ?/g, '\n')
    .trim();

let folder = '';
let servers: ChildProcess[] = [];
let ports: Readonly<Record<string, string>> = {};

const withPorts = (text: string): string =>
  text.replace(/tcp\/(740\d)/g, (whole, port: string) => `tcp/${ports[port] ?? whole}`);

beforeEach(async () => {
  folder = mkdtempSync(join(tmpdir(), 'tocsin-readme-'));
  servers = [];
  const free = await freePorts(3);
  ports = Object.fromEntries(['7401', '7402', '7403'].map((port, at) => [port, `${free[at]}`]));
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

test('the session of the README gives what the README shows', async () => {
  const env: NodeJS.ProcessEnv = { ...process.env, NO_COLOR: '1' };
  const steps = stepsUnder('A cluster of your own');
  expect(steps.length).toBeGreaterThan(8);
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
    expect(normal(ran.stdout.toString()), command).toBe(normal(withPorts(output)));
  }
}, 60_000);
