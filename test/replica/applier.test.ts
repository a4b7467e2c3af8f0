import { expect, test } from 'vitest';
import { type Millis, millis, unixMillis } from '../../src/base/ids.ts';
import { SLICE_MS_MAX } from '../../src/base/limits.ts';
import type { Entry } from '../../src/raft/types.ts';
import { AppliedState } from '../../src/replica/pipeline/applied-state.ts';
import { Applier } from '../../src/replica/pipeline/applier.ts';
import { AlertMachine } from '../../src/statemachine/machine.ts';
import { endAfter } from '../../src/storage/log/log-state.ts';
import { MemoryDisk } from '../../src/storage/log/memory-log-store.ts';
import type { LogPlace, LogStore } from '../../src/storage/types.ts';
import { EntryRecord, entryOf, recordOf } from '../../src/wire/log/record.ts';
import { VirtualClock } from '../client/virtual-clock.ts';
import { at, CLUSTER, emptyLogEnd, hard } from '../storage/entries.ts';
import { raiseRecord } from './scripted.ts';

const turn = (): Promise<void> => new Promise((resolve) => setImmediate(resolve));

function entriesOf(bodies: readonly Uint8Array[]): Entry[] {
  let end: LogPlace = emptyLogEnd;
  return bodies.map((body) => {
    const record = EntryRecord.draft('commands', unixMillis(1_700_000_000_000), 1, [body]);
    record.seal({ index: at(end.index + 1), term: hard(1).term }, end.chain);
    end = endAfter(record);
    return entryOf(record);
  });
}

const raises = (count: number): Entry[] =>
  entriesOf(Array.from({ length: count }, (_, n) => raiseRecord(`k${n}`)));

/** A clock that a reading moves on: work takes time. */
class BusyClock extends VirtualClock {
  readings = 0;
  stepMs = 0;
  override monotonic(): Millis {
    this.readings += 1;
    return millis(super.monotonic() + this.readings * this.stepMs);
  }
}

interface Stage {
  readonly applier: Applier;
  readonly clock: BusyClock;
  readonly applied: number[];
  /** Entries applied in each slice. */
  readonly slices: number[];
  readonly faults: unknown[];
  readonly machine: AlertMachine;
}

/** The first `onDisk` of the entries are durable; memory holds those from `inMemory` on. */
async function stageOf(
  entries: readonly Entry[],
  { onDisk, inMemory }: { onDisk: number; inMemory: number },
  change: (store: LogStore) => LogStore = (store) => store,
): Promise<Stage> {
  const disk = new MemoryDisk(CLUSTER);
  const store = disk.open();
  await store.load();
  await store.write({
    hardState: hard(1),
    truncateFrom: undefined,
    entries: entries.slice(0, onDisk),
  });
  const clock = new BusyClock();
  const applied: number[] = [];
  const slices: number[] = [];
  const faults: unknown[] = [];
  const machine = new AlertMachine();
  let count = 0;
  const applier = new Applier({
    clock,
    store: change(store),
    state: new AppliedState(machine),
    entryAt: (index) => (index >= inMemory ? entries[index - 1] : undefined),
    firstInMemory: () => inMemory,
    onApplied: (entry, replies) => {
      expect(replies).toHaveLength(1);
      applied.push(entry.index);
      count += 1;
    },
    onSlice: () => {
      slices.push(count);
      count = 0;
    },
    onFault: (error) => faults.push(error),
  });
  return { applier, clock, applied, slices, faults, machine };
}

const upTo = (count: number): number[] => Array.from({ length: count }, (_, n) => n + 1);

test('entries that only memory holds are not looked for on disk while older ones are read', async () => {
  const { applier, applied, faults } = await stageOf(raises(20), { onDisk: 15, inMemory: 10 });
  applier.advance(at(12));
  applier.advance(at(20));
  await turn();
  expect(faults).toEqual([]);
  expect(applied).toEqual(upTo(20));
  const grown = await stageOf(raises(20), { onDisk: 15, inMemory: 10 });
  grown.applier.advance(at(20));
  await turn();
  expect(grown.faults).toEqual([]);
  expect(grown.applied).toEqual(upTo(20));
});

test('a page from disk is applied in slices too', async () => {
  const { applier, applied, clock, slices } = await stageOf(raises(300), {
    onDisk: 300,
    inMemory: 300,
  });
  clock.stepMs = SLICE_MS_MAX / 10;
  applier.advance(at(300));
  await clock.run(1);
  expect(applied).toEqual(upTo(300));
  expect(Math.max(...slices)).toBeLessThanOrEqual(11);
});

test('what is committed while a slice is due or a page is read is applied once, in order', async () => {
  const { applier, applied, clock } = await stageOf(raises(100), { onDisk: 60, inMemory: 40 });
  clock.stepMs = 1;
  for (let target = 1; target <= 100; target += 1) {
    applier.advance(at(target));
    if (target % 7 === 0) await clock.run(1);
  }
  await clock.run(1);
  expect(applied).toEqual(upTo(100));
});

test('after stop nothing more is applied, not even what was being read', async () => {
  const { applier, applied, faults } = await stageOf(raises(20), { onDisk: 20, inMemory: 10 });
  applier.advance(at(20));
  applier.stop();
  await turn();
  expect(applied).toEqual([]);
  expect(faults).toEqual([]);
});

test('a page that cannot be read is a fault, told once, and nothing is applied after it', async () => {
  const broken = (store: LogStore): LogStore =>
    Object.assign(Object.create(store) as LogStore, {
      read: () => Promise.reject(new Error('rotten')),
    });
  const { applier, applied, faults } = await stageOf(
    raises(20),
    { onDisk: 20, inMemory: 10 },
    broken,
  );
  applier.advance(at(15));
  await turn();
  applier.advance(at(20));
  await turn();
  expect(applied).toEqual([]);
  expect(faults).toMatchObject([{ message: 'rotten' }]);
});

test('an entry whose commands cannot be told apart halts the replica and names the entry', async () => {
  const entries = entriesOf([raiseRecord('a'), new Uint8Array(9), raiseRecord('b')]);
  const { applier, applied, faults } = await stageOf(entries, { onDisk: 0, inMemory: 1 });
  applier.advance(at(3));
  applier.advance(at(3));
  expect(applied).toEqual([1]);
  expect(faults).toMatchObject([{ code: 'DATA_CORRUPT' }]);
  expect(String(faults[0])).toContain('entry 2');
});

test.each([
  ['version', 4],
  ['kind', 5],
  ['flag', 7],
])(
  'a command of a %s that a later program made halts the replica: it is not passed over',
  async (_, place) => {
    const body = raiseRecord('b').slice();
    body[place] = 200;
    const entries = entriesOf([raiseRecord('a'), body, raiseRecord('c')]);
    const { applier, applied, faults, machine } = await stageOf(entries, {
      onDisk: 0,
      inMemory: 1,
    });
    applier.advance(at(3));
    expect(applied).toEqual([1]);
    expect(machine.revision).toBe(1);
    expect(faults).toMatchObject([{ code: 'DATA_NEWER_FORMAT' }]);
    expect(String(faults[0])).toContain('entry 2');
  },
);

test('an entry that carries nonsense where a command belongs is refused, and the next one applied', async () => {
  const body = raiseRecord('a').slice();
  body.fill(0xc1, 24);
  const { applier, applied, machine } = await stageOf(entriesOf([body, raiseRecord('b')]), {
    onDisk: 0,
    inMemory: 1,
  });
  applier.advance(at(2));
  expect(applied).toEqual([1, 2]);
  expect(machine.revision).toBe(1);
});

test('entries without commands are passed over', async () => {
  const record = EntryRecord.draft('noop', unixMillis(5), 0, []);
  record.seal({ index: at(1), term: hard(1).term }, emptyLogEnd.chain);
  const entry = entryOf(record);
  const machine = new AlertMachine();
  const applier = new Applier({
    clock: new VirtualClock(),
    store: new MemoryDisk(CLUSTER).open(),
    state: new AppliedState(machine),
    entryAt: () => entry,
    firstInMemory: () => 1,
    onApplied: (_entry, replies) => expect(replies).toEqual([]),
    onSlice: () => {},
    onFault: (error) => expect.unreachable(String(error)),
  });
  applier.advance(at(1));
  expect(machine.applied).toBe(1);
  expect(machine.time).toBe(recordOf(entry).time);
});
