import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { onTestFinished } from 'vitest';
import { formatTransitions, type PatientTransition } from '../../../cli/input/transitions.ts';

/** One patient's heart rates, a row a second; undefined = missing. The other signs stay as they should be. */
export type HeartRates = readonly (number | undefined)[];

const run = (value: number | undefined, seconds: number): HeartRates =>
  Array.from({ length: seconds }, () => value);

/** Fast from second 10 to 39, without a signal from 60 to 79. */
export const RESTLESS: HeartRates = [
  ...run(80, 10),
  ...run(150, 30),
  ...run(80, 20),
  ...run(undefined, 20),
  ...run(80, 20),
];

/** Slow from second 50 to the end. */
export const SLOW: HeartRates = [...run(80, 50), ...run(30, 50)];

const HEADER = 'Time [s], HR, PULSE, RESP, SpO2';

const textOf = (rates: HeartRates): string =>
  [HEADER, ...rates.map((rate, second) => `${second},${rate ?? 'NaN'},80,15,98`), ''].join('\n');

/** A folder with a recording for each patient, removed after the test. */
export async function folderOf(patients: Readonly<Record<string, HeartRates>>): Promise<string> {
  const folder = await mkdtemp(join(tmpdir(), 'tocsin-test-'));
  onTestFinished(() => rm(folder, { recursive: true, force: true }));
  for (const [patient, rates] of Object.entries(patients))
    await writeFile(join(folder, `bidmc_${patient}_Numerics.csv`), textOf(rates));
  return folder;
}

export const RESTLESS_AND_SLOW: Readonly<Record<string, HeartRates>> = { '1': RESTLESS, '2': SLOW };

/** What the rules of the recordings say of RESTLESS_AND_SLOW: a condition starts and ends with the tenth row in a row. */
const EXPECTED: readonly PatientTransition[] = [
  { patient: '1', timeMs: 19_000, metric: 'HR', kind: 'HI', phase: 'start' },
  { patient: '1', timeMs: 49_000, metric: 'HR', kind: 'HI', phase: 'end' },
  { patient: '1', timeMs: 69_000, metric: 'HR', kind: 'TEC', phase: 'start' },
  { patient: '1', timeMs: 80_000, metric: 'HR', kind: 'TEC', phase: 'end' },
  { patient: '2', timeMs: 59_000, metric: 'HR', kind: 'LO', phase: 'start' },
];

export const EXPECTED_TEXT: string = formatTransitions(EXPECTED);
