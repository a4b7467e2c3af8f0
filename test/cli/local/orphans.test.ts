import { type ChildProcess, spawn } from 'node:child_process';
import { existsSync } from 'node:fs';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { afterAll, expect, test, vi } from 'vitest';
import { programPath } from '../../../cli/local/program.ts';
import { isAlive, until } from './processes.ts';

/** A process that starts a cluster, says what is to be looked for afterwards, and does not end by itself. */
const PARENT = `
const { LocalCluster } = await import(process.argv[1]);
const cluster = await LocalCluster.start({ size: 1 });
const mode = process.argv[2];
if (mode === 'paused') for (const { id } of cluster.replicas) await cluster.pause(id);
const pids = cluster.replicas.map(({ pid }) => pid);
console.log(JSON.stringify({ pids, folder: cluster.folder }));
if (mode === 'throws') setTimeout(() => { throw new Error('a bug') }, 1);
if (mode === 'exits') setTimeout(() => process.exit(3), 1);
setInterval(() => {}, 1000);
`;

interface Told {
  readonly pids: readonly number[];
  readonly folder: string;
}

// Processes take their time on a busy machine.
vi.setConfig({ testTimeout: 60_000 });

const parents: ChildProcess[] = [];
afterAll(() => {
  for (const parent of parents) parent.kill('SIGKILL');
});

async function startParent(mode: string): Promise<{ parent: ChildProcess; told: Told }> {
  const library = join(programPath(), '..', 'local', 'local-cluster.js');
  const parent = spawn(
    process.execPath,
    ['--input-type=module', '-e', PARENT, '--', library, mode],
    { stdio: ['ignore', 'pipe', 'ignore'] },
  );
  parents.push(parent);
  const lines = createInterface(parent.stdout);
  for await (const line of lines) {
    lines.close();
    return { parent, told: JSON.parse(line) as Told };
  }
  throw new Error(`the parent ended without a word (${parent.exitCode})`);
}

test.each([
  ['throws', undefined],
  ['exits', undefined],
  ['waits', 'SIGTERM'],
  ['waits', 'SIGKILL'],
  ['paused', 'SIGKILL'],
] as const)('no replica outlives a parent that %s and gets %s', async (mode, signal) => {
  const { parent, told } = await startParent(mode);
  expect(told.pids).toHaveLength(1);
  if (signal !== undefined) parent.kill(signal);
  await until('parent gone', () => parent.exitCode !== null || parent.signalCode !== null);
  if (signal !== undefined) expect(parent.signalCode).toBe(signal);
  await until('replicas gone', () => !told.pids.some(isAlive));
  await until('folder gone', () => !existsSync(told.folder));
});
