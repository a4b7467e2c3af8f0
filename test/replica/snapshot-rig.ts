import { expect } from 'vitest';
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
import { CLUSTER, emptyLogEnd } from '../storage/entries.ts';

export interface SnapshotRig {
  readonly clock: VirtualClock;
  readonly disk: MemoryDisk;
  readonly store: LogStore;
  readonly state: AppliedState;
  readonly applier: Applier;
  readonly snapshotter: Snapshotter;
}

/** A replica's state and snapshots, without the rest of it. */
export async function rigOf(
  entries: readonly Entry[],
  parts: Partial<SnapshotterParts> = {},
): Promise<SnapshotRig> {
  const clock = new VirtualClock();
  const disk = new MemoryDisk(CLUSTER);
  const store = disk.open();
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
    committed: () => entries.length,
    termAt: () => 1,
    needed: () => logIndex(0),
    compacting: () => {},
    log: () => {},
    ...parts,
  });
  return { clock, disk, store, state, applier, snapshotter };
}
