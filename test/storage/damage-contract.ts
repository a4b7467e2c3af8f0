import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import type { Entry } from '../../src/raft/types.ts';
import type { DamagedRange, LogStore, Restored } from '../../src/storage/types.ts';
import { recordOf } from '../../src/wire/log/record.ts';
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

const coded = (code: string): Error => expect.objectContaining({ code });
const chainOf = (entry: Entry | undefined): number => recordOf(entry!).chain;

/** What every log store promises about entries that are lost: exactly those are named, and exactly those come back. */
export function damageContract(name: string, makeRig: () => Promise<Rig>): void {
  describe(`${name} reports damage exactly and takes exact repairs`, () => {
    const log = [
      ...entriesAfter(emptyLogEnd, 1, [10, 20, 30, 40, 50]),
      ...entriesAfter(endOfAll(entriesAfter(emptyLogEnd, 1, [10, 20, 30, 40, 50])), 2, [6, 7, 8]),
    ];
    const parts: Parts = { log, makeRig };
    reporting(parts);
    repairing(parts);
    givingUp(parts);
    anyDamage(makeRig);
  });
}

interface Parts {
  readonly log: readonly Entry[];
  readonly makeRig: () => Promise<Rig>;
}

/** Two replicas' disks with the same log; the first is damaged by `spoil`, and its store is open but not loaded. */
async function inPair<T>(
  { log, makeRig }: Parts,
  spoil: (rig: Rig) => Promise<void>,
  use: (store: LogStore, peer: LogStore) => Promise<T>,
  fill: (store: LogStore) => Promise<void> = (store) => store.write(writing(log, hard(2, 3))),
): Promise<T> {
  const rigs = [await makeRig(), await makeRig()] as const;
  const stores: LogStore[] = [];
  try {
    for (const rig of rigs) {
      const store = await rig.open();
      stores.push(store);
      await store.load();
      await fill(store);
    }
    await stores[0]!.close();
    await spoil(rigs[0]);
    stores[0] = await rigs[0].open();
    return await use(stores[0], stores[1]!);
  } finally {
    for (const store of stores) await store.close();
    for (const rig of rigs) await rig.dispose();
  }
}

function reporting(parts: Parts): void {
  const { log } = parts;
  const range = (from: number, to: number): DamagedRange => ({
    from: at(from),
    to: at(to),
    chainAfter: chainOf(log[to - 1]),
  });
  const cases: readonly [string, readonly number[], readonly DamagedRange[]][] = [
    ['one in the middle', [3], [range(3, 3)]],
    ['the first', [1], [range(1, 1)]],
    ['the last', [8], [range(8, 8)]],
    ['several together', [3, 4, 5], [range(3, 5)]],
    ['several apart, the last first', [2, 5, 6, 8], [range(8, 8), range(5, 6), range(2, 2)]],
    ['all', [1, 2, 3, 4, 5, 6, 7, 8], [range(1, 8)]],
  ];
  for (const how of ['rotten', 'gone'] as const)
    test.each(cases)(`entries that are ${how}: %s`, (_what, lost, ranges) =>
      inPair(
        parts,
        async (rig) => {
          for (const index of lost) await rig.damage(index, how);
        },
        async (store, peer) => {
          const restored = await store.load();
          expect(restored.damage).toEqual({ ranges, snapshotFrom: undefined });
          expect(restored).toMatchObject({ hardState: hard(2, 3), tail: [], terms: [] });
          await expect(store.write(writing([]))).rejects.toThrow('damaged');
          const { tail, damage, hardState } = await heal(store, peer);
          expect([damage, hardState]).toEqual([undefined, hard(2, 3)]);
          expect(digest(tail)).toEqual(digest(log));
          await store.write(writing(entriesAfter(endOfAll(log), 2, [9])));
        },
      ),
    );
}

function repairing(parts: Parts): void {
  const { log } = parts;
  const spoil = async (rig: Rig): Promise<void> => {
    for (const index of [3, 4, 5, 7]) await rig.damage(index, 'rotten');
  };

  test('from the last to the first, in any portions, also over what is there', () =>
    inPair(parts, spoil, async (store) => {
      await store.load();
      expect((await store.repair(log.slice(6, 7)))?.ranges).toHaveLength(1);
      expect((await store.repair(log.slice(4, 5)))?.ranges).toEqual([
        { from: 3, to: 4, chainAfter: chainOf(log[3]) },
      ]);
      expect(await store.repair(log.slice(0, 4))).toBeUndefined();
      expect(digest((await store.load()).tail)).toEqual(digest(log));
    }));

  test('other entries, and those of another place, are refused and nothing changes', () =>
    inPair(parts, spoil, async (store) => {
      await store.load();
      const forged = entriesAfter(endOfAll(log.slice(0, 6)), 2, [77]);
      const refused: readonly (readonly Entry[])[] = [
        [],
        forged,
        log.slice(4, 5),
        log.slice(5, 6),
        log.slice(6, 8),
        [log[4]!, log[6]!],
      ];
      for (const entries of refused)
        await expect(store.repair(entries)).rejects.toThrow(coded('BODY_MALFORMED'));
      expect((await store.load()).damage?.ranges.map(({ to }) => to)).toEqual([7, 5]);
    }));

  test('a peer that is damaged itself gives what it has, and no more', () =>
    inPair(parts, spoil, async (store) => {
      await store.load();
      const lookUp = (from: number, to: number, bytesMax = 1e6): ReturnType<LogStore['lookUp']> =>
        store.lookUp({ from: at(from), to: at(to), chainAfter: chainOf(log[to - 1]) }, bytesMax);
      const found = async (...range: Parameters<typeof lookUp>): Promise<unknown> => {
        const answer = await lookUp(...range);
        return answer.found === 'entries' ? answer.entries.map(({ index }) => index) : answer.found;
      };
      expect(await found(1, 2)).toEqual([1, 2]);
      expect(await found(1, 4)).toBe('damaged');
      expect(await found(1, 6)).toEqual([6]);
      expect(await found(1, 2, 1), 'at least one').toEqual([2]);
      const unknown = { from: at(8), to: at(8), chainAfter: 5 };
      expect((await store.lookUp(unknown, 100)).found, 'it cannot say never').toBe('unsure');
    }));

  test('what was cut once and has come back is found on the way', () => {
    const fresh = entriesAfter(endOfAll(log.slice(0, 4)), 3, [1, 2, 3, 4]);
    return inPair(
      parts,
      async (rig) => {
        // As if the batch that replaced 5 and 6 were lost, and those after it were not.
        await rig.put(log[4]!);
        await rig.put(log[5]!);
      },
      async (store, peer) => {
        const { damage } = await store.load();
        expect(damage?.ranges).toEqual([{ from: 6, to: 6, chainAfter: chainOf(fresh[1]) }]);
        const left = await store.repair([fresh[1]!]);
        expect(left?.ranges).toEqual([{ from: 5, to: 5, chainAfter: chainOf(fresh[0]) }]);
        expect(digest((await heal(store, peer)).tail)).toEqual(
          digest([...log.slice(0, 4), ...fresh]),
        );
      },
      async (store) => {
        await store.write(writing(log, hard(2, 3)));
        await store.write(writing(fresh, hard(3, 3), 5));
      },
    );
  });

  test('entries behind the end that came back are removed', () =>
    inPair(
      parts,
      (rig) => rig.put(entriesAfter(endOfAll(log), 2, [1])[0]!),
      async (store) => {
        const restored = await store.load();
        expect(restored.damage).toBeUndefined();
        expect(digest(restored.tail)).toEqual(digest(log));
        expect(restored.hardState.abstain, 'nothing was lost').toBeUndefined();
      },
    ));
}

function givingUp(parts: Parts): void {
  const { log } = parts;
  const spoil = async (rig: Rig): Promise<void> => {
    for (const index of [5, 6, 8]) await rig.damage(index, 'gone');
  };
  const doubt = { ...hard(2, 3), abstain: true };
  const lasts = ({ tail }: Restored): number => tail.length;

  test('what a majority never had is cut, be it one entry, and the log goes on in doubt', () =>
    inPair(parts, spoil, async (store, peer) => {
      await store.load();
      expect((await store.giveUp(at(8)))?.ranges).toHaveLength(1);
      const restored = await heal(store, peer);
      expect([lasts(restored), restored.hardState]).toEqual([7, doubt]);
      await store.write(writing(entriesAfter(endOfAll(log.slice(0, 7)), 2, [1])));
    }));

  test('what else is cut with it is in doubt too, and the replica does not say never', () =>
    inPair(parts, spoil, async (store) => {
      await store.load();
      await store.giveUp(at(8));
      expect(await store.giveUp(at(6))).toBeUndefined();
      const restored = await store.load();
      expect([lasts(restored), restored.hardState]).toEqual([4, doubt]);
      const later = { from: at(5), to: at(6), chainAfter: chainOf(log[5]) };
      expect((await store.lookUp(later, 100)).found).toBe('unsure');
    }));

  test('what was committed is not given up', () =>
    inPair(
      parts,
      async (rig) => rig.damage(3, 'rotten'),
      async (store) => {
        await store.load();
        await expect(store.giveUp(at(3))).rejects.toThrow(coded('DATA_LOST'));
        expect((await store.load()).damage?.ranges).toHaveLength(1);
      },
    ));
}

/** A log of two terms, a snapshot of a part of it, maybe compacted; then anything of it is lost. */
const lives = fc.record({
  sizes: fc.array(fc.nat(300), { minLength: 1, maxLength: 14 }),
  snapshotAt: fc.nat(14),
  compactAt: fc.nat(14),
  lost: fc.array(fc.record({ index: fc.nat(13), how: fc.constantFrom('rotten', 'gone') })),
  bytesMax: fc.integer({ min: 1, max: 900 }),
});

function anyDamage(makeRig: () => Promise<Rig>): void {
  test('whatever is lost of a log, one intact peer restores it to the byte', async () => {
    await fc.assert(
      fc.asyncProperty(lives, async ({ sizes, snapshotAt, compactAt, lost, bytesMax }) => {
        const half = Math.ceil(sizes.length / 2);
        const first = entriesAfter(emptyLogEnd, 1, sizes.slice(0, half));
        const log = [...first, ...entriesAfter(endOfAll(first), 2, sizes.slice(half))];
        const reach = Math.min(snapshotAt, log.length);
        const base = Math.min(compactAt, reach);
        await inPair(
          { log, makeRig },
          async (rig) => {
            for (const { index, how } of lost)
              if (base + index < log.length) await rig.damage(base + index + 1, how);
          },
          async (store, peer) => {
            const restored = await heal(store, peer, bytesMax);
            expect(restored.hardState).toEqual(hard(2, reach));
            const from = restored.base.index;
            expect(from).toBeGreaterThanOrEqual(base);
            expect(from, 'only what a snapshot holds may go').toBeLessThanOrEqual(
              Math.max(base, reach),
            );
            expect(digest(restored.tail)).toEqual(digest(log.slice(from)));
          },
          async (store) => {
            await store.write(writing(log, hard(2)));
            if (reach > 0) await makeSnapshot(store, log.slice(0, reach));
            await compactTo(store, base);
          },
        );
      }),
      { numRuns: 40 },
    );
  }, 60_000);
}
