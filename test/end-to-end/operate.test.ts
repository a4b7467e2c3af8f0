import { type ChildProcess, execFile, spawn } from 'node:child_process';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as pause } from 'node:timers/promises';
import { afterAll, afterEach, beforeAll, expect, test } from 'vitest';
import { freePorts } from '../../cli/local/free-ports.ts';
import { programPath } from '../../cli/local/program.ts';
import { type Client, connect } from '../../src/client/client.ts';

/** An operator's day, with real processes and nothing but the command line. */

const SNAPSHOT_EVERY = 60;

let folder = '';
let program = '';
let addresses: string[] = [];
const running = new Map<number, ChildProcess>();

beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'tocsin-operate-'));
  program = programPath();
  addresses = (await freePorts(4)).map((port) => `/ip4/127.0.0.1/tcp/${port}`);
});

afterEach(async () => {
  for (const id of [...running.keys()]) await kill(id);
});

afterAll(async () => {
  await rm(folder, { recursive: true, force: true });
});

interface Ended {
  readonly status: number;
  readonly stdout: string;
  readonly stderr: string;
}

const tocsin = (...argv: readonly string[]): Promise<Ended> =>
  new Promise((resolve) => {
    execFile(process.execPath, [program, ...argv], (error, stdout, stderr) =>
      resolve({ status: Number(error?.code ?? 0), stdout, stderr }),
    );
  });

async function ok(...argv: readonly string[]): Promise<string> {
  const { status, stdout, stderr } = await tocsin(...argv);
  expect(status, `${argv.join(' ')}: ${stderr}`).toBe(0);
  return stdout;
}

const dataOf = (id: number): string => join(folder, `r${id}`);
const addressOf = (id: number): string => addresses[id - 1] ?? '';
const endpoints = (): string[] => ['--endpoints', addresses.slice(0, 3).join(',')];

async function serve(id: number): Promise<void> {
  const flags = ['serve', '--data', dataOf(id), '--snapshot-every', `${SNAPSHOT_EVERY}`];
  const child = spawn(process.execPath, [program, ...flags], {
    stdio: ['ignore', 'pipe', 'inherit'],
  });
  running.set(id, child);
  await new Promise<void>((resolve, reject) => {
    child.stdout.on('data', (bytes: Buffer) => {
      if (bytes.toString().includes(' listens on ')) resolve();
    });
    child.once('exit', (code) => reject(new Error(`replica ${id} ended with ${code}`)));
  });
}

async function kill(id: number): Promise<void> {
  const child = running.get(id);
  if (child === undefined) return;
  running.delete(id);
  const gone = new Promise((resolve) => child.once('exit', resolve));
  child.kill('SIGKILL');
  await gone;
  child.stdout?.destroy();
}

async function raise(client: Client, names: string, count: number): Promise<void> {
  for (let n = 0; n < count; n += 1)
    await client.raise({ dedupKey: `${names}${n}`, condition: 'HR:HI', priority: 'high' });
}

/** Until every member holds the same; what `tocsin wait --for ready` waits for. */
const ready = (): Promise<string> =>
  ok('wait', '--for', 'ready', '--timeout', '60s', ...endpoints());

test('format, grow by joining, fetch a snapshot, die at any moment, hand over, shrink, verify, recover alone', {
  timeout: 240_000,
}, async () => {
  const members = [1, 2, 3].map((id) => `${id}=${addressOf(id)}`).join(',');
  const first = await ok(
    ...['format', '--data', dataOf(1), '--replica', '1', '--members', members],
    '-o',
    'json',
  );
  const { clusterId } = JSON.parse(first);
  for (const id of [2, 3])
    await ok(
      'format',
      '--data',
      dataOf(id),
      '--replica',
      `${id}`,
      '--members',
      members,
      '--cluster',
      clusterId,
    );
  await Promise.all([1, 2, 3].map(serve));
  await using client = await connect({ endpoints: addresses.slice(0, 3), name: 'test' });
  await raise(client, 'before', 3 * SNAPSHOT_EVERY);

  // A fourth replica joins long after the log has forgotten its beginning.
  const own = ['--replica', '4', '--members', `4=${addressOf(4)}`];
  await ok('format', '--data', dataOf(4), ...own, '--join', addressOf(1));
  await serve(4);
  expect(await ok('cluster', 'add', addressOf(4), '--promote', ...endpoints())).toContain('done');
  await ready();
  const listed = JSON.parse(await ok('cluster', 'members', '-o', 'json', ...endpoints()));
  expect(listed.map(({ roles }: { roles: string[] }) => roles)).toEqual(Array(4).fill(['voter']));

  // Killed while it serves, takes and fetches snapshots; each time it comes back to the same.
  for (const id of [4, 1, 2]) {
    const raising = raise(client, `kill${id}-`, 2 * SNAPSHOT_EVERY);
    await pause(100 * id);
    await kill(id);
    await raising;
    await serve(id);
    await ready();
  }
  expect(await ok('cluster', 'digest', ...endpoints())).toContain('no two replicas differ');

  expect(await ok('cluster', 'transfer', '3', ...endpoints())).toBe('replica 3 leads\n');
  expect(await ok('cluster', 'drain', '3', ...endpoints())).toMatch(
    /^replica [124] leads; replica 3 leads no more\nwithout it 3 of 4 voters are there, and 3 are needed: it can be stopped\n$/,
  );

  const plan = await ok('cluster', 'plan', 'remove', '4', ...endpoints());
  expect(plan).toContain('before: 4 voters, 3 needed, 4 there: 1 more may fail');
  expect(await tocsin('cluster', 'remove', '4', ...endpoints())).toMatchObject({ status: 2 });
  expect(await ok('cluster', 'remove', '4', '--confirm', '4', ...endpoints())).toContain('done');
  expect(await tocsin('cluster', 'promote', '4', '--timeout', '1s', ...endpoints())).toMatchObject({
    status: 5,
  });

  expect(await ok('snapshot', 'save', ...endpoints())).toMatch(/^snapshot \S+: everything up to/);
  for (const id of [1, 2, 3, 4]) await kill(id);
  const found = JSON.parse(await ok('log', 'verify', '--data', dataOf(1), '-o', 'json'));
  expect(found.base, 'the log has forgotten its beginning').toBeGreaterThan(0);
  expect(found.damage).toBeUndefined();
  // A snapshot just taken may leave less than that of the log.
  const from = Math.max(found.base + 1, found.last - 2);
  const range = ['--from', `${from}`, '--to', `${found.last}`];
  const dumped = await ok('log', 'dump', '--data', dataOf(1), '-o', 'jsonl', ...range);
  expect(dumped.split('\n').length - 1).toBe(found.last - from + 1);

  await recoverAlone(clusterId);
});

/** Two of three are gone for good. */
async function recoverAlone(clusterId: string): Promise<void> {
  const recover = ['recover', '--data', dataOf(1)];
  expect(await tocsin(...recover)).toMatchObject({ status: 2 });
  await ok(...recover, '--dry-run');
  await ok(...recover, '--accept-loss', '--confirm', clusterId);
  await serve(1);
  await using alone = await connect({ endpoints: [addressOf(1)], name: 'test' });
  const again = await alone.raise({ dedupKey: 'before0', condition: 'HR:HI', priority: 'high' });
  expect(again).toMatchObject({ effect: 'continued', alertId: 'A1' });
}
