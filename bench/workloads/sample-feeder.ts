import { parentPort, workerData } from 'node:worker_threads';
import { must } from '../../src/base/assert.ts';
import { connectTrends } from '../../src/client/trend/trend-client.ts';
import type { TrendWriter } from '../../src/client/trend/trend-writer.ts';

/** What the feeder is given: where to, and how many samples a second. */
export interface FeederInput {
  readonly endpoints: readonly string[];
  readonly perSecond: number;
}

const HERTZ = 125;
const STEP_MS = 1_000 / HERTZ;
const TICK_MS = 40;
const PER_TICK = TICK_MS / STEP_MS;
const QUEUED_SAMPLES_MAX = 262_144;
const METRICS = ['HR', 'PULSE', 'RESP', 'SpO2'] as const;
/** Middle and swing of each wave; one patient in a hundred swings further and crosses limits. */
const SCALES = { HR: [80, 15], PULSE: [80, 15], RESP: [16, 4], SpO2: [96, 2] } as const;
const RESTLESS_EVERY = 100;
const RESTLESS_TIMES = 2.6;

/** Vital signs of many patients at a steady rate, divided among the replicas, until told to stop; answers how many. */
async function feed({ endpoints, perSecond }: FeederInput): Promise<void> {
  const clients = await Promise.all(
    endpoints.map((endpoint) => connectTrends({ endpoints: [endpoint] })),
  );
  const writers = clients.map((client) => client.writer({ frameSamples: 4_096 }));
  const sources = Array.from({ length: Math.round(perSecond / HERTZ) }, (_, at) =>
    sourceAt(at, writers),
  );
  let stops = false;
  const port = must(parentPort, 'the feeder is a worker');
  port.once('message', () => {
    stops = true;
  });
  const origin = Math.floor(Date.now() / TICK_MS) * TICK_MS;
  const began = performance.now();
  let samples = 0;
  for (let tick = 0; !stops; tick += 1) {
    const early = began + tick * TICK_MS - performance.now();
    await new Promise((resolve) => setTimeout(resolve, Math.max(0, early)));
    for (const source of sources) addTick(source, origin, tick);
    samples += sources.length * PER_TICK;
    for (const writer of writers) {
      writer.flush();
      await writer.ready(QUEUED_SAMPLES_MAX);
    }
    if (tick === 0) port.postMessage('flowing');
  }
  for (const writer of writers) await writer.drain();
  const seconds = (performance.now() - began) / 1_000;
  await Promise.all(clients.map((client) => client.close()));
  port.postMessage(Math.round(samples / seconds));
}

interface Source {
  readonly writer: TrendWriter;
  readonly series: number;
  readonly phase: number;
  readonly middle: number;
  readonly swing: number;
}

function sourceAt(at: number, writers: readonly TrendWriter[]): Source {
  const metric = METRICS[at % METRICS.length] as (typeof METRICS)[number];
  const patient = Math.floor(at / METRICS.length);
  const writer = must(writers[patient % writers.length], 'a cluster has replicas');
  const [middle, swing] = SCALES[metric];
  const times = patient % RESTLESS_EVERY === 0 ? RESTLESS_TIMES : 1;
  return {
    writer,
    series: writer.series({ patient: `pt-${patient}`, device: 'bench', metric, unit: '' }),
    phase: at,
    middle,
    swing: swing * times,
  };
}

function addTick(
  { writer, series, phase, middle, swing }: Source,
  origin: number,
  tick: number,
): void {
  for (let step = 0; step < PER_TICK; step += 1) {
    const ms = tick * TICK_MS + step * STEP_MS;
    writer.add(series, origin + ms, middle + swing * Math.sin(ms / 5_000 + phase));
  }
}

await feed(workerData as FeederInput);
