import type { MetricName } from '../base/rules/metrics.ts';

/** What a living patient and a working sensor can give: what lies outside is an artefact, and says nothing about trends. */
export interface Plausible {
  readonly min: number;
  readonly max: number;
  /** The fastest believable change, in units a second. */
  readonly slewPerSecond: number;
  /** The least spread that is taken for real, in units: a baseline that happens to stand still is not that certain. */
  readonly sigmaMin: number;
}

export const PLAUSIBLE: Readonly<Record<MetricName, Plausible>> = {
  HR: { min: 15, max: 300, slewPerSecond: 30, sigmaMin: 2 },
  PULSE: { min: 15, max: 300, slewPerSecond: 30, sigmaMin: 2 },
  RESP: { min: 1, max: 80, slewPerSecond: 10, sigmaMin: 1 },
  SpO2: { min: 40, max: 100, slewPerSecond: 6, sigmaMin: 0.75 },
  ARTsys: { min: 30, max: 280, slewPerSecond: 30, sigmaMin: 3 },
  ARTmean: { min: 20, max: 220, slewPerSecond: 25, sigmaMin: 2.5 },
  TEMP: { min: 25, max: 45, slewPerSecond: 0.2, sigmaMin: 0.1 },
  FiO2: { min: 0.21, max: 1, slewPerSecond: 1, sigmaMin: 0.02 },
  GCS: { min: 3, max: 15, slewPerSecond: 15, sigmaMin: 1 },
  AVPU: { min: 0, max: 4, slewPerSecond: 4, sigmaMin: 1 },
};

/** After so many samples that a jump kept them away, the new level is believed. */
const JUMP_SAMPLES_MAX = 10;

/** Lets believable samples of one series through. */
export class ArtefactGate {
  readonly #plausible: Plausible;
  #time = Number.NaN;
  #value = Number.NaN;
  #refused = 0;

  constructor(plausible: Plausible) {
    this.#plausible = plausible;
  }

  /** `time` in milliseconds. A missing value does not pass. */
  passes(time: number, value: number): boolean {
    const { min, max, slewPerSecond } = this.#plausible;
    if (!(value >= min && value <= max)) return false;
    const allowed = Math.max(1, (time - this.#time) / 1_000) * slewPerSecond;
    if (Math.abs(value - this.#value) > allowed && this.#refused < JUMP_SAMPLES_MAX) {
      this.#refused += 1;
      return false;
    }
    this.#refused = 0;
    this.#time = time;
    this.#value = value;
    return true;
  }
}
