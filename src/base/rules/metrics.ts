/** What is measured, and in which unit. */

export interface MetricInfo {
  /** In UCUM. */
  readonly unit: string;
  /** What an alarm limit may be set to, both ends included; not what a sensor may report. */
  readonly limitMin: number;
  readonly limitMax: number;
  /** What a living body or a drifting sensor can give, both ends included; anything else is no measurement. */
  readonly possibleMin: number;
  readonly possibleMax: number;
}

export type MetricName = 'HR' | 'PULSE' | 'RESP' | 'SpO2' | 'ARTsys' | 'ARTmean' | 'TEMP';

/** Heart rate by ECG, pulse rate, breathing rate, oxygen saturation, arterial pressure, temperature. */
export const METRICS: Readonly<Record<MetricName, MetricInfo>> = {
  HR: { unit: '/min', limitMin: 10, limitMax: 300, possibleMin: 0, possibleMax: 500 },
  PULSE: { unit: '/min', limitMin: 10, limitMax: 300, possibleMin: 0, possibleMax: 500 },
  RESP: { unit: '/min', limitMin: 1, limitMax: 150, possibleMin: 0, possibleMax: 300 },
  SpO2: { unit: '%', limitMin: 1, limitMax: 100, possibleMin: 0, possibleMax: 100 },
  ARTsys: { unit: 'mm[Hg]', limitMin: 1, limitMax: 300, possibleMin: -100, possibleMax: 500 },
  ARTmean: { unit: 'mm[Hg]', limitMin: 1, limitMax: 300, possibleMin: -100, possibleMax: 500 },
  TEMP: { unit: 'Cel', limitMin: 15, limitMax: 45, possibleMin: 0, possibleMax: 50 },
};

export const METRIC_NAMES: readonly MetricName[] = [
  'HR',
  'PULSE',
  'RESP',
  'SpO2',
  'ARTsys',
  'ARTmean',
  'TEMP',
];

/** Whether a number can be a measurement at all, however ill somebody is. */
export const isPossible = (metric: MetricName, value: number): boolean =>
  value >= METRICS[metric].possibleMin && value <= METRICS[metric].possibleMax;

export const isMetricName = (value: string): value is MetricName => Object.hasOwn(METRICS, value);
