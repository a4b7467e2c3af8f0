import fc from 'fast-check';
import { expect, test } from 'vitest';
import { logIndex } from '../../src/base/ids.ts';
import type { Entry } from '../../src/raft/types.ts';
import { AppliedState } from '../../src/replica/pipeline/applied-state.ts';
import { Applier } from '../../src/replica/pipeline/applier.ts';
import { Turns } from '../../src/replica/turns.ts';
import { AlertMachine } from '../../src/statemachine/machine.ts';
import type { Reply } from '../../src/statemachine/types.ts';
import type { LogStore } from '../../src/storage/types.ts';
import { decodeSubmissions } from '../../src/wire/commands/commands.ts';
import { recordOf } from '../../src/wire/log/record.ts';
import { VirtualClock } from '../client/virtual-clock.ts';
import { batches } from '../storage/entries.ts';
import { raiseRecord } from './scripted.ts';

/** Entries a read from disk brings at most. */
const PAGE = 2;

/** Something that happens to an applier: between two turns, or when it tells of an entry or of a slice. */
interface Act {
  readonly what: 'advance' | 'replace' | 'whole' | 'read' | 'stop' | 'turn';
  readonly by: number;
  readonly when: 'now' | 'entry' | 'slice';
}

const acts = fc.array(
  fc.record<Act>({
    what: fc.constantFrom(
      'advance',
      'advance',
      'replace',
      'whole',
      'read',
      'read',
      'turn',
      'turn',
      'stop',
    ),
    by: fc.integer({ min: -3, max: 6 }),
    when: fc.constantFrom('now', 'now', 'entry', 'slice'),
  }),
  { maxLength: 40 },
);
const sizes = fc.array(fc.integer({ min: 0, max: 9 }), { minLength: 3, maxLength: 14 });

function machineAt(entries: readonly Entry[], index: number): AlertMachine {
  const machine = new AlertMachine();
  for (const entry of entries.slice(0, index)) {
    const { body, time } = recordOf(entry);
    const submissions = decodeSubmissions(body);
    machine.apply({ index: entry.index, time, submissions }, { replies: [], events: [] });
  }
  return machine;
}

/** An applier, and all that it may be told; checks what it tells. */
class Stage {
  readonly clock = new VirtualClock();
  readonly state = new AppliedState(new AlertMachine());
  readonly reads: (() => void)[] = [];
  readonly entries: readonly Entry[];
  readonly #sizes: readonly number[];
  readonly #applier: Applier;
  readonly #next: Record<Act['when'], Act[]> = { now: [], entry: [], slice: [] };
  last = 0;
  target = 0;
  isStopped = false;
  isWaiting = false;

  constructor(sizes: readonly number[], stepsMax: number, onDisk: number) {
    this.#sizes = sizes;
    this.entries = batches(
      sizes.map((size, n) => Array.from({ length: size }, (_, k) => raiseRecord(`${n}.${k}`))),
    );
    const firstInMemory = Math.min(onDisk, sizes.length) + 1;
    this.#applier = new Applier({
      turns: new Turns(this.clock, stepsMax),
      state: this.state,
      store: { read: (from: number, to: number) => this.#read(from, to) } as unknown as LogStore,
      entryAt: (index) => (index < firstInMemory ? undefined : this.entries[index - 1]),
      firstInMemory: () => firstInMemory,
      onApplied: (entry, replies) => this.#applied(entry, replies),
      onSlice: () => this.#told('slice'),
      onFault: (error) => expect.unreachable(String(error)),
    });
  }

  #read(from: number, to: number): Promise<readonly Entry[]> {
    expect(from).toBeLessThanOrEqual(to);
    return new Promise((resolve) => {
      this.reads.push(() => resolve(this.entries.slice(from - 1, Math.min(to, from + PAGE - 1))));
    });
  }

  #applied({ index }: Entry, replies: readonly Reply[]): void {
    const { machine } = this.state;
    expect(this.isStopped).toBe(false);
    expect([index, machine.applied, machine.isMidway]).toEqual([
      this.last + 1,
      this.last + 1,
      false,
    ]);
    expect(replies).toHaveLength(this.#sizes[index - 1] ?? Number.NaN);
    this.last = index;
    this.#told('entry');
  }

  #told(when: Act['when']): void {
    expect(this.state.history.newest).toBe(this.state.machine.revision);
    const act = this.#next[when].shift();
    if (act !== undefined) this.#do(act);
  }

  async act(act: Act): Promise<void> {
    if (act.what === 'turn') await this.clock.run(0);
    // A state is put in the place of another one between turns alone.
    else if (act.when === 'now' || act.what === 'replace') this.#do(act);
    else this.#next[act.when].push(act);
  }

  #do({ what, by }: Act): void {
    if (what === 'advance') this.#advance(this.last + by);
    else if (what === 'replace') this.#replace(this.last + by);
    else if (what === 'whole') this.#wait();
    else if (what === 'read') this.reads.shift()?.();
    else if (what === 'stop' && by > 4) this.#stop();
  }

  #advance(to: number): void {
    this.target = Math.min(this.entries.length, Math.max(this.target, to));
    this.#applier.advance(logIndex(this.target));
  }

  #replace(to: number): void {
    const machine = machineAt(this.entries, Math.max(0, to));
    this.last = machine.applied;
    this.state.replace(machine);
    this.#applier.replaced();
    this.#advance(this.last);
  }

  #wait(): void {
    if (this.isWaiting) return;
    this.isWaiting = true;
    this.state.whole(() => {
      this.isWaiting = false;
      if (!this.isStopped) expect(this.state.machine.isMidway).toBe(false);
    });
  }

  #stop(): void {
    this.isStopped = true;
    this.#applier.stop();
    expect(this.isWaiting).toBe(false);
  }

  /** Nothing more happens to it; its disk reads on. */
  async calm(): Promise<void> {
    for (const acts of Object.values(this.#next)) acts.length = 0;
    do {
      this.reads.shift()?.();
      await this.clock.run(0);
    } while (this.reads.length > 0);
  }
}

test('whatever happens meanwhile, each entry is applied once, in order and whole, and all of them in the end', async () => {
  await fc.assert(
    fc.asyncProperty(
      sizes,
      fc.integer({ min: 1, max: 7 }),
      fc.integer({ min: 0, max: 14 }),
      acts,
      async (sizes, stepsMax, onDisk, acts) => {
        const stage = new Stage(sizes, stepsMax, onDisk);
        for (const act of acts) await stage.act(act);
        await stage.calm();
        expect(stage.clock.pending).toBe(0);
        if (stage.isStopped) return;
        expect([stage.last, stage.isWaiting]).toEqual([stage.target, false]);
        const { machine } = stage.state;
        expect(machine.digest).toBe(machineAt(stage.entries, stage.target).digest);
      },
    ),
    { numRuns: 300 },
  );
});
