import { execFileSync, spawn } from 'node:child_process';
import { once } from 'node:events';
import { readFileSync, writeFileSync } from 'node:fs';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { millis, replicaId } from '../src/base/ids.ts';
import { COMMANDS_PER_FRAME_MAX } from '../src/base/limits.ts';
import {
  type AlertFilter,
  connect,
  type ListCursor,
  type RaiseInput,
} from '../src/client/index.ts';
import { type RunningReplica, startReplica } from '../src/replica/start.ts';
import { formatFolder } from '../src/storage/data-folder.ts';
import { newClusterId } from '../src/storage/identity.ts';
import { SystemClock } from '../src/transport/system-clock.ts';
import { CollectionTrace } from './measure/collections.ts';
import { measureMachine } from './measure/machine.ts';
import { type StallRow, writeRun } from './measure/results.ts';
import { cpuMs, ownOf, ranMs, type Span } from './measure/thread-time.ts';

/**
 * How long a whole replica with very many open alerts holds its event loop, whatever it is asked to do:
 * `npm run bench:stalls -- ALERTS`. One replica, its real disk, its real clients over TCP, all in this process.
 */

const ALERTS = Number(process.argv[2] ?? 1_000_000);
const BATCH = Math.min(500, COMMANDS_PER_FRAME_MAX);
const IN_FLIGHT = 8;
const ADDRESS = '/ip4/127.0.0.1/tcp/7499';
const clock = new SystemClock();

const INTERESTING_MS = 0.2;
const LONG_MS = 5;

/**
 * Watches the loop. A turn that waits for a core, or for another thread, is no longer for any fault of its own: what counts is what the thread ran
 * (Linux tells; elsewhere what the process took of the processor, which is more). What of it the collector of garbage ran is told apart.
 */
class LoopWatch {
  #turns: Span[] = [];
  #last = { at: performance.now(), ran: ranMs() };
  #cpuAtStart = 0;
  #running = true;
  readonly #trace: CollectionTrace = new CollectionTrace();

  constructor() {
    const look = (): void => {
      const now = { at: performance.now(), ran: ranMs() };
      const { at, ran } = this.#last;
      if (now.at - at > INTERESTING_MS)
        this.#turns.push({ began: at, ended: now.at, ran: now.ran - ran });
      this.#last = now;
      if (this.#running) setImmediate(look);
    };
    setImmediate(look);
  }

  stop(): void {
    this.#running = false;
  }

  async begin(): Promise<void> {
    await this.#trace.begin();
    this.#turns = [];
    this.#cpuAtStart = cpuMs();
  }

  /** What was seen since `begin`. */
  async row(what: string, began: number): Promise<StallRow> {
    const [wallMs, used, turns] = [performance.now() - began, cpuMs(), this.#turns];
    const collections = await this.#trace.end();
    const own = turns.map((turn) => ownOf(turn, collections)).sort((a, b) => a - b);
    const at = (share: number): number => tenths(own[Math.floor(own.length * share)] ?? 0);
    const collected = collections.map(({ ran }) => ran);
    return {
      what,
      wallMs: Math.round(wallMs),
      cpuMs: Math.round(used - this.#cpuAtStart),
      p99Ms: at(0.99),
      p999Ms: at(0.999),
      longestMs: tenths(own.at(-1) ?? 0),
      long: own.filter((ms) => ms > LONG_MS).length,
      longCollected: turns.filter(({ ran }) => ran > LONG_MS).length,
      collectingMs: Math.round(collected.reduce((sum, ms) => sum + ms, 0)),
      longestCollectingMs: Math.round(Math.max(0, ...collected)),
      residentMiB: Math.round(process.memoryUsage.rss() / 2 ** 20),
    };
  }
}

const tenths = (value: number): number => Math.round(value * 10) / 10;
const count = (value: number): string => value.toLocaleString('en-US').padStart(7);

function print(row: StallRow): void {
  const parts = [
    row.what.padEnd(32),
    `${count(row.wallMs)} ms, ${count(row.cpuMs)} of CPU;`,
    `a turn: p99 ${row.p99Ms}  p99.9 ${row.p999Ms}  longest ${row.longestMs} ms, ${row.long} above ${LONG_MS}, ${row.longCollected} with the collector;`,
    `garbage: ${count(row.collectingMs)} ms, longest ${row.longestCollectingMs};`,
    `${row.residentMiB} MiB`,
  ];
  console.log(parts.join(' '));
}

const loop = new LoopWatch();
const rows: StallRow[] = [];

async function phase<T>(what: string, work: () => Promise<T>): Promise<T> {
  await pause(20); // what was printed of the phase before is no turn of this one
  await loop.begin();
  const began = performance.now();
  const result = await work();
  const row = await loop.row(what, began);
  print(row);
  rows.push(row);
  return result;
}

const pause = (delay: number): Promise<void> =>
  new Promise((resolve) => {
    clock.after(millis(delay), resolve);
  });

/**
 * A phase in which a process of its own asks: what asks, and what reads the answers, is no part of what is measured. Nor is the start
 * of it, which copies this one: it waits for a word.
 */
async function phaseOf(title: string, what: 'fill' | 'list' | 'search'): Promise<void> {
  const args = [import.meta.filename, `${ALERTS}`, what];
  const child = spawn(process.execPath, args, { stdio: ['pipe', 'inherit', 'inherit'] });
  const ended = new Promise<void>((resolve, reject) => {
    child.once('error', reject);
    child.once('exit', (code) => (code === 0 ? resolve() : reject(new Error(`${what}: ${code}`))));
  });
  await phase(title, () => {
    child.stdin.end('go');
    return ended;
  });
}

const raises = (from: number): RaiseInput[] =>
  Array.from({ length: Math.min(BATCH, ALERTS - from) }, (_, n) => ({
    dedupKey: `phys:pt-${from + n}:mon-01:HR:HI`,
    condition: 'HR:HI',
    priority: 'high',
    text: 'Heart rate high',
    subject: { unit: 'ED', bed: `B${n}`, patient: `pt-${from + n}`, device: 'mon-01' },
    cause: { metric: 'HR', value: 141, unit: '/min', limit: 131, rule: 'hr-high@1' },
  }));

async function fill(): Promise<void> {
  const client = await connect({ endpoints: [ADDRESS], name: 'bench' });
  let next = 0;
  const one = async (): Promise<void> => {
    while (next < ALERTS) {
      const from = next;
      next += BATCH;
      await client.batch(raises(from).map((raise) => ({ type: 'raise', ...raise })));
    }
  };
  await Promise.all(Array.from({ length: IN_FLIGHT }, one));
  await client.close();
}

async function list(filter: AlertFilter, pagesMax: number): Promise<void> {
  const client = await connect({ endpoints: [ADDRESS], name: 'bench' });
  for (let after: ListCursor | undefined, pages = 0; pages < pagesMax; pages += 1) {
    const page = await client.list(filter, { limit: 1_000, ...(after && { after }) });
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
  const running = await phase('start, with nothing', () => start(folder));
  await phaseOf(`raise ${ALERTS.toLocaleString('en-US')} alerts`, 'fill');
  await phase('nothing for two seconds', () => pause(2_000));
  await phase('take a snapshot', async () => {
    while ((await running.replica.snapshots.take()) === undefined && !isCovered(running))
      await pause(10);
  });
  await phaseOf('50 pages of a list, 1,000 each', 'list');
  await phaseOf('a list of one bed, to its end', 'search');
  await running.close();
}

/** The newest snapshot holds everything. */
const isCovered = ({ replica }: RunningReplica): boolean =>
  replica.snapshots.newest?.index === replica.status().applied;

async function restart(folder: string, told: string): Promise<void> {
  const running = await phase('restart, from snapshot and log', async () => {
    const again = await start(folder);
    while (again.replica.status().openAlerts < ALERTS) await pause(5);
    return again;
  });
  await phase('nothing for two seconds', () => pause(2_000));
  await running.close();
  writeFileSync(told, JSON.stringify(rows));
}

async function all(): Promise<void> {
  const folder = await mkdtemp(join(tmpdir(), 'tocsin-bench-'));
  try {
    await fillAndSnapshot(folder);
    // In a process of its own, whose memory is all its own.
    const told = join(folder, 'restart.json');
    execFileSync(process.execPath, [import.meta.filename, `${ALERTS}`, folder, told], {
      stdio: 'inherit',
    });
    rows.push(...(JSON.parse(readFileSync(told, 'utf8')) as StallRow[]));
    const [at, machine] = [new Date().toISOString(), await measureMachine()];
    const out = join('bench', 'results', 'stalls.json');
    await writeRun(out, { bench: 'stalls', at, machine, alerts: ALERTS, rows });
  } finally {
    await rm(folder, { recursive: true, force: true });
  }
}

const [, , , what, told] = process.argv;
if (what === 'fill' || what === 'list' || what === 'search') await once(process.stdin, 'data');
if (what === undefined) await all();
else if (what === 'fill') await fill();
else if (what === 'list') await list({}, 50);
else if (what === 'search') await list({ bed: 'B7' }, ALERTS);
else if (told !== undefined) await restart(what, told);
loop.stop();
