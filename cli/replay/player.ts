import { setImmediate as nextTurn, setTimeout as pause } from 'node:timers/promises';
import { type AlertRequest, type AlertSource, alertRequest } from '../../src/analytics/alerts.ts';
import { LimitEngine, type Transition } from '../../src/analytics/limits.ts';
import { must } from '../../src/base/assert.ts';
import type { RuleSet } from '../../src/base/rules/rules.ts';
import {
  RECORDING_METRICS,
  type Recording,
  type RecordingRow,
  readRows,
} from '../input/recordings.ts';

export interface Performance {
  readonly recordings: readonly Recording[];
  readonly rules: RuleSet;
  /** Stands in each alert's subject. */
  readonly device: string;
  /** The `observedAt` that stands for the recordings' time 0. */
  readonly origin: number;
  /** Recorded seconds in one second; undefined = as fast as it goes. */
  readonly speed: number | undefined;
  readonly signal: AbortSignal;
  /** Takes an alert command; the next row waits for it. */
  readonly send: (request: AlertRequest) => Promise<void>;
  /** Called after each row, with the number of rows played; the next row waits for it. */
  readonly onRow: (rows: number) => Promise<void> | undefined;
}

export interface Played {
  readonly rows: number;
  /** Values that were present. */
  readonly samples: number;
}

/** Rows between two turns of the event loop, when nothing else makes it turn. */
const ROWS_PER_TURN = 64;
/** Shorter waits are not worth a timer: the row comes a little early. */
const PAUSE_MS_MIN = 2;
const PAUSE_MS_MAX = 250;

/** Rows → rules → alert commands, all recordings interleaved by time. Ends early, without an error, when aborted. */
export async function play(run: Performance): Promise<Played> {
  const { recordings, rules, device, origin, signal } = run;
  const engine = new LimitEngine(rules, RECORDING_METRICS);
  const sources = recordings.map(({ patient }): AlertSource => ({ patient, device }));
  const transitions: Transition[] = [];
  const emit = (transition: Transition): void => void transitions.push(transition);
  const waitFor = pacemaker(run);
  let rows = 0;
  let samples = 0;
  for await (const row of readRows(recordings, 'time')) {
    await waitFor(row);
    if (signal.aborted) break;
    for (const [metric, value] of row.values.entries()) {
      if (!Number.isNaN(value)) samples += 1;
      engine.sample(row.recording, metric, origin + row.timeMs, value, emit);
    }
    for (const transition of transitions) {
      const source = must(sources[transition.subject], `no recording ${transition.subject}`);
      await run.send(alertRequest(transition, source, rules.revision));
    }
    transitions.length = 0;
    rows += 1;
    await run.onRow(rows);
    if (rows % ROWS_PER_TURN === 0) await nextTurn();
  }
  return { rows, samples };
}

/** Resolves when a row is due, or at once when the run is aborted. */
function pacemaker({ speed, signal }: Performance): (row: RecordingRow) => Promise<void> {
  let start: { readonly row: number; readonly wall: number } | undefined;
  return async ({ timeMs }) => {
    if (speed === undefined) return;
    start ??= { row: timeMs, wall: performance.now() };
    const due = start.wall + (timeMs - start.row) / speed;
    for (;;) {
      const left = due - performance.now();
      if (left < PAUSE_MS_MIN || signal.aborted) return;
      await pause(Math.min(left, PAUSE_MS_MAX), undefined, { signal }).catch(() => {});
    }
  };
}
