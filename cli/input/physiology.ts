import type { Prng } from '../../src/base/prng.ts';
import type { MetricName } from '../../src/base/rules/metrics.ts';

/** A synthetic patient's vital signs, second by second. Plausible to look at; not a model to treat anyone by. */

export const WARD_METRICS: readonly MetricName[] = [
  'HR',
  'SpO2',
  'RESP',
  'ARTsys',
  'ARTmean',
  'TEMP',
];

/** What ails a patient while an episode lasts. */
export type Deterioration = 'sepsis' | 'respiratory-failure' | 'bradycardia';
export const DETERIORATIONS: readonly Deterioration[] = [
  'sepsis',
  'respiratory-failure',
  'bradycardia',
];

/** The signs that vary on their own; mean pressure follows from systolic and diastolic. */
type Sign = 'HR' | 'SpO2' | 'RESP' | 'ARTsys' | 'TEMP';
const SIGNS: readonly Sign[] = ['HR', 'SpO2', 'RESP', 'ARTsys', 'TEMP'];

interface SignModel {
  /** Where healthy baselines lie: drawn around the middle, held within the ends. */
  readonly baseline: {
    readonly mean: number;
    readonly deviation: number;
    readonly low: number;
    readonly high: number;
  };
  /** Standard deviation of the slow variation; held within three of them. */
  readonly variation: number;
  /** How fast the variation forgets, in seconds. */
  readonly memorySeconds: number;
  /** How fast the sign follows an illness, in seconds. */
  readonly lagSeconds: number;
  /** How breathing shows in the sign: respiratory sinus arrhythmia, pressure swing. */
  readonly breathing: number;
}

/** The ends are chosen so that a stable patient stays inside the limits of examples/rules/ward.yaml; a test holds it. */
const MODELS: Readonly<Record<Sign, SignModel>> = {
  HR: model(78, 9, 60, 98, 2.5, 30, 1, 1.5),
  SpO2: model(97, 1, 95, 99, 0.4, 60, 1, 0),
  RESP: model(15, 2, 12, 19, 0.8, 30, 1, 0),
  ARTsys: model(124, 10, 110, 148, 3.5, 60, 1, -2),
  TEMP: model(36.9, 0.25, 36.3, 37.6, 0.08, 300, 30, 0),
};

/** Where an episode drives a sign; a sign that is not named stays its own. */
const TARGETS: Readonly<
  Record<Deterioration, Readonly<Partial<Record<Sign, readonly [number, number]>>>>
> = {
  sepsis: { HR: [122, 146], RESP: [28, 35], ARTsys: [74, 85], TEMP: [39.2, 40.2] },
  'respiratory-failure': { SpO2: [79, 87], RESP: [29, 37], HR: [104, 124] },
  bradycardia: { HR: [29, 35], ARTsys: [76, 86] },
};

const SPO2_MAX = 100;
/** Diastolic over systolic pressure. */
const DIASTOLIC_SHARE: readonly [number, number] = [0.56, 0.66];

export class Patient {
  readonly #prng: Prng;
  readonly #baselines: Readonly<Record<Sign, number>>;
  readonly #diastolicShare: number;
  readonly #wander: Record<Sign, number> = { HR: 0, SpO2: 0, RESP: 0, ARTsys: 0, TEMP: 0 };
  readonly #severity: Record<Sign, number> = { HR: 0, SpO2: 0, RESP: 0, ARTsys: 0, TEMP: 0 };
  #targets: Readonly<Partial<Record<Sign, number>>> = {};
  #breath: number;

  constructor(prng: Prng) {
    this.#prng = prng;
    this.#breath = prng.unit();
    this.#baselines = {
      HR: drawBaseline(prng, MODELS.HR),
      SpO2: drawBaseline(prng, MODELS.SpO2),
      RESP: drawBaseline(prng, MODELS.RESP),
      ARTsys: drawBaseline(prng, MODELS.ARTsys),
      TEMP: drawBaseline(prng, MODELS.TEMP),
    };
    const [low, high] = DIASTOLIC_SHARE;
    this.#diastolicShare = low + (high - low) * prng.unit();
  }

  /** Draws how bad it will get. */
  fallIll(deterioration: Deterioration): void {
    const targets: Partial<Record<Sign, number>> = {};
    for (const sign of SIGNS) {
      const range = TARGETS[deterioration][sign];
      if (range !== undefined) targets[sign] = range[0] + (range[1] - range[0]) * this.#prng.unit();
    }
    this.#targets = targets;
  }

  /** The patient shows nothing of the last episode any more, slow signs included. */
  get recovered(): boolean {
    return SIGNS.every((sign) => this.#targets[sign] === undefined || this.#severity[sign] < 0.02);
  }

  /**
   * One second later. `severity` is how much of the episode shows: 0 = none, 1 = all. Writes one value for each of
   * WARD_METRICS into `values`.
   */
  step(severity: number, values: Float64Array): void {
    for (const sign of SIGNS) {
      const { variation, memorySeconds, lagSeconds } = MODELS[sign];
      // Ornstein and Uhlenbeck's process, one second a step: the variation forgets and is stirred.
      const stir = variation * Math.sqrt(2 / memorySeconds) * this.#prng.normal();
      const wander = this.#wander[sign] * (1 - 1 / memorySeconds) + stir;
      this.#wander[sign] = clamp(wander, -3 * variation, 3 * variation);
      this.#severity[sign] += (severity - this.#severity[sign]) / lagSeconds;
    }
    const resp = this.#valueOf('RESP', 0);
    this.#breath = (this.#breath + resp / 60) % 1;
    const swing = Math.sin(2 * Math.PI * this.#breath);
    const systolic = this.#valueOf('ARTsys', swing);
    values[0] = Math.round(this.#valueOf('HR', swing));
    values[1] = Math.min(SPO2_MAX, Math.round(this.#valueOf('SpO2', swing)));
    values[2] = Math.round(resp);
    values[3] = Math.round(systolic);
    values[4] = Math.round((systolic * (1 + 2 * this.#diastolicShare)) / 3);
    values[5] = Math.round(this.#valueOf('TEMP', swing) * 10) / 10;
  }

  #valueOf(sign: Sign, swing: number): number {
    const own = this.#baselines[sign];
    const target = this.#targets[sign] ?? own;
    const level = own + (target - own) * this.#severity[sign];
    return level + this.#wander[sign] + MODELS[sign].breathing * swing;
  }
}

function model(
  mean: number,
  deviation: number,
  low: number,
  high: number,
  variation: number,
  memorySeconds: number,
  lagSeconds: number,
  breathing: number,
): SignModel {
  const baseline = { mean, deviation, low, high };
  return { baseline, variation, memorySeconds, lagSeconds, breathing };
}

function drawBaseline(prng: Prng, { baseline }: SignModel): number {
  return clamp(baseline.mean + baseline.deviation * prng.normal(), baseline.low, baseline.high);
}

const clamp = (value: number, low: number, high: number): number =>
  Math.min(high, Math.max(low, value));
