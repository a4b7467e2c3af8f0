import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { parseArgs } from 'node:util';
import { gunzipSync } from 'node:zlib';
import { shippedRules } from '../cli/demo/shipped-rules.ts';
import { LocalCluster } from '../cli/local/local-cluster.ts';
import { type Client, connect } from '../src/client/client.ts';
import { connectTrends } from '../src/client/trend/trend-client.ts';
import type { TrendWriter } from '../src/client/trend/trend-writer.ts';

/**
 * node dist/bench/trend-ingest.js [--replicas 3] [--rate 100000 | max] [--seconds 60] [--data FOLDER]
 *
 * Recorded 125 Hz waveforms, looped and shifted in time, into the trend tier of replicas that are processes of their own
 * on this machine, this program included. Rules judge every sample; meanwhile alerts that have nothing to do with it are
 * committed one at a time, first without the samples and then with them. Compare figures of one run with each other.
 */

const { values: flags } = parseArgs({
  options: {
    replicas: { type: 'string', default: '3' },
    rate: { type: 'string', default: '100000' },
    seconds: { type: 'string', default: '60' },
    data: { type: 'string', default: join(import.meta.dirname, '../../../shared/data/bidmc') },
  },
});

const HERTZ = 125;
const STEP_MS = 1_000 / HERTZ;
const TICK_MS = 40;
const SECONDS = Number(flags.seconds);
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

async function main(): Promise<void> {
  const size = Number(flags.replicas);
  const cluster = await LocalCluster.start({ size, trend: { rules: shippedRules('bidmc.yaml') } });
  try {
    await cluster.leader();
    const client = await connect({ endpoints: cluster.endpoints });
    const trends = await connectTrends({ endpoints: cluster.trendEndpoints });
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
    const memoryBefore = memory(cluster);
    const busy = commitLatency(client, SECONDS);
    const sent = await play(sourcesFor(writers));
    const withLoad = await busy;
    const seconds = sent.elapsedMs / 1_000;
    line(
      'samples sent',
      `${sent.samples} in ${seconds.toFixed(1)} s, ${Math.round(sent.samples / seconds)}/s`,
    );
    line('taken and judged', `${judged}; refused ${refusedBy(writers)}`);
    line('sent to judged, a frame', quantiles(latencies.taken));
    line(
      'crossed limits, sample to watcher',
      `${latencies.told.length}: ${quantiles(latencies.told)}`,
    );
    line('commit, no samples', quantiles(quiet));
    line('commit, with samples', quantiles(withLoad));
    line('memory of replicas, before and after', `${memoryBefore} → ${memory(cluster)}`);
    await Promise.all([...clients, trends].map((one) => one.close()));
    await client.close();
    await watching;
  } finally {
    await cluster.close();
  }
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

async function play(sources: readonly Source[]): Promise<{ samples: number; elapsedMs: number }> {
  const perTick = TICK_MS / STEP_MS;
  const isMax = flags.rate === 'max';
  const begin = performance.now();
  // On whole ticks, so that a time tells its tick.
  const origin = Math.floor(Date.now() / TICK_MS) * TICK_MS;
  let samples = 0;
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
    for (const writer of new Set(sources.map((source) => source.writer))) {
      writer.flush();
      await writer.ready(262_144);
    }
  }
  for (const writer of new Set(sources.map((source) => source.writer))) await writer.drain();
  return { samples, elapsedMs: performance.now() - begin };
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

const line = (what: string, figures: string): void => console.log(`${what.padEnd(38)} ${figures}`);

await main();
