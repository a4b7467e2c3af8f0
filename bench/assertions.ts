import { cpSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { pathToFileURL } from 'node:url';
import type * as IdsModule from '../src/base/ids.ts';
import type * as PrngModule from '../src/base/prng.ts';
import type * as RaftModule from '../src/raft/core.ts';
import type { Message, Ready } from '../src/raft/types.ts';

/**
 * What the assertions that stay on in production cost: `npm run bench:assertions`. Three cores agree on entries, once as
 * they are and once with every `assert` taken out of the compiled sources, in turns in one process, so that whatever
 * else the machine does hits both alike.
 */

/** How well the compiler does is partly luck: the sources are loaded so often, each time as new ones to it. */
const LOADS = 8;
const ROUNDS = 10;
const ENTRIES = 3_000;
const PARTS = ['base', 'raft'];
const SOURCES = join(import.meta.dirname, '..', 'src');

interface Subject {
  readonly core: typeof RaftModule;
  readonly ids: typeof IdsModule;
  readonly prng: typeof PrngModule;
}

function copied(folder: string): string {
  for (const part of PARTS) cpSync(join(SOURCES, part), join(folder, part), { recursive: true });
  return folder;
}

/** Removes all assertions from compiled sources: statements, whole, messages with them. Answers how many. */
function strip(folder: string): number {
  let count = 0;
  for (const part of PARTS) {
    for (const name of readdirSync(join(folder, part))) {
      if (!name.endsWith('.js') || name === 'assert.js') continue;
      const path = join(folder, part, name);
      const text = readFileSync(path, 'utf8');
      const without = text.replace(/(?<=^\s*)assert\([\s\S]*?\);$/gm, () => {
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

const timed = (trio: Trio): number => {
  const began = process.cpuUsage();
  trio.agree(ENTRIES);
  const { user, system } = process.cpuUsage(began);
  return user + system;
};

const middle = (values: readonly number[]): number =>
  values.toSorted((a, b) => a - b)[Math.floor(values.length / 2)] ?? Number.NaN;

const folder = mkdtempSync(join(tmpdir(), 'tocsin-assertions-'));
try {
  const ratios: number[] = [];
  const each: number[] = [];
  let count = 0;
  for (let times = 0; times < LOADS; times += 1) {
    const asserting = new Trio(await load(copied(join(folder, `with-${times}`))));
    const without = copied(join(folder, `without-${times}`));
    count = strip(without);
    const silent = new Trio(await load(without));
    for (const trio of [asserting, silent]) trio.agree(ENTRIES * 5);
    // The least of some rounds: whatever else the machine does only ever adds.
    const least = new Map([asserting, silent].map((trio) => [trio, Number.POSITIVE_INFINITY]));
    for (let round = 0; round < ROUNDS; round += 1)
      for (const trio of round % 2 === 0 ? [asserting, silent] : [silent, asserting])
        least.set(trio, Math.min(least.get(trio) ?? 0, timed(trio)));
    ratios.push((least.get(asserting) ?? 0) / (least.get(silent) ?? 1));
    each.push((least.get(asserting) ?? 0) / ENTRIES);
  }
  console.log(`${count} assertions taken out of src/base and src/raft`);
  console.log(
    `an entry agreed on by three cores: ${middle(each).toFixed(1)} µs of CPU with assertions; with to without: ` +
      `${middle(ratios).toFixed(3)} (${LOADS} loads, from ${Math.min(...ratios).toFixed(3)} to ${Math.max(...ratios).toFixed(3)})`,
  );
} finally {
  rmSync(folder, { recursive: true, force: true });
}
