import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { closeSync, existsSync, openSync } from 'node:fs';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import { text } from 'node:stream/consumers';
import { build } from 'vite';
import { afterAll, afterEach, beforeAll, describe, expect, test } from 'vitest';
import { must } from '../../../src/base/assert.ts';

/** The command line as processes, with real replicas: what a world of texts cannot show. */

let folder = '';
/** The program as plain JavaScript; within node_modules, where it finds its dependencies. */
let program = '';
const running = new Set<ChildProcess>();

beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'tocsin-cli-'));
  program = await mkdtemp(resolve('node_modules', '.tocsin-cli-'));
  await build({
    configFile: false,
    logLevel: 'silent',
    build: { ssr: resolve('cli/main.ts'), outDir: program, target: 'node20' },
  });
}, 60_000);

afterEach(async () => {
  const ends = [...running].map((child) => new Promise((end) => child.once('close', end)));
  for (const child of running) child.kill('SIGKILL');
  await Promise.all(ends);
});

afterAll(async () => {
  await rm(folder, { recursive: true, force: true });
  await rm(program, { recursive: true, force: true });
});

interface Ended {
  readonly status: number | null;
  readonly signal: NodeJS.Signals | null;
  readonly stdout: string;
  readonly stderr: string;
}

interface Running {
  readonly child: ChildProcess;
  readonly ended: Promise<Ended>;
  /** Resolves with all that was said on standard output once it matches; rejects when the process ends before. */
  said(what: RegExp): Promise<string>;
}

function start(...argv: readonly string[]): Running {
  const child = spawn(process.execPath, [join(program, 'main.js'), ...argv], {
    stdio: ['ignore', 'pipe', 'pipe'],
  });
  running.add(child);
  let stdout = '';
  let stderr = '';
  child.stdout.on('data', (bytes: Buffer) => {
    stdout += bytes.toString();
  });
  child.stderr.on('data', (bytes: Buffer) => {
    stderr += bytes.toString();
  });
  const ended = new Promise<Ended>((done, failed) => {
    child.once('error', failed);
    child.once('close', (status, signal) => {
      running.delete(child);
      done({ status, signal, stdout, stderr });
    });
  });
  const said = (what: RegExp): Promise<string> =>
    new Promise((done, failed) => {
      const look = (): void => (what.test(stdout) ? done(stdout) : undefined);
      child.stdout.on('data', look);
      child.once('close', () => failed(new Error(`ended without ${what}: ${stdout}${stderr}`)));
      look();
    });
  return { child, ended, said };
}

const run = (...argv: readonly string[]): Promise<Ended> => start(...argv).ended;

describe('a process', () => {
  test('ends with the status of the command', async () => {
    const [good, bad] = await Promise.all([run('--version'), run('alert', 'list', '--nope')]);

    expect(good).toMatchObject({ status: 0, stderr: '' });
    expect(good.stdout).toMatch(/^tocsin \d/);
    expect(bad).toMatchObject({ status: 2, stdout: '' });
    expect(bad.stderr).toContain("tocsin: USAGE: unknown option '--nope'");
  });

  test('ends quietly when nobody reads what it says', async () => {
    const { child, ended } = start('errors');
    child.stdout?.destroy();

    expect(await ended).toMatchObject({ status: 0, signal: null, stderr: '' });
  });

  test.skipIf(!existsSync('/dev/full'))(
    'fails when what it says has no room (where there is /dev/full)',
    async () => {
      const full = openSync('/dev/full', 'w');
      try {
        const child = spawn(process.execPath, [join(program, 'main.js'), 'errors'], {
          stdio: ['ignore', full, 'pipe'],
        });
        const said = text(must(child.stderr, 'it is piped'));
        const [status] = await once(child, 'close');

        expect(await said).toMatch(/^tocsin: DISK_FULL: not all of the answer could be written/);
        expect(status).toBe(6);
      } finally {
        closeSync(full);
      }
    },
  );

  test('says which replicas it asked in vain, and why each failed', async () => {
    const endpoints = '/ip4/127.0.0.1/tcp/1,/ip4/127.0.0.1/tcp/2';
    const { status, stderr } = await run('alert', 'list', '--endpoints', endpoints);

    expect(status).toBe(6);
    expect(stderr).toMatch(/^tocsin: UNAVAILABLE: /);
    const why = (port: number): string =>
      `CONNECTION_LOST: cannot reach /ip4/127.0.0.1/tcp/${port}: ECONNREFUSED`;
    expect(stderr).toContain(
      `tocsin: UNAVAILABLE: no replica could be reached: ${why(1)}; ${why(2)}\n`,
    );
  });

  test('refuses what is not an address', async () => {
    const { status, stderr } = await run('alert', 'list', '--endpoints', 'localhost:7400');

    expect(stderr).toBe(
      'tocsin: BAD_ADDRESS: "localhost:7400" is not a TCP multiaddr such as /ip4/127.0.0.1/tcp/7400: ' +
        'did you mean /dns4/localhost/tcp/7400?\n',
    );
    expect(status).toBe(2);
  });
});

test('a folder that is not formatted is not served, and not made', async () => {
  const data = join(folder, 'nothing');
  const { status, stderr } = await run('serve', '--data', data);

  expect(status).toBe(3);
  expect(stderr).toContain('tocsin: DATA_MISSING: ');
  expect(stderr).toContain(`tocsin format --data ${data} `);
  expect(existsSync(data)).toBe(false);
});

test('format, serve, raise, acknowledge, list, watch, status, end', {
  timeout: 30_000,
}, async () => {
  const data = join(folder, 'r1');
  const members = '1=/ip4/127.0.0.1/tcp/7400';
  const formatted = await run('format', '--data', data, '--replica', '1', '--members', members);
  expect(formatted).toMatchObject({ status: 0, stderr: '' });

  const server = start('serve', '--data', data, '--listen', '/ip4/127.0.0.1/tcp/0');
  const greeting = await server.said(/^replica 1 of cluster [0-9a-f]{32} listens on \S+\n/);
  const endpoints = ['--endpoints', /listens on (\S+)/.exec(greeting)?.[1] ?? ''];
  const locked = run('serve', '--data', data);

  const raised = await run(
    ...['alert', 'raise', 'bed:B12:HR:HI', '--condition', 'HR:HI', '--priority', 'high'],
    ...['--text', 'a\nb', '--actor', 'mon-3', ...endpoints],
  );
  expect(raised).toMatchObject({
    status: 0,
    stdout: 'A1 raised: ACTIVE_UNACK, activation 1, revision 1\n',
    stderr: '',
  });

  const watch = start('alert', 'watch', '--from', '1', ...endpoints);
  await watch.said(/ raised /);
  const key = ['--idempotency-key', 'k1', '--actor', 'joy'];
  const acked = await run('alert', 'ack', 'A1', ...key, ...endpoints);
  const repeated = await run('alert', 'ack', 'A1', ...key, ...endpoints);
  expect(acked.stdout).toBe('A1 acknowledged: ACTIVE_ACK, activation 1, revision 2\n');
  expect(repeated).toEqual(acked);

  const told = await watch.said(/ acknowledged .*\n/);
  expect(told.split('\n')).toHaveLength(3);
  expect(told).toContain(' HR:HI a\\nb by mon-3\n');
  watch.child.kill('SIGINT');
  expect(await watch.ended).toMatchObject({
    status: 130,
    stderr: 'tocsin: to go on from here: --from 3\n',
  });

  const [list, status] = await Promise.all([
    run('alert', 'list', '-o', 'json', ...endpoints),
    run('cluster', 'status', ...endpoints),
  ]);
  expect(JSON.parse(list.stdout)).toMatchObject({
    revision: 2,
    alerts: [{ id: 'A1', text: 'a\nb', state: 'ACTIVE_ACK' }],
    next: null,
  });
  expect(status).toMatchObject({ status: 0, stderr: '' });
  expect(status.stdout).toContain('replica 1 leads, 1 of 1 reached');

  expect((await locked).stderr).toContain('tocsin: DATA_LOCKED: ');
  server.child.kill('SIGTERM');
  expect(await server.ended).toMatchObject({ status: 0, signal: null });
});
