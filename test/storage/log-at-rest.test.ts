import { readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { crc32 } from 'node:zlib';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { must } from '../../src/base/assert.ts';
import { TocsinError } from '../../src/base/errors.ts';
import { replicaId, term } from '../../src/base/ids.ts';
import { formatFolder, openFolder } from '../../src/storage/data-folder.ts';
import {
  ENTRY_KEYS_BEGIN,
  ENTRY_KEYS_END,
  entryKey,
  entryKeyIndex,
  openDatabase,
} from '../../src/storage/level/level.ts';
import { decodeMark, HighWater, type Voted } from '../../src/storage/log/high-water.ts';
import { sameVote } from '../../src/storage/log/state-record.ts';
import { Turns } from '../../src/storage/log/turns.ts';
import type { LogStore } from '../../src/storage/types.ts';
import { recordOf } from '../../src/wire/log/record.ts';
import { compactTo, emptyLogEnd, entriesAfter, hard, writing } from './entries.ts';
import { identity, remove, temporaryFolder } from './folders.ts';
import { makeSnapshot } from './snapshot-contract.ts';

/** What a log leaves on the disk, looked at from below. */

let root = '';
const folder = (): string => join(root, 'data');
const markPath = (): string => join(folder(), 'raft', 'high-water');
const log = entriesAfter(emptyLogEnd, 1, [10, 20, 30, 40, 50, 60, 70, 80]);

beforeEach(async () => {
  root = await temporaryFolder();
  await formatFolder(folder(), identity);
});

afterEach(() => remove(root));

async function inStore(use: (store: LogStore) => Promise<void>): Promise<void> {
  const { store } = await openFolder(folder());
  try {
    await store.load();
    await use(store);
  } finally {
    await store.close();
  }
}

async function inDatabase<T>(
  use: (database: Awaited<ReturnType<typeof openDatabase>>) => Promise<T>,
): Promise<T> {
  const database = await openDatabase(join(folder(), 'raft'), false);
  try {
    return await use(database);
  } finally {
    await database.close();
  }
}

/** Of the entries that have a record there. */
const indexesAtRest = (): Promise<readonly (number | undefined)[]> =>
  inDatabase(async (database) => {
    const keys = await database.keys({ gte: ENTRY_KEYS_BEGIN, lt: ENTRY_KEYS_END }).all();
    return keys.map(entryKeyIndex);
  });

test('what is compacted is gone from the disk, and nothing else is', async () => {
  await inStore(async (store) => {
    await store.write(writing(log, hard(1, 8)));
    await makeSnapshot(store, log.slice(0, 5));
    await compactTo(store, 3);
  });
  expect(await indexesAtRest()).toEqual([4, 5, 6, 7, 8]);
  await inStore((store) => compactTo(store, 5));
  expect(await indexesAtRest()).toEqual([6, 7, 8]);
});

test.each([[5], [1, 2, 5], [1, 2, 3, 4, 5]])(
  'what a crash left of compacted entries goes at the next start: the first is %i',
  async (...left) => {
    await inStore(async (store) => {
      await store.write(writing(log, hard(1, 8)));
      await makeSnapshot(store, log.slice(0, 5));
      await compactTo(store, 5);
    });
    await inDatabase(async (database) => {
      for (const index of left) {
        const entry = log[index - 1];
        if (entry !== undefined) await database.put(entryKey(index), recordOf(entry).bytes);
      }
    });
    await inStore(async (store) => compactTo(store, 5));
    expect(await indexesAtRest()).toEqual([6, 7, 8]);
  },
);

test('what is cut is gone from the disk with the write that cuts it, to the last entry', async () => {
  await inStore(async (store) => {
    await store.write(writing(log, hard(1, 3)));
    await store.write(writing([], hard(2, 3), 5));
  });
  expect(await indexesAtRest()).toEqual([1, 2, 3, 4]);
});

test('a round of scrub reads each snapshot that is kept, not the newest alone', async () => {
  await inStore(async (store) => {
    await store.write(writing(log, hard(1, 8)));
    const older = await makeSnapshot(store, log.slice(0, 3));
    await makeSnapshot(store, log.slice(0, 6));
    const path = join(folder(), 'raft', 'snapshots', `${older.id}.data`);
    const bytes = await readFile(path);
    bytes[bytes.byteLength - 1] = (bytes.at(-1) ?? 0) ^ 1;
    await writeFile(path, bytes);
    while (!(await store.scrub(1_000_000)).roundEnds);
    expect(store.snapshots.list.map(({ index }) => index)).toEqual([6]);
  });
});

test('a torn write of the mark leaves the one before it, also the first after a start', async () => {
  for (let life = 1; life <= 4; life += 1) {
    let newest = decodeMark(await readFile(markPath()));
    const highWater = await HighWater.open(join(folder(), 'raft'));
    try {
      for (let count = 0; count < 3; count += 1) {
        highWater.note({ ...highWater.mark, sequence: highWater.mark.sequence + 1 });
        await highWater.putDown();
        const file = await readFile(markPath());
        const written = must(decodeMark(file), 'a mark');
        expect(written.mark.sequence).toBe(must(newest, 'a mark').mark.sequence + 1);
        file.fill(0xff, written.slot * 4096, written.slot * 4096 + 24);
        expect(decodeMark(file)).toEqual(newest);
        newest = written;
      }
    } finally {
      await highWater.close();
    }
  }
});

test.each([
  ['magic number', 0],
  ['version', 4],
  ['slot', 5],
])('a mark of another %s is no mark, though its checksum is right', async (_name, place) => {
  const bytes = await readFile(markPath());
  for (const slot of [0, 4096]) {
    bytes[slot + place] = (bytes[slot + place] ?? 0) ^ 2;
    bytes.writeUInt32LE(crc32(bytes.subarray(slot, slot + 44)), slot + 44);
  }
  expect(decodeMark(bytes)).toBeUndefined();
});

test('a vote differs from another in its term, in whom it is for, or in being in doubt', () => {
  const votes: readonly Voted[] = [1, 2].flatMap((inTerm) =>
    [undefined, replicaId(1), replicaId(2)].flatMap((vote) => [
      { term: term(inTerm), vote },
      { term: term(inTerm), vote, abstain: true as const },
    ]),
  );
  for (const one of votes)
    for (const other of votes) expect(sameVote(one, { ...other })).toBe(one === other);
});

test.each([
  ['DISK_FULL', false],
  ['DISK_FAILED', false],
  ['DATA_CORRUPT', false],
  ['BODY_MALFORMED', true],
] as const)('after a batch of its own ends with %s the log goes on: %s', async (code, goesOn) => {
  const turns = new Turns();
  const failing = turns.between('repairing', () =>
    Promise.reject(new TocsinError(code, 'as told')),
  );
  await expect(failing).rejects.toBeInstanceOf(TocsinError);
  expect(turns.goOn).toBe(goesOn);
});
