import { mkdir, mkdtemp, readFile, rm, truncate, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { freePorts } from '../../cli/local/free-ports.ts';
import { replicaId } from '../../src/base/ids.ts';
import { type Client, connect } from '../../src/client/index.ts';
import { examineBackup, restoreFolder } from '../../src/replica/restore.ts';
import { type RunningReplica, startReplica } from '../../src/replica/start.ts';
import { writeBackup } from '../../src/storage/backup.ts';
import { formatFolder } from '../../src/storage/data-folder.ts';
import { newClusterId, newIncarnation } from '../../src/storage/identity.ts';
import { inspectFolder } from '../../src/storage/inspect.ts';
import type { Identity } from '../../src/storage/types.ts';
import { decodeSnapshotMeta } from '../../src/wire/log/snapshot-meta.ts';

let root = '';
let running: RunningReplica[] = [];
let clients: Client[] = [];

beforeEach(async () => {
  root = await mkdtemp(join(tmpdir(), 'tocsin-test-'));
  running = [];
  clients = [];
});

afterEach(async () => {
  await Promise.all(clients.map((client) => client.close()));
  await Promise.all(running.map((replica) => replica.close()));
  await rm(root, { recursive: true, force: true });
});

/** Who the members of a new cluster are, one each. */
async function identities(size: number): Promise<{ endpoints: string[]; all: Identity[] }> {
  const clusterId = newClusterId();
  const endpoints = (await freePorts(size)).map((port) => `/ip4/127.0.0.1/tcp/${port}`);
  const members = endpoints.map((address, at) => ({ id: replicaId(at + 1), address }));
  const all = members.map(({ id }) => ({
    clusterId,
    replicaId: id,
    incarnation: newIncarnation(),
    members,
  }));
  return { endpoints, all };
}

async function serve(name: string, all: readonly Identity[], endpoints: string[]): Promise<Client> {
  for (const { replicaId: id } of all)
    running.push(await startReplica({ folder: join(root, `${name}${id}`) }));
  const client = await connect({ endpoints, name: 'test', timeoutMs: 20_000 });
  clients.push(client);
  return client;
}

/** A cluster with some history, and the file in which it was saved. */
async function saved(size: number): Promise<{ file: string; clusterId: string; count: number }> {
  const { endpoints, all } = await identities(size);
  for (const identity of all) await formatFolder(join(root, `old${identity.replicaId}`), identity);
  const client = await serve('old', all, endpoints);
  for (let n = 0; n < COUNT; n += 1)
    await client.raise(
      { dedupKey: `k${n}`, condition: 'HR:HI', priority: 'high', text: 'x'.repeat(900) },
      { idempotencyKey: `raise ${n}` },
    );
  await client.acknowledge({ target: { dedupKey: 'k7' } });
  const [endpoint = ''] = endpoints;
  const { id } = await client.operator.snapshot(endpoint);
  const { clusterId } = await client.status(endpoint);
  const part = (chunk: number | undefined): Promise<Uint8Array> =>
    client.operator.snapshotPart(endpoint, id, chunk);
  const file = join(root, 'saved');
  const meta = decodeSnapshotMeta(await part(undefined));
  await writeBackup(file, { clusterId, meta, readChunk: part });
  return { file, clusterId, count: COUNT };
}

const COUNT = 40;

test('what is saved from a live cluster is the state of a new one: alerts, replies, revisions, and none of the old members', async () => {
  const { file, clusterId } = await saved(3);
  expect(await examineBackup(file)).toMatchObject({ clusterId, openAlerts: COUNT });
  const { endpoints, all } = await identities(3);
  for (const identity of all)
    await restoreFolder(join(root, `new${identity.replicaId}`), file, identity);
  const client = await serve('new', all, endpoints);
  const { value } = await client.list({ open: true }, { limit: 1_000 });
  expect(value.alerts.map(({ dedupKey }) => dedupKey)).toEqual(
    Array.from({ length: COUNT }, (_, n) => `k${n}`),
  );
  expect((await client.get({ dedupKey: 'k7' })).value).toMatchObject({ acknowledged: true });
  const again = {
    dedupKey: 'k3',
    condition: 'HR:HI',
    priority: 'high',
    text: 'x'.repeat(900),
  } as const;
  const repeated = await client.raise(again, { idempotencyKey: 'raise 3' });
  expect(repeated, 'the first reply').toMatchObject({ effect: 'raised', alertId: 'A4' });
  const fresh = await client.raise({ dedupKey: 'new', condition: 'HR:HI', priority: 'high' });
  expect(fresh.revision, 'the history goes on').toBe(COUNT + 2);
  const status = await client.status();
  expect(status.clusterId).toBe(all[0]?.clusterId);
  expect(status.members.map(({ address }) => address)).toEqual(endpoints);
});

test('a file that is damaged, cut, or of the very cluster is refused, and a folder that holds something is left alone', async () => {
  const { file, clusterId } = await saved(1);
  const { all } = await identities(1);
  const [identity] = all as [Identity];
  const folder = join(root, 'new');
  const restoring = (from: string, who = identity): Promise<unknown> =>
    restoreFolder(folder, from, who);
  const bytes = await readFile(file);
  const spoilt = join(root, 'spoilt');
  for (const at of [3, 20, 60, bytes.byteLength >> 1, bytes.byteLength - 1]) {
    const other = Buffer.from(bytes);
    other[at] = (other[at] ?? 0) ^ 1;
    await writeFile(spoilt, other);
    await expect(restoring(spoilt), `byte ${at}`).rejects.toMatchObject({ code: 'DATA_CORRUPT' });
  }
  for (const length of [0, 10, 100, bytes.byteLength - 1]) {
    await writeFile(spoilt, bytes);
    await truncate(spoilt, length);
    await expect(restoring(spoilt), `cut at ${length}`).rejects.toMatchObject({
      code: 'DATA_CORRUPT',
    });
  }
  await expect(restoring(join(root, 'none'))).rejects.toMatchObject({ code: 'DATA_MISSING' });
  await expect(restoring(file, { ...identity, clusterId })).rejects.toMatchObject({
    code: 'DATA_OTHER_CLUSTER',
  });
  await mkdir(folder);
  await writeFile(join(folder, 'mine'), 'x');
  await expect(restoring(file)).rejects.toMatchObject({ code: 'DATA_EXISTS' });
  await rm(join(folder, 'mine'));
  await restoring(file);
  const found = await inspectFolder(folder);
  expect(found).toMatchObject({ damage: undefined, abstains: false, vote: undefined });
  expect(found.base).toBe(found.last);
});
