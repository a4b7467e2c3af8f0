import { readdirSync, readFileSync } from 'node:fs';
import { mkdtemp, readdir, readFile, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { parseArgs } from 'node:util';
import { gunzipSync } from 'node:zlib';
import { shippedRules } from '../cli/demo/shipped-rules.ts';
import { LocalCluster } from '../cli/local/local-cluster.ts';
import { type Client, connect } from '../src/client/client.ts';
import { connectTrends, type TrendClient } from '../src/client/trend/trend-client.ts';
import type { TrendWriter } from '../src/client/trend/trend-writer.ts';
import { measureMachine } from './measure/machine.ts';
import { writeRun } from './measure/results.ts';

/**
 * node dist/bench/trend-ingest.js [--replicas 3] [--rate 100000 | max] [--minutes 1] [--data FOLDER] [--out FILE]
 *
 * Recorded 125 Hz waveforms, looped and shifted in time, into the trend tier of replicas that are processes of their own
 * on this machine, this program included. Rules judge every sample; meanwhile alerts that have nothing to do with it are
 * committed one at a time, first without the samples and then with them. At the end it asks a replica that was brought none of
 * them for every sample that was taken. Compare figures of one run with each other.
 */

const { values: flags } = parseArgs({
  options: {
    replicas: { type: 'string', default: '3' },
    rate: { type: 'string', default: '100000' },
    minutes: { type: 'string', default: '1' },
    out: { type: 'string' },
    data: { type: 'string', default: join(import.meta.dirname, '../../../shared/data/bidmc') },
  },
});

const HERTZ = 125;
const STEP_MS = 1_000 / HERTZ;
const TICK_MS = 40;
const SECONDS = Number(flags.minutes) * 60;
const METRICS = ['HR', 'PULSE', 'RESP', 'SpO2'] as const;
/** Where each waveform, from 0 to 1, is put so that one patient in a hundred crosses a limit now and then. */
const SCALES = { HR: [70, 30], PULSE: [70, 30], RESP: [12, 8], SpO2: [94, 5] } as const;
const RESTLESS_EVERY = 100;

function waveforms(): readonly Float64Array[] {
  const folder = join(flags.data, 'waveforms');
  const columns: Float64Array[] = [];
  for (const name of readdirSync(folder).filter((file) => file.endsWith('.csv.gz'))) {
    const text = gunzipSync(readFileSync(join(folder, name))).toString();
    const rows = text
      .trim()
      .split('\n')
      .slice(1)
      .map((line) => line.split(',').map(Number));
    for (let at = 1; at < (rows[0]?.length ?? 0); at += 1)
      columns.push(unitScaled(Float64Array.from(rows, (row) => row[at] ?? 0)));
  }
  return columns;
}

function unitScaled(column: Float64Array): Float64Array {
  const least = column.reduce((a, b) => Math.min(a, b));
  const greatest = column.reduce((a, b) => Math.max(a, b));
  return column.map(
    (value) => Math.round(((value - least) / (greatest - least || 1)) * 1_023) / 1_023,
  );
}

interface Source {
  readonly writer: TrendWriter;
  readonly number: number;
  readonly wave: Float64Array;
  readonly shift: number;
  readonly base: number;
  readonly span: number;
}

const latencies = { taken: [] as number[], told: [] as number[] };
let judged = 0;

const rows: (readonly [what: string, figures: string])[] = [];

async function main(): Promise<void> {
  const size = Number(flags.replicas);
  const machine = await measureMachine();
  const folder = await mkdtemp(join(tmpdir(), 'tocsin-trends-'));
  const trend = { rules: shippedRules('bidmc.yaml') };
  const cluster = await LocalCluster.start({ size, folder, trend });
  try {
    await cluster.leader();
    await measure(cluster);
    for (const { pid } of cluster.replicas) if (pid !== undefined) process.kill(pid, 'SIGTERM');
    for (const [id, said] of (await handled(folder)).entries())
      line(`replica ${id + 1}, its thread of trends`, said);
  } finally {
    await cluster.close();
  }
  await rm(folder, { recursive: true });
  if (flags.out === undefined) return;
  const at = new Date().toISOString();
  await writeRun(flags.out, { bench: 'trends', at, machine, minutes: SECONDS / 60, rows });
}

async function measure(cluster: LocalCluster): Promise<void> {
  const client = await connect({ endpoints: cluster.endpoints });
  const quiet = await commitLatency(client, 10);
  const each = cluster.trendEndpoints.map((endpoint) => [endpoint]);
  const clients = await Promise.all(each.map((endpoints) => connectTrends({ endpoints })));
  const writers = clients.map((one) =>
    one.writer({
      frameSamples: 4_096,
      onTaken: (taken, elapsedMs) => {
        judged += taken.inOrder + taken.behind;
        latencies.taken.push(elapsedMs);
      },
    }),
  );
  const watching = watch(client);
  const memories = watchMemory(cluster);
  const busy = commitLatency(client, SECONDS);
  const sent = await play(sourcesFor(writers));
  const withLoad = await busy;
  const remembered = await memories;
  const seconds = sent.elapsedMs / 1_000;
  line(
    'samples sent',
    `${sent.samples} in ${seconds.toFixed(1)} s, ${Math.round(sent.samples / seconds)}/s`,
  );
  line('taken and judged', `${judged}; refused ${refusedBy(writers)}`);
  for (const [at, one] of clients.entries())
    line(`on replica ${at + 1} at last`, await kept(one, sent));
  line('sent to judged, a frame', quantiles(latencies.taken));
  line(
    'crossed limits, sample to watcher',
    `${latencies.told.length}: ${quantiles(latencies.told)}`,
  );
  line('commit, no samples', quantiles(quiet));
  line('commit, with samples', quantiles(withLoad));
  for (const [share, all] of remembered) line(`memory of replicas at ${share} %`, all);
  await Promise.all(clients.map((one) => one.close()));
  await client.close();
  await watching;
}

const SETTLE_MS = 240_000;

/** How many of the samples a replica has in the end, by its rollups: those that it was not brought came from its peers. */
async function kept(trends: TrendClient, { samples, origin, end }: Played): Promise<string> {
  const query = {
    what: 'rollup',
    series: ['*/bench/*'],
    from: Math.floor(origin / 60_000) * 60_000,
    to: end,
    stepMs: 60_000,
  } as const;
  const deadline = performance.now() + SETTLE_MS;
  for (;;) {
    let count = 0;
    for await (const { series } of trends.queryAll(query))
      for (const { columns } of series) count += sum(columns['count']);
    if (count === samples || performance.now() > deadline)
      return `${count} samples, ${samples - count} lost`;
    await until(performance.now() + 2_000);
  }
}

const sum = (column: Float64Array = new Float64Array()): number =>
  column.reduce((total, one) => total + one, 0);

const END_MS = 60_000;

/** What each replica's thread of trends says of itself when it ends. */
async function handled(folder: string): Promise<readonly string[]> {
  const logs = (await readdir(folder)).filter((name) => name.endsWith('.err')).sort();
  const deadline = performance.now() + END_MS;
  for (;;) {
    const texts = await Promise.all(logs.map((name) => readFile(join(folder, name), 'utf8')));
    const said = texts.map((text) => /trend: (\d+ samples judged.*)/.exec(text)?.[1]);
    if (said.every((one) => one !== undefined) || performance.now() > deadline)
      return said.map((one) => one ?? 'said nothing');
    await until(performance.now() + 100);
  }
}

const QUARTERS = 4;

async function watchMemory(
  cluster: LocalCluster,
): Promise<readonly (readonly [share: number, all: string])[]> {
  const begin = performance.now();
  const seen: (readonly [number, string])[] = [];
  for (let quarter = 0; quarter <= QUARTERS; quarter += 1) {
    await until(begin + (quarter / QUARTERS) * SECONDS * 1_000);
    seen.push([(quarter * 100) / QUARTERS, memory(cluster)]);
  }
  return seen;
}

function sourcesFor(writers: readonly TrendWriter[]): readonly Source[] {
  const waves = waveforms();
  const count = flags.rate === 'max' ? 4_000 : Math.round(Number(flags.rate) / HERTZ);
  return Array.from({ length: count }, (_, at): Source => {
    const metric = METRICS[at % METRICS.length] as (typeof METRICS)[number];
    const patient = Math.floor(at / METRICS.length);
    const writer = writers[patient % writers.length] as TrendWriter;
    const [base, span] = SCALES[metric];
    const isRestless = patient % RESTLESS_EVERY === 0;
    const info = { patient: `pt-${patient}`, device: 'bench', metric, unit: '' };
    return {
      writer,
      number: writer.series(info),
      wave: waves[at % waves.length] as Float64Array,
      shift: (at * 977) % 60_000,
      base,
      span: isRestless ? span * 2.6 : span,
    };
  });
}

/** When the samples of a tick left, by the time that the tick stands for. */
const sentAt = new Map<number, number>();

interface Played {
  readonly samples: number;
  readonly elapsedMs: number;
  /** Of the first sample, and after the last one. */
  readonly origin: number;
  readonly end: number;
}

async function play(sources: readonly Source[]): Promise<Played> {
  const perTick = TICK_MS / STEP_MS;
  const isMax = flags.rate === 'max';
  const begin = performance.now();
  // On whole ticks, so that a time tells its tick.
  const origin = Math.floor(Date.now() / TICK_MS) * TICK_MS;
  let samples = 0;
  let end = origin;
  for (let tick = 0; performance.now() - begin < SECONDS * 1_000; tick += 1) {
    if (!isMax) await until(begin + tick * TICK_MS);
    sentAt.set(origin + tick * TICK_MS, performance.now());
    sentAt.delete(origin + (tick - 1_000) * TICK_MS);
    for (const { writer, number, wave, shift, base, span } of sources)
      for (let i = 0; i < perTick; i += 1) {
        const value = wave[(tick * perTick + i + shift) % wave.length] as number;
        writer.add(number, origin + tick * TICK_MS + i * STEP_MS, base + span * value);
      }
    samples += sources.length * perTick;
    end = origin + (tick + 1) * TICK_MS;
    for (const writer of new Set(sources.map((source) => source.writer))) {
      writer.flush();
      await writer.ready(262_144);
    }
  }
  for (const writer of new Set(sources.map((source) => source.writer))) await writer.drain();
  return { samples, elapsedMs: performance.now() - begin, origin, end };
}

const until = (time: number): Promise<void> =>
  new Promise((resolve) => {
    setTimeout(resolve, Math.max(0, time - performance.now()));
  });

/** Alerts that nobody's samples are the cause of, one after the other. */
async function commitLatency(client: Client, seconds: number): Promise<readonly number[]> {
  const all: number[] = [];
  const end = performance.now() + seconds * 1_000;
  for (let n = 0; performance.now() < end; n += 1) {
    const before = performance.now();
    await client.raise({
      dedupKey: `bench:${n % 1_000}`,
      kind: 'technical',
      priority: 'high',
      condition: 'BENCH',
      text: 'benchmark',
      subject: { device: 'bench' },
    });
    all.push(performance.now() - before);
    await until(before + 5);
  }
  return all;
}

async function watch(client: Client): Promise<void> {
  try {
    for await (const message of client.watch()) {
      if (message.type !== 'event' || message.event.alert.condition === 'BENCH') continue;
      const tick = Math.floor(message.event.observedAt / TICK_MS) * TICK_MS;
      const sent = sentAt.get(tick);
      if (sent !== undefined) latencies.told.push(performance.now() - sent);
    }
  } catch {
    // The client was closed: the measurement is over.
  }
}

const refusedBy = (writers: readonly TrendWriter[]): number =>
  writers.reduce((total, { taken }) => total + taken.tooOld + taken.tooNew + taken.noRoom, 0);

const memory = (cluster: LocalCluster): string =>
  cluster.replicas
    .map(({ pid }) => /VmRSS:\s+(\d+)/.exec(readFileSync(`/proc/${pid}/status`, 'utf8'))?.[1])
    .map((kibibytes) => `${Math.round(Number(kibibytes) / 1_024)} MiB`)
    .join(', ');

function quantiles(all: readonly number[]): string {
  const sorted = Float64Array.from(all).sort();
  const at = (q: number): string =>
    (sorted[Math.min(sorted.length - 1, Math.floor(q * sorted.length))] ?? Number.NaN).toFixed(2);
  return `p50 ${at(0.5)} ms, p99 ${at(0.99)} ms, p99.9 ${at(0.999)} ms`;
}

function line(what: string, figures: string): void {
  rows.push([what, figures]);
  console.log(`${what.padEnd(38)} ${figures}`);
}

await main();
