import { createHistogram, type RecordableHistogram } from 'node:perf_hooks';
import { TocsinError } from '../../src/base/errors.ts';
import type { OperatorClient } from '../commands/io.ts';

export interface LoadOptions {
  readonly client: Pick<OperatorClient, 'raise' | 'clear' | 'get'>;
  /** Tells the alerts of this run from all others. */
  readonly runId: string;
  readonly durationMs: number;
  /** Calls under way at a time. */
  readonly inFlight: number;
  readonly kind: LoadKind;
  readonly signal: AbortSignal;
}

/** Writes: an alert is raised and cleared, over and over. Reads: linearizable. */
export type LoadKind = 'write' | 'read';

export interface LoadResult {
  readonly calls: number;
  readonly failed: number;
  readonly seconds: number;
  readonly perSecond: number;
  /** Milliseconds of one call, as the caller sees it. */
  readonly latency: Readonly<Record<'p50' | 'p99' | 'p999' | 'max', number>>;
  /** The first thing that went wrong. */
  readonly problem: string | undefined;
}

/** Keeps so many calls under way until the time is over. Whatever is raised is cleared again. */
export async function runLoad(options: LoadOptions): Promise<LoadResult> {
  const { durationMs, inFlight, signal } = options;
  const state: State = {
    options,
    histogram: createHistogram(),
    calls: 0,
    failed: 0,
    problem: undefined,
  };
  const started = performance.now();
  const isOver = (): boolean => signal.aborted || performance.now() - started >= durationMs;
  await Promise.all(Array.from({ length: inFlight }, (_, lane) => runLane(state, lane, isOver)));
  const seconds = (performance.now() - started) / 1_000;
  const { calls, failed, histogram, problem } = state;
  const at = (percentile: number): number => round(histogram.percentile(percentile) / NANOS);
  return {
    calls,
    failed,
    seconds: round(seconds),
    perSecond: Math.round(calls / seconds),
    latency: { p50: at(50), p99: at(99), p999: at(99.9), max: round(histogram.max / NANOS) },
    problem,
  };
}

interface State {
  readonly options: LoadOptions;
  readonly histogram: RecordableHistogram;
  calls: number;
  failed: number;
  problem: string | undefined;
}

const NANOS = 1_000_000;

async function runLane(state: State, lane: number, isOver: () => boolean): Promise<void> {
  const { client, runId, kind } = state.options;
  const dedupKey = `bench:${runId}:${lane}`;
  const raise = (): Promise<unknown> =>
    client.raise({ dedupKey, condition: 'BENCH', priority: 'none', kind: 'advisory' });
  const clear = (): Promise<unknown> => client.clear({ target: { dedupKey } });
  if (kind === 'read') {
    while (!isOver()) await timed(state, () => client.get({ dedupKey }));
    return;
  }
  while (!isOver()) {
    await timed(state, raise);
    await timed(state, clear);
  }
}

async function timed(state: State, call: () => Promise<unknown>): Promise<void> {
  const started = performance.now();
  try {
    await call();
    state.calls += 1;
    state.histogram.record(Math.max(1, Math.round((performance.now() - started) * NANOS)));
  } catch (error) {
    if (!TocsinError.is(error)) throw error;
    state.failed += 1;
    state.problem ??= `${error.code}: ${error.message}`;
  }
}

const round = (value: number): number => Math.round(value * 1_000) / 1_000;
