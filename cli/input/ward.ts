import { assert, must } from '../../src/base/assert.ts';
import { WARD_BEDS_MAX } from '../../src/base/limits.ts';
import { Prng } from '../../src/base/prng.ts';
import type { MetricName } from '../../src/base/rules/metrics.ts';
import { DETERIORATIONS, type Deterioration, Patient, WARD_METRICS } from './physiology.ts';

export { type Deterioration, WARD_METRICS } from './physiology.ts';

export interface WardOptions {
  /** 1 … WARD_BEDS_MAX. */
  readonly beds: number;
  /** The same seed makes the same ward. A bed does not depend on how many others there are. */
  readonly seed: number;
}

/** Where a simulated patient lies, and under which names. */
export interface BedIdentity {
  /** `B01` … */
  readonly bed: string;
  /** A pseudonym: `pt-07f3`. Unique in the ward. */
  readonly patient: string;
  /** `mon-01` … */
  readonly device: string;
  readonly unit: string;
}

/**
 * One sample. `bed` is a place in `Ward.beds`, `metric` a place in WARD_METRICS; `value` NaN = missing. `artefact` is
 * what no monitor knows: the value was made up by a disturbance.
 */
export type EmitSample = (bed: number, metric: number, value: number, artefact: boolean) => void;

/**
 * A simulated ward: patients with baselines of their own, who deteriorate by chance and recover, on sensors that are
 * disturbed and come off. Of the first two beds one deteriorates and one loses a sensor within the first FIRST_STEPS_MAX
 * steps; a ward of one bed has both.
 */
export class Ward {
  readonly beds: readonly BedIdentity[];
  /** Seconds of ward time that have passed. */
  #seconds = 0;
  readonly #simulated: readonly Bed[];

  constructor(options: WardOptions) {
    const { beds, seed } = options;
    assert(Number.isInteger(beds) && beds >= 1, `a ward of ${beds} beds`);
    assert(beds <= WARD_BEDS_MAX, `${beds} beds are over ${WARD_BEDS_MAX}`);
    const root = new Prng(seed);
    const illFirst = root.between(0, 1);
    // Forked in order of the beds: a bed's stream does not depend on how many follow.
    this.#simulated = Array.from({ length: beds }, (_, index) => {
      const falls = beds === 1 || index === illFirst;
      const loses = beds === 1 || index === 1 - illFirst;
      return new Bed(root.fork(index), index < 2 && falls, index < 2 && loses);
    });
    this.beds = Array.from({ length: beds }, (_, index) => identityOf(seed, index));
  }

  get seconds(): number {
    return this.#seconds;
  }

  /** One second of ward time: a sample of each metric of each bed, beds and metrics in their order. */
  step(emit: EmitSample): void {
    for (const [index, bed] of this.#simulated.entries()) bed.step(index, emit);
    this.#seconds += 1;
  }

  /** What ails the patient, until nothing of it shows any more; undefined = stable. */
  deterioration(bed: number): Deterioration | undefined {
    return must(this.#simulated[bed], `no bed ${bed}`).deterioration;
  }
}

/** Within how many steps of a new ward something happens. */
export const FIRST_STEPS_MAX = 10;
/** Until then nothing happens by chance, so that what is sure to happen is seen. */
const CHANCE_FROM_STEP = 20;
/** An artefact lasts at most so many samples of a metric: rules that wait longer do not alarm. */
export const ARTEFACT_SAMPLES_MAX = 3;
/** At least so many clean samples, missing ones not counted, lie between two artefacts. */
export const ARTEFACT_PAUSE_SAMPLES = 15;

// Chances for each second and bed.
const DETERIORATION_CHANCE = 1 / 900;
const LOSS_CHANCE = 1 / 900;
const GLITCH_CHANCE = 1 / 120;
const MOTION_CHANCE = 1 / 300;

/** Metrics that one sensor measures, by their places in WARD_METRICS. They are lost together. */
const SENSORS: readonly (readonly number[])[] = [
  placesOf('HR', 'RESP'),
  placesOf('SpO2'),
  placesOf('ARTsys', 'ARTmean'),
  placesOf('TEMP'),
];
/** What shows when the patient moves. */
const MOVED: readonly number[] = placesOf('HR', 'SpO2', 'RESP');
/** What disturbances make of a metric, in the order of WARD_METRICS: one of these ranges. */
const ARTEFACTS: readonly (readonly (readonly [number, number])[])[] = [
  [
    [190, 280],
    [5, 35],
  ],
  [[35, 75]],
  [
    [45, 120],
    [0, 4],
  ],
  [
    [210, 290],
    [10, 50],
  ],
  [
    [160, 230],
    [5, 35],
  ],
  [[22, 32]],
];

/** The course of an episode in seconds: it comes, stays and goes. */
interface Episode {
  readonly deterioration: Deterioration;
  readonly riseSeconds: number;
  readonly holdSeconds: number;
  readonly recoverySeconds: number;
  age: number;
}

/** Steps that are left of something; none at 0. */
interface Countdown {
  left: number;
}

class Bed {
  readonly #prng: Prng;
  readonly #patient: Patient;
  readonly #values: Float64Array = new Float64Array(WARD_METRICS.length);
  readonly #lost: readonly Countdown[] = SENSORS.map(() => ({ left: 0 }));
  readonly #artefact: Countdown = { left: 0 };
  readonly #pause: Countdown = { left: ARTEFACT_PAUSE_SAMPLES };
  #disturbed: readonly number[] = [];
  #episode: Episode | undefined;
  #step = 0;
  /** The step at which it surely happens; undefined = left to chance. */
  readonly #fallsAt: number | undefined;
  readonly #losesAt: number | undefined;

  constructor(prng: Prng, falls: boolean, loses: boolean) {
    this.#patient = new Patient(prng.fork(1));
    // Both are always drawn, so that a bed's further course does not depend on whether they are used.
    const fallsAt = prng.between(1, FIRST_STEPS_MAX / 2);
    const losesAt = prng.between(1, FIRST_STEPS_MAX / 2);
    this.#fallsAt = falls ? fallsAt : undefined;
    this.#losesAt = loses ? losesAt : undefined;
    this.#prng = prng.fork(2);
  }

  get deterioration(): Deterioration | undefined {
    return this.#episode?.deterioration;
  }

  step(index: number, emit: EmitSample): void {
    this.#stepEpisode();
    this.#patient.step(severityOf(this.#episode), this.#values);
    this.#stepSensors();
    this.#stepArtefacts();
    for (const [sensor, metrics] of SENSORS.entries())
      if (must(this.#lost[sensor], `no sensor ${sensor}`).left > 0)
        for (const metric of metrics) this.#values[metric] = Number.NaN;
    for (const [metric, value] of this.#values.entries()) {
      const artefact = this.#artefact.left > 0 && this.#disturbed.includes(metric);
      emit(index, metric, value, artefact && !Number.isNaN(value));
    }
    this.#step += 1;
  }

  #stepEpisode(): void {
    const episode = this.#episode;
    if (episode !== undefined) {
      episode.age += 1;
      const { riseSeconds, holdSeconds, recoverySeconds } = episode;
      const over = episode.age > riseSeconds + holdSeconds + recoverySeconds;
      if (over && this.#patient.recovered) this.#episode = undefined;
      return;
    }
    const sure = this.#step === this.#fallsAt;
    if (!this.#happens(DETERIORATION_CHANCE) && !sure) return;
    const deterioration = this.#prng.pick(DETERIORATIONS);
    this.#patient.fallIll(deterioration);
    this.#episode = {
      deterioration,
      riseSeconds: sure ? 3 : this.#prng.between(5, 90),
      holdSeconds: this.#prng.between(30, 120),
      recoverySeconds: this.#prng.between(20, 90),
      age: 1,
    };
  }

  #happens(probability: number): boolean {
    const drawn = this.#prng.chance(probability);
    return drawn && this.#step >= CHANCE_FROM_STEP;
  }

  #stepSensors(): void {
    for (const countdown of this.#lost) countdown.left = Math.max(0, countdown.left - 1);
    const sure = this.#step === this.#losesAt;
    if (!this.#happens(LOSS_CHANCE) && !sure) return;
    this.#prng.pick(this.#lost).left = this.#prng.between(sure ? 12 : 3, 45);
  }

  /** Replaces values; never so many in a row that a rule which waits a little would believe them. */
  #stepArtefacts(): void {
    if (this.#artefact.left > 0) {
      this.#artefact.left -= 1;
      if (this.#artefact.left === 0) this.#pause.left = ARTEFACT_PAUSE_SAMPLES;
    } else if (this.#pause.left > 0) {
      // Only clean samples count: rules do not see the missing ones between two artefacts.
      if (this.#lost.every((countdown) => countdown.left === 0)) this.#pause.left -= 1;
    } else if (this.#happens(MOTION_CHANCE)) {
      this.#disturbed = MOVED;
      this.#artefact.left = this.#prng.between(2, ARTEFACT_SAMPLES_MAX);
    } else if (this.#happens(GLITCH_CHANCE)) {
      this.#disturbed = [this.#prng.between(0, WARD_METRICS.length - 1)];
      this.#artefact.left = 1;
    }
    if (this.#artefact.left === 0) return;
    for (const metric of this.#disturbed) {
      const [low, high] = this.#prng.pick(must(ARTEFACTS[metric], `no artefact of ${metric}`));
      this.#values[metric] = this.#prng.between(low, high);
    }
  }
}

/** How much of the episode shows: up to 1 while it comes, then 1, then down to 0. */
function severityOf(episode: Episode | undefined): number {
  if (episode === undefined) return 0;
  const { age, riseSeconds, holdSeconds, recoverySeconds } = episode;
  if (age <= riseSeconds) return age / riseSeconds;
  const recovering = age - riseSeconds - holdSeconds;
  return recovering <= 0 ? 1 : Math.max(0, 1 - recovering / recoverySeconds);
}

function identityOf(seed: number, index: number): BedIdentity {
  const number = String(index + 1).padStart(2, '0');
  // An odd multiplier and a seeded shift permute the 16-bit numbers: no two of the beds share a pseudonym.
  const pseudonym = (Math.imul(index, 0x9e37) + new Prng(seed).uint32()) & 0xffff;
  const patient = `pt-${pseudonym.toString(16).padStart(4, '0')}`;
  return { bed: `B${number}`, patient, device: `mon-${number}`, unit: 'ED' };
}

function placesOf(...names: readonly MetricName[]): readonly number[] {
  return names.map((name) => {
    const place = WARD_METRICS.indexOf(name);
    assert(place >= 0, `the ward does not measure ${name}`);
    return place;
  });
}
