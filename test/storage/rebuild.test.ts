import { readdir, readFile, rename, truncate, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { formatFolder, openFolder } from '../../src/storage/data-folder.ts';
import { digest, emptyLogEnd, endOfAll, entriesAfter, hard, writing } from './entries.ts';
import { copy, identity, makeUsedFolder, remove, temporaryFolder, withFolder } from './folders.ts';
import { makeSnapshot } from './snapshot-contract.ts';

let root = '';
let path = '';
beforeEach(async () => {
  root = await temporaryFolder();
  path = join(root, 'data');
});
afterEach(() => remove(root));

const withStore = (use: Parameters<typeof withFolder>[1]): Promise<void> => withFolder(path, use);
const makeUsed = (): Promise<void> => makeUsedFolder(path);

const inRaft = async (pattern: RegExp): Promise<string[]> =>
  (await readdir(join(path, 'raft')))
    .filter((name) => pattern.test(name))
    .map((name) => join(path, 'raft', name));

/** Flips a bit of a byte; counted from the end when negative. */
async function flipIn(name: string, place: number): Promise<void> {
  const bytes = await readFile(name);
  const at = place < 0 ? bytes.length + place : place;
  bytes[at]! ^= 4;
  await writeFile(name, bytes);
}

/** Whatever is rotten in there, LevelDB never sees it. */
const rotten: readonly [string, () => Promise<unknown>][] = [
  ['the content of CURRENT', async () => truncate(join(path, 'raft', 'CURRENT'), 0)],
  ['the end of CURRENT', async () => truncate(join(path, 'raft', 'CURRENT'), 10)],
  ['a bit of CURRENT', async () => flipIn(join(path, 'raft', 'CURRENT'), 12)],
  ['a bit of the manifest', async () => flipIn((await inRaft(/^MANIFEST/))[0]!, 60)],
  ['the footer of a table', async () => flipIn((await inRaft(/\.ldb$/))[0]!, -20)],
  ['the identity', async () => flipIn(join(path, 'raft', 'identity'), 20)],
];
test.each(rotten)(
  'a folder with %s rotten is made anew, and nothing is lost',
  async (_what, spoil) => {
    await makeUsed();
    await spoil();
    for (let life = 0; life < 2; life += 1)
      await withStore(async (opened) => {
        expect(opened.identity).toEqual(identity);
        const { tail, damage, hardState } = await opened.store.load();
        expect(damage).toBeUndefined();
        expect(digest(tail)).toEqual(digest(entriesAfter(emptyLogEnd, 1, [10, 20])));
        expect(hardState).toEqual(hard(1));
      });
    expect(await readdir(path), 'and no trace stays').toEqual(['raft']);
  },
);

test('a crash between any two steps of making it anew is made good', async () => {
  await makeUsed();
  const log = entriesAfter(emptyLogEnd, 1, [10, 20]);
  await withStore(async ({ store }) => {
    await store.load();
    await makeSnapshot(store, log);
  });
  await copy(path, join(root, 'sound'));
  await flipIn(join(path, 'raft', 'CURRENT'), 12);
  await copy(path, join(root, 'rotten'));
  await withStore(async () => undefined);
  const made = join(root, 'made');
  await copy(path, made);
  await remove(join(made, 'raft', 'snapshots'));
  const has = (name: string): string => join(path, name);
  const crashes: readonly [string, () => Promise<unknown>][] = [
    ['while it is made', () => copy(join(made, 'raft'), has('raft.rebuilding'))],
    ['when it is made', () => copy(join(made, 'raft'), has('raft.rebuilt'))],
    [
      'when the rotten one is set aside',
      async () => [
        await copy(join(made, 'raft'), has('raft.rebuilt')),
        await rename(has('raft'), has('raft.damaged')),
      ],
    ],
    [
      'when the snapshots have moved',
      async () => [
        await copy(join(made, 'raft'), has('raft.rebuilt')),
        await rename(has('raft'), has('raft.damaged')),
        await rename(
          join(has('raft.damaged'), 'snapshots'),
          join(has('raft.rebuilt'), 'snapshots'),
        ),
      ],
    ],
  ];
  for (const [what, crash] of crashes) {
    await remove(path);
    await copy(join(root, 'rotten'), path);
    await crash();
    await withStore(async ({ store }) => {
      const { tail, snapshot } = await store.load();
      expect(digest(tail), what).toEqual(digest(log));
      expect(snapshot?.index, what).toBe(2);
    });
  }
});

test('an emptied log is not a new replica: it has lost what it knows it had', async () => {
  await makeUsed();
  for (const name of await inRaft(/\.(log|ldb)$/)) await truncate(name, 0);
  await withStore(async ({ store }) => {
    const { damage, hardState } = await store.load();
    expect(damage?.ranges).toMatchObject([{ from: 1, to: 2 }]);
    expect(hardState).toMatchObject({ term: 1, abstain: true });
  });
  await expect(formatFolder(path, identity)).rejects.toThrow(
    expect.objectContaining({ code: 'DATA_EXISTS' }),
  );
});

test('what was cut, and what was never acknowledged, does not come back', async () => {
  await formatFolder(path, identity);
  const old = entriesAfter(emptyLogEnd, 1, [10, 20, 3000, 40]);
  const fresh = entriesAfter(endOfAll(old.slice(0, 2)), 2, [33]);
  await withStore(async ({ store }) => {
    await store.load();
    await store.write(writing(old, hard(1)));
    await store.write(writing(fresh, hard(2), 3));
  });
  await flipIn((await inRaft(/^MANIFEST/))[0]!, 60);
  await withStore(async ({ store }) => {
    const { tail, damage } = await store.load();
    expect(damage).toBeUndefined();
    expect(digest(tail)).toEqual(digest([...old.slice(0, 2), ...fresh]));
  });
});

test('a write that came after the newest that is whole leaves the replica in doubt of it', async () => {
  await makeUsed();
  const mark = await readFile(join(path, 'raft', 'high-water'));
  await withStore(async ({ store }) => {
    const { tail } = await store.load();
    await store.write(writing(entriesAfter(endOfAll(tail), 1, [30, 30]), hard(1)));
    await store.write(writing([], hard(1, 3)));
  });
  // As a crash leaves it: the mark is behind. And then the last write rots, both copies of the state with it.
  await writeFile(join(path, 'raft', 'high-water'), mark);
  const [name] = (await inRaft(/\.log$/)).slice(-1);
  const bytes = await readFile(name!);
  await writeFile(name!, bytes.fill(0xff, bytes.length - 170));
  await flipIn((await inRaft(/^MANIFEST/))[0]!, 60);
  await withStore(async ({ store }) => {
    const { tail, hardState } = await store.load();
    expect(tail).toHaveLength(4);
    expect(hardState.abstain).toBe(true);
  });
});

test('with neither log nor mark to go by it is refused: nothing tells it from a wiped disk', async () => {
  await makeUsed();
  for (const name of await inRaft(/\.(log|ldb)$/)) await truncate(name, 0);
  await writeFile(join(path, 'raft', 'high-water'), Buffer.alloc(8192));
  await expect(openFolder(path)).rejects.toThrow(expect.objectContaining({ code: 'DATA_CORRUPT' }));
});

test('a folder that another process uses is not made anew', async () => {
  await makeUsed();
  await withStore(async () => {
    await flipIn(join(path, 'raft', 'CURRENT'), 12);
    await expect(openFolder(path)).rejects.toThrow(
      expect.objectContaining({ code: 'DATA_LOCKED' }),
    );
    await flipIn(join(path, 'raft', 'CURRENT'), 12);
  });
});
