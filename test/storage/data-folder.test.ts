import { chmod, mkdir, readdir, rename, rm, stat, symlink, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { replicaId } from '../../src/base/ids.ts';
import { formatFolder, openFolder } from '../../src/storage/data-folder.ts';
import { encodeIdentity } from '../../src/storage/identity.ts';
import { IDENTITY_KEY, openDatabase } from '../../src/storage/level/level.ts';
import type { Identity } from '../../src/storage/types.ts';
import { digest, emptyLogEnd, entriesAfter } from './entries.ts';
import {
  copy,
  identity,
  identityOfVersion,
  makeUsedFolder,
  remove,
  snapshot,
  temporaryFolder,
  withFolder,
} from './folders.ts';

let root = '';
let path = '';
beforeEach(async () => {
  root = await temporaryFolder();
  path = join(root, 'data');
});
afterEach(() => remove(root));

const coded = (code: string, message = /./): Error =>
  expect.objectContaining({ code, message: expect.stringMatching(message) });

const withStore = (use: Parameters<typeof withFolder>[1]): Promise<void> => withFolder(path, use);
const makeUsed = (): Promise<void> => makeUsedFolder(path);

describe('formatting', () => {
  test('makes a folder that opens with the same identity and an empty log', async () => {
    await formatFolder(path, identity);
    await withStore(async (opened) => {
      expect(opened.identity).toEqual(identity);
      expect((await opened.store.load()).tail).toEqual([]);
    });
  });

  test('the folders are for the owner alone, parents are made', async () => {
    path = join(root, 'a', 'b', 'data');
    await formatFolder(path, identity);
    expect((await stat(path)).mode & 0o777).toBe(0o700);
    expect((await stat(join(path, 'raft'))).mode & 0o777).toBe(0o700);
    expect(await readdir(path)).toEqual(['raft']);
  });

  test('an empty folder is taken as it is', async () => {
    await mkdir(path);
    await formatFolder(path, identity);
    await withStore(async (opened) => expect(opened.identity).toEqual(identity));
  });

  const taken: readonly [string, () => Promise<unknown>][] = [
    ['a formatted folder', () => formatFolder(path, identity)],
    ['a used folder', makeUsed],
    ['a stray file', async () => [await mkdir(path), await writeFile(join(path, 'notes'), 'x')]],
    ['an emptied log', () => mkdir(join(path, 'raft'), { recursive: true })],
    ['a file in its place', () => writeFile(path, 'x')],
    [
      'a file on the way to it',
      async () => {
        await writeFile(join(root, 'data'), 'x');
        path = join(root, 'data', 'deeper');
      },
    ],
  ];
  test.each(taken)('%s is refused and not touched', async (_what, prepare) => {
    await prepare();
    const before = await snapshot(root);
    await expect(formatFolder(path, { ...identity, incarnation: 78 })).rejects.toThrow(
      coded('DATA_EXISTS'),
    );
    expect(await snapshot(root)).toEqual(before);
  });

  test('an interrupted format is no lost log, and formatting again clears it', async () => {
    await makeUsed();
    await rename(join(path, 'raft'), join(path, 'raft.formatting-0123456789ab'));
    const before = await snapshot(root);
    await expect(openFolder(path)).rejects.toThrow(coded('DATA_MISSING', /interrupted/));
    expect(await snapshot(root)).toEqual(before);
    await formatFolder(path, identity);
    expect(await readdir(path)).toEqual(['raft']);
    await withStore(async ({ store }) => expect((await store.load()).tail).toEqual([]));
  });

  test('of several at once exactly one wins, and the folder is whole', async () => {
    const contenders = [1, 2, 3, 4].map((incarnation) => ({ ...identity, incarnation }));
    const ends = await Promise.allSettled(contenders.map((each) => formatFolder(path, each)));
    const codes = ends.map((end) => (end.status === 'fulfilled' ? 'won' : end.reason.code));
    expect(codes.sort()).toEqual(['DATA_EXISTS', 'DATA_EXISTS', 'DATA_EXISTS', 'won']);
    await withStore(async (opened) => {
      const winner = ends.findIndex((end) => end.status === 'fulfilled');
      expect(opened.identity).toEqual(contenders[winner]);
      await opened.store.load();
    });
  });

  test('a place where nothing can be made is a DISK_FAILED with the reason', async () => {
    await expect(formatFolder('/proc/self/tocsin', identity)).rejects.toThrow(
      coded('DISK_FAILED', /ENOENT|EACCES|EPERM/),
    );
  });

  test.each([
    ['a short cluster id', { clusterId: 'abc' }, /cluster id/],
    ['capital digits', { clusterId: 'A'.repeat(32) }, /cluster id/],
    ['no incarnation', { incarnation: 0 }, /incarnation/],
    ['a broken incarnation', { incarnation: 1.5 }, /incarnation/],
    ['no members', { members: [] }, /replica 2 is not among/],
    ['not a member', { replicaId: replicaId(4) }, /replica 4 is not among/],
    ['a member twice', { members: [identity.members[1], identity.members[1]] }, /listed twice/],
    ['members out of order', { members: [...identity.members].reverse() }, /after 3/],
    [
      'one address for two',
      { members: identity.members.map((m) => ({ ...m, address: '/ip4/1.2.3.4/tcp/1' })) },
      /listed twice/,
    ],
    ['an empty address', { members: [{ id: replicaId(2), address: '' }] }, /not a multiaddr/],
    [
      'an endless address',
      { members: [{ id: replicaId(2), address: `/dns4/${'a'.repeat(600)}` }] },
      /not a multiaddr/,
    ],
    [
      'too many members',
      {
        members: Array.from({ length: 64 }, (_, i) => ({
          id: replicaId(i + 1),
          address: `/ip4/1.2.3.4/tcp/${i}`,
        })),
      },
      /above 63/,
    ],
  ])('an identity with %s is refused', async (_what, change, message) => {
    const wrong = { ...identity, ...change } as Identity;
    await expect(formatFolder(path, wrong)).rejects.toThrow(coded('BAD_CONFIG', message));
    expect(await readdir(root)).toEqual([]);
  });
});

describe('opening', () => {
  const notThere: readonly [string, RegExp, () => Promise<unknown>][] = [
    ['no folder', /does not exist/, async () => undefined],
    ['an empty folder', /not formatted/, () => mkdir(path)],
    [
      'a folder of other things',
      /not formatted/,
      async () => [await mkdir(path), await writeFile(join(path, 'notes'), 'x')],
    ],
    ['a file', /not a folder/, () => writeFile(path, 'x')],
    [
      'a file on the way',
      /does not exist/,
      async () => {
        await writeFile(path, 'x');
        path = join(path, 'deeper');
      },
    ],
    [
      'a log that is a file',
      /not a folder/,
      async () => [await mkdir(path), await writeFile(join(path, 'raft'), 'x')],
    ],
    ['an emptied log', /is empty/, () => mkdir(join(path, 'raft'), { recursive: true })],
    ['a link to nowhere', /does not exist/, () => symlink(join(root, 'gone'), path)],
  ];
  test.each(notThere)(
    '%s is DATA_MISSING, and nothing is made',
    async (_what, message, prepare) => {
      await prepare();
      const before = await snapshot(root);
      await expect(openFolder(path)).rejects.toThrow(coded('DATA_MISSING', message));
      expect(await snapshot(root)).toEqual(before);
    },
  );

  const inRaft = async (pattern: RegExp): Promise<string[]> =>
    (await readdir(join(path, 'raft')))
      .filter((name) => pattern.test(name))
      .map((name) => join(path, 'raft', name));
  const removeFiles = async (pattern: RegExp): Promise<void> => {
    const names = await inRaft(pattern);
    expect(names.length).toBeGreaterThan(0);
    for (const name of names) await rm(name);
  };
  const lost: readonly [string, RegExp, () => Promise<unknown>][] = [
    ['CURRENT', /CURRENT/, () => removeFiles(/^CURRENT$/)],
    ['the log files', /log file/, () => removeFiles(/\.log$/)],
    ['the manifest', /MANIFEST/, () => removeFiles(/^MANIFEST/)],
    ['all but the tables', /identity/, () => removeFiles(/^(?!.*ldb)/)],
    ['its tables', /table/, () => removeFiles(/\.ldb$/)],
    ['its identity', /identity/, () => removeFiles(/^identity$/)],
    ['its high-water mark', /high-water/, () => removeFiles(/^high-water$/)],
  ];
  test.each(lost)(
    'a folder that lost %s is DATA_CORRUPT, and nothing is touched',
    async (_what, message, lose) => {
      await makeUsed();
      expect(await inRaft(/\.ldb$/)).not.toEqual([]);
      await lose();
      const before = await snapshot(root);
      await expect(openFolder(path)).rejects.toThrow(coded('DATA_CORRUPT', message));
      expect(await snapshot(root)).toEqual(before);
    },
  );

  test('a folder in use is DATA_LOCKED, whichever way it is reached', async () => {
    await formatFolder(path, identity);
    await withStore(async () => {
      await expect(openFolder(path)).rejects.toThrow(coded('DATA_LOCKED'));
      await expect(openFolder(`${path}/`)).rejects.toThrow(coded('DATA_LOCKED'));
    });
    await withStore(async (opened) => expect(opened.identity).toEqual(identity));
  });

  test('a folder of another cluster or replica is refused, and stays usable', async () => {
    await formatFolder(path, identity);
    const other = coded('DATA_OTHER_CLUSTER');
    await expect(openFolder(path, { clusterId: 'f'.repeat(32) })).rejects.toThrow(other);
    await expect(openFolder(path, { replicaId: replicaId(3) })).rejects.toThrow(other);
    const { clusterId } = identity;
    const { store } = await openFolder(path, { clusterId, replicaId: identity.replicaId });
    await store.close();
  });

  async function putIdentity(bytes: Uint8Array | undefined): Promise<void> {
    const database = await openDatabase(join(path, 'raft'), false);
    try {
      if (bytes === undefined) await database.del(IDENTITY_KEY);
      else await database.put(IDENTITY_KEY, bytes);
    } finally {
      await database.close();
    }
  }

  test('a newer format or a lost identity is refused; neither keeps the lock', async () => {
    await formatFolder(path, identity);
    await putIdentity(identityOfVersion(2));
    await expect(openFolder(path)).rejects.toThrow(coded('DATA_NEWER_FORMAT', /format 2/));
    await putIdentity(undefined);
    await expect(openFolder(path)).rejects.toThrow(coded('DATA_CORRUPT'));
    await putIdentity(encodeIdentity(identity));
    await withStore(async (opened) => expect(opened.identity).toEqual(identity));
  });

  test('a folder of another cluster, or of a newer format, is not touched', async () => {
    await makeUsed();
    const file = join(path, 'raft', 'identity');
    const before = await snapshot(root);
    await expect(openFolder(path, { clusterId: 'e'.repeat(32) })).rejects.toThrow(
      coded('DATA_OTHER_CLUSTER'),
    );
    expect(await snapshot(root)).toEqual(before);
    await writeFile(file, identityOfVersion(2));
    const newer = await snapshot(root);
    await expect(openFolder(path)).rejects.toThrow(coded('DATA_NEWER_FORMAT', /format 2/));
    expect(await snapshot(root)).toEqual(newer);
  });

  test('a copy of the folder opens elsewhere', async () => {
    await makeUsed();
    await copy(path, join(root, 'copy'));
    path = join(root, 'copy');
    await withStore(async ({ store }) => {
      const { tail } = await store.load();
      expect(digest(tail)).toEqual(digest(entriesAfter(emptyLogEnd, 1, [10, 20])));
    });
  });

  test('a folder without permission says so', async () => {
    await formatFolder(path, identity);
    await chmod(path, 0);
    const root = process.geteuid?.() === 0;
    if (root) process.seteuid?.(65_534); // root may read everything
    try {
      await expect(openFolder(path)).rejects.toThrow(coded('DISK_FAILED', /permission/));
    } finally {
      if (root) process.seteuid?.(0);
      await chmod(path, 0o700);
    }
  });
});
