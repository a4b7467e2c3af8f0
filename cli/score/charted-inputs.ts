import { inputOf, inputValue, type LiveInputs } from '../../src/analytics/scores/live-inputs.ts';
import { NEWS2_PARAMETERS } from '../../src/analytics/scores/news2.ts';
import type { MetricName } from '../../src/base/rules/metrics.ts';
import type { ChartEntry, Charting } from './stays.ts';

/** What is known of a patient along a charted stay: the last value of each input, carried forward. */

/** What charts call the metrics; a parameter that is not here is no input of a score. */
const METRIC_OF: Readonly<Record<string, MetricName>> = {
  HR: 'HR',
  RespRate: 'RESP',
  SysABP: 'ARTsys',
  NISysABP: 'ARTsys',
  Temp: 'TEMP',
  GCS: 'GCS',
  SaO2: 'SpO2',
  FiO2: 'FiO2',
};
/** Somebody who is ventilated is on oxygen. */
const VENTILATED = 1;

export interface KnownInputs {
  /** As charted. */
  readonly clock: string;
  readonly at: number;
  /** The same arrays each time: take what you need. */
  readonly inputs: LiveInputs;
  readonly times: Float64Array;
}

/** At each time at which at least one input was charted. */
export function* inputsAlong(chartings: readonly Charting[]): Generator<KnownInputs, undefined> {
  const inputs = new Float64Array(NEWS2_PARAMETERS.length).fill(Number.NaN);
  const times = new Float64Array(NEWS2_PARAMETERS.length).fill(Number.NaN);
  for (const { clock, at, entries } of chartings) {
    let isScored = false;
    for (const entry of entries) {
      const [metric, value] = measured(entry);
      const known = metric === undefined ? Number.NaN : inputValue(metric, value);
      if (metric === undefined || Number.isNaN(known)) continue;
      isScored = true;
      inputs[inputOf(metric)] = known;
      times[inputOf(metric)] = at;
    }
    if (isScored) yield { clock, at, inputs, times };
  }
  return undefined;
}

/** The metric that a charted parameter is, and its value; undefined = it is no input. */
export function measured({
  parameter,
  value,
}: ChartEntry): readonly [MetricName | undefined, number] {
  if (parameter === 'MechVent') return value < 0 ? [undefined, value] : ['FiO2', VENTILATED];
  return [METRIC_OF[parameter], value];
}
