import {
  type News2,
  type News2Inputs,
  news2,
  type SpO2Scale,
} from '../../src/analytics/scores/news2.ts';
import type { ChartEntry, Charting } from './stays.ts';

/** NEWS2 along a charted stay: the last value of each input is carried forward. */

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

/** A score at each time at which at least one input was charted. */
export function scoreStay(
  chartings: readonly Charting[],
  options: ChartedOptions,
): readonly ChartedScore[] {
  const scores: ChartedScore[] = [];
  let inputs: News2Inputs = {};
  for (const { clock, at, entries } of chartings) {
    let isScored = false;
    for (const entry of entries) {
      const change = inputOf(entry, at);
      if (change === undefined) continue;
      isScored = true;
      inputs = { ...inputs, ...change };
    }
    if (isScored) scores.push({ clock, at, score: news2(inputs, { ...options, now: at }) });
  }
  return scores;
}

const ROOM_AIR = 0.21;
const GCS_ALERT = 15;

/** What a charted value says about an input; undefined = nothing, or nothing that a living patient could have. */
function inputOf({ parameter, value }: ChartEntry, at: number): News2Inputs | undefined {
  switch (parameter) {
    case 'HR':
      return value > 0 && value < 300 ? { pulse: { value, at } } : undefined;
    case 'RespRate':
      return value > 0 ? { respiration: { value, at } } : undefined;
    case 'SysABP':
    case 'NISysABP':
      return value > 20 ? { systolic: { value, at } } : undefined;
    case 'Temp':
      return value > 25 && value < 45 ? { temperature: { value, at } } : undefined;
    case 'GCS':
      if (value < 0) return undefined;
      return { consciousness: { value: value >= GCS_ALERT ? 'A' : 'P', at } };
    case 'SaO2':
      return value > 30 ? { spO2: { value, at } } : undefined;
    case 'FiO2':
      return value < 0 ? undefined : { onOxygen: { value: value > ROOM_AIR, at } };
    case 'MechVent':
      return value < 0 ? undefined : { onOxygen: { value: true, at } };
    default:
      return undefined;
  }
}
