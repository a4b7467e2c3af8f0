import { mkdir, writeFile } from 'node:fs/promises';
import { dirname } from 'node:path';
import type { Row } from '../workloads/stage.ts';
import type { Machine } from './machine.ts';

/** One run, as it is kept in bench/results. */
export interface Run {
  readonly bench: 'cluster' | 'peers';
  /** ISO 8601, UTC. */
  readonly at: string;
  readonly machine: Machine;
  readonly seconds: number;
  readonly rows: readonly Row[];
}

/** A run of samples through the trend tier: figures in words. */
export interface TrendRun {
  readonly bench: 'trends';
  readonly at: string;
  readonly machine: Machine;
  readonly minutes: number;
  readonly rows: readonly (readonly [what: string, figures: string])[];
}

/** CPU time of one command in a replica's main thread, microseconds: disk and sockets left out. */
export interface ApplyRow {
  readonly asks: string;
  /** Where it arrives, before it is queued. */
  readonly checkUs: number;
  /** On every replica, from the log. */
  readonly decodeUs: number;
  readonly applyUs: number;
  /** Where it arrived. */
  readonly replyUs: number;
}

export interface ApplyRun {
  readonly bench: 'apply';
  readonly at: string;
  readonly machine: Machine;
  readonly rows: readonly ApplyRow[];
}

/** What assertions cost: the CPU time with them, and with to without, of the middle load and of the extremes. */
export interface AssertionRow {
  readonly what: string;
  readonly cpuUs: number;
  readonly ratio: number;
  /** The same of two processes that both do not assert: what is chance. */
  readonly chance: number;
}

export interface AssertionRun {
  readonly bench: 'assertions';
  readonly at: string;
  readonly machine: Machine;
  /** Assertions taken out. */
  readonly count: number;
  readonly loads: number;
  readonly rows: readonly AssertionRow[];
}

/** Simulated worlds of one kind: what they cost in CPU time, and what happened in them. */
export interface SimulatorRow {
  readonly what: string;
  /** Simulated to CPU time. */
  readonly simulatedToCpu: number;
  readonly eventUs: number;
  /** Of simulated time, as is the next. */
  readonly eventsASecond: number;
  readonly operationsASecond: number;
}

export interface SimulatorRun {
  readonly bench: 'simulator';
  readonly at: string;
  readonly machine: Machine;
  readonly seeds: number;
  readonly rows: readonly SimulatorRow[];
}

/** What one phase did to the loop of a replica; milliseconds that its thread ran, the collector of garbage told apart. */
export interface StallRow {
  readonly what: string;
  readonly wallMs: number;
  readonly cpuMs: number;
  /** Turns of the loop. */
  readonly p99Ms: number;
  readonly p999Ms: number;
  readonly longestMs: number;
  /** Turns of more than 5 ms. */
  readonly long: number;
  /** The same, what the collector ran counted in. */
  readonly longCollected: number;
  readonly collectingMs: number;
  readonly longestCollectingMs: number;
  readonly residentMiB: number;
}

export interface StallRun {
  readonly bench: 'stalls';
  readonly at: string;
  readonly machine: Machine;
  readonly alerts: number;
  readonly rows: readonly StallRow[];
}

/** Bytes a sample of recorded signals, in chunks of a minute. */
export interface CompressionRow {
  readonly signal: string;
  readonly samples: number;
  readonly ours: number;
  /** gzip -9 of the same chunks as binary columns, and of the whole column as CSV. */
  readonly gzip: number;
  readonly gzipCsv: number;
}

export interface CompressionRun {
  readonly bench: 'compression';
  readonly at: string;
  readonly rows: readonly CompressionRow[];
}

type AnyRun = Run | TrendRun | ApplyRun | AssertionRun | SimulatorRun | StallRun | CompressionRun;

export async function writeRun(path: string, run: AnyRun): Promise<void> {
  await mkdir(dirname(path), { recursive: true });
  await writeFile(path, `${JSON.stringify(run, undefined, 2)}\n`);
}

/** One row as a line for people. */
export function lineOf({ workload, load, cpuUs, loadCpuUs, writtenBytes, extra }: Row): string {
  const { latencyMs, failed, firstFailure } = load;
  const cells = [
    workload.padEnd(26),
    `${load.perSecond.toLocaleString('en-US').padStart(9)}/s`,
    `p50 ${latencyMs.p50} ms`,
    `p99 ${latencyMs.p99} ms`,
    `p99.9 ${latencyMs.p999} ms`,
    `CPU ${cpuUs}+${loadCpuUs} us`,
    writtenBytes === undefined ? '' : `${writtenBytes} B written`,
    ...Object.entries(extra ?? {}).map(([name, value]) => `${name} ${value}`),
    failed === 0 ? '' : `${failed} FAILED: ${firstFailure}`,
  ];
  return cells.filter((cell) => cell !== '').join('  ');
}
