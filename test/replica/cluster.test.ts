import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { replicaId } from '../../src/base/ids.ts';
import { connect } from '../../src/client/client.ts';
import { type RunningReplica, startReplica } from '../../src/replica/start.ts';
import { formatFolder } from '../../src/storage/data-folder.ts';
import { newClusterId, newIncarnation } from '../../src/storage/identity.ts';
import { freePorts } from './free-ports.ts';

let folder = '';
let running: (RunningReplica | undefined)[] = [];
let endpoints: string[] = [];

async function start(at: number): Promise<RunningReplica> {
  const replica = await startReplica({ folder: join(folder, `${at}`) });
  running[at] = replica;
  return replica;
}

beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), 'tocsin-test-'));
  endpoints = (await freePorts(3)).map((port) => `/ip4/127.0.0.1/tcp/${port}`);
  const clusterId = newClusterId();
  const members = endpoints.map((address, at) => ({ id: replicaId(at + 1), address }));
  running = [];
  for (const [at, member] of members.entries())
    await formatFolder(join(folder, `${at}`), {
      clusterId,
      replicaId: member.id,
      incarnation: newIncarnation(),
      members,
    });
});

afterEach(async () => {
  await Promise.all(running.map((replica) => replica?.close()));
  await rm(folder, { recursive: true, force: true });
});

test('what one client raises, every replica holds alike, also after a restart of all', async () => {
  await Promise.all([start(0), start(1), start(2)]);
  const client = await connect({ endpoints, name: 'test' });
  const done = await client.raise({ dedupKey: 'k1', condition: 'HR:HI', priority: 'high' });
  expect(done).toMatchObject({ effect: 'raised', alertId: 'A1' });
  expect((await client.get({ id: 'A1' })).value).toMatchObject({ dedupKey: 'k1' });
  await client.acknowledge({ target: { id: 'A1' } });
  await client.clear({ target: { dedupKey: 'k1' } });
  await client.close();
  await Promise.all(running.map((replica) => replica?.close()));
  await Promise.all([start(0), start(1), start(2)]);
  const again = await connect({ endpoints, name: 'test' });
  const { value, revision } = await again.get({ id: 'A1' });
  expect(value).toMatchObject({ presence: 'cleared', acknowledged: true });
  expect(revision).toBe(3);
  const digests = new Set<string>();
  for (const endpoint of endpoints) {
    const status = await again.status(endpoint);
    digests.add(`${status.digest}`);
  }
  expect([...digests]).toHaveLength(1);
  await again.close();
});
