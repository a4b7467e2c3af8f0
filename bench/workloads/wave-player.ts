import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { parentPort, workerData } from 'node:worker_threads';
import { gunzipSync } from 'node:zlib';
import { must } from '../../src/base/assert.ts';
import { connectTrends } from '../../src/client/trend/trend-client.ts';
import type { TrendWriter } from '../../src/client/trend/trend-writer.ts';
import { Latencies, type LatencySummary } from '../measure/latencies.ts';

/** Recorded waveforms, looped and shifted in time, as vital signs of many patients: a thread of its own. */

export interface PlayerInput {
  readonly endpoints: readonly string[];
  /** Recordings of waveforms, `….csv.gz`. */
  readonly folder: string;
  /** A second; undefined = as many as are taken. */
  readonly rate: number | undefined;
  readonly seconds: number;
}

export interface Played {
  readonly samples: number;
  readonly elapsedMs: number;
  /** Times of the first sample, and after the last one. */
  readonly origin: number;
  readonly end: number;
  readonly judged: number;
  readonly refused: number;
  /** From when samples were due to when they were given away: what the load itself is behind. */
  readonly late: LatencySummary;
  /** From a frame's leaving to the news of what became of it. */
  readonly told: LatencySummary;
}

const HERTZ = 125;
const STEP_MS = 1_000 / HERTZ;
/** A device sends the samples of so long together. */
const TICK_MS = 48;
const PER_TICK = TICK_MS / STEP_MS;
/** Devices know nothing of each other: their ticks begin at so many different times. */
const PHASES = 12;
const PHASE_MS = TICK_MS / PHASES;
const SERIES_AT_MOST_SPEED = 4_000;
const QUEUED_SAMPLES_MAX = 262_144;
export const METRICS = ['HR', 'PULSE', 'RESP', 'SpO2'] as const;
/** Where each waveform, from 0 to 1, is put so that one patient in a hundred crosses a limit now and then. */
const SCALES = { HR: [70, 30], PULSE: [70, 30], RESP: [12, 8], SpO2: [94, 5] } as const;
const PATIENT = 'pt-';
const RESTLESS_EVERY = 100;
const RESTLESS_TIMES = 2.6;

async function play(input: PlayerInput): Promise<Played> {
  const told = new Latencies();
  let judged = 0;
  const clients = await Promise.all(
    input.endpoints.map((endpoint) => connectTrends({ endpoints: [endpoint] })),
  );
  const writers = clients.map((client) =>
    client.writer({
      frameSamples: 4_096,
      onTaken: (taken, elapsedMs) => {
        judged += taken.inOrder + taken.behind;
        told.add(elapsedMs);
      },
    }),
  );
  const sources = sourcesFor(writers, input);
  const late = new Latencies();
  const sent = await send(sources, writers, input, late);
  const refused = writers.reduce(
    (total, { taken }) => total + taken.tooOld + taken.tooNew + taken.noRoom,
    0,
  );
  await Promise.all(clients.map((client) => client.close()));
  return { ...sent, judged, refused, late: late.summary(), told: told.summary() };
}

const phaseOf = (patient: number): number => patient % PHASES;

/** When the sample of a patient that was measured then was due to be sent: ticks begin at whole ones, and a phase later. */
export function dueOf(patient: string, observedAt: number): number {
  const phaseMs = phaseOf(Number(patient.replace(PATIENT, ''))) * PHASE_MS;
  return Math.floor((observedAt - phaseMs) / TICK_MS) * TICK_MS + phaseMs;
}

interface Source {
  readonly writer: TrendWriter;
  readonly number: number;
  readonly phase: number;
  readonly wave: Float64Array;
  readonly shift: number;
  readonly base: number;
  readonly span: number;
}

function sourcesFor(
  writers: readonly TrendWriter[],
  { rate, folder }: PlayerInput,
): readonly Source[] {
  const waves = waveforms(folder);
  const count = rate === undefined ? SERIES_AT_MOST_SPEED : Math.round(rate / HERTZ);
  return Array.from({ length: count }, (_, at): Source => {
    const metric = METRICS[at % METRICS.length] as (typeof METRICS)[number];
    const patient = Math.floor(at / METRICS.length);
    const writer = must(writers[patient % writers.length], 'a cluster has replicas');
    const [base, span] = SCALES[metric];
    return {
      writer,
      phase: phaseOf(patient),
      number: writer.series({ patient: `${PATIENT}${patient}`, device: 'bench', metric, unit: '' }),
      wave: waves[at % waves.length] as Float64Array,
      shift: (at * 977) % 60_000,
      base,
      span: span * (patient % RESTLESS_EVERY === 0 ? RESTLESS_TIMES : 1),
    };
  });
}

function waveforms(folder: string): readonly Float64Array[] {
  const columns: Float64Array[] = [];
  for (const name of readdirSync(folder).filter((file) => file.endsWith('.csv.gz'))) {
    const rows = gunzipSync(readFileSync(join(folder, name)))
      .toString()
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

async function send(
  sources: readonly Source[],
  writers: readonly TrendWriter[],
  { rate, seconds }: PlayerInput,
  late: Latencies,
): Promise<Pick<Played, 'samples' | 'elapsedMs' | 'origin' | 'end'>> {
  const phases = Array.from({ length: PHASES }, (_, phase) =>
    sources.filter((source) => source.phase === phase),
  );
  const origin = Math.ceil(wall() / TICK_MS) * TICK_MS;
  const began = performance.now();
  let ticks = 0;
  for (; performance.now() - began < seconds * 1_000; ticks += 1) {
    for (const [phase, some] of phases.entries()) {
      const due = origin + ticks * TICK_MS + phase * PHASE_MS;
      if (rate !== undefined) {
        await until(due);
        late.add(wall() - due);
      }
      for (const source of some) addTick(source, due, ticks);
      if (rate !== undefined) for (const writer of writers) writer.flush();
    }
    for (const writer of writers) {
      writer.flush();
      await writer.ready(QUEUED_SAMPLES_MAX);
    }
  }
  for (const writer of writers) await writer.drain();
  return {
    samples: ticks * sources.length * PER_TICK,
    elapsedMs: performance.now() - began,
    origin,
    end: origin + (ticks + 1) * TICK_MS,
  };
}

function addTick(
  { writer, number, wave, shift, base, span }: Source,
  from: number,
  tick: number,
): void {
  for (let i = 0; i < PER_TICK; i += 1) {
    const value = wave[(tick * PER_TICK + i + shift) % wave.length] as number;
    writer.add(number, from + i * STEP_MS, base + span * value);
  }
}

/** Finer than Date.now(), and the same in all threads. */
export const wall = (): number => performance.timeOrigin + performance.now();

const until = (time: number): Promise<void> =>
  new Promise((resolve) => {
    setTimeout(resolve, Math.max(0, time - wall()));
  });

if (parentPort !== null) parentPort.postMessage(await play(workerData as PlayerInput));
