import { describe, expect, test } from 'vitest';
import { must } from '../../src/base/assert.ts';
import type { LogStore, Scrubbed } from '../../src/storage/types.ts';
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
import { heal } from './heal.ts';
import type { Rig } from './rig.ts';
import { makeSnapshot } from './snapshot-contract.ts';

/** Slices until a round ends, each of at least one record. */
async function round(store: LogStore, bytesMax: number): Promise<Scrubbed[]> {
  const slices: Scrubbed[] = [];
  do slices.push(await store.scrub(bytesMax));
  while (!must(slices.at(-1), 'a slice').roundEnds);
  return slices;
}

/** What every log store promises of its scrub: one round finds all that rots at rest, and the log stays in use. */
export function scrubContract(name: string, makeRig: () => Promise<Rig>): void {
  const log = entriesAfter(emptyLogEnd, 1, [100, 200, 300, 400, 500, 600, 700, 800]);

  async function inUse(
    spoil: (rig: Rig, store: LogStore) => Promise<void>,
    use: (store: LogStore, peer: LogStore) => Promise<void>,
  ): Promise<void> {
    const rigs = [await makeRig(), await makeRig()] as const;
    const stores: LogStore[] = [];
    try {
      for (const rig of rigs) {
        const store = await rig.open();
        stores.push(store);
        await store.load();
        await store.write(writing(log, hard(1, 6)));
      }
      await spoil(rigs[0], stores[0]!);
      await use(stores[0]!, stores[1]!);
    } finally {
      for (const store of stores) await store.close();
      for (const rig of rigs) await rig.dispose();
    }
  }

  describe(`${name} is scrubbed in slices`, () => {
    test.each([1, 700, 1e6])(
      'a sound log and its snapshots are read whole, %d bytes at a time',
      (bytesMax) =>
        inUse(
          async (_rig, store) => void (await makeSnapshot(store, log.slice(0, 3))),
          async (store) => {
            for (let turn = 0; turn < 2; turn += 1) {
              const slices = await round(store, bytesMax);
              expect(slices.map(({ damage }) => damage)).toEqual(slices.map(() => undefined));
              const bytes = slices.reduce((sum, slice) => sum + slice.bytes, 0);
              // What is committed, one more, and the snapshot.
              expect(bytes).toBeGreaterThanOrEqual(
                log.slice(0, 7).reduce((sum, { payload }) => sum + payload.byteLength, 3003),
              );
            }
            await store.write(writing(entriesAfter(endOfAll(log), 1, [1])));
          },
        ),
    );

    const cases: readonly [string, readonly number[], readonly [number, number][]][] = [
      ['one', [3], [[3, 3]]],
      ['the first', [1], [[1, 1]]],
      ['the last that is committed', [6], [[6, 6]]],
      [
        'several',
        [2, 4, 5],
        [
          [4, 5],
          [2, 2],
        ],
      ],
    ];
    for (const how of ['rotten', 'gone'] as const)
      test.each(cases)(
        `${how} while the log is in use: %s is found in one round, and repaired`,
        (_what, lost, ranges) =>
          inUse(
            async (rig, store) => {
              for (const index of lost) await rig.damageInUse(store, index, how);
            },
            async (store, peer) => {
              let damage = (await round(store, 600)).at(-1)?.damage;
              expect(damage?.ranges.map(({ from, to }) => [from, to])).toEqual(ranges);
              await store.write(writing(entriesAfter(endOfAll(log), 1, [1])));
              while (damage !== undefined) {
                const answer = await peer.lookUp(must(damage.ranges[0], 'a range'), 300);
                if (answer.found !== 'entries') throw new Error(answer.found);
                damage = await store.repair(answer.entries);
              }
              expect((await round(store, 600)).at(-1)?.damage).toBeUndefined();
              expect(digest(await store.read(at(1), at(8), 1e6))).toEqual(digest(log));
            },
          ),
      );

    test.each(['rotten', 'gone'] as const)(
      '%s while the log is in use: the last entry of all is found in one round, once it is committed',
      (how) =>
        inUse(
          async (rig, store) => {
            await rig.damageInUse(store, 8, how);
            expect((await round(store, 1e6)).at(-1)?.damage, 'it may be cut yet').toBeUndefined();
            await store.write(writing([], hard(1, 8)));
          },
          async (store) => {
            const damage = (await round(store, 1e6)).at(-1)?.damage;
            const chainAfter = endOfAll(log).chain;
            expect(damage?.ranges).toEqual([{ from: 8, to: 8, chainAfter }]);
          },
        ),
    );

    test.each(['rotten', 'gone'] as const)(
      'a peer whose own record is %s does not say that it never had it, found or not',
      (how) =>
        inUse(
          (rig, store) => rig.damageInUse(store, 5, how),
          async (store) => {
            const found = async (to: number, chainAfter: number): Promise<string> =>
              (await store.lookUp({ from: at(to), to: at(to), chainAfter }, 1e6)).found;
            const { chain } = endOfAll(log.slice(0, 5));
            expect(await found(5, chain)).toBe('unsure');
            expect(await found(5, chain + 1)).toBe('unsure');
            expect(await found(4, chain), 'another one stands there').toBe('absent');
            expect(await found(9, chain), 'it ends before').toBe('absent');
            expect((await round(store, 600)).at(-1)?.damage, 'it is found').toBeDefined();
            expect(await found(5, chain), 'it has lost that one').toBe('damaged');
            for (const other of [4, 9]) expect(await found(other, chain)).toBe('unsure');
          },
        ),
    );

    test('a log that is compacted meanwhile has lost nothing', () =>
      inUse(
        async (_rig, store) => void (await makeSnapshot(store, log.slice(0, 5))),
        async (store) => {
          await store.scrub(1);
          await compactTo(store, 5);
          expect((await round(store, 1)).at(-1)?.damage).toBeUndefined();
        },
      ));

    test('a log cannot begin after an entry that is rotten, unless a snapshot says what it was, and is none the worse for it', () =>
      inUse(
        async (rig, store) => {
          await makeSnapshot(store, log.slice(0, 6));
          for (const index of [4, 6]) await rig.damageInUse(store, index, 'rotten');
        },
        async (store) => {
          const corrupt = expect.objectContaining({ code: 'DATA_CORRUPT' });
          await expect(compactTo(store, 4)).rejects.toThrow(corrupt);
          await store.write(writing(entriesAfter(endOfAll(log), 1, [1])));
          await compactTo(store, 6);
          expect((await round(store, 1e6)).at(-1)?.damage).toBeUndefined();
          expect(digest(await store.read(at(7), at(8), 1e6))).toEqual(digest(log.slice(6)));
        },
      ));

    test.each([1, 4, 8])(
      'once a snapshot holds it, a log begins right after lost entry %i, and goes on from there',
      (lost) =>
        inUse(
          async (rig, store) => {
            await makeSnapshot(store, log);
            await rig.damageInUse(store, lost, 'gone');
          },
          async (store) => {
            const place = endOfAll(log.slice(0, lost));
            await store.compact(place);
            const more = entriesAfter(endOfAll(log), 1, [1]);
            await store.write(writing(more));
            expect((await round(store, 1e6)).at(-1)?.damage).toBeUndefined();
            const { damage, base } = await heal(store, store);
            expect(damage).toBeUndefined();
            expect(base).toEqual(place);
            const left = [...log, ...more].slice(lost);
            expect(digest(await store.read(at(lost + 1), at(9), 1e6))).toEqual(digest(left));
          },
        ),
    );

    test.each([4, 8])(
      'a snapshot takes its place in a log whose entry %i, which it reaches, has rotted; what goes on from it stays',
      (reach) =>
        inUse(
          async (rig, store) => {
            await makeSnapshot(store, log.slice(0, reach));
            await rig.damageInUse(store, reach, 'rotten');
          },
          async (store) => {
            const meta = store.snapshots.list[0]!;
            await store.restart(meta, hard(1, reach));
            expect((await round(store, 1e6)).at(-1)?.damage).toBeUndefined();
            const { base, tail } = await heal(store, store);
            expect(base.index).toBe(reach);
            expect(digest(tail)).toEqual(digest(log.slice(reach)));
          },
        ),
    );

    test('a snapshot that rots is none any more, and comes back chunk by chunk', () =>
      inUse(
        async (rig, store) => {
          await makeSnapshot(store, log.slice(0, 5));
          await compactTo(store, 5);
          await rig.rotSnapshots();
        },
        async (store, peer) => {
          const meta = await makeSnapshot(peer, log.slice(0, 5));
          const damage = (await round(store, 1e6)).at(-1)?.damage;
          expect(damage).toEqual({ ranges: [], snapshotFrom: 5 });
          expect(store.snapshots.list).toEqual([]);
          const staged = await store.snapshots.stage(meta);
          expect(staged.missing, 'only the rotten chunk').toBe(1);
          const restored = await heal(store, peer);
          expect(restored.snapshot).toEqual(meta);
        },
      ));

    const healing: readonly [string, (store: LogStore) => Promise<unknown>][] = [
      ['is there', (store) => makeSnapshot(store, log.slice(0, 6))],
      [
        'is there, and the log compacted',
        async (store) => {
          await makeSnapshot(store, log.slice(0, 6));
          await compactTo(store, 6);
          expect(await store.repair(log.slice(4, 5)), 'it came too late').toBeUndefined();
        },
      ],
    ];
    test.each(healing)(
      'what is lost is so no more once a snapshot that holds it %s',
      (_how, come) =>
        inUse(
          async (rig, store) => {
            await makeSnapshot(store, log.slice(0, 3));
            await compactTo(store, 3);
            await rig.rotSnapshots();
            await rig.damageInUse(store, 5, 'rotten');
          },
          async (store) => {
            const found = (await round(store, 1e6)).at(-1)?.damage;
            expect(found).toMatchObject({ ranges: [{ from: 5, to: 5 }], snapshotFrom: 3 });
            await come(store);
            expect((await store.scrub(1)).damage).toBeUndefined();
          },
        ),
    );
  });
}
