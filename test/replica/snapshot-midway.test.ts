import { expect, test } from 'vitest';
import { logIndex, term } from '../../src/base/ids.ts';
import type { Entry } from '../../src/raft/types.ts';
import { AppliedState } from '../../src/replica/pipeline/applied-state.ts';
import { Applier } from '../../src/replica/pipeline/applier.ts';
import { Snapshotter, type SnapshotterParts } from '../../src/replica/snapshots/snapshotter.ts';
import { Turns } from '../../src/replica/turns.ts';
import { AlertMachine } from '../../src/statemachine/machine.ts';
import { MemoryDisk } from '../../src/storage/log/memory-log-store.ts';
import type { LogStore } from '../../src/storage/types.ts';
import { recordOf } from '../../src/wire/log/record.ts';
import { VirtualClock } from '../client/virtual-clock.ts';
import { at, batches, CLUSTER, emptyLogEnd, hard, writing } from '../storage/entries.ts';
import { makeSnapshot } from '../storage/snapshot-contract.ts';
import { raiseRecord } from './scripted.ts';

/** A replica's state and snapshots, without the rest of it. */
async function rigOf(entries: readonly Entry[], parts: Partial<SnapshotterParts> = {}) {
  const clock = new VirtualClock();
  const store = new MemoryDisk(CLUSTER).open();
  await store.load();
  const state = new AppliedState(new AlertMachine());
  const turns = new Turns(clock, 60);
  const onFault = (error: unknown): void => expect.unreachable(String(error));
  const applier = new Applier({
    ...{ turns, store, state, onFault },
    entryAt: (index) => entries[index - 1],
    firstInMemory: () => 1,
    onApplied: () => {},
    onSlice: () => {},
  });
  const snapshotter = new Snapshotter({
    ...{ store, clock, turns, state, onFault },
    place: () => {
      const { applied: index } = state.machine;
      const chain = index === 0 ? emptyLogEnd.chain : recordOf(entries[index - 1]!).chain;
      return { index, term: term(1), chain, members: [] };
    },
    problem: () => undefined,
    durable: () => logIndex(entries.length),
    needed: () => logIndex(0),
    compacting: () => {},
    log: () => {},
    ...parts,
  });
  return { clock, store, state, applier, snapshotter };
}

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

test('of a snapshot that was fetched while an own one was taken, which is older, nothing is compacted: the log does not reach it yet', async () => {
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
  expect(compacted).toEqual([]);

  // The next one goes on from the two that are there.
  applier.advance(at(4));
  await clock.run(0);
  expect(await clock.settle(snapshotter.take())).toBeUndefined();
});
