import { execFileSync } from 'node:child_process';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { TocsinError } from '../src/base/errors.ts';
import { millis, replicaId } from '../src/base/ids.ts';
import { COMMANDS_PER_FRAME_MAX } from '../src/base/limits.ts';
import { connect } from '../src/client/index.ts';
import { type RunningReplica, startReplica } from '../src/replica/start.ts';
import { raiseFrom } from '../src/statemachine/inputs.ts';
import { formatFolder } from '../src/storage/data-folder.ts';
import { newClusterId } from '../src/storage/identity.ts';
import { SystemClock } from '../src/transport/system-clock.ts';
import { encodeCommand, keyFromText } from '../src/wire/commands/commands.ts';

/**
 * How long a whole replica with very many open alerts holds its event loop, whatever it is asked to do:
 * `npm run bench:stalls -- ALERTS`. One replica, its real disk, its real clients over TCP, all in this process.
 */

const ALERTS = Number(process.argv[2] ?? 1_000_000);
const BATCH = Math.min(500, COMMANDS_PER_FRAME_MAX);
const IN_FLIGHT = 8;
const ADDRESS = '/ip4/127.0.0.1/tcp/7499';
const clock = new SystemClock();

/**
 * Watches the loop, in CPU time: on a busy machine the process waits for others to run, and that is no fault of its own.
 * Collecting garbage on other threads counts too, so the truth is a little better.
 */
class LoopWatch {
  #turns: number[] = [];
  #last = cpuMs();
  #running = true;

  constructor() {
    const look = (): void => {
      const now = cpuMs();
      this.#turns.push(now - this.#last);
      this.#last = now;
      if (this.#running) setImmediate(look);
    };
    setImmediate(look);
  }

  stop(): void {
    this.#running = false;
  }

  clear(): void {
    this.#turns = [];
  }

  /** Prints what was seen since `clear`. */
  report(what: string, began: number): void {
    const turns = this.#turns.sort((a, b) => a - b);
    const at = (share: number): string =>
      (turns[Math.floor(turns.length * share)] ?? 0).toFixed(1).padStart(7);
    const used = turns.reduce((sum, turn) => sum + turn, 0);
    console.log(
      [
        what.padEnd(32),
        `${count(performance.now() - began)} ms, ${count(used)} of CPU;`,
        `a turn: p99 ${at(0.99)}  p99.9 ${at(0.999)}  longest ${(turns.at(-1) ?? 0).toFixed(1).padStart(7)} ms;`,
        `${(process.memoryUsage.rss() / 2 ** 20).toFixed(0)} MiB`,
      ].join(' '),
    );
  }
}

const count = (value: number): string => Math.round(value).toLocaleString('en-US').padStart(7);

function cpuMs(): number {
  const { user, system } = process.cpuUsage();
  return (user + system) / 1_000;
}

const loop = new LoopWatch();

async function phase<T>(what: string, work: () => Promise<T>): Promise<T> {
  loop.clear();
  const began = performance.now();
  const result = await work();
  loop.report(what, began);
  return result;
}

const pause = (delay: number): Promise<void> =>
  new Promise((resolve) => {
    clock.after(millis(delay), resolve);
  });

function raises(from: number): Uint8Array {
  const count = Math.min(BATCH, ALERTS - from);
  const records = Array.from({ length: count }, (_, n) => {
    const input = {
      dedupKey: `phys:pt-${from + n}:mon-01:HR:HI`,
      condition: 'HR:HI',
      priority: 'high',
      text: 'Heart rate high',
      subject: { unit: 'ED', bed: `B${n}`, patient: `pt-${from + n}`, device: 'mon-01' },
      cause: { metric: 'HR', value: 141, unit: '/min', limit: 131, rule: 'hr-high@1' },
    } as const;
    const command = raiseFrom(input, { actor: 'ward', observedAt: clock.wall() });
    return encodeCommand(command, keyFromText(input.dedupKey));
  });
  return Buffer.concat(records);
}

async function fill(running: RunningReplica): Promise<void> {
  let next = 0;
  const one = async (): Promise<void> => {
    while (next < ALERTS) {
      const from = next;
      next += BATCH;
      const commands = raises(from);
      const count = Math.min(BATCH, ALERTS - from);
      const deadline = millis(clock.monotonic() + 60_000);
      await new Promise<void>((resolve, reject) => {
        const settle = (outcome: unknown): void =>
          TocsinError.is(outcome) ? reject(outcome) : resolve();
        running.replica.propose({ commands, count, urgency: 0, takesRoom: true, deadline, settle });
      });
    }
  };
  await Promise.all(Array.from({ length: IN_FLIGHT }, one));
}

async function listAll(): Promise<void> {
  const client = await connect({ endpoints: [ADDRESS], name: 'bench' });
  for (let after: string | undefined, pages = 0; pages < 50; pages += 1) {
    const page = await client.list(
      {},
      { limit: 1_000, ...(after === undefined ? {} : { after: after as 'A1' }) },
    );
    after = page.value.next;
    if (after === undefined) break;
  }
  await client.close();
}

/** The replica of a folder, once it leads. */
async function start(folder: string): Promise<RunningReplica> {
  const running = await startReplica({ folder });
  while (running.replica.standing.role !== 'leader') await pause(20);
  return running;
}

async function fillAndSnapshot(folder: string): Promise<void> {
  const id = replicaId(1);
  const members = [{ id, address: ADDRESS }];
  await formatFolder(folder, { clusterId: newClusterId(), replicaId: id, incarnation: 1, members });
  const running = await start(folder);
  await phase(`raise ${ALERTS.toLocaleString('en-US')} alerts`, () => fill(running));
  await phase('nothing for two seconds', () => pause(2_000));
  await phase('take a snapshot', async () => {
    while ((await running.replica.snapshots.take()) === undefined && !isCovered(running))
      await pause(10);
  });
  await phase('50 pages of a list, 1,000 each', listAll);
  await running.close();
}

/** The newest snapshot holds everything. */
const isCovered = ({ replica }: RunningReplica): boolean =>
  replica.snapshots.newest?.index === replica.status().applied;

async function restart(folder: string): Promise<void> {
  const running = await phase('restart, from snapshot and log', async () => {
    const again = await start(folder);
    while (again.replica.status().openAlerts < ALERTS) await pause(5);
    return again;
  });
  await phase('nothing for two seconds', () => pause(2_000));
  await running.close();
}

const [, , , existing] = process.argv;
if (existing === undefined) {
  const folder = await mkdtemp(join(tmpdir(), 'tocsin-bench-'));
  try {
    await fillAndSnapshot(folder);
    // In a process of its own, whose memory is all its own.
    execFileSync(process.execPath, [import.meta.filename, `${ALERTS}`, folder], {
      stdio: 'inherit',
    });
  } finally {
    await rm(folder, { recursive: true, force: true });
  }
} else {
  await restart(existing);
}
loop.stop();
