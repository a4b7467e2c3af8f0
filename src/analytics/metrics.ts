/** What is measured, and in which unit. */

export interface MetricInfo {
  /** In UCUM. */
  readonly unit: string;
  /** What an alarm limit may be set to, both ends included; not what a sensor may report. */
  readonly limitMin: number;
  readonly limitMax: number;
}

export type MetricName = 'HR' | 'PULSE' | 'RESP' | 'SpO2' | 'ARTsys' | 'ARTmean' | 'TEMP';

/** Heart rate by ECG, pulse rate, breathing rate, oxygen saturation, arterial pressure, temperature. */
export const METRICS: Readonly<Record<MetricName, MetricInfo>> = {
  HR: { unit: '/min', limitMin: 10, limitMax: 300 },
  PULSE: { unit: '/min', limitMin: 10, limitMax: 300 },
  RESP: { unit: '/min', limitMin: 1, limitMax: 150 },
  SpO2: { unit: '%', limitMin: 1, limitMax: 100 },
  ARTsys: { unit: 'mm[Hg]', limitMin: 1, limitMax: 300 },
  ARTmean: { unit: 'mm[Hg]', limitMin: 1, limitMax: 300 },
  TEMP: { unit: 'Cel', limitMin: 15, limitMax: 45 },
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

export const isMetricName = (value: string): value is MetricName => Object.hasOwn(METRICS, value);
