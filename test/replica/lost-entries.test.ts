import { expect, test } from 'vitest';
import { TocsinError } from '../../src/base/errors.ts';
import { logIndex } from '../../src/base/ids.ts';
import type { SnapshotterParts } from '../../src/replica/snapshots/snapshotter.ts';
import { at, batches, endOfAll, hard, writing } from '../storage/entries.ts';
import { makeSnapshot } from '../storage/snapshot-contract.ts';
import { raiseRecord } from './scripted.ts';
import { rigOf } from './snapshot-rig.ts';

const ENTRIES = batches(['a', 'b', 'c', 'd', 'e'].map((name) => [raiseRecord(name)]));
const LOST = { from: at(2), to: at(3), chainAfter: endOfAll(ENTRIES.slice(0, 3)).chain };

/** A replica that has applied so many entries, and lost the second and the third from its disk. */
async function rigWithLoss(applied: number, parts: Partial<SnapshotterParts> = {}) {
  const rig = await rigOf(ENTRIES, parts);
  await rig.clock.settle(rig.store.write(writing(ENTRIES, hard(1, 4))));
  for (const index of [2, 3]) rig.disk.damage(index, 'gone');
  rig.applier.advance(at(applied));
  await rig.clock.run(0);
  return rig;
}

test('what a log has lost is in a snapshot that is taken for it, and the log begins right after it', async () => {
  const compacted: number[] = [];
  const compacting = (index: number): void => void compacted.push(index);
  const { clock, store, snapshotter } = await rigWithLoss(4, { compacting });
  expect(await clock.settle(snapshotter.beginAfter(LOST)), 'there is none yet').toBe(false);
  expect(compacted).toEqual([]);
  snapshotter.tick(true);
  await clock.run(10);
  expect(snapshotter.newest).toMatchObject({ index: 4 });
  expect(await clock.settle(snapshotter.beginAfter(LOST))).toBe(true);
  expect(compacted).toEqual([3]);
  expect(await store.read(at(4), at(5), 1e6)).toHaveLength(2);
});

test.each<[string, number, Partial<SnapshotterParts>]>([
  ['is not applied', 2, {}],
  ['is not known to be committed', 4, { committed: () => 2 }],
  ['is not durable', 4, { durable: () => logIndex(2) }],
  ['made a state that is in doubt', 4, { problem: () => new TocsinError('UNAVAILABLE', 'why') }],
])('nothing stands in for what %s', async (_what, applied, parts) => {
  const compacting = (): void => expect.unreachable('it is compacted');
  const { clock, store, snapshotter } = await rigWithLoss(applied, { compacting, ...parts });
  await makeSnapshot(store, ENTRIES.slice(0, 4));
  expect(await clock.settle(snapshotter.beginAfter(LOST))).toBe(false);
});

test('while a snapshot is taken nothing is compacted, and while the log is compacted none is dropped', async () => {
  let isDurable = true;
  const { clock, store, snapshotter } = await rigWithLoss(4, {
    durable: () => logIndex(isDurable ? 5 : 3),
  });
  await clock.settle(snapshotter.take());
  const standing = snapshotter.beginAfter(LOST);
  const discarding = snapshotter.discard(at(1)).then(() => store.scrub(1));
  expect(await clock.settle(standing)).toBe(true);
  expect(store.snapshots.list).toHaveLength(1);
  await clock.settle(discarding);
  expect(store.snapshots.list).toEqual([]);

  isDurable = false;
  const taken = snapshotter.take();
  await clock.run(10);
  expect(await snapshotter.beginAfter(LOST), 'one is being written').toBe(false);
  isDurable = true;
  expect(await clock.settle(taken)).toMatchObject({ index: 4 });
});

test('where the log would begin after an entry that is lost, it begins where it did, in memory as on disk', async () => {
  const lines: string[] = [];
  const { clock, store, applier, snapshotter } = await rigWithLoss(4, {
    needed: () => logIndex(3),
    compacting: () => expect.unreachable('memory forgets what the disk does not'),
    log: (line) => lines.push(line),
  });
  await makeSnapshot(store, ENTRIES.slice(0, 4));
  applier.advance(at(5));
  await clock.run(0);
  expect(await clock.settle(snapshotter.take())).toMatchObject({ index: 5 });
  expect(lines.at(-1)).toContain('the log is not compacted: entry 3');
});
