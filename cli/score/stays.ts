import { readdir } from 'node:fs/promises';
import { join } from 'node:path';
import { STAY_ROWS_MAX, STAYS_MAX } from '../../src/base/limits.ts';
import { badRecording, readLines, reasonOf } from '../input/lines.ts';

/** Reads intensive-care stays in the format of the PhysioNet/CinC Challenge 2012: one file a stay, `Time,Parameter,Value`. */

export interface Stay {
  /** As in the name of the file: `132555`. */
  readonly id: string;
  readonly path: string;
}

/** All that was charted at one time, in the order of the file. */
export interface Charting {
  /** Since admission, as charted: `05:57`. */
  readonly clock: string;
  /** The same in milliseconds. */
  readonly at: number;
  readonly entries: readonly ChartEntry[];
}

export interface ChartEntry {
  readonly parameter: string;
  readonly value: number;
}

const FILE_NAME = /^(\d{1,12})\.txt$/;
const HEADER = 'Time,Parameter,Value';
const CLOCK = /^(\d{2,3}):([0-5]\d)$/;
const NUMBER = /^-?\d+(?:\.\d+)?(?:e[-+]?\d+)?$/i;
const MINUTE_MS = 60_000;

/**
 * The stays of a folder, in order of their numbers. Other files are passed over.
 * @throws TocsinError BAD_RECORDING when there is no such folder, no stay in it, or too many
 */
export async function findStays(folder: string): Promise<readonly Stay[]> {
  let names: readonly string[];
  try {
    names = await readdir(folder);
  } catch (error) {
    throw badRecording(folder, undefined, `folder cannot be read: ${reasonOf(error)}`, error);
  }
  const stays = names.flatMap((name): Stay[] => {
    const id = FILE_NAME.exec(name)?.[1];
    return id === undefined ? [] : [{ id, path: join(folder, name) }];
  });
  if (stays.length === 0) throw badRecording(folder, undefined, 'holds no stay (NUMBER.txt)');
  if (stays.length > STAYS_MAX)
    throw badRecording(folder, undefined, `holds ${stays.length} stays; at most ${STAYS_MAX}`);
  return stays.sort((a, b) => Number(a.id) - Number(b.id) || (a.id < b.id ? -1 : 1));
}

/**
 * What was charted during a stay, in order of time.
 * @throws TocsinError BAD_RECORDING naming file and line
 */
export async function readStay({ path }: Stay): Promise<readonly Charting[]> {
  const chartings: { clock: string; at: number; entries: ChartEntry[] }[] = [];
  let rows = 0;
  for await (const { number, text } of readLines(path)) {
    if (number === 1) {
      if (text !== HEADER) throw badRecording(path, 1, `header is not ${HEADER}`);
      continue;
    }
    if (text === '') continue;
    rows += 1;
    if (rows > STAY_ROWS_MAX) throw badRecording(path, number, `over ${STAY_ROWS_MAX} rows`);
    const [clock = '', parameter = '', valueText = '', ...rest] = text.split(',');
    if (rest.length > 0) throw badRecording(path, number, 'has more than three columns');
    const at = timeOf(clock);
    if (at === undefined)
      throw badRecording(path, number, `time is not hh:mm: ${text.slice(0, 40)}`);
    // A parameter without a name is a slip of the dataset: nothing can be made of it.
    if (parameter === '') continue;
    if (!NUMBER.test(valueText)) throw badRecording(path, number, 'value is not a number');
    const last = chartings.at(-1);
    if (last !== undefined && at < last.at) throw badRecording(path, number, 'time goes back');
    const entry = { parameter, value: Number(valueText) };
    if (last?.at === at) last.entries.push(entry);
    else chartings.push({ clock, at, entries: [entry] });
  }
  if (rows === 0) throw badRecording(path, undefined, 'is empty');
  return chartings;
}

function timeOf(clock: string): number | undefined {
  const [, hours, minutes] = CLOCK.exec(clock) ?? [];
  if (hours === undefined) return undefined;
  return (Number(hours) * 60 + Number(minutes)) * MINUTE_MS;
}
