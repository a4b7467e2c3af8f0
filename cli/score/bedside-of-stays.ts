import {
  INPUTS_OF,
  type LiveInputs,
  mewsLive,
  qSofaLive,
  shockIndexLive,
} from '../../src/analytics/scores/live-inputs.ts';
import { inputsAlong } from './charted-inputs.ts';
import { type KeptStay, staysOf, type Through } from './kept-stays.ts';

/** The smaller scores over folders of charted stays. */

export type BedsideScoreName = 'mews' | 'qsofa' | 'shock-index';

interface Scored {
  readonly score: (inputs: LiveInputs) => number;
  /** The threshold that its authors, or usage, name. */
  readonly isPositive: (score: number) => boolean;
  readonly digits: number;
}

const SCORES: Readonly<Record<BedsideScoreName, Scored>> = {
  mews: { score: (inputs) => mewsLive(inputs), isPositive: (score) => score >= 5, digits: 0 },
  qsofa: { score: qSofaLive, isPositive: (score) => score >= 2, digits: 0 },
  'shock-index': { score: shockIndexLive, isPositive: (score) => score > 0.9, digits: 2 },
};

/**
 * CSV, a line for each time at which an input of the score was charted and the score is known: by stay, then time. `inputs`
 * below `of` means that the score is partial, a lower bound.
 * @throws TocsinError BAD_RECORDING
 */
export async function bedsideOfStays(
  folder: string,
  name: BedsideScoreName,
  through?: Through,
): Promise<string> {
  const lines = ['stay,time,score,positive,inputs,of\n'];
  for await (const kept of staysOf(folder, through)) lines.push(...linesOf(kept, name));
  return lines.join('');
}

function* linesOf(kept: KeptStay, name: BedsideScoreName): Generator<string, undefined> {
  const places = INPUTS_OF[name];
  const { score, isPositive, digits } = SCORES[name];
  for (const { clock, at, inputs, times } of inputsAlong(kept.chartings)) {
    if (!places.some((place) => times[place] === at)) continue;
    const value = score(inputs);
    if (Number.isNaN(value)) continue;
    const known = places.filter((place) => !Number.isNaN(inputs[place])).length;
    const row = [kept.stay.id, clock, value.toFixed(digits), isPositive(value), known];
    yield `${[...row, places.length].join(',')}\n`;
  }
  return undefined;
}
