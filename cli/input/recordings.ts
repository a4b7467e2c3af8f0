import { readdir, stat } from 'node:fs/promises';
import { join } from 'node:path';
import { assert, must } from '../../src/base/assert.ts';
import { RECORDINGS_MAX } from '../../src/base/limits.ts';
import { isPossible, type MetricName } from '../../src/base/rules/metrics.ts';
import { badRecording, readLines, reasonOf } from './lines.ts';
import { didYouMean } from './suggest.ts';

/**
 * Reads recordings in the format of the BIDMC numerics (PhysioNet): one patient a file, one row a second. Some of them
 * write -0; adding zero to what was read makes it 0.
 */

/** In the order of the columns. `RecordingRow.values` has this order. */
export const RECORDING_METRICS: readonly MetricName[] = ['HR', 'PULSE', 'RESP', 'SpO2'];

export interface Recording {
  /** As in the name of the file: `01`. */
  readonly patient: string;
  readonly path: string;
}

export interface RecordingRow {
  /** Place of the recording in the list of `findRecordings`. */
  readonly recording: number;
  readonly patient: string;
  /** Since the recording's origin, in milliseconds. May begin below zero; grows from row to row. */
  readonly timeMs: number;
  /** One for each of RECORDING_METRICS; NaN = missing. */
  readonly values: readonly number[];
}

/** `patient`: one recording after the other. `time`: all at once, as the ward saw them; by patient within an instant. */
export type RowOrder = 'patient' | 'time';

const FILE_NAME = /^bidmc_(\d{1,9})_Numerics\.csv$/;
const TIME_COLUMN = 'Time [s]';
const NUMBER = /^[+-]?(?:\d+\.?\d*|\.\d+)(?:e[+-]?\d+)?$/i;
const MISSING = /^(?:nan)?$/i;
const TIME_S_MAX = 1e9;

/**
 * The recordings of a folder, in order of patient. Other files are passed over.
 * @throws TocsinError BAD_RECORDING when there is no such folder, or no recording in it
 */
export async function findRecordings(folder: string): Promise<readonly Recording[]> {
  let names: readonly string[];
  try {
    const found = await stat(folder);
    if (!found.isDirectory())
      throw badRecording(folder, undefined, 'is not a folder of recordings');
    names = await readdir(folder);
  } catch (error) {
    if (error instanceof Error && !('syscall' in error)) throw error;
    throw badRecording(folder, undefined, `folder cannot be read: ${reasonOf(error)}`, error);
  }
  const recordings: Recording[] = [];
  for (const name of names) {
    const patient = FILE_NAME.exec(name)?.[1];
    if (patient !== undefined) recordings.push({ patient, path: join(folder, name) });
  }
  if (recordings.length === 0)
    throw badRecording(folder, undefined, 'holds no recording (bidmc_NN_Numerics.csv)');
  if (recordings.length > RECORDINGS_MAX) {
    const message = `holds ${recordings.length} recordings; at most ${RECORDINGS_MAX} are read at once`;
    throw badRecording(folder, undefined, message);
  }
  return recordings.sort((a, b) => comparePatients(a.patient, b.patient));
}

/** Numbers in their order, then other names; `2` comes before `10`, and `01` before `1`. */
export function comparePatients(a: string, b: string): number {
  const numbers = [a, b].map((name) => (/^\d+$/.test(name) ? Number(name) : Number.MAX_VALUE));
  const [first = 0, second = 0] = numbers;
  if (first !== second) return first - second;
  return a < b ? -1 : a > b ? 1 : 0;
}

/**
 * All rows of the recordings. Holds one row of each in memory at most.
 * @throws TocsinError BAD_RECORDING naming file and line, at the row where it is met
 */
export async function* readRows(
  recordings: readonly Recording[],
  order: RowOrder,
): AsyncGenerator<RecordingRow, void, undefined> {
  if (order === 'time') return yield* mergeByTime(recordings);
  for (const [index, recording] of recordings.entries()) yield* readRecording(recording, index);
}

async function* mergeByTime(
  recordings: readonly Recording[],
): AsyncGenerator<RecordingRow, void, undefined> {
  const sources = recordings.map((recording, index) => readRecording(recording, index));
  try {
    const heads: (RecordingRow | undefined)[] = [];
    for (const source of sources) heads.push((await source.next()).value ?? undefined);
    for (;;) {
      const now = heads.reduce((least, head) => Math.min(least, head?.timeMs ?? least), Infinity);
      if (now === Infinity) return;
      for (const [index, source] of sources.entries()) {
        const head = heads[index];
        if (head?.timeMs !== now) continue;
        yield head;
        heads[index] = (await source.next()).value ?? undefined;
      }
    }
  } finally {
    // Whoever stops early leaves no file open.
    await Promise.allSettled(sources.map((source) => source.return()));
  }
}

/** The rows of one recording; `index` is handed on in each. */
export async function* readRecording(
  recording: Recording,
  index: number,
): AsyncGenerator<RecordingRow, void, undefined> {
  const { path, patient } = recording;
  let columns: readonly MetricName[] | undefined;
  let blankLine: number | undefined;
  let last: number | undefined;
  for await (const { number, text, isWhole } of readLines(path)) {
    // A number that was cut off is a number still, and another one.
    if (!isWhole)
      throw badRecording(path, number, 'the file ends within this line: was it cut off?');
    if (columns === undefined) {
      columns = readHeader(path, number, text);
      continue;
    }
    if (text.trim() === '') {
      blankLine ??= number;
      continue;
    }
    // Blank lines may end a file; inside, a row was lost.
    if (blankLine !== undefined) throw badRecording(path, blankLine, 'line is blank');
    const cells = text.split(',');
    if (cells.length !== columns.length + 1) {
      const message = `${cells.length} columns instead of ${columns.length + 1}`;
      throw badRecording(path, number, message);
    }
    const timeMs = readTime(path, number, must(cells[0], 'a split text has a first cell'));
    if (last !== undefined && timeMs <= last) {
      const message = `time goes from ${last / 1000} s to ${timeMs / 1000} s; it must grow`;
      throw badRecording(path, number, message);
    }
    last = timeMs;
    yield { recording: index, patient, timeMs, values: readValues(path, number, columns, cells) };
  }
  if (columns === undefined) throw badRecording(path, 1, 'file is empty');
  if (last === undefined) throw badRecording(path, 2, 'file has a header and no rows');
}

/** The metrics of the columns after the time, each of RECORDING_METRICS once, in the file's order. */
function readHeader(path: string, line: number, text: string): readonly MetricName[] {
  const [time, ...names] = text.split(',').map((name) => name.trim());
  if (time !== TIME_COLUMN) {
    const message = `first column is ${quoted(time ?? '')}, not ${quoted(TIME_COLUMN)}`;
    throw badRecording(path, line, message);
  }
  const columns: MetricName[] = [];
  for (const name of names) {
    const metric = RECORDING_METRICS.find((known) => known === name);
    if (metric === undefined) {
      const message = `unknown column ${quoted(name)}${didYouMean(name, RECORDING_METRICS)}`;
      throw badRecording(path, line, message);
    }
    if (columns.includes(metric)) throw badRecording(path, line, `column ${metric} stands twice`);
    columns.push(metric);
  }
  const missing = RECORDING_METRICS.find((metric) => !columns.includes(metric));
  if (missing !== undefined) throw badRecording(path, line, `column ${missing} is missing`);
  return columns;
}

function readTime(path: string, line: number, cell: string): number {
  const text = cell.trim();
  const seconds = NUMBER.test(text) ? Number(text) : Number.NaN;
  if (Number.isNaN(seconds)) throw badRecording(path, line, `time ${quoted(text)} is not a number`);
  if (Math.abs(seconds) > TIME_S_MAX)
    throw badRecording(path, line, `time ${seconds} s is out of range`);
  return Math.round(seconds * 1000) + 0;
}

function readValues(
  path: string,
  line: number,
  columns: readonly MetricName[],
  cells: readonly string[],
): readonly number[] {
  return RECORDING_METRICS.map((metric) => {
    const at = columns.indexOf(metric);
    assert(at >= 0, `the header was let through without ${metric}`);
    const text = must(cells[at + 1], `no cell for ${metric}`).trim();
    if (MISSING.test(text)) return Number.NaN;
    const value = NUMBER.test(text) ? Number(text) : Number.NaN;
    if (Number.isFinite(value)) return isPossible(metric, value) ? value + 0 : Number.NaN;
    throw badRecording(path, line, `${metric} ${quoted(text)} is not a number`);
  });
}

/** Fit for one line of a terminal, whatever it was. */
const quoted = (text: string): string =>
  JSON.stringify(text.length > 40 ? `${text.slice(0, 40)}…` : text);
