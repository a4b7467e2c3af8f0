import { expect, onTestFinished, test } from 'vitest';
import type { Entry } from '../../src/raft/types.ts';
import { type Files, filesIn } from '../../src/storage/files.ts';
import { MemoryFiles } from '../../src/storage/memory-files.ts';
import { Snapshots } from '../../src/storage/snapshots.ts';
import type { SnapshotMeta, SnapshotStore } from '../../src/storage/types.ts';
import { emptyLogEnd, endOfAll, entriesAfter } from './entries.ts';
import { remove, temporaryFolder } from './folders.ts';
import { chunksOf, subjectAt } from './snapshot-contract.ts';

const LOG = entriesAfter(emptyLogEnd, 1, [10, 20, 30, 40]);
const OWN = LOG.slice(0, 3);

async function made(snapshots: SnapshotStore, log: readonly Entry[]): Promise<SnapshotMeta> {
  const place = endOfAll(log);
  const writer = await snapshots.create(subjectAt(place));
  for (const chunk of chunksOf(place, 3)) await writer.append(chunk);
  return writer.commit();
}

async function fetched(snapshots: SnapshotStore, log: readonly Entry[]): Promise<void> {
  const elsewhere = new Snapshots(new MemoryFiles());
  const meta = await made(elsewhere, log);
  const staged = await snapshots.stage(meta);
  for (const chunk of meta.chunks.keys())
    await staged.put(chunk, await elsewhere.readChunk(meta.id, chunk));
  await staged.finish();
}

const later = async (microtasks: number): Promise<void> => {
  for (let left = microtasks; left > 0; left -= 1) await Promise.resolve();
};

test.each([
  ['another', LOG],
  ['the same', OWN],
])(
  'while a snapshot is made and %s is fetched, whichever begins first, both end whole',
  async (_which, log) => {
    for (let delay = -120; delay <= 120; delay += 1) {
      const files = new MemoryFiles();
      const snapshots = new Snapshots(files);
      await snapshots.load();
      await Promise.all([
        later(-delay).then(() => made(snapshots, OWN)),
        later(delay).then(() => fetched(snapshots, log)),
      ]);
      const indexes = [...new Set([log.length, OWN.length])];
      expect(snapshots.list.map(({ index }) => index)).toEqual(indexes);
      for (const { id, chunks } of snapshots.list)
        for (const chunk of chunks.keys())
          expect(await snapshots.verify(id, chunk), `delay ${delay}`).toBe(true);
      const again = new Snapshots(files);
      await again.load();
      expect(again.list).toEqual(snapshots.list);
    }
  },
);

test.each(['memory', 'disk'])(
  'a snapshot that goes while a chunk of it is read is not there any more, and nothing worse (%s)',
  async (where) => {
    const folder = await temporaryFolder();
    onTestFinished(() => remove(folder));
    const files = where === 'disk' ? filesIn(folder) : new MemoryFiles();
    let gate: Promise<void> = Promise.resolve();
    const gated: Files = new Proxy(files, {
      get: (target, name) => {
        const method = Reflect.get(target, name);
        if (typeof method !== 'function') return method;
        if (name !== 'read') return method.bind(target);
        return async (...args: unknown[]) => {
          await gate;
          return await method.apply(target, args);
        };
      },
    });
    const snapshots = new Snapshots(gated);
    const { id } = await made(snapshots, OWN);
    let open = (): void => {};
    gate = new Promise((resolve) => {
      open = resolve;
    });
    const [read, verified] = [snapshots.readChunk(id, 1), snapshots.verify(id, 1)];
    read.catch(() => {});
    await snapshots.drop(id);
    open();
    await expect(read).rejects.toMatchObject({ code: 'DATA_MISSING' });
    expect(await verified, 'there is nothing to set aside').toBe(true);
  },
);
