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

export type MetricName =
  | 'HR'
  | 'PULSE'
  | 'RESP'
  | 'SpO2'
  | 'ARTsys'
  | 'ARTmean'
  | 'TEMP'
  | 'FiO2'
  | 'GCS'
  | 'AVPU';

/**
 * Heart rate by ECG, pulse rate, breathing rate, oxygen saturation, arterial pressure, temperature; what scores need beside
 * them: inspired oxygen as a fraction (room air: 0.21), Glasgow Coma Scale, and consciousness as a number (0 alert, 1 newly
 * confused, 2 responding to voice, 3 to pain, 4 not at all).
 */
export const METRICS: Readonly<Record<MetricName, MetricInfo>> = {
  HR: { unit: '/min', limitMin: 10, limitMax: 300, possibleMin: 0, possibleMax: 500 },
  PULSE: { unit: '/min', limitMin: 10, limitMax: 300, possibleMin: 0, possibleMax: 500 },
  RESP: { unit: '/min', limitMin: 1, limitMax: 150, possibleMin: 0, possibleMax: 300 },
  SpO2: { unit: '%', limitMin: 1, limitMax: 100, possibleMin: 0, possibleMax: 100 },
  ARTsys: { unit: 'mm[Hg]', limitMin: 1, limitMax: 300, possibleMin: -100, possibleMax: 500 },
  ARTmean: { unit: 'mm[Hg]', limitMin: 1, limitMax: 300, possibleMin: -100, possibleMax: 500 },
  TEMP: { unit: 'Cel', limitMin: 15, limitMax: 45, possibleMin: 0, possibleMax: 50 },
  FiO2: { unit: '1', limitMin: 0.21, limitMax: 1, possibleMin: 0.1, possibleMax: 1 },
  GCS: { unit: '{score}', limitMin: 3, limitMax: 15, possibleMin: 3, possibleMax: 15 },
  AVPU: { unit: '{score}', limitMin: 0, limitMax: 4, possibleMin: 0, possibleMax: 4 },
};

export const METRIC_NAMES: readonly MetricName[] = [
  'HR',
  'PULSE',
  'RESP',
  'SpO2',
  'ARTsys',
  'ARTmean',
  'TEMP',
  'FiO2',
  'GCS',
  'AVPU',
];

/** Whether a number can be a measurement at all, however ill somebody is. */
export const isPossible = (metric: MetricName, value: number): boolean =>
  value >= METRICS[metric].possibleMin && value <= METRICS[metric].possibleMax;

export const isMetricName = (value: string): value is MetricName => Object.hasOwn(METRICS, value);
