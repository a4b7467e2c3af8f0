import { once } from 'node:events';
import { mkdtemp, readdir, readFile, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { parseArgs } from 'node:util';
import { Worker } from 'node:worker_threads';
import { shippedRules } from '../cli/demo/shipped-rules.ts';
import { LocalCluster } from '../cli/local/local-cluster.ts';
import { FRAME_TIMES_VARIABLE } from '../cli/trend/handling.ts';
import { COLLECT_SIGNAL } from '../cli/trend/heaps.ts';
import {
  COMMANDS_PER_FRAME_MAX,
  LOG_ENTRY_MEMORY_BYTES,
  LOG_MEMORY_BYTES_MAX,
  REPLIES_MAX,
} from '../src/base/limits.ts';
import { type Client, connect } from '../src/client/client.ts';
import { connectTrends, type TrendClient } from '../src/client/trend/trend-client.ts';
import type { RaiseInput } from '../src/statemachine/alert-api.ts';
import { type CoreTimes, coreTimesOf, since } from './measure/cores.ts';
import { measureFloors } from './measure/floors.ts';
import { Latencies, type LatencySummary } from './measure/latencies.ts';
import { measureMachine } from './measure/machine.ts';
import { growthOf, heapsIn, livesIn, type Moment, memoryOf } from './measure/memory.ts';
import { recordings } from './measure/recordings.ts';
import { writeRun } from './measure/results.ts';
import { dueOf, METRICS, type Played, type PlayerInput, wall } from './workloads/wave-player.ts';

/**
 * node dist/bench/trend-ingest.js [--replicas 3] [--rate 100000 | max] [--minutes 1] [--data FOLDER] [--out FILE]
 *
 * Recorded 125 Hz waveforms, looped and shifted in time, into the trend tier of replicas that are processes of their own
 * on this machine, this program included. Rules judge every sample; meanwhile alerts that have nothing to do with it are
 * committed one at a time, first without the samples and then with them, and before both so many that the tables of alerts
 * have their size and the code is compiled, as in a cluster that has served for a while. At the end it asks each replica for
 * every sample that was taken. Where the kernel tells how long threads stood ready without a core, that is shown apart: it belongs to a
 * machine with fewer cores than busy threads; and so is what bare syncs, round trips and sleeps take beside the samples. Compare
 * figures of one run with each other.
 */

const { values: flags } = parseArgs({
  options: {
    replicas: { type: 'string', default: '3' },
    rate: { type: 'string', default: '100000' },
    minutes: { type: 'string', default: '1' },
    out: { type: 'string' },
    data: { type: 'string', default: recordings('bidmc') },
  },
});

const SECONDS = Number(flags.minutes) * 60;
const QUIET_SECONDS = 10;
const COMMIT_EVERY_MS = 5;
const MEMORY_EVERY_MS = 5_000;
/** Of the run, at its end: by then what trends hold has its size. */
const GROWTH_SHARE = 0.6;

const rows: (readonly [what: string, figures: string])[] = [];

async function main(): Promise<void> {
  const size = Number(flags.replicas);
  const machine = await measureMachine();
  const folder = await mkdtemp(join(tmpdir(), 'tocsin-trends-'));
  const trend = { rules: shippedRules('bidmc.yaml') };
  // The replicas inherit both. Of more arenas each takes minutes until it has its size.
  process.env[FRAME_TIMES_VARIABLE] = '1';
  process.env['MALLOC_ARENA_MAX'] ??= '2';
  const cluster = await LocalCluster.start({ size, folder, trend });
  try {
    await cluster.leader();
    await measure(cluster, folder);
    for (const { pid } of cluster.replicas) if (pid !== undefined) process.kill(pid, 'SIGTERM');
    for (const [at, said] of (await handled(folder)).entries())
      for (const one of said) line(`replica ${at + 1}, its thread of trends`, one);
  } finally {
    await cluster.close();
  }
  await rm(folder, { recursive: true });
  if (flags.out === undefined) return;
  const at = new Date().toISOString();
  await writeRun(flags.out, { bench: 'trends', at, machine, minutes: SECONDS / 60, rows });
}

async function measure(cluster: LocalCluster, folder: string): Promise<void> {
  await fill(cluster);
  line(
    'committed before, arenas of malloc',
    `${REPLIES_MAX} in batches, ${FILL_ALONE} alone; ${process.env['MALLOC_ARENA_MAX']}`,
  );
  await collect(cluster, folder, 1);
  const client = await connect({ endpoints: cluster.endpoints });
  const quiet = await commitLatency(client, QUIET_SECONDS);
  const crossed = new Latencies();
  const watching = watch(client, crossed);
  const memories = watchMemory(cluster);
  const before = coresOf(cluster);
  const [withLoad, played, floors] = await Promise.all([
    commitLatency(client, SECONDS),
    play(cluster),
    measureFloors(SECONDS),
  ]);
  const after = coresOf(cluster);
  await collect(cluster, folder, 2);
  const seconds = played.elapsedMs / 1_000;
  const rate = Math.round(played.samples / seconds);
  line('samples sent', `${played.samples} in ${seconds.toFixed(1)} s, ${rate}/s`);
  line('taken and judged', `${played.judged}; refused ${played.refused}`);
  for (const [at, endpoint] of cluster.trendEndpoints.entries())
    line(`on replica ${at + 1} at last`, await kept(endpoint, played));
  if (played.late.count > 0) line('due to sent, what the load is behind', timesOf(played.late));
  line('sent to judged and told, a frame', timesOf(played.told));
  const told = crossed.summary();
  // As fast as they are taken, samples run ahead of the clock that they are due by.
  if (flags.rate !== 'max')
    line('crossed limits, due to watcher', `${told.count}: ${timesOf(told)}`);
  line('commit, no samples', timesOf(quiet));
  line('commit, with samples', timesOf(withLoad));
  line('bare fdatasync, beside samples', timesOf(floors.syncMs));
  line('bare round trip, beside samples', timesOf(floors.roundTripMs));
  line('bare sleep of 1 ms, late by', timesOf(floors.lateMs));
  tellMemory(await memories, await logsIn(folder));
  for (const [name, times] of after)
    line(name, shareOf(since(times, before.get(name) ?? times), seconds));
  await client.close();
  await watching;
}

/** In a thread of its own, so that what makes the load does not hold up what measures. */
async function play(cluster: LocalCluster): Promise<Played> {
  const input: PlayerInput = {
    endpoints: cluster.trendEndpoints,
    folder: join(flags.data, 'waveforms'),
    rate: flags.rate === 'max' ? undefined : Number(flags.rate),
    seconds: SECONDS,
  };
  const worker = new Worker(new URL('workloads/wave-player.js', import.meta.url), {
    workerData: input,
  });
  const [played] = await once(worker, 'message');
  return played as Played;
}

const SETTLE_MS = 240_000;

/** How many of the samples a replica has in the end, by its rollups: those that it was not brought came from its peers. */
async function kept(endpoint: string, { samples, origin, end }: Played): Promise<string> {
  const trends = await connectTrends({ endpoints: [endpoint], timeoutMs: END_MS });
  const deadline = performance.now() + SETTLE_MS;
  for (;;) {
    const count = await countOf(trends, Math.floor(origin / 60_000) * 60_000, end);
    if (count === samples || performance.now() > deadline) {
      await trends.close();
      return `${count} samples, ${samples - count} lost`;
    }
    await until(performance.now() + 2_000);
  }
}

/** One metric after the other: a query is about a thousand series at most. */
async function countOf(trends: TrendClient, from: number, to: number): Promise<number> {
  let count = 0;
  for (const metric of METRICS) {
    const series = [`*/bench/${metric}`];
    const query = { what: 'rollup', series, from, to, stepMs: 60_000 } as const;
    for await (const page of trends.queryAll(query))
      for (const { columns } of page.series)
        for (const one of columns['count'] ?? new Float64Array()) count += one;
  }
  return count;
}

const END_MS = 60_000;

/** What each replica's thread of trends says of itself when it ends. */
async function handled(folder: string): Promise<readonly (readonly string[])[]> {
  const deadline = performance.now() + END_MS;
  for (;;) {
    const said = (await logsIn(folder)).map((text) =>
      [...text.matchAll(/trend: (.*(?:judged in|waiting for|waited for).*)/g)].map(
        ([, figures = '']) => figures,
      ),
    );
    if (said.every((one) => one.length > 0) || performance.now() > deadline) return said;
    await until(performance.now() + 100);
  }
}

/** What replicas printed, in the order of their ids. */
async function logsIn(folder: string): Promise<readonly string[]> {
  const names = (await readdir(folder)).filter((name) => name.endsWith('.err')).sort();
  return await Promise.all(names.map((name) => readFile(join(folder, name), 'utf8')));
}

/** Of each replica, from now until the samples end. */
async function watchMemory(cluster: LocalCluster): Promise<readonly (readonly Moment[])[]> {
  const begin = performance.now();
  const seen: (readonly Moment[])[] = cluster.replicas.map(() => []);
  for (let elapsedMs = 0; elapsedMs <= SECONDS * 1_000; elapsedMs += MEMORY_EVERY_MS) {
    await until(begin + elapsedMs);
    for (const [at, { pid = 0 }] of cluster.replicas.entries())
      seen[at] = [...(seen[at] ?? []), memoryOf(pid)];
  }
  return seen;
}

/** The alerts, who judges, who encodes. */
const THREADS = 3;
const COLLECT_MS_MAX = 10_000;

/**
 * Has each replica, one after the other, tell what lives in its heaps, for this time. None of it falls into what is measured,
 * since a thread stands still meanwhile.
 */
async function collect(cluster: LocalCluster, folder: string, time: number): Promise<void> {
  for (const [at, { pid }] of cluster.replicas.entries()) {
    if (pid !== undefined) process.kill(pid, COLLECT_SIGNAL);
    const deadline = performance.now() + COLLECT_MS_MAX;
    const told = async (): Promise<number> => livesIn((await logsIn(folder))[at] ?? '').length;
    while ((await told()) < THREADS * time && performance.now() < deadline)
      await until(performance.now() + 100);
  }
}

/** Before the samples and after them; what trends have before them says nothing of how they grow. */
function tellLives(replica: number, log: string): void {
  for (const { part, lastMiB, mibAMinute } of growthOf(livesIn(log), 0, Infinity)) {
    const growth = part.endsWith('alerts')
      ? `, ${signed(mibAMinute)} MiB a minute since before the samples`
      : '';
    line(`replica ${replica}, memory: ${part}`, `${lastMiB.toFixed(1)} MiB${growth}`);
  }
}

const signed = (mib: number): string => `${mib < 0 ? '' : '+'}${mib.toFixed(1)}`;

function tellMemory(seen: readonly (readonly Moment[])[], logs: readonly string[]): void {
  for (const [at, moments] of seen.entries()) {
    const until = moments.at(-1)?.at ?? 0;
    const since = until - GROWTH_SHARE * SECONDS * 1_000;
    const all = [...moments, ...heapsIn(logs[at] ?? '')];
    for (const { part, lastMiB, mibAMinute } of growthOf(all, since, until)) {
      const growth = `${signed(mibAMinute)} MiB a minute`;
      const over = `${((until - since) / 60_000).toFixed(1)} min`;
      line(
        `replica ${at + 1}, memory: ${part}`,
        `${lastMiB.toFixed(0)} MiB, ${growth} over the last ${over}`,
      );
    }
    tellLives(at + 1, logs[at] ?? '');
  }
}

/** By what they belong to. */
function coresOf(cluster: LocalCluster): ReadonlyMap<string, CoreTimes> {
  const all = new Map<string, CoreTimes>();
  for (const { id, pid } of cluster.replicas) {
    const { main, others } = coreTimesOf(pid ?? 0);
    all.set(`replica ${id}, thread of alerts`, main);
    all.set(`replica ${id}, its other threads`, others);
  }
  const { main, others } = coreTimesOf(process.pid);
  all.set('this program, the one who asks', main);
  all.set('this program, its other threads', others);
  return all;
}

function shareOf({ ranMs, waitedMs }: CoreTimes, seconds: number): string {
  const percent = (ms: number): string => ((ms / seconds / 1_000) * 100).toFixed(1);
  return `on a core ${percent(ranMs)} % of the time, ready without one ${percent(waitedMs)} %`;
}

const until = (time: number): Promise<void> =>
  new Promise((resolve) => {
    setTimeout(resolve, Math.max(0, time - performance.now()));
  });

const alertOf = (n: number): RaiseInput => ({
  dedupKey: `bench:${n % 1_000}`,
  kind: 'technical',
  priority: 'high',
  condition: 'BENCH',
  text: 'benchmark',
  subject: { device: 'bench' },
});

const FILL_AT_ONCE = 4;
/** What an entry with one of these takes in the log, its objects in memory not counted. */
const ENTRY_BYTES = 178;
/** One entry each: as many as the log holds in memory before it lets go of the oldest. */
const FILL_ALONE: number = Math.ceil(
  (LOG_MEMORY_BYTES_MAX * 9) / 8 / (LOG_ENTRY_MEMORY_BYTES + ENTRY_BYTES),
);
/** What so many leave to do for disks and collectors of garbage, and for whoever is told of them. */
const FILL_REST_MS = 15_000;

/** Until alerts remember no more than they do: replies, the newest events, and entries as small as those that follow. */
async function fill({ endpoints }: LocalCluster): Promise<void> {
  const client = await connect({ endpoints, timeoutMs: END_MS });
  let next = 0;
  const some = async (): Promise<void> => {
    while (next < REPLIES_MAX) {
      const from = next;
      next += COMMANDS_PER_FRAME_MAX;
      await client.batch(
        Array.from({ length: COMMANDS_PER_FRAME_MAX }, (_, at) => ({
          type: 'raise' as const,
          ...alertOf(from + at),
        })),
      );
    }
  };
  await Promise.all(Array.from({ length: FILL_AT_ONCE }, some));
  // One at a time: two that share an entry take less of the log than those that follow.
  for (let n = 0; n < FILL_ALONE; n += 1) await client.raise(alertOf(n));
  await client.close();
  await until(performance.now() + FILL_REST_MS);
}

/** Alerts that nobody's samples are the cause of, one after the other. */
async function commitLatency(client: Client, seconds: number): Promise<LatencySummary> {
  const all = new Latencies();
  const end = performance.now() + seconds * 1_000;
  for (let n = 0; performance.now() < end; n += 1) {
    const before = performance.now();
    await client.raise(alertOf(n));
    all.add(performance.now() - before);
    await until(before + COMMIT_EVERY_MS);
  }
  return all.summary();
}

/** From when the sample was due. */
async function watch(client: Client, crossed: Latencies): Promise<void> {
  try {
    for await (const message of client.watch()) {
      if (message.type !== 'event' || message.event.alert.condition === 'BENCH') continue;
      const { observedAt, alert } = message.event;
      crossed.add(wall() - dueOf(alert.subject.patient ?? '', observedAt));
    }
  } catch {
    // The client was closed: the measurement is over.
  }
}

const timesOf = ({ p50, p99, p999 }: LatencySummary): string =>
  `p50 ${p50.toFixed(2)} ms, p99 ${p99.toFixed(2)} ms, p99.9 ${p999.toFixed(2)} ms`;

function line(what: string, figures: string): void {
  rows.push([what, figures]);
  console.log(`${what.padEnd(38)} ${figures}`);
}

await main();
