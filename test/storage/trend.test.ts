import { appendFile, mkdtemp, readdir, rm, truncate, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { describe, expect, it, onTestFinished } from 'vitest';
import {
  TREND_JOURNAL_BLOCK_BYTES,
  TREND_JOURNAL_SPARES_MAX,
} from '../../src/base/trend-limits.ts';
import {
  MemoryTrendDisk,
  openTrendDisk,
  type TrendDisk,
} from '../../src/storage/trend/trend-disk.ts';
import {
  MemoryJournal,
  openTrendJournal,
  type TrendJournal,
} from '../../src/storage/trend/trend-journal.ts';
import { living } from '../living.ts';

async function folder(): Promise<string> {
  const path = await mkdtemp(join(tmpdir(), 'tocsin-trend-'));
  onTestFinished(() => rm(path, { recursive: true }));
  return path;
}

const bytes = (...all: readonly number[]): Uint8Array => Uint8Array.from(all);

async function all<T>(items: AsyncIterable<T>): Promise<readonly T[]> {
  const list: T[] = [];
  for await (const item of items) list.push(item);
  return list;
}

async function drained(iterator: AsyncIterator<unknown>): Promise<void> {
  while (!(await iterator.next()).done);
}

const DISKS: readonly (readonly [string, (path: string) => Promise<TrendDisk>])[] = [
  ['LevelDB', openTrendDisk],
  ['memory', () => Promise.resolve(new MemoryTrendDisk())],
];

describe.each(DISKS)('trends in %s', (_name, open) => {
  it('are found by key, in order, and cleared by range', async () => {
    const disk = await open(await folder());
    await disk.write(
      [
        [bytes(1, 2), bytes(7)],
        [bytes(1, 1), bytes(8, 9)],
        [bytes(2), bytes()],
      ],
      true,
    );
    expect(await disk.getMany([bytes(1, 1), bytes(3), bytes(2)])).toEqual(
      [bytes(8, 9), undefined, bytes()].map(
        (one) => one && expect.objectContaining({ length: one.length }),
      ),
    );
    const keys = (await all(disk.scan(bytes(1), bytes(2)))).map(([key]) => [...key]);
    expect(keys).toEqual([
      [1, 1],
      [1, 2],
    ]);
    await disk.clear(bytes(1), bytes(1, 2));
    expect((await all(disk.scan(bytes(), bytes(9)))).length).toBe(2);
    await disk.close();
  });

  it('are there, and can be written, after it was opened again', async () => {
    const disk = await open(await folder());
    await disk.write([[bytes(1), bytes(7)]], true);
    const reading = disk.getMany([bytes(1)]);
    await reading;
    await disk.reopen();
    await disk.write([[bytes(2), bytes(8)]], true);
    expect((await disk.getMany([bytes(1), bytes(2)])).map((one) => one?.[0])).toEqual([7, 8]);
    expect(await disk.freeBytes()).toBeGreaterThan(0);
    await disk.close();
  });
});

describe('trends on disk', () => {
  it('that are opened again after a write failed tell whoever comes meanwhile to come back', async () => {
    const disk = await openTrendDisk(await folder());
    const puts = Array.from(
      { length: 1_000 },
      (_, n) => [bytes(1, n >> 8, n & 255), bytes(7)] as const,
    );
    await disk.write(puts, true);
    const nothing = new Uint8Array(0);
    await expect(
      disk.write([[undefined as unknown as Uint8Array, nothing]], true),
    ).rejects.toThrow();
    const scan = disk.scan(bytes(1), bytes(2))[Symbol.asyncIterator]();
    await scan.next();
    const opening = disk.reopen();
    const isFull = { code: 'DISK_FULL' };
    await Promise.all([
      expect(disk.getMany([bytes(1, 0, 1)])).rejects.toMatchObject(isFull),
      expect(all(disk.scan(bytes(1), bytes(2)))).rejects.toMatchObject(isFull),
      expect(disk.write(puts, true)).rejects.toMatchObject(isFull),
      expect(drained(scan)).rejects.toMatchObject(isFull),
      opening,
    ]);
    expect(await all(disk.scan(bytes(1), bytes(2)))).toHaveLength(1_000);
    await disk.close();
  });

  it('are not closed and opened for nothing', async () => {
    const disk = await openTrendDisk(await folder());
    await disk.write([[bytes(1), bytes(7)]], true);
    const opening = disk.reopen();
    expect(await disk.getMany([bytes(1)])).toHaveLength(1);
    await opening;
    await disk.close();
  });

  it('are there when it is opened again', async () => {
    const path = await folder();
    const disk = await openTrendDisk(path);
    await disk.write([[bytes(1), bytes(5, 6)]], true);
    await disk.close();
    const again = await openTrendDisk(path);
    expect([...((await again.getMany([bytes(1)]))[0] ?? [])]).toEqual([5, 6]);
    await again.close();
  });

  it('that cannot be read are set aside, once, and it goes on with none', async () => {
    const path = await folder();
    const lines: string[] = [];
    const rot = async (): Promise<void> => {
      const disk = await openTrendDisk(path, (line) => lines.push(line));
      expect([...((await disk.getMany([bytes(1)]))[0] ?? [])]).toEqual([]);
      await disk.write([[bytes(1), bytes(5, 6)]], true);
      await disk.close();
      await writeFile(join(path, 'trend', 'CURRENT'), 'MANIFEST-nowhere');
    };
    await rot();
    expect(lines).toEqual([]);
    await rot();
    expect(lines).toEqual([expect.stringContaining('lies in trend-damaged now')]);
    expect(await readdir(join(path, 'trend-damaged'))).toContain('CURRENT');
    // LevelDB begins its text log anew whenever it tries.
    const held = async (): Promise<readonly string[]> =>
      (await readdir(join(path, 'trend'))).filter((name) => !name.startsWith('LOG')).sort();
    const before = await held();
    await expect(openTrendDisk(path)).rejects.toMatchObject({
      code: 'DATA_CORRUPT',
      message: expect.stringContaining('move it away'),
    });
    expect(await held()).toEqual(before);
  });

  it('cannot be opened twice', async () => {
    const path = await folder();
    const disk = await openTrendDisk(path);
    await expect(openTrendDisk(path)).rejects.toMatchObject({ code: 'DATA_LOCKED' });
    await disk.close();
  });
});

const JOURNALS: readonly (readonly [string, () => Promise<() => Promise<TrendJournal>>])[] = [
  [
    'files',
    async () => {
      const path = await folder();
      return () => openTrendJournal(path);
    },
  ],
  [
    'memory',
    async () => {
      const journal = new MemoryJournal();
      return () => Promise.resolve(journal);
    },
  ],
];

describe.each(JOURNALS)('a journal in %s', (_name, prepare) => {
  it('gives back what was synced, in order, and nothing of dropped segments', async () => {
    const open = await prepare();
    const journal = await open();
    await journal.begin();
    journal.append(1, bytes(1, 2, 3));
    journal.append(2, bytes());
    await journal.sync();
    const second = await journal.begin();
    journal.append(2, bytes(4));
    await journal.close();
    const again = await open();
    const records = (await all(again.read())).map(({ kind, body }) => [kind, ...body]);
    expect(records).toEqual([[1, 1, 2, 3], [2], [2, 4]]);
    await again.drop(second);
    await again.begin();
    await again.close();
    const third = await open();
    expect((await all(third.read())).map(({ kind, body }) => [kind, ...body])).toEqual([[2, 4]]);
    await third.close();
  });
});

describe.each(JOURNALS)('a journal in %s', (_name, prepare) => {
  it('puts what is appended after a segment was begun into that one, while older ones are still being written', async () => {
    const open = await prepare();
    const journal = await open();
    await journal.begin();
    journal.append(1, bytes(1));
    const syncing = journal.sync();
    journal.append(1, bytes(2));
    const beginning = journal.begin();
    journal.append(1, bytes(3));
    const syncingMore = journal.sync();
    journal.append(1, bytes(4));
    const second = await beginning;
    await Promise.all([syncing, syncingMore]);
    await journal.drop(second);
    await journal.close();
    const again = await open();
    await again.begin();
    expect((await all(again.read())).map(({ body }) => [...body])).toEqual([[3], [4]]);
    await again.close();
  });
});

describe('a journal on disk', () => {
  it('keeps records of any size, whatever the caller does with their bytes afterwards', async () => {
    const path = await folder();
    const journal = await openTrendJournal(path);
    await journal.begin();
    const sizes = [0, 5, 400_000, 700_000, 1_048_567, 1_048_568, 3_000_000, 1, 900_000, 900_000];
    for (let round = 0; round < 3; round += 1) {
      for (const [at, size] of sizes.entries()) {
        const body = new Uint8Array(size).fill(round * 16 + at);
        journal.append(1, body);
        body.fill(255);
      }
      await journal.sync();
    }
    await journal.close();
    const again = await openTrendJournal(path);
    const read = (await all(again.read())).map(({ body }) => [
      body.byteLength,
      body.every((one) => one === body[0]) ? body[0] : 'torn',
    ]);
    expect(read).toEqual(
      [0, 1, 2].flatMap((round) =>
        sizes.map((size, at) => [size, size === 0 ? undefined : round * 16 + at]),
      ),
    );
    await again.close();
  });
});

describe('a journal that was torn', () => {
  it.each([
    ['cut short', async (path: string, size: number) => truncate(path, size - 2)],
    [
      'followed by rubbish',
      async (path: string) => appendFile(path, bytes(9, 0, 0, 0, 1, 2, 3, 4, 1, 7, 7)),
    ],
    [
      'followed by a length out of reach',
      async (path: string) => appendFile(path, bytes(255, 255, 255, 255, 0, 0, 0, 0, 1)),
    ],
  ])('gives back what is whole: %s', async (what, damage) => {
    const path = await folder();
    const journal = await openTrendJournal(path);
    await journal.begin();
    journal.append(1, bytes(1, 2, 3));
    journal.append(1, bytes(4, 5, 6));
    await journal.close();
    const [name = ''] = await readdir(join(path, 'trend-journal'));
    await damage(join(path, 'trend-journal', name), 24);
    const again = await openTrendJournal(path);
    const bodies = (await all(again.read())).map(({ body }) => [...body]);
    expect(bodies).toEqual(
      what === 'cut short'
        ? [[1, 2, 3]]
        : [
            [1, 2, 3],
            [4, 5, 6],
          ],
    );
    await again.close();
  });
});

describe('the room of a journal', () => {
  const blocksHeld = async (): Promise<number> =>
    (await living()).arrays / TREND_JOURNAL_BLOCK_BYTES;

  it('is used again by what follows, and given back when it was for one slow write alone', async () => {
    const journal = await openTrendJournal(await folder());
    const half = new Uint8Array(TREND_JOURNAL_BLOCK_BYTES / 2);
    const before = await blocksHeld();
    const segment = async (blocks: number): Promise<number> => {
      await journal.begin();
      for (let at = 0; at < blocks; at += 1) journal.append(1, half);
      await journal.sync();
      return Math.round((await blocksHeld()) - before);
    };
    expect(await segment(2)).toBe(2);
    expect(await segment(TREND_JOURNAL_SPARES_MAX)).toBe(TREND_JOURNAL_SPARES_MAX);
    expect(await segment(2)).toBe(TREND_JOURNAL_SPARES_MAX);
    await segment(2);
    expect(await segment(2)).toBe(2);
    await journal.close();
  });
});
