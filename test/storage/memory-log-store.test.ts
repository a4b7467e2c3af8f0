import { describe, expect, test } from 'vitest';
import { LOG_MEMORY_BYTES_MAX } from '../../src/base/limits.ts';
import type { Entry } from '../../src/raft/types.ts';
import { type HeldWrite, MemoryDisk } from '../../src/storage/log/memory-log-store.ts';
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
import { logStoreContract, runsOf } from './log-store-contract.ts';

logStoreContract('MemoryDisk', async () => {
  const disk = new MemoryDisk(CLUSTER);
  return {
    open: async () => disk.open(),
    crash: async () => disk.crash(),
    failNextWrite: () => {
      disk.onWrite = (write) => {
        disk.onWrite = undefined;
        write.fail('kept');
      };
    },
    damage: async (index, how) => disk.damage(index, how),
    damageInUse: async (_store, index, how) => disk.damage(index, how),
    rotSnapshots: async () => {
      for (const [name, bytes] of disk.files.contents)
        if (name.endsWith('.data')) bytes[1500] = (bytes[1500] ?? 0) ^ 1;
    },
    put: async (entry) => disk.put(entry),
    wipeSnapshots: async () => disk.files.contents.clear(),
    dispose: async () => undefined,
  };
});

describe('MemoryDisk under control', () => {
  const log = entriesAfter(emptyLogEnd, 1, [1, 2]);

  async function heldWrite(): Promise<{ disk: MemoryDisk; held: HeldWrite; told: string[] }> {
    const disk = new MemoryDisk(CLUSTER);
    const store = disk.open();
    await store.load();
    const held: HeldWrite[] = [];
    disk.onWrite = (write) => held.push(write);
    const told: string[] = [];
    void store.write(writing(log, hard(1))).then(
      () => told.push('durable'),
      (error: unknown) => told.push(String((error as { code?: string }).code)),
    );
    disk.onWrite = undefined;
    return { disk, held: held[0]!, told };
  }
  const turn = (): Promise<void> => new Promise((resolve) => setImmediate(resolve));
  const contents = async (disk: MemoryDisk): Promise<string[]> =>
    digest((await disk.open().load()).tail);

  test('a held write completes when the test says so, not before', async () => {
    const { disk, held, told } = await heldWrite();
    await turn();
    expect(told).toEqual([]);
    held.complete();
    await turn();
    expect(told).toEqual(['durable']);
    disk.crash();
    expect(await contents(disk)).toEqual(digest(log));
  });

  test.each([
    ['lost', 0],
    ['kept', 2],
  ] as const)(
    'a crash in the middle of a write: the batch is %s, its writer hears nothing',
    async (fate, count) => {
      const { disk, held, told } = await heldWrite();
      disk.crash(fate);
      held.complete();
      held.fail('kept');
      await turn();
      expect(told).toEqual([]);
      expect(await contents(disk)).toEqual(digest(log).slice(0, count));
    },
  );

  test.each([
    ['lost', 0],
    ['kept', 2],
  ] as const)('a failed write whose batch is %s', async (fate, count) => {
    const { disk, held, told } = await heldWrite();
    held.fail(fate);
    held.complete();
    await turn();
    expect(told).toEqual(['DISK_FAILED']);
    disk.crash();
    expect(await contents(disk)).toEqual(digest(log).slice(0, count));
  });

  test('what a write under way cuts is not readable, the rest is', async () => {
    const disk = new MemoryDisk(CLUSTER);
    const store = disk.open();
    await store.load();
    await store.write(writing(log, hard(1)));
    const held: HeldWrite[] = [];
    disk.onWrite = (write) => held.push(write);
    const write = store.write(writing([], undefined, 2));
    expect(await store.read(at(1), at(1), 100)).toHaveLength(1);
    await expect(store.read(at(1), at(2), 100)).rejects.toThrow('readable is 1');
    held[0]!.complete();
    await write;
  });

  async function loadAfter(commit: number) {
    const disk = new MemoryDisk(CLUSTER);
    const store = disk.open();
    await store.load();
    const entries: Entry[] = [];
    for (let inTerm = 1; inTerm <= 9; inTerm += 1) {
      const more = entriesAfter(endOfAll(entries), inTerm, Array(6).fill(700 * 1024));
      await store.write(writing(more, hard(inTerm, inTerm === 9 ? commit : 0)));
      entries.push(...more);
    }
    await store.close();
    const restored = await disk.open().load();
    const bytes = restored.tail.reduce((sum, entry) => sum + entry.payload.byteLength, 0);
    return { entries, bytes, ...restored };
  }

  test('only the newest entries that fit memory are kept, but all runs of terms', async () => {
    const { entries, bytes, tail, terms } = await loadAfter(54);
    expect(bytes).toBeLessThanOrEqual(LOG_MEMORY_BYTES_MAX);
    expect(bytes).toBeGreaterThan(LOG_MEMORY_BYTES_MAX - 701 * 1024);
    expect(digest(tail)).toEqual(digest(entries.slice(-tail.length)));
    expect(terms).toEqual(runsOf(entries));
  });

  test('everything from the commit index on is kept, whatever it weighs', async () => {
    const { entries, tail, terms } = await loadAfter(2);
    expect(digest(tail)).toEqual(digest(entries.slice(1)));
    expect(terms).toEqual(runsOf(entries));
  });
});
