import { expect, test } from 'vitest';
import { logIndex } from '../../src/base/ids.ts';
import type { Entry } from '../../src/raft/types.ts';
import { MemoryDisk } from '../../src/storage/log/memory-log-store.ts';
import type { LogStore } from '../../src/storage/types.ts';
import { at, batches, CLUSTER, hard, writing } from '../storage/entries.ts';
import { makeSnapshot } from '../storage/snapshot-contract.ts';
import { raiseRecord } from './scripted.ts';
import { rigOf } from './snapshot-rig.ts';

test('a snapshot that waits for the end of an entry is let go when the replica stops', async () => {
  const records = Array.from({ length: 40 }, (_, n) => raiseRecord(`k${n}`));
  const { clock, state, applier, snapshotter } = await rigOf(
    batches([records.slice(0, 4), records]),
  );
  applier.advance(at(1));
  applier.advance(at(2));
  expect(state.machine.isMidway).toBe(true);
  let told = false;
  void snapshotter.take().then(() => {
    told = true;
  });
  let discarded = false;
  void snapshotter.discard(logIndex(1)).then(() => {
    discarded = true;
  });
  applier.stop();
  snapshotter.stop();
  await clock.run(1000);
  expect(told).toBe(true);
  expect(discarded).toBe(true);
  expect(clock.pending).toBe(0);
});

/** A complete snapshot of all `entries`, as it comes from elsewhere. */
async function fetchInto(store: LogStore, entries: readonly Entry[]): Promise<void> {
  const elsewhere = new MemoryDisk(CLUSTER).open();
  await elsewhere.load();
  const meta = await makeSnapshot(elsewhere, entries);
  const staged = await store.snapshots.stage(meta);
  for (let chunk = 0; chunk < meta.chunks.length; chunk += 1)
    await staged.put(chunk, await elsewhere.snapshots.readChunk(meta.id, chunk));
  await staged.finish();
}

test('for a snapshot that was fetched while an own one was taken, which is older, no more is compacted than that one holds: the log does not reach further', async () => {
  const entries = batches(['a', 'b', 'c', 'd'].map((name) => [raiseRecord(name)]));
  const compacted: number[] = [];
  let isDurable = false;
  const { clock, store, applier, snapshotter } = await rigOf(entries, {
    needed: () => logIndex(4),
    durable: () => logIndex(isDurable ? 4 : 0),
    compacting: (index) => compacted.push(index),
  });
  await clock.settle(store.write(writing(entries, hard(1, 2))));
  applier.advance(at(2));
  await clock.run(0);
  const taken = snapshotter.take();
  await clock.run(10);
  await fetchInto(store, entries);
  isDurable = true;
  expect(await clock.settle(taken)).toMatchObject({ index: 2 });
  expect(compacted).toEqual([2]);

  // The next one goes on from the two that are there.
  applier.advance(at(4));
  await clock.run(0);
  expect(await clock.settle(snapshotter.take())).toBeUndefined();
});

test('for snapshots that were fetched, and are not in the place of the log, no more is compacted than is applied', async () => {
  const entries = batches(['a', 'b', 'c', 'd', 'e'].map((name) => [raiseRecord(name)]));
  const compacted: number[] = [];
  const { clock, store, applier, snapshotter } = await rigOf(entries, {
    needed: () => logIndex(5),
    compacting: (index) => compacted.push(index),
  });
  await clock.settle(store.write(writing(entries, hard(1, 2))));
  applier.advance(at(2));
  await clock.run(0);
  for (const count of [4, 5]) await fetchInto(store, entries.slice(0, count));
  snapshotter.tick(true);
  await clock.run(10);
  expect(compacted).toEqual([2]);
});
