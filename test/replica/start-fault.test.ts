import { join } from 'node:path';
import { expect, test, vi } from 'vitest';
import { TocsinError } from '../../src/base/errors.ts';
import { replicaId } from '../../src/base/ids.ts';
import { startReplica } from '../../src/replica/start.ts';
import { formatFolder } from '../../src/storage/data-folder.ts';
import { remove, temporaryFolder } from '../storage/folders.ts';

/** A residence in which something goes wrong between listening and starting: it is told to leave, and says so. */
vi.mock('../../src/replica/residence.ts', () => ({
  Residence: class {
    readonly #onFault: (error: unknown) => void;
    constructor({ onFault }: { readonly onFault: (error: unknown) => void }) {
      this.#onFault = onFault;
    }
    async enter(store: { close(): Promise<void> }): Promise<void> {
      await store.close();
      this.#onFault(new TocsinError('DISK_FAILED', 'the disk is dead'));
      throw new TocsinError('CANCELLED', 'told to stop');
    }
    leave(): Promise<void> {
      return Promise.resolve();
    }
  },
}));

test('whoever starts a replica hears what went wrong first, not that it was told to stop for it', async () => {
  const root = await temporaryFolder();
  const folder = join(root, 'data');
  const members = [{ id: replicaId(1), address: '/ip4/127.0.0.1/tcp/0' }];
  const clusterId = '6'.repeat(32);
  await formatFolder(folder, { clusterId, replicaId: replicaId(1), incarnation: 1, members });
  await expect(startReplica({ folder })).rejects.toMatchObject({ code: 'DISK_FAILED' });
  await remove(root);
});
