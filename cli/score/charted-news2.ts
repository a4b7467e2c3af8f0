import {
  type Consciousness,
  type News2,
  type News2Inputs,
  news2,
  type SpO2Scale,
} from '../../src/analytics/scores/news2.ts';
import { inputsAlong, type KnownInputs } from './charted-inputs.ts';
import type { Charting } from './stays.ts';

/** NEWS2 along a charted stay. */

export interface ChartedScore {
  /** As charted. */
  readonly clock: string;
  readonly at: number;
  readonly score: News2;
}

export interface ChartedOptions {
  readonly scale: SpO2Scale;
  readonly validForMs: number;
}

const LETTERS: readonly Consciousness[] = ['A', 'C', 'V', 'P', 'U'];

/** A score at each time at which at least one input was charted. */
export function scoreStay(
  chartings: readonly Charting[],
  options: ChartedOptions,
): readonly ChartedScore[] {
  const scores: ChartedScore[] = [];
  for (const known of inputsAlong(chartings)) {
    const { clock, at } = known;
    scores.push({ clock, at, score: news2(measuredOf(known), { ...options, now: at }) });
  }
  return scores;
}

function measuredOf({ inputs, times }: KnownInputs): News2Inputs {
  const [respiration, spO2, onOxygen, systolic, pulse, consciousness, temperature] = Array.from(
    inputs,
    (value, place) => (Number.isNaN(value) ? undefined : { value, at: times[place] ?? Number.NaN }),
  );
  return {
    respiration,
    spO2,
    onOxygen: onOxygen && { value: onOxygen.value === 1, at: onOxygen.at },
    systolic,
    pulse,
    consciousness: consciousness && {
      value: LETTERS[consciousness.value] ?? 'U',
      at: consciousness.at,
    },
    temperature,
  };
}
