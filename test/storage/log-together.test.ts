import fc from 'fast-check';
import { expect, test } from 'vitest';
import { MemoryDisk } from '../../src/storage/log/memory-log-store.ts';
import type { LogStore } from '../../src/storage/types.ts';
import {
  at,
  CLUSTER,
  compactTo,
  digest,
  emptyLogEnd,
  endOfAll,
  entriesAfter,
  hard,
  writing,
} from './entries.ts';
import { makeSnapshot } from './snapshot-contract.ts';

const LOG = entriesAfter(
  emptyLogEnd,
  1,
  Array.from({ length: 12 }, () => 30),
);
const MORE = entriesAfter(endOfAll(LOG), 1, [30, 30]);
const LOST = { from: 8, to: 10 };
const GIVEN = LOG.slice(LOST.from - 1, LOST.to);

/** A log in use of which the scrub has found that entries 8 to 10 are lost, and a snapshot taken since, which reaches `reach`. */
async function damagedLog(reach: number): Promise<{ disk: MemoryDisk; store: LogStore }> {
  const disk = new MemoryDisk(CLUSTER);
  const store = disk.open();
  await store.load();
  await store.write(writing(LOG, hard(1, 12)));
  for (let index = LOST.from; index <= LOST.to; index += 1) disk.damage(index, 'gone');
  let found = await store.scrub(2 ** 20);
  while (!found.roundEnds) found = await store.scrub(2 ** 20);
  expect(found.damage?.ranges).toMatchObject([LOST]);
  await makeSnapshot(store, LOG.slice(0, reach));
  return { disk, store };
}

/** What is asked for at once, each after so many microtasks. */
const asked = fc.record({
  reach: fc.integer({ min: 3, max: 12 }),
  delays: fc.array(fc.integer({ min: 0, max: 12 }), { minLength: 4, maxLength: 4 }),
  order: fc.shuffledSubarray(['write', 'repair', 'compact', 'wrong repair'] as const, {
    minLength: 2,
  }),
});

test('a write, a repair and a compaction that are asked for at once come one after another, and each does what it was asked for', async () => {
  await fc.assert(
    fc.asyncProperty(asked, async ({ reach, delays, order }) => {
      const { disk, store } = await damagedLog(reach);
      const act = {
        write: () => store.write(writing(MORE, hard(1, 12))),
        repair: () => store.repair(GIVEN),
        compact: () => compactTo(store, reach),
        'wrong repair': () => store.repair(LOG.slice(0, 1)),
      };
      const outcomes = await Promise.allSettled(
        order.map(async (what, n) => {
          for (let left = delays[n]!; left > 0; left -= 1) await Promise.resolve();
          return await act[what]();
        }),
      );
      for (const [n, what] of order.entries()) {
        const outcome = outcomes[n]!;
        if (outcome.status === 'rejected') {
          // Whoever sends something else is told so, and nobody else.
          expect(what).toBe('wrong repair');
          expect(outcome.reason).toMatchObject({ code: 'BODY_MALFORMED' });
        }
      }
      await store.close();
      const restored = await disk.open().load();
      // A start makes do with a snapshot that reaches beyond what is lost.
      const isGood = order.includes('repair') || reach >= LOST.to;
      expect(restored.damage === undefined).toBe(isGood);
      if (!isGood) return;
      const whole = order.includes('write') ? [...LOG, ...MORE] : LOG;
      const from = restored.base.index;
      if (order.includes('compact')) expect(from).toBe(reach);
      expect(digest(restored.tail)).toEqual(
        digest(whole.slice(whole.length - restored.tail.length)),
      );
      expect(restored.tail.at(-1)?.index ?? from).toBe(whole.length);
    }),
  );
});

test('a snapshot that takes the place of the log makes good what was lost in it, whether the log goes on behind it or not', async () => {
  for (const length of [12, 14]) {
    const { store } = await damagedLog(3);
    const whole = [...LOG, ...MORE].slice(0, length);
    await store.restart(await makeSnapshot(store, whole), hard(1, length));
    expect(await store.repair(GIVEN)).toBeUndefined();
    expect(await store.giveUp(at(LOST.to))).toBeUndefined();
    await store.close();
  }
});

test('a write that waits for a repair when the log is closed wrote nothing, and says that it was closed', async () => {
  const { disk, store } = await damagedLog(3);
  const repair = store.repair(GIVEN);
  const write = store.write(writing(MORE, hard(1, 12)));
  const refused = expect(write).rejects.toMatchObject({ code: 'CLOSED' });
  await store.close();
  await refused;
  await repair;
  expect((await disk.open().load()).tail.at(-1)?.index).toBe(LOG.length);
});
