import { readdir, readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { setImmediate as nextTurn } from 'node:timers/promises';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { replicaId } from '../../src/base/ids.ts';
import { formatFolder, openFolder } from '../../src/storage/data-folder.ts';
import { filesIn } from '../../src/storage/files.ts';
import type { Batch, Database } from '../../src/storage/level/level.ts';
import {
  entryKey,
  entryKeyIndex,
  openDatabase,
  STATE_KEYS,
} from '../../src/storage/level/level.ts';
import { HighWater } from '../../src/storage/log/high-water.ts';
import { LevelLogStore } from '../../src/storage/log/level-log-store.ts';
import { encodeState } from '../../src/storage/log/state-record.ts';
import { Snapshots } from '../../src/storage/snapshots.ts';
import { freeBytesAt } from '../../src/storage/space.ts';

import type { LogStore } from '../../src/storage/types.ts';
import { recordOf } from '../../src/wire/log/record.ts';
import {
  at,
  CLUSTER,
  digest,
  emptyLogEnd,
  endOfAll,
  entriesAfter,
  hard,
  writing,
} from './entries.ts';
import { copyInUse, identity, remove, temporaryFolder } from './folders.ts';
import { logStoreContract } from './log-store-contract.ts';
import type { Rig } from './rig.ts';
import { makeSnapshot } from './snapshot-contract.ts';

/** A database whose next batch fails when `failing.next` is set; everything else goes through. */
function breakable(
  database: Database,
  failing: { next: boolean; readonly reason?: string },
): Database {
  const batch = (): Batch => {
    const chained = database.batch();
    const write = chained.write.bind(chained);
    return Object.assign(chained, {
      write: async (...args: Parameters<typeof write>): Promise<void> => {
        if (!failing.next) return write(...args);
        throw Object.assign(new Error(failing.reason ?? 'IO error: EIO'), {
          code: 'LEVEL_IO_ERROR',
        });
      },
    });
  };
  return new Proxy(database, {
    get: (target, name) => {
      if (name === 'batch') return batch;
      const value: unknown = Reflect.get(target, name, target);
      return typeof value === 'function' ? value.bind(target) : value;
    },
  });
}

/** The log of a folder, without what `openFolder` verifies before. */
async function openStore(
  path: string,
  clusterId = CLUSTER,
  wrap = (database: Database): Database => database,
): Promise<LevelLogStore> {
  const raft = join(path, 'raft');
  const snapshots = new Snapshots(filesIn(join(raft, 'snapshots')));
  const database = wrap(await openDatabase(raft, false));
  const highWater = await HighWater.open(raft);
  return new LevelLogStore(
    database,
    clusterId,
    highWater,
    snapshots,
    () => freeBytesAt(raft),
    nextTurn,
  );
}

async function inDatabase(
  path: string,
  change: (database: Database) => Promise<void>,
): Promise<void> {
  const database = await openDatabase(join(path, 'raft'), false);
  try {
    await change(database);
  } finally {
    await database.close();
  }
}

async function damage(database: Database, index: number, how: 'rotten' | 'gone'): Promise<void> {
  const value = await database.get(entryKey(index));
  if (value === undefined || how === 'gone') return database.del(entryKey(index));
  return database.put(entryKey(index), flipped(value, value.byteLength - 1));
}

const flipped = (bytes: Uint8Array, place: number): Uint8Array => {
  const other = Uint8Array.from(bytes);
  other[place]! ^= 1;
  return other;
};

async function makeRig(): Promise<Rig> {
  const root = await temporaryFolder();
  const failing = { next: false };
  const databases = new Map<LogStore, Database>();
  let lives = 0;
  const path = (): string => join(root, String(lives));
  await formatFolder(path(), identity);
  return {
    open: async () => {
      failing.next = false;
      let opened: Database | undefined;
      const store = await openStore(path(), CLUSTER, (database) => {
        opened = database;
        return breakable(database, failing);
      });
      databases.set(store, opened!);
      return store;
    },
    crash: async (store) => {
      // What the kernel holds of a killed process: the files as they are, without an orderly end.
      const before = path();
      lives += 1;
      await copyInUse(before, path());
      await store.close();
    },
    failNextWrite: () => {
      failing.next = true;
    },
    damage: (index, how) => inDatabase(path(), (database) => damage(database, index, how)),
    damageInUse: (store, index, how) => damage(databases.get(store)!, index, how),
    rotSnapshots: async () => {
      const folder = join(path(), 'raft', 'snapshots');
      for (const name of await readdir(folder))
        if (name.endsWith('.data'))
          await writeFile(join(folder, name), flipped(await readFile(join(folder, name)), 1500));
    },
    put: (entry) =>
      inDatabase(path(), (database) => database.put(entryKey(entry.index), recordOf(entry).bytes)),
    wipeSnapshots: () => remove(join(path(), 'raft', 'snapshots')),
    dispose: () => remove(root),
  };
}

logStoreContract('LevelLogStore', makeRig);

test('a disk that is full has a code of its own, and what was acknowledged is there when it has room again', async () => {
  const root = await temporaryFolder();
  const path = join(root, 'data');
  await formatFolder(path, identity);
  const failing = { next: false, reason: 'IO error: 000005.log: No space left on device' };
  const store = await openStore(path, CLUSTER, (database) => breakable(database, failing));
  const log = entriesAfter(emptyLogEnd, 1, [10, 20]);
  try {
    await store.load();
    await store.write(writing(log, hard(1, 2)));
    failing.next = true;
    const full = expect.objectContaining({ code: 'DISK_FULL' });
    await expect(store.write(writing(entriesAfter(endOfAll(log), 1, [5])))).rejects.toThrow(full);
    await expect(store.read(at(1), at(2), 100)).rejects.toThrow(full);
  } finally {
    await store.close();
  }
  const again = (await openFolder(path)).store;
  try {
    expect(digest((await again.load()).tail)).toEqual(digest(log));
  } finally {
    await again.close();
    await remove(root);
  }
});

test('entry keys are in the order of their indexes', () => {
  const indexes = [0, 1, 255, 256, 65_535, 2 ** 32 - 1, 2 ** 32, 2 ** 48 + 3, 2 ** 53 - 1];
  const keys = indexes.map(entryKey);
  expect([...keys].sort(Buffer.compare)).toEqual(keys);
  expect(keys.map(entryKeyIndex)).toEqual(indexes);
});

describe('a log that was tampered with', () => {
  const log = entriesAfter(emptyLogEnd, 1, [10, 20, 30, 40, 50]);
  const bytesOf = (index: number): Uint8Array => recordOf(log[index - 1]!).bytes;
  let root = '';
  let path = '';

  beforeEach(async () => {
    root = await temporaryFolder();
    path = join(root, 'data');
    await formatFolder(path, identity);
    await inStore(async (store) => {
      await store.load();
      await store.write(writing(log, hard(2, 3)));
    });
  });
  afterEach(() => remove(root));

  async function inStore<T>(use: (store: LevelLogStore) => Promise<T>): Promise<T> {
    const { store } = await openFolder(path);
    try {
      return await use(store);
    } finally {
      await store.close();
    }
  }

  const tamper = (change: (database: Database) => Promise<void>): Promise<void> =>
    inDatabase(path, change);

  const loading = async (): Promise<unknown> => inStore((store) => store.load());
  const state = (lastIndex: number, lastChain: number, commit = 0): Uint8Array[] =>
    ([0, 1] as const).map((i) =>
      encodeState(
        { sequence: 9, hardState: hard(2, commit), lastIndex, lastChain, base: emptyLogEnd },
        i,
      ),
    );
  const putState = async (database: Database, copies: Uint8Array[]): Promise<void> => {
    for (const [i, bytes] of copies.entries())
      await database!.put(STATE_KEYS[i === 0 ? 0 : 1], bytes);
  };

  test('untouched it loads', async () => {
    expect(digest((await inStore((store) => store.load())).tail)).toEqual(digest(log));
  });

  const forged = entriesAfter(endOfAll(log.slice(0, 2)), 1, [31])[0]!;
  const forgedLast = entriesAfter(endOfAll(log.slice(0, 4)), 1, [51])[0]!;
  const fallen = entriesAfter(endOfAll(log), 0, [1])[0]!;

  const damaged: readonly [string, (d: Database) => Promise<void>, number][] = [
    ['a missing entry', (d) => d.del(entryKey(3)), 3],
    ['a rotten entry', (d) => d.put(entryKey(3), flipped(bytesOf(3), 80)), 3],
    ['a rotten header', (d) => d.put(entryKey(3), flipped(bytesOf(3), 20)), 3],
    ['a short entry', (d) => d.put(entryKey(3), bytesOf(3).subarray(0, 70)), 3],
    ['an empty entry', (d) => d.put(entryKey(3), new Uint8Array(0)), 3],
    ['a misplaced entry', (d) => d.put(entryKey(3), bytesOf(4)), 3],
    ['a forged entry', (d) => d.put(entryKey(3), recordOf(forged).bytes), 3],
    ['a forged last entry', (d) => d.put(entryKey(5), recordOf(forgedLast).bytes), 5],
  ];
  test.each(damaged)('%s is damage, and no other entry is', async (_what, change, index) => {
    await tamper(change);
    const { damage } = await inStore((store) => store.load());
    const chainAfter = recordOf(log[index - 1]!).chain;
    expect(damage?.ranges).toEqual([{ from: index, to: index, chainAfter }]);
  });

  const harmless: readonly [string, (d: Database) => Promise<void>][] = [
    [
      'an entry beyond the end',
      (d) => d.put(entryKey(6), recordOf(entriesAfter(endOfAll(log), 1, [1])[0]!).bytes),
    ],
    ['one of a term that falls', (d) => d.put(entryKey(6), recordOf(fallen).bytes)],
    ['a strange key', (d) => d.put(Buffer.from('l/x'), bytesOf(3))],
  ];
  test.each(harmless)('%s is no part of the log', async (_what, change) => {
    await tamper(change);
    const { damage, tail } = await inStore((store) => store.load());
    expect([damage, digest(tail)]).toEqual([undefined, digest(log)]);
  });

  const doubtful: readonly [string, (d: Database) => Promise<void>][] = [
    ['a lost copy', (d) => d.del(STATE_KEYS[1])],
    [
      'a rotten copy',
      async (d) => d.put(STATE_KEYS[0], flipped((await d.get(STATE_KEYS[0]))!, 17)),
    ],
    [
      'a copy in the place of the other',
      async (d) => d.put(STATE_KEYS[0], (await d.get(STATE_KEYS[1]))!),
    ],
    ['copies that differ', (d) => d.put(STATE_KEYS[0], state(5, endOfAll(log).chain)[0]!)],
  ];
  const inBothWays = doubtful.flatMap(([what, change]) => [
    [what, change, 0] as const,
    [`${what} (there is a snapshot)`, change, 3] as const,
  ]);
  test.each(inBothWays)(
    'with %s of the hard state it abstains, and keeps to it',
    async (_what, change, reach) => {
      await inStore(async (store) => {
        await store.load();
        if (reach > 0) await makeSnapshot(store, log.slice(0, reach));
      });
      await tamper(change);
      for (let life = 0; life < 2; life += 1) {
        const { damage, tail, hardState } = await inStore((store) => store.load());
        expect([damage, digest(tail)]).toEqual([undefined, digest(log)]);
        expect(hardState).toMatchObject({ term: 2, abstain: true });
      }
      const voted = { ...hard(3, 3, replicaId(1)) };
      await inStore(async (store) => {
        await store.load();
        await store.write(writing([], voted));
      });
      expect((await inStore((store) => store.load())).hardState).toEqual(voted);
    },
  );

  const refused: readonly [string, (d: Database) => Promise<void>, RegExp][] = [
    [
      'both copies of the hard state lost',
      async (d) => {
        await d.del(STATE_KEYS[0]);
        await d.del(STATE_KEYS[1]);
      },
      /both copies.*m.hs0 is missing, m.hs1 is missing/,
    ],
    [
      'a commit beyond the log',
      (d) => putState(d, state(5, endOfAll(log).chain, 6)),
      /entry 6 was committed, but the log ends at 5/,
    ],
  ];
  test.each(refused)('%s is refused', async (_what, change, message) => {
    await tamper(change);
    await expect(loading()).rejects.toThrow(
      expect.objectContaining({ code: 'DATA_CORRUPT', message: expect.stringMatching(message) }),
    );
  });

  test('damage that appears while it runs is seen by the page that reads it', async () => {
    let database: Database | undefined;
    const store = await openStore(path, CLUSTER, (opened) => {
      database = opened;
      return opened;
    });
    try {
      await store.load();
      await database!.put(entryKey(3), flipped(bytesOf(3), 80));
      const corrupt = expect.objectContaining({ code: 'DATA_CORRUPT' });
      await expect(store.read(at(1), at(5), 1e6)).rejects.toThrow(corrupt);
      await expect(store.read(at(4), at(5), 1e6), 'the one before').rejects.toThrow(corrupt);
      expect(await store.read(at(5), at(5), 1e6)).toHaveLength(1);
      await database!.put(entryKey(3), recordOf(forged).bytes);
      await expect(store.read(at(4), at(5), 1e6), 'another chain').rejects.toThrow(corrupt);
      await database!.del(entryKey(5));
      await expect(store.read(at(4), at(5), 1e6), 'a lost end').rejects.toThrow(corrupt);
      await database!.del(entryKey(4));
      await expect(store.read(at(4), at(4), 1e6), 'nothing there').rejects.toThrow(corrupt);
    } finally {
      await store.close();
    }
  });

  test('another cluster id does not fit the log', async () => {
    const store = await openStore(path, 'f'.repeat(32));
    try {
      await expect(store.load()).rejects.toThrow('not those of this log');
    } finally {
      await store.close();
    }
  });

  test('a cut next to a rotten entry fails, and the store with it', async () => {
    let database: Database | undefined;
    const store = await openStore(path, CLUSTER, (opened) => {
      database = opened;
      return opened;
    });
    try {
      await store.load();
      await database!.put(entryKey(4), flipped(bytesOf(4), 80));
      const failed = expect.objectContaining({ code: 'DISK_FAILED' });
      await expect(store.write(writing([], undefined, 5))).rejects.toThrow(failed);
      await expect(store.load()).rejects.toThrow(failed);
    } finally {
      await store.close();
    }
  });

  test('closing while a peer is told what it has lost is no fault of the disk', async () => {
    const { store } = await openFolder(path);
    await store.load();
    const { chain } = endOfAll(log);
    const lost = { from: at(1), to: at(5), chainAfter: chain };
    const told = store.lookUp(lost, 1_000).then(
      ({ found }) => found,
      (error: unknown) => (error as { code: string }).code,
    );
    await store.close();
    expect(['entries', 'CLOSED']).toContain(await told);
  });

  test('closing in the middle of a load ends it with CLOSED, or lets it finish', async () => {
    const { store } = await openFolder(path);
    const load = store.load().then(
      () => 'done',
      (error: unknown) => (error as { code: string }).code,
    );
    await store.close();
    expect(['done', 'CLOSED']).toContain(await load);
  });
});
