import { execFileSync, spawn } from 'node:child_process';
import { once } from 'node:events';
import { readFileSync, writeFileSync } from 'node:fs';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { millis, replicaId, revision } from '../src/base/ids.ts';
import { COMMANDS_PER_FRAME_MAX } from '../src/base/limits.ts';
import type { BatchedCommand } from '../src/client/command-batch.ts';
import { type AlertFilter, connect, type ListCursor } from '../src/client/index.ts';
import { rehearseOnce } from '../src/replica/rehearsal/once.ts';
import { type RunningReplica, startReplica } from '../src/replica/start.ts';
import { formatFolder } from '../src/storage/data-folder.ts';
import { newClusterId } from '../src/storage/identity.ts';
import { SystemClock } from '../src/transport/system-clock.ts';
import { bareTurns, stepsOf } from './measure/bare.ts';
import { LONG_MS, LoopWatch } from './measure/loop-watch.ts';
import { measureMachine } from './measure/machine.ts';
import { type StallRow, writeRun } from './measure/results.ts';
import { raiseOfMonitor } from './workloads/alerts.ts';
import { DEMANDS } from './workloads/demands.ts';

/**
 * How long a whole replica with very many open alerts holds its event loop, whatever it is asked to do:
 * `npm run bench:stalls -- ALERTS`. One replica, its real disk, its real clients over TCP, all in this process.
 */

const ALERTS = Number(process.argv[2] ?? 1_000_000);
const BATCH = Math.min(500, COMMANDS_PER_FRAME_MAX);
const IN_FLIGHT = 8;
const ADDRESS = '/ip4/127.0.0.1/tcp/7499';
const JOINER_ADDRESS = '/ip4/127.0.0.1/tcp/7498';
const clock = new SystemClock();

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

const rows: StallRow[] = [];

async function phase<T>(what: string, work: () => Promise<T>): Promise<T> {
  await pause(20); // what was printed of the phase before is no turn of this one
  const watch = await LoopWatch.begin();
  const result = await work();
  const row = await watch.end(what);
  print(row);
  rows.push(row);
  return result;
}

const pause = (delay: number): Promise<void> =>
  new Promise((resolve) => {
    clock.after(millis(delay), resolve);
  });

type Part = 'fill' | 'list' | 'search' | 'watch' | 'join' | 'restart' | 'bare' | 'demand';

/**
 * A phase in which a process of its own asks: what asks, and what reads the answers, is no part of what is measured. Nor is the start
 * of it, which copies this one: it waits for a word.
 */
async function phaseOf(title: string, what: Part, ...rest: readonly string[]): Promise<void> {
  const args = [import.meta.filename, `${ALERTS}`, what, ...rest];
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

const raises = (from: number): BatchedCommand[] =>
  Array.from({ length: Math.min(BATCH, ALERTS - from) }, (_, n) => {
    const [key, patient] = [`phys:pt-${from + n}:mon-01:HR:HI`, `pt-${from + n}`];
    return raiseOfMonitor(key, patient, `B${n}`, clock.wall());
  });

async function fill(): Promise<void> {
  const client = await connect({ endpoints: [ADDRESS], name: 'bench' });
  let next = 0;
  const one = async (): Promise<void> => {
    while (next < ALERTS) {
      const from = next;
      next += BATCH;
      await client.batch(raises(from));
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

/** From the beginning: what the history does not remember any more comes as a state. */
async function watch(): Promise<void> {
  const client = await connect({ endpoints: [ADDRESS], name: 'bench' });
  const { revision: newest } = await client.status();
  for await (const message of client.watch({ from: revision(1) })) {
    const at = message.type === 'event' ? message.event.revision : message.revision;
    if (at >= newest) break;
  }
  await client.close();
}

/** What each process does first, once: until it is over nobody can be waiting for it. */
const rehearsal = (): Promise<void> => rehearseOnce(clock, console.log);

/** The largest and worst of its kind. */
async function demand(at: string): Promise<void> {
  const client = await connect({ endpoints: [ADDRESS], name: 'bench' });
  await DEMANDS[Number(at)]?.ask(client, ADDRESS);
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
  await phase('a rehearsal, before anything is held', rehearsal);
  const running = await phase('start, with nothing', () => start(folder));
  await phaseOf(`raise ${ALERTS.toLocaleString('en-US')} alerts`, 'fill');
  await phase('nothing for two seconds', () => pause(2_000));
  await phase('take a snapshot', async () => {
    while ((await running.replica.snapshots.take()) === undefined && !isCovered(running))
      await pause(10);
  });
  await phaseOf('50 pages of a list, 1,000 each', 'list');
  await phaseOf('a list of one bed, to its end', 'search');
  await phaseOf('a watch that begins with the state', 'watch');
  await joinedBy(folder, running);
  await running.close();
}

/** A new member fetches the snapshot: what it does to both. */
async function joinedBy(folder: string, running: RunningReplica): Promise<void> {
  const { clusterId } = running.identity;
  const [id, incarnation, address] = [replicaId(2), 2, JOINER_ADDRESS];
  const members = [...running.identity.members, { id, address }];
  const [own, told] = [join(folder, 'joiner'), join(folder, 'joiner.json')];
  await formatFolder(own, { clusterId, replicaId: id, incarnation, members, joining: true });
  const client = await connect({ endpoints: [ADDRESS], name: 'bench' });
  await client.operator.change({ op: 'add', id, address, incarnation, priority: 0 });
  await client.close();
  await phaseOf('a new member fetches the snapshot', 'join', own, told);
  rows.push(...rowsIn(told));
}

async function joiner(folder: string, told: string): Promise<void> {
  await rehearsal();
  const running = await phase('the same, in the new member', () => full(startReplica({ folder })));
  await running.close();
  writeFileSync(told, JSON.stringify(rows));
}

/** Once all alerts are there. */
async function full(starting: Promise<RunningReplica>): Promise<RunningReplica> {
  const running = await starting;
  while (running.replica.status().openAlerts < ALERTS) await pause(5);
  return running;
}

const rowsIn = (file: string): StallRow[] => JSON.parse(readFileSync(file, 'utf8')) as StallRow[];

/** The newest snapshot holds everything. */
const isCovered = ({ replica }: RunningReplica): boolean =>
  replica.snapshots.newest?.index === replica.status().applied;

async function restart(folder: string, told: string): Promise<void> {
  await rehearsal();
  const running = await phase('restart, from snapshot and log', () => full(start(folder)));
  await phase('nothing for two seconds', () => pause(2_000));
  for (const [at, { title }] of DEMANDS.entries()) await phaseOf(title, 'demand', `${at}`);
  await running.close();
  writeFileSync(told, JSON.stringify(rows));
}

/** What the machine by itself makes of turns that are all alike. */
async function bare(_folder: string, told: string): Promise<void> {
  const steps = stepsOf(2);
  await phase('bare arithmetic, 2 ms in each turn', () => bareTurns(steps, 60));
  writeFileSync(told, JSON.stringify(rows));
}

async function all(): Promise<void> {
  const folder = await mkdtemp(join(tmpdir(), 'tocsin-bench-'));
  try {
    await fillAndSnapshot(folder);
    // In processes of their own, whose memory is all their own.
    for (const part of ['restart', 'bare'] as const) {
      const told = join(folder, `${part}.json`);
      execFileSync(process.execPath, [import.meta.filename, `${ALERTS}`, part, folder, told], {
        stdio: 'inherit',
      });
      rows.push(...rowsIn(told));
    }
    const [at, machine] = [new Date().toISOString(), await measureMachine()];
    const out = join('bench', 'results', 'stalls.json');
    await writeRun(out, { bench: 'stalls', at, machine, alerts: ALERTS, rows });
  } finally {
    await rm(folder, { recursive: true, force: true });
  }
}

const PARTS: Readonly<Record<Part, (folder: string, told: string) => Promise<void>>> = {
  fill,
  list: () => list({}, 50),
  search: () => list({ bed: 'B7' }, ALERTS),
  watch,
  join: joiner,
  restart,
  bare,
  demand,
};

const [, , , what, ownFolder = '', told = ''] = process.argv;
if (what === undefined) await all();
else {
  if (what !== 'restart' && what !== 'bare') await once(process.stdin, 'data');
  await PARTS[what as Part](ownFolder, told);
}
