import { mkdtemp, rm } from 'node:fs/promises';
import { createServer } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { freePorts } from '../../cli/local/free-ports.ts';
import { replicaId } from '../../src/base/ids.ts';
import { type RunningReplica, startReplica } from '../../src/replica/start.ts';
import { formatFolder } from '../../src/storage/data-folder.ts';
import { newClusterId, newIncarnation } from '../../src/storage/identity.ts';

let folder = '';
let port = 0;
let running: RunningReplica[] = [];

async function start(listen?: string): Promise<RunningReplica> {
  const replica = await startReplica({
    folder: join(folder, 'data'),
    ...(listen === undefined ? {} : { listen }),
  });
  running.push(replica);
  return replica;
}

beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), 'tocsin-test-'));
  [port = 0] = await freePorts(1);
  running = [];
  await formatFolder(join(folder, 'data'), {
    clusterId: newClusterId(),
    replicaId: replicaId(1),
    incarnation: newIncarnation(),
    members: [{ id: replicaId(1), address: `/ip4/127.0.0.1/tcp/${port}` }],
  });
});

afterEach(async () => {
  await Promise.all(running.map((replica) => replica.close()));
  await rm(folder, { recursive: true, force: true });
});

test('a second start on one folder is refused and leaves the first alone', async () => {
  const first = await start();
  await expect(start('/ip4/127.0.0.1/tcp/0')).rejects.toMatchObject({ code: 'DATA_LOCKED' });
  await first.close();
  await expect(first.closed).resolves.toBeUndefined();
  await start();
});

test('when the port is taken the folder is given back', async () => {
  const server = createServer();
  await new Promise<void>((resolve) => server.listen(port, '127.0.0.1', resolve));
  try {
    await expect(start()).rejects.toMatchObject({ code: 'ADDRESS_IN_USE' });
  } finally {
    await new Promise((resolve) => server.close(resolve));
  }
  await expect(start('nowhere')).rejects.toMatchObject({ code: 'BAD_ADDRESS' });
  const replica = await start();
  expect(replica.address).toContain(`${port}`);
});

test('closing twice, even at once, closes once and gives port and folder back', async () => {
  const replica = await start();
  await Promise.all([replica.close(), replica.close()]);
  await replica.close();
  await expect(replica.closed).resolves.toBeUndefined();
  const again = await start();
  expect(again.address).toBe(replica.address);
});
