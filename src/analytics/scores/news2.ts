import {
  type BandTable,
  type Measured,
  pointsOf,
  roundHalfUp,
  roundToTenths,
  table,
} from './bands.ts';

/**
 * NEWS2: the National Early Warning Score 2 of the Royal College of Physicians (2017), for adults from 16 years on, not in
 * pregnancy. Reproduced with acknowledgement, as its publisher asks.
 */

/** How awake: alert, newly confused, responding to voice, to pain, or not at all. */
export type Consciousness = 'A' | 'C' | 'V' | 'P' | 'U';

/** Scale 2 only for confirmed hypercapnic respiratory failure with a prescribed target of 88 to 92 %. */
export type SpO2Scale = 1 | 2;

/** What NEWS2 is made of, in the order of its chart; undefined = not known, which is never taken for normal. */
export interface News2Inputs {
  /** Breaths a minute. */
  readonly respiration?: Measured<number> | undefined;
  /** Percent. */
  readonly spO2?: Measured<number> | undefined;
  readonly onOxygen?: Measured<boolean> | undefined;
  /** mmHg. */
  readonly systolic?: Measured<number> | undefined;
  /** Beats a minute. */
  readonly pulse?: Measured<number> | undefined;
  readonly consciousness?: Measured<Consciousness> | undefined;
  /** Degrees Celsius. */
  readonly temperature?: Measured<number> | undefined;
}

export type News2Parameter = keyof News2Inputs;

export const NEWS2_PARAMETERS: readonly News2Parameter[] = [
  'respiration',
  'spO2',
  'onOxygen',
  'systolic',
  'pulse',
  'consciousness',
  'temperature',
];

export interface News2Options {
  /** When the score is asked for: ages count back from here, in milliseconds. */
  readonly now: number;
  readonly scale: SpO2Scale;
  /** An input older than this is used, and the score says it is stale. Infinity = never. */
  readonly validForMs: number;
}

export interface News2Part {
  readonly parameter: News2Parameter;
  readonly points: number;
  readonly ageMs: number;
  readonly isStale: boolean;
}

/** The response that the chart asks for: any single 3 lifts a low aggregate to low-medium. */
export type News2Band = 'low' | 'low-medium' | 'medium' | 'high';

export interface News2 {
  /** 0 … 20. A lower bound unless `standing` is complete. */
  readonly aggregate: number;
  /** The highest points of a single parameter. */
  readonly maxSingle: number;
  readonly band: News2Band;
  /**
   * `complete`: all seven inputs are known and valid. `stale`: all are known, at least one is older than it may be.
   * `partial`: at least one is not known.
   */
  readonly standing: 'complete' | 'stale' | 'partial';
  /** The known ones, in the order of the chart. */
  readonly parts: readonly News2Part[];
  readonly missing: readonly News2Parameter[];
}

const RESPIRATION = table([8, 3], [11, 1], [20, 0], [24, 2], [Infinity, 3]);
const SPO2_SCALE_1 = table([91, 3], [93, 2], [95, 1], [Infinity, 0]);
const SPO2_SCALE_2_AIR = table([83, 3], [85, 2], [87, 1], [Infinity, 0]);
const SPO2_SCALE_2_OXYGEN = table(
  [83, 3],
  [85, 2],
  [87, 1],
  [92, 0],
  [94, 1],
  [96, 2],
  [Infinity, 3],
);
const SYSTOLIC = table([90, 3], [100, 2], [110, 1], [219, 0], [Infinity, 3]);
const PULSE = table([40, 3], [50, 1], [90, 0], [110, 1], [130, 2], [Infinity, 3]);
const TEMPERATURE = table([35, 3], [36, 1], [38, 0], [39, 1], [Infinity, 2]);
const OXYGEN_POINTS = 2;
const NOT_ALERT_POINTS = 3;

export const NEWS2_URGENT = 5;
export const NEWS2_EMERGENCY = 7;
const SINGLE_URGENT = 3;

/** Vital signs are rounded half up before they are banded: temperature to tenths, the others to whole numbers. */
export function news2(inputs: News2Inputs, options: News2Options): News2 {
  const parts: News2Part[] = [];
  const missing: News2Parameter[] = [];
  let aggregate = 0;
  let maxSingle = 0;
  for (const parameter of NEWS2_PARAMETERS) {
    const points = pointsFor(parameter, inputs, options.scale);
    const at = inputs[parameter]?.at;
    if (points === undefined || at === undefined) {
      missing.push(parameter);
      continue;
    }
    const ageMs = options.now - at;
    parts.push({ parameter, points, ageMs, isStale: ageMs > options.validForMs });
    aggregate += points;
    maxSingle = Math.max(maxSingle, points);
  }
  const isStale = parts.some((part) => part.isStale);
  const standing = missing.length > 0 ? 'partial' : isStale ? 'stale' : 'complete';
  return { aggregate, maxSingle, band: bandOf(aggregate, maxSingle), standing, parts, missing };
}

function bandOf(aggregate: number, maxSingle: number): News2Band {
  if (aggregate >= NEWS2_EMERGENCY) return 'high';
  if (aggregate >= NEWS2_URGENT) return 'medium';
  return maxSingle >= SINGLE_URGENT ? 'low-medium' : 'low';
}

/** Undefined = not known; a value that is not a finite number is none. */
function pointsFor(
  parameter: News2Parameter,
  inputs: News2Inputs,
  scale: SpO2Scale,
): number | undefined {
  switch (parameter) {
    case 'onOxygen':
      return inputs.onOxygen && news2Points(parameter, inputs.onOxygen.value ? 1 : 0, scale, 0);
    case 'consciousness':
      return (
        inputs.consciousness &&
        news2Points(parameter, inputs.consciousness.value === 'A' ? 0 : 1, scale, 0)
      );
    default: {
      const value = inputs[parameter]?.value;
      if (value === undefined || !Number.isFinite(value)) return undefined;
      return news2Points(parameter, value, scale, inputs.onOxygen?.value === true ? 1 : 0);
    }
  }
}

/** Points of a finite value. Oxygen: 0 = air, 1 = given, 0 too where nobody knows; consciousness: 0 = alert. */
export function news2Points(
  parameter: News2Parameter,
  value: number,
  scale: SpO2Scale,
  onOxygen: number,
): number {
  switch (parameter) {
    case 'respiration':
      return pointsOf(RESPIRATION, roundHalfUp(value));
    case 'spO2':
      return pointsOf(spO2Table(scale, onOxygen === 1), roundHalfUp(value));
    case 'onOxygen':
      return value === 0 ? 0 : OXYGEN_POINTS;
    case 'systolic':
      return pointsOf(SYSTOLIC, roundHalfUp(value));
    case 'pulse':
      return pointsOf(PULSE, roundHalfUp(value));
    case 'consciousness':
      return value === 0 ? 0 : NOT_ALERT_POINTS;
    case 'temperature':
      return pointsOf(TEMPERATURE, roundToTenths(value));
  }
}

/** On scale 2 the upper bands hold on oxygen only; where nobody knows, the lower bound is what is claimed. */
function spO2Table(scale: SpO2Scale, onOxygen: boolean): BandTable {
  if (scale === 1) return SPO2_SCALE_1;
  return onOxygen ? SPO2_SCALE_2_OXYGEN : SPO2_SCALE_2_AIR;
}
