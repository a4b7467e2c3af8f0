import { cpSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { pathToFileURL } from 'node:url';
import type * as IdsModule from '../src/base/ids.ts';
import type { UnixMillis } from '../src/base/ids.ts';
import type * as PrngModule from '../src/base/prng.ts';
import type * as RaftModule from '../src/raft/core.ts';
import type { Message, Ready } from '../src/raft/types.ts';
import type * as MachineModule from '../src/statemachine/machine.ts';
import type { Command } from '../src/statemachine/types.ts';
import { measureMachine } from './measure/machine.ts';
import { type AssertionRow, writeRun } from './measure/results.ts';

/**
 * What the assertions that stay on in production cost: `npm run bench:assertions`. Three cores agree on entries, and a
 * machine of alerts applies commands, once as they are and once with every `assert` taken out of the compiled sources, in
 * turns in one process, so that whatever else the computer does hits both alike.
 */

/** How well the compiler does is partly luck: the sources are loaded so often, each time as new ones to it. */
const LOADS = 8;
const ROUNDS = 10;
const ENTRIES = 3_000;
const PARTS = ['base', 'raft', 'statemachine'];
const BATCH = 100;
const BATCHES = 100;
/** Conditions that come and go. */
const CONDITIONS = 5_000;
const SOURCES = join(import.meta.dirname, '..', 'src');

interface Subject {
  readonly core: typeof RaftModule;
  readonly ids: typeof IdsModule;
  readonly prng: typeof PrngModule;
  readonly machine: typeof MachineModule;
}

function copied(folder: string): string {
  for (const part of PARTS) cpSync(join(SOURCES, part), join(folder, part), { recursive: true });
  return folder;
}

/** Removes all assertions from compiled sources: statements, whole, messages with them. Answers how many. */
function strip(folder: string): number {
  let count = 0;
  for (const part of PARTS) {
    for (const name of readdirSync(join(folder, part), { recursive: true, encoding: 'utf8' })) {
      if (!name.endsWith('.js') || name === 'assert.js') continue;
      const path = join(folder, part, name);
      const text = readFileSync(path, 'utf8');
      const without = text.replace(/(?<=^\s*)assert(?:Whole)?\([\s\S]*?\);$/gm, () => {
        count += 1;
        return ';';
      });
      writeFileSync(path, without);
    }
  }
  return count;
}

async function load(folder: string): Promise<Subject> {
  const module = (path: string): Promise<unknown> => import(pathToFileURL(join(folder, path)).href);
  return {
    core: (await module('raft/core.js')) as typeof RaftModule,
    ids: (await module('base/ids.js')) as typeof IdsModule,
    prng: (await module('base/prng.js')) as typeof PrngModule,
    machine: (await module('statemachine/machine.js')) as typeof MachineModule,
  };
}

/** Three cores without network and disk: what each wants sent is stepped into the others, at once. */
class Trio {
  readonly #cores: RaftModule.RaftCore[];
  readonly #queue: Message[] = [];

  constructor({ core, ids, prng }: Subject) {
    const voters = [1, 2, 3].map(ids.replicaId);
    this.#cores = voters.map(
      (id) =>
        new core.RaftCore({
          id,
          voters,
          prng: new prng.Prng(id),
          noop: () => ({ byteLength: 64 }),
          leaveJoint: (configuration) => ({ byteLength: 64, configuration }),
          hardState: { term: ids.term(0), vote: undefined, commit: ids.logIndex(0) },
          tail: [],
          terms: [],
          options: { logMemoryBytesMax: 1_000_000 },
        }),
    );
    this.#at(0).campaign();
    this.#settle();
  }

  /** Answers how far they got. */
  agree(entries: number): number {
    for (let n = 0; n < entries; n += 1) {
      const { ok } = this.#at(0).propose({ byteLength: 4096 });
      if (!ok) throw new Error('the proposal was refused');
      this.#settle();
    }
    return this.#at(0).committed;
  }

  #at(place: number): RaftModule.RaftCore {
    const core = this.#cores[place];
    if (core === undefined) throw new Error(`no core ${place}`);
    return core;
  }

  #settle(): void {
    for (;;) {
      for (const core of this.#cores)
        for (let ready = core.takeReady(); ready !== undefined; ready = core.takeReady())
          this.#perform(core, ready);
      const next = this.#queue.shift();
      if (next === undefined) return;
      this.#at(next.to - 1).step(next);
    }
  }

  #perform(core: RaftModule.RaftCore, ready: Ready): void {
    this.#queue.push(...ready.send);
    this.#queue.push(...ready.sendAfterSync);
    core.release(ready.committed);
  }
}

/** A command of a condition's life: raised, acknowledged, cleared, and again. */
function commandOf(n: number, observedAt: UnixMillis): Command {
  const dedupKey = `phys:pt-${n % CONDITIONS}:mon-01:HR:HI`;
  const turn = Math.floor(n / CONDITIONS) % 3;
  if (turn > 0) {
    const type = turn === 1 ? 'acknowledge' : 'clear';
    return { type, target: { dedupKey }, actor: 'nurse-7', observedAt };
  }
  return {
    type: 'raise',
    dedupKey,
    kind: 'physiological',
    priority: 'high',
    condition: 'HR:HI',
    text: 'Heart rate high',
    subject: { unit: 'ED', bed: `B${n % 500}`, patient: `pt-${n % CONDITIONS}`, device: 'mon-01' },
    cause: { metric: 'HR', value: 141, unit: '/min', limit: 131, rule: 'hr-high@1' },
    latching: false,
    acknowledgementRequired: false,
    actor: 'ward',
    observedAt,
  };
}

/** A machine that is given batch after batch; the commands are made outside of what is timed. */
class Ward {
  readonly #machine: MachineModule.AlertMachine;
  readonly #ids: typeof IdsModule;
  #index = 0;

  constructor({ machine, ids }: Subject) {
    this.#machine = new machine.AlertMachine();
    this.#ids = ids;
  }

  /** Microseconds of the processor that so many batches take. */
  apply(batches: number): number {
    const { logIndex, unixMillis } = this.#ids;
    const made = Array.from({ length: batches }, () => {
      this.#index += 1;
      const time = unixMillis(1_790_000_000_000 + this.#index);
      const submissions = Array.from({ length: BATCH }, (_, n) => {
        const number = this.#index * BATCH + n;
        const key = number.toString(16).padStart(32, '0');
        return { key, fingerprint: number, command: commandOf(number, time) };
      });
      return { index: logIndex(this.#index), time, submissions };
    });
    const began = process.cpuUsage();
    for (const batch of made) this.#machine.apply(batch, { replies: [], events: [] });
    return since(began);
  }
}

function since(began: NodeJS.CpuUsage): number {
  const { user, system } = process.cpuUsage(began);
  return user + system;
}

function agree(trio: Trio): number {
  const began = process.cpuUsage();
  trio.agree(ENTRIES);
  return since(began);
}

const middle = (values: readonly number[]): number =>
  values.toSorted((a, b) => a - b)[Math.floor(values.length / 2)] ?? Number.NaN;

/** The least of some rounds of each, in turns: whatever else the computer does only ever adds. */
function leastOf(one: () => number, other: () => number): readonly [number, number] {
  const least = [Number.POSITIVE_INFINITY, Number.POSITIVE_INFINITY] as [number, number];
  for (let round = 0; round < ROUNDS; round += 1)
    for (const at of round % 2 === 0 ? ([0, 1] as const) : ([1, 0] as const))
      least[at] = Math.min(least[at], at === 0 ? one() : other());
  return least;
}

const rounded = (value: number): number => Math.round(value * 1_000) / 1_000;

/** What several loads of the sources took, with and without assertions. */
class Ratios {
  readonly #ratios: number[] = [];
  readonly #each: number[] = [];

  add([asserting, silent]: readonly [number, number], count: number): void {
    this.#ratios.push(asserting / silent);
    this.#each.push(asserting / count);
  }

  row(what: string): AssertionRow {
    return {
      what,
      cpuUs: rounded(middle(this.#each)),
      ratio: rounded(middle(this.#ratios)),
      lowest: rounded(Math.min(...this.#ratios)),
      highest: rounded(Math.max(...this.#ratios)),
    };
  }
}

const folder = mkdtempSync(join(tmpdir(), 'tocsin-assertions-'));
try {
  const [entries, commands] = [new Ratios(), new Ratios()];
  let count = 0;
  for (let times = 0; times < LOADS; times += 1) {
    const asserting = await load(copied(join(folder, `with-${times}`)));
    const without = copied(join(folder, `without-${times}`));
    count = strip(without);
    const silent = await load(without);
    const [trio, silentTrio] = [new Trio(asserting), new Trio(silent)];
    for (const one of [trio, silentTrio]) one.agree(ENTRIES * 5);
    entries.add(
      leastOf(
        () => agree(trio),
        () => agree(silentTrio),
      ),
      ENTRIES,
    );
    const [ward, silentWard] = [new Ward(asserting), new Ward(silent)];
    for (const one of [ward, silentWard]) one.apply(BATCHES * 3);
    commands.add(
      leastOf(
        () => ward.apply(BATCHES),
        () => silentWard.apply(BATCHES),
      ),
      BATCHES * BATCH,
    );
  }
  console.log(`${count} assertions taken out of ${PARTS.map((part) => `src/${part}`).join(', ')}`);
  const rows = [
    entries.row('an entry agreed on by three cores'),
    commands.row('a command applied'),
  ];
  for (const { what, cpuUs, ratio, lowest, highest } of rows)
    console.log(
      `${what}: ${cpuUs} µs of CPU with assertions; with to without: ${ratio} (from ${lowest} to ${highest})`,
    );
  const at = new Date().toISOString();
  const machine = await measureMachine();
  const run = { bench: 'assertions', at, machine, count, loads: LOADS, rows } as const;
  await writeRun(join('bench', 'results', 'assertions.json'), run);
} finally {
  rmSync(folder, { recursive: true, force: true });
}
