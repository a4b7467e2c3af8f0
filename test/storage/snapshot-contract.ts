import { expect, test } from 'vitest';
import { replicaId, revision } from '../../src/base/ids.ts';
import type { Entry } from '../../src/raft/types.ts';
import type {
  LogPlace,
  LogStore,
  Restored,
  SnapshotMeta,
  SnapshotSubject,
} from '../../src/storage/types.ts';
import type { ClusterMember } from '../../src/wire/peers/members.ts';
import {
  at,
  compactTo,
  digest,
  emptyLogEnd,
  endOfAll,
  entriesAfter,
  hard,
  writing,
} from './entries.ts';
import type { Rig } from './rig.ts';

export const members: readonly ClusterMember[] = [1, 2, 3].map((id) => ({
  id: replicaId(id),
  address: `/ip4/127.0.0.1/tcp/740${id}`,
  incarnation: 70 + id,
  roles: ['voter'],
  priority: 0,
}));

export const subjectAt = ({ index, term, chain }: LogPlace): SnapshotSubject => ({
  index,
  term,
  chain,
  members,
  revision: revision(index * 2),
  digest: index * 7,
  machineVersion: 1,
});

export const chunksOf = (place: LogPlace, count: number): Uint8Array[] =>
  Array.from({ length: count }, (_, i) => Buffer.alloc(1000 + i, place.index + i));

/** Makes a snapshot of as many chunks at the end of `log`. */
export async function makeSnapshot(
  store: LogStore,
  log: readonly Entry[],
  count = 3,
): Promise<SnapshotMeta> {
  const place = endOfAll(log);
  const writer = await store.snapshots.create(subjectAt(place));
  for (const chunk of chunksOf(place, count)) await writer.append(chunk);
  return writer.commit();
}

const coded = (code: string): Error => expect.objectContaining({ code });

/** What every log store promises about snapshots, and about a log that begins after one. */
export function snapshotContract(open: () => Promise<LogStore>, rig: () => Rig): void {
  const log = entriesAfter(emptyLogEnd, 2, [1, 2, 3, 4, 5, 6, 7, 8]);
  const filled = async (): Promise<LogStore> => {
    const store = await open();
    await store.load();
    await store.write(writing(log, hard(2, 3)));
    return store;
  };
  const reload = async (store: LogStore, how: 'close' | 'crash' = 'crash'): Promise<Restored> => {
    await (how === 'close' ? store.close() : rig().crash(store));
    return (await open()).load();
  };
  const summary = ({ snapshot, base, tail }: Restored): unknown => [
    snapshot?.id,
    base.index,
    tail.map(({ index }) => index),
  ];
  compacting({ log, filled, reload, summary });
  doubting({ log, filled, open });
  restarting({ log, filled, reload, summary, open });
  making({ log, filled, reload, open });
  staging({ log, filled, open, rig });
}

interface Parts {
  readonly log: readonly Entry[];
  readonly filled: () => Promise<LogStore>;
  readonly reload: (store: LogStore, how?: 'close' | 'crash') => Promise<Restored>;
  readonly summary: (restored: Restored) => unknown;
  readonly open: () => Promise<LogStore>;
  readonly rig: () => Rig;
}

function compacting({ log, filled, reload, summary }: Omit<Parts, 'open' | 'rig'>): void {
  test.each([1, 4, 5])('compacted up to %d the log begins there and still chains', async (to) => {
    const store = await filled();
    const snapshot = await makeSnapshot(store, log.slice(0, 5));
    await compactTo(store, to);
    expect(digest(await store.read(at(to + 1), at(8), 1e6))).toEqual(digest(log.slice(to)));
    await expect(store.read(at(to), at(8), 1e6)).rejects.toThrow('the log begins after');
    const more = entriesAfter(endOfAll(log), 2, [9]);
    await store.write(writing(more));
    const restored = await reload(store);
    expect(restored.snapshot).toEqual(snapshot);
    expect(restored.hardState.commit, 'a snapshot proves what was committed').toBe(5);
    expect(restored.base).toEqual(endOfAll(log.slice(0, to)));
    expect(digest(restored.tail)).toEqual(digest([...log.slice(to), ...more]));
    expect(restored.terms).toEqual([{ from: to + 1, term: 2 }]);
  });

  test('a write that knows less to be committed than the log was compacted to takes nothing back', async () => {
    const store = await filled();
    await makeSnapshot(store, log.slice(0, 6));
    await compactTo(store, 6);
    await store.write(writing([], hard(3, 5)));
    const { hardState, base } = await reload(store);
    expect([hardState.term, hardState.commit, base.index]).toEqual([3, 6, 6]);
  });

  test('a log that is compacted to its end is empty and goes on from there', async () => {
    const store = await filled();
    await makeSnapshot(store, log);
    await compactTo(store, 8);
    await compactTo(store, 3); // behind the base: nothing to do
    const restored = await reload(store, 'close');
    expect(restored).toMatchObject({ base: { index: 8 }, tail: [], terms: [] });
  });

  test('a log that was emptied takes entries where the base is', async () => {
    const store = await filled();
    await makeSnapshot(store, log);
    await compactTo(store, 8);
    const more = entriesAfter(endOfAll(log), 4, [1, 2]);
    await store.write(writing(more, hard(4, 8)));
    await store.write(writing(entriesAfter(endOfAll(log), 5, [3]), hard(5, 8), 9));
    const { tail } = await reload(store);
    expect(tail.map(({ index, term }) => [index, term])).toEqual([[9, 5]]);
  });

  test('what no snapshot reaches is not compacted, and nothing before the base is cut', async () => {
    const store = await filled();
    await expect(compactTo(store, 3)).rejects.toThrow('the newest snapshot reaches 0');
    await makeSnapshot(store, log.slice(0, 5));
    await expect(compactTo(store, 6)).rejects.toThrow('the newest snapshot reaches 5');
    await compactTo(store, 5);
    await expect(store.write(writing([], undefined, 5))).rejects.toThrow();
  });

  test('writes go on while the log is compacted', async () => {
    const store = await filled();
    await makeSnapshot(store, log.slice(0, 7));
    const compacting = compactTo(store, 7);
    const more = entriesAfter(endOfAll(log), 2, [9, 10]);
    for (const entry of more) await store.write(writing([entry]));
    await compacting;
    const restored = await reload(store);
    expect(summary(restored)).toEqual([restored.snapshot?.id, 7, [8, 9, 10]]);
  });
}

function doubting({ log, filled, open }: Pick<Parts, 'log' | 'filled' | 'open'>): void {
  const doubt = { ...hard(3, 3), abstain: true as const };
  const elsewhere = [...log, ...entriesAfter(endOfAll(log), 4, [1])];
  const ways: readonly [string, number, (store: LogStore) => Promise<void>][] = [
    [
      'a snapshot of its own',
      3,
      async (store) => void (await makeSnapshot(store, log.slice(0, 3))),
    ],
    [
      'a log that is compacted',
      3,
      async (store) => {
        await makeSnapshot(store, log.slice(0, 3));
        await compactTo(store, 3);
        await store.write(writing(entriesAfter(endOfAll(log), 3, [1])));
      },
    ],
    [
      'a snapshot that the log holds',
      6,
      async (store) => store.restart(await makeSnapshot(store, log.slice(0, 6)), doubt),
    ],
    [
      'a snapshot in the place of the log',
      9,
      async (store) => store.restart(await makeSnapshot(store, elsewhere), doubt),
    ],
    [
      'a snapshot that is to take the place of the log',
      9,
      async (store) => void (await makeSnapshot(store, elsewhere)),
    ],
  ];
  test.each(ways)(
    'a replica that abstains does so still after %s',
    async (_way, commit, change) => {
      const store = await filled();
      await store.write(writing([], doubt));
      await change(store);
      await store.close();
      for (let life = 0; life < 2; life += 1) {
        const again = await open();
        expect((await again.load()).hardState).toMatchObject({ commit, abstain: true });
        await again.close();
      }
    },
  );
}

function restarting({ log, filled, reload, summary, open }: Omit<Parts, 'rig'>): void {
  const elsewhere = [...log, ...entriesAfter(endOfAll(log), 3, [1, 2, 3, 4])];

  test('a snapshot ahead of the log takes its place', async () => {
    const store = await filled();
    const snapshot = await makeSnapshot(store, elsewhere);
    await store.restart(snapshot, hard(3, 12));
    const more = entriesAfter(endOfAll(elsewhere), 3, [5]);
    await store.write(writing(more));
    const restored = await reload(store);
    expect(restored).toMatchObject({ hardState: hard(3, 12), base: endOfAll(elsewhere) });
    expect(summary(restored)).toEqual([snapshot.id, 12, [13]]);
  });

  test('a crash between the snapshot and the log that it replaces is made good', async () => {
    const store = await filled();
    const snapshot = await makeSnapshot(store, elsewhere);
    const restored = await reload(store);
    expect(summary(restored)).toEqual([snapshot.id, 12, []]);
    expect(restored.hardState, 'its term has been').toEqual(hard(3, 12));
  });

  test('entries after a snapshot stay if the log holds its place, and go if it does not', async () => {
    const store = await filled();
    const matching = await makeSnapshot(store, log.slice(0, 6));
    await store.restart(matching, hard(2, 6));
    expect(digest(await store.read(at(7), at(8), 1e6))).toEqual(digest(log.slice(6)));
    const other = [...log.slice(0, 6), ...entriesAfter(endOfAll(log.slice(0, 6)), 3, [77])];
    const conflicting = await makeSnapshot(store, other);
    await store.restart(conflicting, hard(3, 7));
    expect(summary(await reload(store))).toEqual([conflicting.id, 7, []]);
  });

  test('entries before the base never come back', async () => {
    const store = await filled();
    await store.restart(await makeSnapshot(store, elsewhere), hard(3, 12));
    await store.close();
    for (let life = 0; life < 2; life += 1) {
      const again = await open();
      expect((await again.load()).base.index).toBe(12);
      await again.close();
    }
  });
}

function making({ log, filled, reload, open }: Omit<Parts, 'summary' | 'rig'>): void {
  test('a snapshot is read chunk by chunk as it was written', async () => {
    const store = await filled();
    const meta = await makeSnapshot(store, log.slice(0, 5), 4);
    expect(meta).toMatchObject(subjectAt(endOfAll(log.slice(0, 5))));
    expect(meta.id).toMatch(/^5-2-[0-9a-f]{16}$/);
    await reload(store);
  });

  test('equal contents are the same snapshot, once', async () => {
    const store = await filled();
    const one = await makeSnapshot(store, log.slice(0, 5));
    expect(await makeSnapshot(store, log.slice(0, 5))).toEqual(one);
    expect(store.snapshots.list).toEqual([one]);
    for (const [number, chunk] of chunksOf(endOfAll(log.slice(0, 5)), 3).entries())
      expect(Buffer.compare(await store.snapshots.readChunk(one.id, number), chunk)).toBe(0);
  });

  test('the newest two are kept, the newest first', async () => {
    const store = await filled();
    const made: SnapshotMeta[] = [];
    for (const to of [3, 5, 7]) made.push(await makeSnapshot(store, log.slice(0, to)));
    expect(store.snapshots.list).toEqual([made[2], made[1]]);
    await expect(store.snapshots.readChunk(made[0]!.id, 0)).rejects.toThrow(coded('DATA_MISSING'));
    expect((await reload(store)).snapshot).toEqual(made[2]);
  });

  test('one that is dropped is gone for good, and the log is whole behind the one before', async () => {
    const store = await filled();
    const [first, second] = [
      await makeSnapshot(store, log.slice(0, 3)),
      await makeSnapshot(store, log.slice(0, 5)),
    ];
    await store.snapshots.drop(second.id);
    await store.snapshots.drop(second.id);
    expect(store.snapshots.list).toEqual([first]);
    await expect(store.snapshots.readChunk(second.id, 0)).rejects.toThrow(coded('DATA_MISSING'));
    expect(await reload(store)).toMatchObject({ snapshot: first, damage: undefined });
  });

  test('a log that begins after a dropped snapshot asks for another', async () => {
    const store = await filled();
    const { id, index } = await makeSnapshot(store, log.slice(0, 5));
    await compactTo(store, index);
    await store.snapshots.drop(id);
    expect((await reload(store, 'close')).damage).toEqual({ ranges: [], snapshotFrom: index });
  });

  test('a crash in the middle of a snapshot leaves the one before, and no trace', async () => {
    const store = await filled();
    const first = await makeSnapshot(store, log.slice(0, 3));
    const writer = await store.snapshots.create(subjectAt(endOfAll(log.slice(0, 6))));
    await writer.append(Buffer.alloc(100, 1));
    expect((await reload(store)).snapshot).toEqual(first);
  });

  test('one at a time; an abandoned one makes room', async () => {
    const store = await open();
    await store.load();
    const subject = subjectAt(endOfAll(log));
    const writer = await store.snapshots.create(subject);
    await expect(store.snapshots.create(subject)).rejects.toThrow('a snapshot is being made');
    await expect(writer.commit()).rejects.toThrow('without a chunk');
    await writer.append(Buffer.alloc(1));
    await writer.abandon();
    await writer.abandon();
    expect(store.snapshots.list).toEqual([]);
    await (await store.snapshots.create(subject)).abandon();
  });
}

function staging({ log, filled, open, rig }: Omit<Parts, 'summary' | 'reload'>): void {
  /** A snapshot as another replica has it. */
  const abroad = async (): Promise<{ meta: SnapshotMeta; chunks: readonly Uint8Array[] }> => {
    const store = await filled();
    const meta = await makeSnapshot(store, log.slice(0, 6), 5);
    const chunks = await Promise.all(
      meta.chunks.map((_, number) => store.snapshots.readChunk(meta.id, number)),
    );
    await store.snapshots.create(subjectAt(endOfAll(log))).then((writer) => writer.abandon());
    await store.close();
    await rig().wipeSnapshots();
    return { meta, chunks };
  };

  test('goes on where a crash broke it off, and is complete only when it is finished', async () => {
    const { meta, chunks } = await abroad();
    let store = await open();
    await store.load();
    const begun = await store.snapshots.stage(meta);
    await begun.put(0, chunks[0]!);
    await begun.put(3, chunks[3]!);
    expect(begun.missing).toBe(1);
    await rig().crash(store);
    store = await open();
    await store.load();
    expect(store.snapshots.list).toEqual([]);
    const staged = await store.snapshots.stage(meta);
    expect(staged.missing).toBe(1);
    for (const number of [1, 2, 2, 4, 0]) await staged.put(number, chunks[number]!);
    expect(staged.missing).toBeUndefined();
    expect(store.snapshots.list).toEqual([]);
    await staged.finish();
    expect(store.snapshots.list).toEqual([meta]);
    await rig().crash(store);
    expect((await (await open()).load()).snapshot).toEqual(meta);
  });

  test('bytes that are not the chunk are refused, and so is a whole of another hash', async () => {
    const { meta, chunks } = await abroad();
    const store = await open();
    await store.load();
    const staged = await store.snapshots.stage(meta);
    const malformed = coded('BODY_MALFORMED');
    await expect(staged.put(0, chunks[1]!)).rejects.toThrow(malformed);
    await expect(staged.put(5, chunks[1]!)).rejects.toThrow(malformed);
    await expect(staged.put(0, chunks[0]!.subarray(1))).rejects.toThrow(malformed);
    await expect(staged.finish()).rejects.toThrow('chunk 0');

    const wrong = { ...meta, hash: '0'.repeat(64), id: `6-2-${'0'.repeat(16)}` };
    const lying = await store.snapshots.stage(wrong);
    for (const [number, chunk] of chunks.entries()) await lying.put(number, chunk);
    await expect(lying.finish()).rejects.toThrow(coded('DATA_CORRUPT'));
    expect(store.snapshots.list).toEqual([]);
    expect((await store.snapshots.stage(wrong)).missing, 'nothing is left of it').toBe(0);
  });

  test('another one takes the place of one that is staged', async () => {
    const { meta, chunks } = await abroad();
    const store = await open();
    await store.load();
    const first = await store.snapshots.stage(meta);
    for (const [number, chunk] of chunks.entries()) await first.put(number, chunk);
    await store.snapshots.stage({ ...meta, hash: '1'.repeat(64), id: `6-2-${'1'.repeat(16)}` });
    expect((await store.snapshots.stage(meta)).missing).toBe(0);
  });

  test('one that is complete already has nothing missing', async () => {
    const store = await filled();
    const meta = await makeSnapshot(store, log.slice(0, 5));
    const staged = await store.snapshots.stage(meta);
    expect(staged.missing).toBeUndefined();
    await staged.finish();
    expect(store.snapshots.list).toEqual([meta]);
  });
}
