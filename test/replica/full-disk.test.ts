import { execFileSync } from 'node:child_process';
import { mkdtempSync, rmSync } from 'node:fs';
import { mkdtemp, rm, statfs } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as pause } from 'node:timers/promises';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { freePorts } from '../../cli/local/free-ports.ts';
import { must } from '../../src/base/assert.ts';
import { TocsinError } from '../../src/base/errors.ts';
import { replicaId } from '../../src/base/ids.ts';
import { DISK_FREE_BYTES_LOW } from '../../src/base/limits.ts';
import { type Client, connect } from '../../src/client/index.ts';
import type { FreshDone } from '../../src/replica/service/read-desk.ts';
import { type RunningReplica, startReplica } from '../../src/replica/start.ts';
import { formatFolder } from '../../src/storage/data-folder.ts';
import { newClusterId, newIncarnation } from '../../src/storage/identity.ts';

/** A file system of its own in memory, which can be made smaller and larger while it is in use. */
const mount = (path: string, options: string): void =>
  void execFileSync('mount', ['-t', 'tmpfs', '-o', options, 'tmpfs', path], { stdio: 'pipe' });
const unmount = (path: string): void => void execFileSync('umount', [path], { stdio: 'pipe' });

function mayMount(): boolean {
  const path = mkdtempSync(join(tmpdir(), 'tocsin-test-'));
  try {
    mount(path, 'size=64k');
    unmount(path);
    return true;
  } catch {
    return false;
  } finally {
    rmSync(path, { recursive: true });
  }
}

const SIZE = 4 * DISK_FREE_BYTES_LOW;
/** What is left: a page or two. */
const REST_BYTES = 8_192;

let root = '';
let small = '';
let replicas: RunningReplica[] = [];
let faults: (TocsinError | undefined)[] = [];
let client: Client | undefined;

const resize = (bytes: number): void => mount(small, `remount,size=${bytes}`);

async function fillUp(): Promise<void> {
  const { blocks, bfree, bsize } = await statfs(small);
  resize((blocks - bfree) * bsize + REST_BYTES);
}

/** Three members, of which those in `onSmall` have their folder on the small file system. */
async function startAll(onSmall: readonly number[]): Promise<void> {
  const endpoints = (await freePorts(3)).map((port) => `/ip4/127.0.0.1/tcp/${port}`);
  const clusterId = newClusterId();
  const members = endpoints.map((address, at) => ({ id: replicaId(at + 1), address }));
  for (const [at, { id }] of members.entries()) {
    const folder = join(onSmall.includes(at) ? small : root, `r${at}`);
    await formatFolder(folder, {
      clusterId,
      replicaId: id,
      incarnation: newIncarnation(),
      members,
    });
    const replica = await startReplica({ folder });
    void replica.closed.then((fault) => faults.push(fault));
    replicas.push(replica);
  }
  client = await connect({ endpoints, name: 'test', timeoutMs: 20_000 });
}

async function until(what: string, isSo: () => boolean): Promise<void> {
  for (let tries = 0; !isSo(); tries += 1) {
    expect(tries, `in vain: ${what}`).toBeLessThan(3_000);
    await pause(10);
  }
}

const read = (
  { replica }: RunningReplica,
  level: Parameters<RunningReplica['replica']['read']>[0],
): Promise<Parameters<FreshDone>[0]> => new Promise((done) => replica.read(level, done));

const isFull = ({ replica }: RunningReplica): boolean =>
  replica.status().alarms.some(({ name }) => name === 'disk-full');

const leads = ({ replica }: RunningReplica): boolean => replica.standing.role === 'leader';

beforeEach(async () => {
  root = await mkdtemp(join(tmpdir(), 'tocsin-test-'));
  small = await mkdtemp(join(tmpdir(), 'tocsin-test-'));
  replicas = [];
  faults = [];
});

afterEach(async () => {
  await client?.close();
  await Promise.all(replicas.map((replica) => replica.close()));
  try {
    unmount(small);
  } catch {
    // Where nothing may be mounted nothing was.
  }
  for (const path of [root, small]) await rm(path, { recursive: true, force: true });
});

/** Raises until nothing more is to be written; what was confirmed. */
async function raiseUntil(isOver: () => boolean, name: string): Promise<string[]> {
  const confirmed: string[] = [];
  const text = 'x'.repeat(1_000);
  for (let n = 0; !isOver(); n += 1) {
    const dedupKey = `${name}${n}`;
    try {
      await must(client, 'a client').raise(
        { dedupKey, condition: 'HR:HI', priority: 'high', text },
        { timeoutMs: 2_000 },
      );
      confirmed.push(dedupKey);
    } catch (error) {
      if (!TocsinError.is(error)) throw error;
    }
  }
  return confirmed;
}

const canMount = mayMount();

test.skipIf(!canMount).each([
  ['a follower', false],
  ['the leader', true],
] as const)(
  '%s on a real file system that is full answers from what it has, and comes back by itself with all that was confirmed (where tmpfs may be mounted)',
  async (_, isLeader) => {
    mount(small, `size=${SIZE}`);
    await startAll([0]);
    const [full] = replicas as [RunningReplica];
    await until('somebody leads', () => replicas.some(leads));
    // The lead is handed on until it is where it is wanted.
    for (let tries = 0; leads(full) !== isLeader; tries += 1) {
      expect(tries).toBeLessThan(200);
      replicas.find(leads)?.replica.handOver();
      await pause(50);
    }
    const before = await raiseUntil(() => full.replica.machine.openCount >= 5, 'before');
    await fillUp();
    const during = await raiseUntil(() => isFull(full) && !leads(full), 'during');
    // A replica that has just stood down learns from its next leader how old its state is.
    let age: Awaited<ReturnType<typeof read>>;
    await until('it knows how old its state is', () => {
      void read(full, 'local').then((is) => (age = is));
      return age !== undefined && 'asOf' in age && age.asOf !== undefined;
    });
    expect(full.replica.machine.openCount).toBeGreaterThanOrEqual(before.length);
    let turns = 0;
    const isOver = (): boolean => {
      turns += 1;
      return turns > 5;
    };
    const meanwhile = await raiseUntil(isOver, 'meanwhile');
    expect(meanwhile.length, 'the others go on').toBeGreaterThan(0);
    resize(SIZE);
    await hasAll(full, [...before, ...during, ...meanwhile]);
  },
  60_000,
);

test.skipIf(!canMount)(
  'a cluster of which every disk is full stands still, can be read, and goes on by itself with all that was confirmed (where tmpfs may be mounted)',
  async () => {
    mount(small, `size=${SIZE}`);
    await startAll([0, 1, 2]);
    const haveSome = (): boolean => replicas.every(({ replica }) => replica.machine.openCount >= 5);
    const before = await raiseUntil(haveSome, 'before');
    await fillUp();
    const during = await raiseUntil(() => replicas.every(isFull), 'during');
    for (const replica of replicas) {
      expect(await read(replica, 'local')).not.toBeInstanceOf(TocsinError);
      expect(replica.replica.machine.openCount).toBeGreaterThan(0);
    }
    resize(SIZE);
    for (const replica of replicas) await hasAll(replica, [...before, ...during]);
  },
  60_000,
);

/** It takes part again, and knows of what was confirmed while it did not. */
async function hasAll(running: RunningReplica, confirmed: readonly string[]): Promise<void> {
  await until('the replica is back', () => !isFull(running));
  const after = await must(client, 'a client').raise({
    dedupKey: `after${running.identity.replicaId}`,
    condition: 'HR:HI',
    priority: 'high',
  });
  await until('it has all', () => running.replica.machine.revision >= after.revision);
  expect(faults).toEqual([]);
  for (const dedupKey of confirmed)
    expect(running.replica.machine.get({ dedupKey }), dedupKey).toBeDefined();
}
