import { readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { must } from '../../src/base/assert.ts';
import { logIndex, replicaId, term, unixMillis } from '../../src/base/ids.ts';
import { formatFolder, openFolder } from '../../src/storage/data-folder.ts';
import { entryKey, openDatabase } from '../../src/storage/level/level.ts';
import { recoverFolder } from '../../src/storage/recover.ts';
import type { LogStore, Restored } from '../../src/storage/types.ts';
import { EntryRecord, entryOf, recordOf } from '../../src/wire/log/record.ts';
import type { ClusterMember, MemberRole } from '../../src/wire/peers/members.ts';
import { CLUSTER, compactTo, digest, emptyLogEnd, entriesAfter, hard, writing } from './entries.ts';
import { copy, identity, remove, temporaryFolder } from './folders.ts';
import { makeSnapshot } from './snapshot-contract.ts';

let root = '';
let path = '';
const log = entriesAfter(emptyLogEnd, 2, [10, 20, 30, 40, 50]);
const options = { clusterId: CLUSTER, now: unixMillis(1_800_000_000_000) };

beforeEach(async () => {
  root = await temporaryFolder();
  path = join(root, 'data');
  await formatFolder(path, identity);
  await inStore(async (store) => {
    await store.load();
    await store.write(writing(log, hard(2, 4)));
  });
});
afterEach(() => remove(root));

async function inStore<T>(use: (store: LogStore) => Promise<T>): Promise<T> {
  const { store } = await openFolder(path);
  try {
    return await use(store);
  } finally {
    await store.close();
  }
}

const loaded = (): Promise<Restored> => inStore((store) => store.load());

async function lose(index: number): Promise<void> {
  const database = await openDatabase(join(path, 'raft'), false);
  await database.del(entryKey(index));
  await database.close();
}

test('the last replica becomes a cluster of its own, and keeps all it holds', async () => {
  const recovery = await recoverFolder(path, options);
  expect(recovery).toMatchObject({ last: 6, lost: undefined });
  const { incarnation, members, clusterId } = recovery.identity;
  expect(members).toEqual([{ id: 2, address: '/ip4/127.0.0.1/tcp/7402' }]);
  expect(clusterId).toBe(CLUSTER);
  expect(incarnation).not.toBe(identity.incarnation);
  const restored = await loaded();
  expect(restored.hardState).toEqual(hard(3, 6, replicaId(2)));
  expect(digest(restored.tail.slice(0, 5))).toEqual(digest(log));
  const [forced] = restored.configurations;
  expect(forced?.index).toBe(6);
  expect(recordOf(forced!).configuration).toMatchObject({
    voters: [2],
    outgoing: [],
    learners: [],
  });
  expect(recordOf(forced!).members).toMatchObject([{ incarnation }]);
  const opened = await openFolder(path);
  await opened.store.close();
  expect(opened.identity).toEqual(recovery.identity);
});

test('in the midst of a change of members it becomes one too, whichever side of the change it is on', async () => {
  const member = (id: number, ...roles: MemberRole[]): ClusterMember => ({
    id: replicaId(id),
    address: `/ip4/127.0.0.1/tcp/740${id}`,
    incarnation: 77,
    roles,
    priority: 0,
  });
  const change = EntryRecord.draftConfiguration(options.now, [
    member(1, 'voter', 'outgoing'),
    member(2, 'outgoing'),
    member(3, 'voter', 'outgoing'),
  ]);
  change.seal({ index: logIndex(6), term: term(2) }, recordOf(must(log.at(-1), 'an entry')).chain);
  await inStore(async (store) => {
    await store.load();
    await store.write(writing([entryOf(change)], hard(2, 4)));
  });
  expect(await recoverFolder(path, options)).toMatchObject({ last: 7, lost: undefined });
  const forced = must((await loaded()).configurations.at(-1), 'a configuration');
  expect(recordOf(forced).configuration).toMatchObject({ voters: [2], outgoing: [] });
});

test('with entries lost it goes on before the first of them, and says what is gone', async () => {
  await lose(3);
  await lose(5);
  expect((await loaded()).damage?.ranges).toHaveLength(2);
  const recovery = await recoverFolder(path, options);
  expect(recovery.last).toBe(3);
  expect(recovery.lost).toBe('entries 3, 5, and all after the first of them');
  const restored = await loaded();
  expect(restored.hardState).toEqual(hard(3, 3, replicaId(2)));
  expect(digest(restored.tail.slice(0, 2))).toEqual(digest(log.slice(0, 2)));
});

test('a replica that abstains for what it may have forgotten votes again', async () => {
  const mark = await readFile(join(path, 'raft', 'high-water'));
  await copy(path, join(root, 'old'));
  await inStore(async (store) => {
    await store.load();
    await store.write(writing([], hard(2, 5)));
  });
  expect(Buffer.compare(mark, await readFile(join(path, 'raft', 'high-water')))).not.toBe(0);
  const newer = await readFile(join(path, 'raft', 'high-water'));
  await remove(path);
  await copy(join(root, 'old'), path);
  await writeFile(join(path, 'raft', 'high-water'), newer);
  expect((await loaded()).hardState.abstain).toBe(true);
  await recoverFolder(path, options);
  expect((await loaded()).hardState).toEqual(hard(3, 6, replicaId(2)));
});

test('it begins after a snapshot as any log does', async () => {
  await inStore(async (store) => {
    await store.load();
    await makeSnapshot(store, log);
    await compactTo(store, 5);
  });
  await lose(4);
  expect(await recoverFolder(path, options)).toMatchObject({ last: 6, lost: undefined });
  expect((await loaded()).tail).toHaveLength(1);
});

test('without the snapshot that the log begins after there is nothing to go on from', async () => {
  await inStore(async (store) => {
    await store.load();
    await makeSnapshot(store, log);
    await compactTo(store, 4);
  });
  await remove(join(path, 'raft', 'snapshots'));
  await expect(recoverFolder(path, options)).rejects.toThrow(
    expect.objectContaining({ code: 'DATA_LOST' }),
  );
});

test('another cluster’s folder is refused, and nothing in it changes', async () => {
  const other = { ...options, clusterId: 'f'.repeat(32) };
  await expect(recoverFolder(path, other)).rejects.toThrow(
    expect.objectContaining({ code: 'DATA_OTHER_CLUSTER' }),
  );
  expect((await loaded()).tail).toHaveLength(5);
});

test('a crash before the identity is written is made good by doing it again', async () => {
  await copy(join(path, 'raft', 'identity'), join(root, 'identity'));
  const first = await recoverFolder(path, options);
  await copy(join(root, 'identity'), join(path, 'raft', 'identity'));
  const opened = await openFolder(path);
  await opened.store.close();
  expect(opened.identity, 'LevelDB has the newer one').toEqual(first.identity);
  const again = await recoverFolder(path, options);
  expect(again.last).toBe(7);
});
