import { readdir, readFile, rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { formatFolder, openFolder } from '../../src/storage/data-folder.ts';
import type { LogStore, Restored } from '../../src/storage/types.ts';
import { compactTo, emptyLogEnd, entriesAfter, hard, writing } from './entries.ts';
import { identity, remove, temporaryFolder } from './folders.ts';
import { makeSnapshot } from './snapshot-contract.ts';

/** Snapshots that rot on the disk, of a log that begins after the older one. */

const log = entriesAfter(emptyLogEnd, 2, [1, 2, 3, 4, 5, 6, 7, 8]);

let root = '';
let snapshots = '';

async function withStore<T>(use: (store: LogStore, restored: Restored) => Promise<T>): Promise<T> {
  const { store } = await openFolder(join(root, 'data'));
  try {
    return await use(store, await store.load());
  } finally {
    await store.close();
  }
}

beforeEach(async () => {
  root = await temporaryFolder();
  snapshots = join(root, 'data', 'raft', 'snapshots');
  await formatFolder(join(root, 'data'), identity);
  await withStore(async (store) => {
    await store.write(writing(log, hard(2, 8)));
    await makeSnapshot(store, log.slice(0, 4));
    await makeSnapshot(store, log.slice(0, 7));
    await compactTo(store, 4);
  });
});
afterEach(() => remove(root));

/** The files of the snapshot that reaches `index`. */
async function filesOf(index: number): Promise<string[]> {
  const names = await readdir(snapshots);
  return names.filter((name) => name.startsWith(`${index}-`)).map((name) => join(snapshots, name));
}

async function rot(path: string): Promise<void> {
  const bytes = await readFile(path);
  bytes[bytes.length >> 1]! ^= 1;
  await writeFile(path, bytes);
}

const whole = (restored: Restored): unknown => ({
  snapshot: restored.snapshot?.index,
  base: restored.base.index,
  last: restored.tail.at(-1)?.index,
  damage: restored.damage,
});

test.each(['meta', 'data'])(
  'a newest snapshot whose %s rots gives way to the one before it and the log',
  async (kind) => {
    await withStore(async (_, restored) =>
      expect(whole(restored)).toEqual({ snapshot: 7, base: 4, last: 8, damage: undefined }),
    );
    for (const path of await filesOf(7)) if (path.endsWith(kind)) await rot(path);
    await withStore(async (_, restored) =>
      expect(whole(restored)).toEqual({ snapshot: 4, base: 4, last: 8, damage: undefined }),
    );
  },
);

test.each(['rotten', 'gone'])(
  'a compacted log whose snapshots are all %s does not start: it says what it lacks',
  async (how) => {
    for (const path of [...(await filesOf(7)), ...(await filesOf(4))])
      if (how === 'gone') await rm(path);
      else await rot(path);
    await withStore(async (_, restored) => {
      expect(restored.snapshot).toBeUndefined();
      expect(restored.damage).toEqual({ ranges: [], snapshotFrom: 4 });
    });
  },
);

test('an older snapshot that rots costs nothing while the newest is whole', async () => {
  for (const path of await filesOf(4)) await rot(path);
  await withStore(async (_, restored) =>
    expect(whole(restored)).toEqual({ snapshot: 7, base: 4, last: 8, damage: undefined }),
  );
});
