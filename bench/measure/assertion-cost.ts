import { join } from 'node:path';
import { pathToFileURL } from 'node:url';
import type * as IdsModule from '../../src/base/ids.ts';
import type { UnixMillis } from '../../src/base/ids.ts';
import type * as PrngModule from '../../src/base/prng.ts';
import type * as RaftModule from '../../src/raft/core.ts';
import type { Message, Ready } from '../../src/raft/types.ts';
import type { Command } from '../../src/statemachine/commands.ts';
import type * as MachineModule from '../../src/statemachine/machine.ts';
import { raiseOfMonitor } from '../workloads/alerts.ts';

/**
 * What an entry and a command cost with the compiled sources of a folder: a process of its own, so that the compiler knows of
 * no other copy of them. It is asked for one round at a time, so that several such processes can be asked in turns.
 */

/** Three cores agree on entries, or a machine applies commands. */
export type CostQuestion = 'entry' | 'command';
/** Microseconds of the processor for one. */
export type CostAnswer = number;

const ENTRIES = 3_000;
const BATCH = 100;
const BATCHES = 60;
/** Each is raised, acknowledged and cleared in a round, so that one round is like the other. */
const CONDITIONS = (BATCH * BATCHES) / 3;

interface Subject {
  readonly core: typeof RaftModule;
  readonly ids: typeof IdsModule;
  readonly prng: typeof PrngModule;
  readonly machine: typeof MachineModule;
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

  /** Microseconds of the processor that so many entries take. */
  agree(entries: number): number {
    const began = process.cpuUsage();
    for (let n = 0; n < entries; n += 1) {
      const { ok } = this.#at(0).propose({ byteLength: 4096 });
      if (!ok) throw new Error('the proposal was refused');
      this.#settle();
    }
    return since(began);
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
  const patient = `pt-${n % CONDITIONS}`;
  const dedupKey = `phys:${patient}:mon-01:HR:HI`;
  const turn = Math.floor(n / CONDITIONS) % 3;
  if (turn === 0) return raiseOfMonitor(dedupKey, patient, `B${n % 500}`, observedAt);
  const type = turn === 1 ? 'acknowledge' : 'clear';
  return { type, target: { dedupKey }, actor: 'nurse-7', observedAt };
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

const subject = await load(process.argv[2] ?? '');
const [trio, ward] = [new Trio(subject), new Ward(subject)];
process.on('message', (question: CostQuestion) => {
  const answer: CostAnswer =
    question === 'entry' ? trio.agree(ENTRIES) / ENTRIES : ward.apply(BATCHES) / (BATCHES * BATCH);
  process.send?.(answer);
});
