import { expect, test } from 'vitest';
import { revision, unixMillis } from '../../src/base/ids.ts';
import { TURN_MS_MAX } from '../../src/base/limits.ts';
import type { Entry } from '../../src/raft/types.ts';
import { AppliedState } from '../../src/replica/pipeline/applied-state.ts';
import { Applier } from '../../src/replica/pipeline/applier.ts';
import { Turns } from '../../src/replica/turns.ts';
import type { Command } from '../../src/statemachine/commands.ts';
import { AlertMachine } from '../../src/statemachine/machine.ts';
import type { Reply } from '../../src/statemachine/types.ts';
import { MemoryDisk } from '../../src/storage/log/memory-log-store.ts';
import type { LogStore } from '../../src/storage/types.ts';
import { encodeCommand, keyFromText } from '../../src/wire/commands/commands.ts';
import { EntryRecord, entryOf, recordOf } from '../../src/wire/log/record.ts';
import { BusyClock, VirtualClock } from '../client/virtual-clock.ts';
import { at, batches, CLUSTER, emptyLogEnd, hard } from '../storage/entries.ts';
import { raiseOf, raiseRecord } from './scripted.ts';

const turn = (): Promise<void> => new Promise((resolve) => setImmediate(resolve));

const entriesOf = (bodies: readonly Uint8Array[]): Entry[] => batches(bodies.map((body) => [body]));

const records = (count: number, name = 'k'): Uint8Array[] =>
  Array.from({ length: count }, (_, n) => raiseRecord(`${name}${n}`));

const raises = (count: number): Entry[] => entriesOf(records(count));

interface Stage {
  readonly applier: Applier;
  readonly clock: BusyClock;
  readonly applied: number[];
  /** Entries applied in each slice. */
  readonly slices: number[];
  readonly faults: unknown[];
  readonly state: AppliedState;
  readonly machine: AlertMachine;
  /** Of each entry, in order. */
  readonly replies: (readonly Reply[])[];
  /** What others see at the end of each slice. */
  readonly seen: Seen[];
}

interface Seen {
  readonly applied: number;
  readonly digest: number;
  readonly revision: number;
  readonly newest: number;
}

/** The first `onDisk` of the entries are durable; memory holds those from `inMemory` on. */
async function stageOf(
  entries: readonly Entry[],
  { onDisk, inMemory, stepsMax }: { onDisk: number; inMemory: number; stepsMax?: number },
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
  const state = new AppliedState(machine);
  const told: (readonly Reply[])[] = [];
  const seen: Seen[] = [];
  let count = 0;
  const applier = new Applier({
    turns: new Turns(clock, stepsMax),
    store: change(store),
    state,
    entryAt: (index) => (index >= inMemory ? entries[index - 1] : undefined),
    firstInMemory: () => inMemory,
    onApplied: (entry, replies) => {
      told.push([...replies]);
      applied.push(entry.index);
      count += 1;
    },
    onSlice: () => {
      const { applied: at, digest, revision } = state.machine;
      seen.push({ applied: at, digest, revision, newest: state.history.newest });
      slices.push(count);
      count = 0;
    },
    onFault: (error) => faults.push(error),
  });
  return { applier, clock, applied, slices, faults, state, machine, replies: told, seen };
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
  clock.stepMs = TURN_MS_MAX / 5;
  applier.advance(at(300));
  await clock.run(1);
  expect(applied).toEqual(upTo(300));
  expect(Math.max(...slices)).toBeLessThanOrEqual(11);
});

test('after a command that can be long it is looked whether the turn is over', async () => {
  const bed: Command = {
    type: 'set-bed',
    unit: 'icu',
    bed: 'b1',
    actor: 'm',
    observedAt: unixMillis(1),
  };
  const rare = Array.from({ length: 40 }, (_, n) => encodeCommand(bed, keyFromText(`${n}`)));
  const turnsOf = async (commands: readonly Uint8Array[]): Promise<number> => {
    const stage = await stageOf(batches([commands]), { onDisk: 1, inMemory: 1 });
    stage.clock.stepMs = TURN_MS_MAX / 5;
    stage.applier.advance(at(1));
    await stage.clock.run(1);
    expect(stage.applied).toEqual([1]);
    return stage.seen.length;
  };
  expect(await turnsOf(rare)).toBeGreaterThan((await turnsOf(records(40))) * 2);
});

test('what an entry does by itself, because it is due, takes as many turns as it needs', async () => {
  const beat: Command = {
    type: 'heartbeat',
    source: 'gw',
    leaseSeconds: 1,
    actor: 'gw',
    observedAt: unixMillis(1),
  };
  const raises = Array.from({ length: 200 }, (_, n) =>
    encodeCommand({ ...raiseOf(`k${n}`), subject: { device: 'gw' } }, keyFromText(`r${n}`)),
  );
  const entries = batches([[encodeCommand(beat, keyFromText('beat'))], raises, []], 800);
  const stage = await stageOf(entries, { onDisk: 3, inMemory: 1, stepsMax: 2 });
  stage.applier.advance(at(2));
  await stage.clock.run(1);
  const before = stage.seen.length;
  stage.applier.advance(at(3));
  await stage.clock.run(1);
  expect([stage.faults, stage.applied]).toEqual([[], [1, 2, 3]]);
  expect(stage.state.history.at(revision(201))?.effect).toBe('stale');
  expect(stage.seen.length - before).toBeGreaterThan(2);
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

test('of an entry of which one command cannot be read none is applied', async () => {
  const newer = raiseRecord('c').slice();
  newer[5] = 200;
  const entries = batches([[raiseRecord('a')], [raiseRecord('b'), newer]]);
  const { applier, applied, faults, machine } = await stageOf(entries, { onDisk: 0, inMemory: 1 });
  applier.advance(at(2));
  expect(applied).toEqual([1]);
  expect(machine.revision).toBe(1);
  expect(faults).toMatchObject([{ code: 'DATA_NEWER_FORMAT' }]);
});

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
    turns: new Turns(new VirtualClock()),
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

test('an entry of many commands is applied in slices, in which it shows but does not count, and is answered once', async () => {
  const entries = batches([records(100), records(3, 'other')]);
  const stage = await stageOf(entries, { onDisk: 0, inMemory: 1 });
  const whole = await stageOf(entries, { onDisk: 0, inMemory: 1 });
  whole.applier.advance(at(2));
  stage.clock.stepMs = TURN_MS_MAX / 2 + 0.1;
  stage.applier.advance(at(2));
  await stage.clock.run(1);
  expect(stage.applied).toEqual([1, 2]);
  expect(stage.replies.map((some) => some.length)).toEqual([100, 3]);
  expect(stage.replies).toEqual(whole.replies);
  expect(stage.machine.digest).toBe(whole.machine.digest);
  const midway = stage.seen.filter(({ applied }) => applied === 0);
  expect(midway.length).toBeGreaterThan(2);
  for (const [n, { digest, revision }] of midway.entries()) {
    expect(digest).toBe(new AlertMachine().digest);
    expect(revision).toBeGreaterThan(midway[n - 1]?.revision ?? 0);
  }
  for (const { revision, newest } of stage.seen) expect(newest).toBe(revision);
});

test('a slice ends within an entry, which is read whole before anything of it shows, after as many steps as it is allowed', async () => {
  const clock = new VirtualClock();
  const state = new AppliedState(new AlertMachine());
  const [entry] = batches([records(10)]);
  const revisions: number[] = [];
  const applier = new Applier({
    turns: new Turns(clock, 3),
    store: new MemoryDisk(CLUSTER).open(),
    state,
    entryAt: () => entry,
    firstInMemory: () => 1,
    onApplied: (_, replies) => expect(replies).toHaveLength(10),
    onSlice: () => revisions.push(state.machine.revision),
    onFault: (error) => expect.unreachable(String(error)),
  });
  applier.advance(at(1));
  await clock.run(1);
  expect(revisions).toEqual([2, 5, 8, 10]);
});

test('what is asked for by whoever is told of a slice is applied too', async () => {
  const entries = raises(3);
  const clock = new VirtualClock();
  const applier: Applier = new Applier({
    turns: new Turns(clock),
    store: new MemoryDisk(CLUSTER).open(),
    state: new AppliedState(new AlertMachine()),
    entryAt: (index) => entries[index - 1],
    firstInMemory: () => 1,
    onApplied: () => {},
    onSlice: () => applier.advance(at(Math.min(applier.applied + 1, 3))),
    onFault: (error) => expect.unreachable(String(error)),
  });
  applier.advance(at(1));
  await clock.run(1);
  expect(applier.applied).toBe(3);
});

test('what needs a whole entry waits for the end of the one under way, and comes before the next', async () => {
  const stage = await stageOf(batches([records(40), records(40, 'other')]), {
    onDisk: 0,
    inMemory: 1,
    stepsMax: 60,
  });
  const { state, machine, clock } = stage;
  stage.applier.advance(at(2));
  expect(machine.isMidway).toBe(true);
  expect(() => machine.capture()).toThrow('half an entry');
  const seen: number[][] = [];
  state.whole(() => seen.push([machine.applied, machine.revision, machine.capture().header.index]));
  expect(seen).toEqual([]);
  await clock.run(1);
  expect(stage.applied).toEqual([1, 2]);
  expect(seen).toEqual([[1, 40, 1]]);
});

test('a state that takes the place of one amid an entry goes on with the entry after its own', async () => {
  const entries = batches([records(40), records(40, 'other')]);
  const stage = await stageOf(entries, { onDisk: 0, inMemory: 1, stepsMax: 60 });
  const { state, applier, clock } = stage;
  applier.advance(at(2));
  let index: number | undefined;
  state.whole(() => {
    index = state.machine.capture().header.index;
  });
  const other = await stageOf(entries, { onDisk: 0, inMemory: 1 });
  other.applier.advance(at(1));
  state.replace(other.machine);
  applier.replaced();
  expect(index).toBe(1);
  await clock.run(1);
  expect(stage.applied).toEqual([2]);
  expect(state.machine.revision).toBe(80);
  expect(state.history.newest).toBe(80);
  expect(stage.faults).toEqual([]);
});

test('after stop an entry that was begun is not gone on with, and nobody is answered', async () => {
  const stage = await stageOf(batches([records(40)]), { onDisk: 0, inMemory: 1, stepsMax: 60 });
  stage.applier.advance(at(1));
  const { revision } = stage.machine;
  expect(revision).toBe(20);
  stage.applier.stop();
  await stage.clock.run(1);
  expect([stage.machine.revision, stage.applied]).toEqual([revision, []]);
});
