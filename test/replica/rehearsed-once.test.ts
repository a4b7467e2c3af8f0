import { join } from 'node:path';
import { expect, test, vi } from 'vitest';
import { replicaId } from '../../src/base/ids.ts';
import { startReplica } from '../../src/replica/start.ts';
import { formatFolder, openFolder } from '../../src/storage/data-folder.ts';
import { remove, temporaryFolder } from '../storage/folders.ts';

const rehearse = vi.hoisted(() => vi.fn<() => Promise<void>>());
vi.mock('../../src/replica/rehearsal/rehearse.ts', () => ({ rehearse }));

test('a process rehearses once, while nothing is held that others could want, and starts without if that fails', async () => {
  const root = await temporaryFolder();
  const folder = join(root, 'data');
  const id = replicaId(1);
  const address = '/ip4/127.0.0.1/tcp/0';
  const members = [{ id, address }];
  const clusterId = '5'.repeat(32);
  await formatFolder(folder, { clusterId, replicaId: id, incarnation: 1, members });
  rehearse.mockImplementation(async () => {
    const { store } = await openFolder(folder);
    await store.close();
    throw new Error('forgot the words');
  });
  const lines: string[] = [];
  for (let start = 0; start < 2; start += 1) {
    const running = await startReplica({ folder, log: (line) => lines.push(line) });
    expect(running.replica.status().replicaId).toBe(1);
    await running.close();
  }
  expect(rehearse).toHaveBeenCalledTimes(1);
  expect(lines.filter((line) => line.includes('forgot the words'))).toHaveLength(1);
  const signal = AbortSignal.abort();
  await expect(startReplica({ folder, signal })).rejects.toMatchObject({ code: 'CANCELLED' });
  await remove(root);
});
