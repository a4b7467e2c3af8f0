import type { MetricName } from '../../base/rules/metrics.ts';
import { type BandTable, pointsOf, roundHalfUp, roundToTenths } from './bands.ts';
import { MEWS_SUBBE_2001, type MewsTables } from './bedside.ts';
import { NEWS2_PARAMETERS, type News2Parameter, news2Points, type SpO2Scale } from './news2.ts';

/**
 * What scores are made of, as numbers: by the place of a parameter in NEWS2_PARAMETERS, NaN = not known. Oxygen is 0 or 1,
 * consciousness 0 alert, 1 newly confused, 2 voice, 3 pain, 4 unresponsive.
 */
export type LiveInputs = Float64Array;

const placeOf = (parameter: News2Parameter): number => NEWS2_PARAMETERS.indexOf(parameter);
const RESPIRATION = placeOf('respiration');
const OXYGEN = placeOf('onOxygen');
const SYSTOLIC = placeOf('systolic');
const PULSE = placeOf('pulse');
const CONSCIOUSNESS = placeOf('consciousness');
const TEMPERATURE = placeOf('temperature');

const ROOM_AIR = 0.21;
const GCS_ALERT = 15;

/** Which input a metric speaks of; −1 = none. */
export function inputOf(metric: MetricName): number {
  switch (metric) {
    case 'HR':
    case 'PULSE':
      return PULSE;
    case 'RESP':
      return RESPIRATION;
    case 'SpO2':
      return placeOf('spO2');
    case 'ARTsys':
      return SYSTOLIC;
    case 'TEMP':
      return TEMPERATURE;
    case 'FiO2':
      return OXYGEN;
    case 'GCS':
    case 'AVPU':
      return CONSCIOUSNESS;
    case 'ARTmean':
      return -1;
  }
}

/** What a measured value says about its input; NaN = nothing that a living patient could have. */
export function inputValue(metric: MetricName, value: number): number {
  switch (metric) {
    case 'HR':
    case 'PULSE':
      return value > 0 && value < 300 ? value : Number.NaN;
    case 'RESP':
      return value > 0 ? value : Number.NaN;
    case 'SpO2':
      return value > 30 ? value : Number.NaN;
    case 'ARTsys':
      return value > 20 ? value : Number.NaN;
    case 'TEMP':
      return value > 25 && value < 45 ? value : Number.NaN;
    case 'FiO2':
      return value >= 0 ? Number(value > ROOM_AIR) : Number.NaN;
    case 'GCS':
      return value >= 0 ? awakeOf(value) : Number.NaN;
    case 'AVPU':
      return value >= 0 && value <= 4 ? Math.round(value) : Number.NaN;
    case 'ARTmean':
      return Number.NaN;
  }
}

/** The letter whose median is nearest, the worse one between two: 15 alert, 13 voice, 8 pain, 6 none (McNarry and Goldhill, 2004). */
function awakeOf(gcs: number): number {
  if (gcs >= GCS_ALERT) return 0;
  if (gcs > 10) return 2;
  return gcs > 7 ? 3 : 4;
}

/** The sum, and the highest points of a single parameter in the hundreds: `312` is 12 points, of which one input gave 3. */
export function news2Live(inputs: LiveInputs, scale: SpO2Scale): number {
  let aggregate = 0;
  let single = 0;
  const onOxygen = inputs[OXYGEN] === 1 ? 1 : 0;
  for (let at = 0; at < NEWS2_PARAMETERS.length; at += 1) {
    const value = inputs[at] as number;
    if (Number.isNaN(value)) continue;
    const points = news2Points(NEWS2_PARAMETERS[at] as News2Parameter, value, scale, onOxygen);
    aggregate += points;
    if (points > single) single = points;
  }
  return aggregate + 100 * single;
}

/** New confusion, for which the score has no letter, counts as responding to voice. */
export function mewsLive(inputs: LiveInputs, tables: MewsTables = MEWS_SUBBE_2001): number {
  const awake = inputs[CONSCIOUSNESS] as number;
  const { A, V, P, U } = tables.avpu;
  const letters = awake < 1 ? A : awake <= 2 ? V : awake === 3 ? P : awake === 4 ? U : 0;
  return (
    banded(tables.systolic, roundHalfUp(inputs[SYSTOLIC] as number)) +
    banded(tables.pulse, roundHalfUp(inputs[PULSE] as number)) +
    banded(tables.respiration, roundHalfUp(inputs[RESPIRATION] as number)) +
    banded(tables.temperature, roundToTenths(inputs[TEMPERATURE] as number)) +
    letters
  );
}

const banded = (bands: BandTable, value: number): number =>
  Number.isNaN(value) ? 0 : pointsOf(bands, value);

export const qSofaLive = (inputs: LiveInputs): number =>
  Number(roundHalfUp(inputs[RESPIRATION] as number) >= 22) +
  Number(roundHalfUp(inputs[SYSTOLIC] as number) <= 100) +
  Number((inputs[CONSCIOUSNESS] as number) > 0);

/** NaN while either is not known. */
export const shockIndexLive = (inputs: LiveInputs): number =>
  (inputs[PULSE] as number) / (inputs[SYSTOLIC] as number);

/** The inputs of each score, by their places. */
export const INPUTS_OF: Readonly<
  Record<'news2' | 'mews' | 'qsofa' | 'shock-index' | 'early-warning', readonly number[]>
> = {
  news2: NEWS2_PARAMETERS.map((_, at) => at),
  mews: [RESPIRATION, SYSTOLIC, PULSE, CONSCIOUSNESS, TEMPERATURE],
  qsofa: [RESPIRATION, SYSTOLIC, CONSCIOUSNESS],
  'shock-index': [SYSTOLIC, PULSE],
  'early-warning': NEWS2_PARAMETERS.map((_, at) => at),
};
