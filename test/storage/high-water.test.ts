import { open, readFile, rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import fc from 'fast-check';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { replicaId } from '../../src/base/ids.ts';
import { formatFolder, openFolder } from '../../src/storage/data-folder.ts';
import { HighWater } from '../../src/storage/log/high-water.ts';
import type { LogStore } from '../../src/storage/types.ts';
import { recordOf } from '../../src/wire/log/record.ts';
import { digest, emptyLogEnd, endOfAll, entriesAfter, hard, writing } from './entries.ts';
import { copy, identity, remove, temporaryFolder } from './folders.ts';
import { heal } from './heal.ts';

let root = '';
const folder = (): string => join(root, 'data');
const mark = (): string => join(folder(), 'raft', 'high-water');

beforeEach(async () => {
  root = await temporaryFolder();
  await formatFolder(folder(), identity);
});

afterEach(() => remove(root));

/** Writes `count` entries, one a write, and closes in an orderly way. */
async function fill(count: number): Promise<void> {
  const { store } = await openFolder(folder());
  try {
    const { tail } = await store.load();
    let end = tail.length === 0 ? emptyLogEnd : endOfAll(tail);
    for (let written = 0; written < count; written += 1) {
      const entries = entriesAfter(end, 1, [50]);
      await store.write(writing(entries, hard(1)));
      end = endOfAll(entries);
    }
  } finally {
    await store.close();
  }
}

async function load(): Promise<number> {
  const { store } = await openFolder(folder());
  try {
    return (await store.load()).tail.length;
  } finally {
    await store.close();
  }
}

test('a log that comes up as it was before its newest writes knows what it has lost', async () => {
  await fill(3);
  await copy(folder(), join(root, 'old'));
  await fill(2);
  await copy(folder(), join(root, 'peer'));
  await copy(mark(), join(root, 'high-water'));
  await remove(folder());
  await copy(join(root, 'old'), folder());
  expect(await load(), 'an old backup as a whole cannot be told').toBe(3);
  await copy(join(root, 'high-water'), mark());
  const { store } = await openFolder(folder());
  const { store: peer } = await openFolder(join(root, 'peer'));
  try {
    const { tail } = await peer.load();
    const chainAfter = recordOf(tail[4]!).chain;
    const { damage, hardState } = await store.load();
    expect(damage?.ranges).toEqual([{ from: 4, to: 5, chainAfter }]);
    expect(hardState.abstain, 'more may be lost than the mark knows of').toBe(true);
    const healed = await heal(store, peer);
    expect(digest(healed.tail)).toEqual(digest(tail));
    expect(healed.hardState.abstain, 'it abstains until a leader has taken it in').toBe(true);
  } finally {
    await store.close();
    await peer.close();
  }
});

test('a vote is known from the mark when the log has lost it, and nobody is in doubt', async () => {
  await fill(3);
  await copy(folder(), join(root, 'old'));
  const { store } = await openFolder(folder());
  await store.load();
  await store.write(writing([], hard(7, 0, replicaId(3))));
  // A crash right behind it: the log is as it was before, the mark is not.
  await copy(mark(), join(root, 'high-water'));
  await store.close();
  await remove(folder());
  await copy(join(root, 'old'), folder());
  await copy(join(root, 'high-water'), mark());
  for (let life = 0; life < 2; life += 1) {
    const opened = await openFolder(folder());
    try {
      const { hardState, damage, tail } = await opened.store.load();
      expect(hardState).toEqual(hard(7, 0, replicaId(3)));
      expect([damage, tail.length]).toEqual([undefined, 3]);
    } finally {
      await opened.store.close();
    }
  }
});

test('the mark lags behind the log, and never runs ahead of it', async () => {
  await fill(3);
  await copy(mark(), join(root, 'high-water'));
  await fill(4);
  await copy(join(root, 'high-water'), mark());
  expect(await load()).toBe(7);
});

test('a pause of the writer is used to put the mark down', async () => {
  const { store } = await openFolder(folder());
  try {
    await store.load();
    await store.write(writing(entriesAfter(emptyLogEnd, 1, [50]), hard(1)));
    store.settle();
    await expect.poll(async () => Math.max(...(await marks(mark())))).toBe(1);
  } finally {
    await store.close();
  }
});

test('without a pause the mark follows all the same', async () => {
  const { store } = await openFolder(folder());
  try {
    await store.load();
    let end = emptyLogEnd;
    for (let written = 0; written < 100; written += 1) {
      const entries = entriesAfter(end, 1, [10]);
      await store.write(writing(entries, hard(1)));
      end = endOfAll(entries);
    }
    await expect.poll(async () => Math.max(...(await marks(mark())))).toBeGreaterThanOrEqual(64);
  } finally {
    await store.close();
  }
});

/** The sequence in each slot, as the file has it. */
async function marks(path: string): Promise<number[]> {
  const bytes = await readFile(path);
  return [0, 4096].map((at) => Number(bytes.readBigUInt64LE(at + 8)));
}

test('a torn slot leaves the other; with both gone the replica abstains, and marks anew', async () => {
  await fill(5);
  const [one = 0, other = 0] = await marks(mark());
  const older = Math.min(one, other);
  const newerAt = one > other ? 0 : 4096;
  const bytes = await readFile(mark());
  bytes.fill(0xff, newerAt, newerAt + 20);
  await writeFile(mark(), bytes);
  const highWater = await HighWater.open(join(folder(), 'raft'));
  expect(highWater.mark.sequence).toBe(older);
  await highWater.close();
  expect(await load()).toBe(5);
  await writeFile(mark(), Buffer.alloc(8192));
  for (let life = 0; life < 2; life += 1) {
    const { store } = await openFolder(folder());
    const { tail, damage, hardState } = await store.load();
    await store.close();
    expect([tail.length, damage, hardState.abstain]).toEqual([5, undefined, true]);
    expect(Math.max(...(await marks(mark())))).toBe(6);
  }
  await rm(mark());
  await expect(load()).rejects.toThrow('the file high-water is missing');
});

test('whatever single byte of the mark rots, it never claims more than was noted', async () => {
  await fill(4);
  const good = await readFile(mark());
  await fc.assert(
    fc.asyncProperty(
      fc.nat(good.byteLength - 1),
      fc.integer({ min: 1, max: 255 }),
      async (at, by) => {
        const bytes = Buffer.from(good);
        bytes[at] = (bytes[at] ?? 0) ^ by;
        await writeFile(mark(), bytes);
        const highWater = await HighWater.open(join(folder(), 'raft'));
        expect(highWater.mark.sequence).toBeLessThanOrEqual(4);
        expect(highWater.mark.sequence).toBeGreaterThanOrEqual(0);
        await highWater.close();
      },
    ),
    { numRuns: 100 },
  );
});

test('a mark that cannot be put down stops the log like any failed write', async () => {
  const { store } = await openFolder(folder());
  const plain: LogStore = store;
  const probe = await open(mark());
  const prototype: object = Object.getPrototypeOf(probe);
  await probe.close();
  const datasync = Reflect.get(prototype, 'datasync');
  try {
    await plain.load();
    await plain.write(writing(entriesAfter(emptyLogEnd, 1, [50]), hard(1)));
    Reflect.set(prototype, 'datasync', () => Promise.reject(new Error('EIO')));
    plain.settle();
    await expect
      .poll(() =>
        plain.load().then(
          () => 'loaded',
          (error: { code: string }) => error.code,
        ),
      )
      .toBe('DISK_FAILED');
  } finally {
    Reflect.set(prototype, 'datasync', datasync);
    await plain.close();
  }
});
