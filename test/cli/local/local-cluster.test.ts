import { existsSync } from 'node:fs';
import { mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises';
import { createServer } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { describe, expect, onTestFinished, test, vi } from 'vitest';
import { LocalCluster, type LocalClusterOptions } from '../../../cli/local/local-cluster.ts';
import { must } from '../../../src/base/assert.ts';
import { replicaId } from '../../../src/base/ids.ts';
import { isAlive } from './processes.ts';

// Processes take their time on a busy machine.
vi.setConfig({ testTimeout: 60_000 });

async function start(options: LocalClusterOptions = {}): Promise<LocalCluster> {
  const cluster = await LocalCluster.start(options);
  onTestFinished(() => cluster.close());
  return cluster;
}

const pidsOf = (cluster: LocalCluster): number[] =>
  cluster.replicas.flatMap(({ pid }) => pid ?? []);

const portOf = (address: string): number => Number(address.split('/').at(-1));

describe('LocalCluster', () => {
  test('replaces a leader that is killed, takes it back, and leaves nothing behind', async () => {
    const cluster = await start();
    const first = await cluster.leader();
    const before = pidsOf(cluster);
    expect(before).toHaveLength(3);
    expect(before.filter(isAlive)).toEqual(before);

    await cluster.kill(first);
    expect(pidsOf(cluster)).toHaveLength(2);
    expect(before.filter(isAlive)).toHaveLength(2);
    const second = await cluster.leader();
    expect(second).not.toBe(first);

    await cluster.restart(first);
    expect(await cluster.converge()).toBe(true);
    const after = pidsOf(cluster);
    expect(after).toHaveLength(3);

    await cluster.close();
    expect([...before, ...after].filter(isAlive)).toEqual([]);
    expect(existsSync(cluster.folder)).toBe(false);
  });

  test('replaces a leader that is paused, and takes it back', async () => {
    const cluster = await start();
    const first = await cluster.leader();
    const pids = pidsOf(cluster);
    await cluster.pause(first);
    expect(await cluster.leader()).not.toBe(first);
    await cluster.resume(first);
    expect(await cluster.converge()).toBe(true);
    // Closing ends a paused process too.
    await cluster.pause(first);
    await cluster.close();
    expect(pids.filter(isAlive)).toEqual([]);
  });

  test('tells why a replica did not start, and when one ended by itself', async () => {
    const lines: string[] = [];
    const cluster = await start({ size: 1, log: (line) => lines.push(line) });
    const [{ id, folder, address, pid }] = [must(cluster.replicas[0], 'one replica')];
    process.kill(must(pid, 'it runs'), 'SIGTERM');
    await expect.poll(() => lines).toHaveLength(1);
    expect(lines[0]).toMatch(/^replica 1 ended by itself: exit 0/);

    const server = createServer().listen(portOf(address), '127.0.0.1');
    await expect(cluster.restart(id)).rejects.toMatchObject({ code: 'ADDRESS_IN_USE' });
    await new Promise((resolve) => server.close(resolve));
    await cluster.restart(id);
    await cluster.kill(id);
    await rm(join(folder, 'raft'), { recursive: true });
    await expect(cluster.restart(id)).rejects.toMatchObject({
      code: 'DATA_MISSING',
      message: expect.stringContaining('replica 1 ended at start'),
    });
  });

  test('does not touch a folder that holds something', async () => {
    const folder = await mkdtemp(join(tmpdir(), 'tocsin-test-'));
    onTestFinished(() => rm(folder, { recursive: true, force: true }));
    await mkdir(join(folder, 'replica-2'));
    await writeFile(join(folder, 'replica-2', 'precious'), 'mine');
    await expect(LocalCluster.start({ folder })).rejects.toMatchObject({ code: 'DATA_EXISTS' });
    expect(existsSync(join(folder, 'replica-2', 'precious'))).toBe(true);
  });

  test('gives up starting when it is told to, and leaves nothing behind', async () => {
    const stop = new AbortController();
    const starting = LocalCluster.start({ signal: stop.signal });
    setTimeout(() => stop.abort(), 50);
    await expect(starting).rejects.toMatchObject({ code: 'CANCELLED' });
  });

  test('answers nothing any more once it is closed', async () => {
    const cluster = await start({ size: 1 });
    await cluster.close();
    await expect(cluster.leader()).rejects.toMatchObject({ code: 'CLOSED' });
    await expect(cluster.restart(replicaId(1))).rejects.toMatchObject({ code: 'CLOSED' });
  });
});
