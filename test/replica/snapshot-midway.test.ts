import { expect, test } from 'vitest';
import { logIndex, term } from '../../src/base/ids.ts';
import { AppliedState } from '../../src/replica/pipeline/applied-state.ts';
import { Applier } from '../../src/replica/pipeline/applier.ts';
import { Snapshotter } from '../../src/replica/snapshots/snapshotter.ts';
import { Turns } from '../../src/replica/turns.ts';
import { AlertMachine } from '../../src/statemachine/machine.ts';
import { MemoryDisk } from '../../src/storage/log/memory-log-store.ts';
import { VirtualClock } from '../client/virtual-clock.ts';
import { at, batches, CLUSTER } from '../storage/entries.ts';
import { raiseRecord } from './scripted.ts';

test('a snapshot that waits for the end of an entry is let go when the replica stops', async () => {
  const clock = new VirtualClock();
  const store = new MemoryDisk(CLUSTER).open();
  const records = Array.from({ length: 40 }, (_, n) => raiseRecord(`k${n}`));
  const entries = batches([records.slice(0, 4), records]);
  await store.load();
  const state = new AppliedState(new AlertMachine());
  const turns = new Turns(clock, 60);
  const applier = new Applier({
    turns,
    store,
    state,
    entryAt: (index) => entries[index - 1],
    firstInMemory: () => 1,
    onApplied: () => {},
    onSlice: () => {},
    onFault: (error) => expect.unreachable(String(error)),
  });
  const snapshotter = new Snapshotter({
    store,
    clock,
    turns,
    state,
    place: () => ({ index: state.machine.applied, term: term(1), chain: 0, members: [] }),
    problem: () => undefined,
    durable: () => logIndex(2),
    needed: () => logIndex(0),
    compacting: () => {},
    log: () => {},
    onFault: (error) => expect.unreachable(String(error)),
  });
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
