import { type BandTable, pointsOf, roundHalfUp, roundToTenths, table } from './bands.ts';

/** Smaller bedside scores. An input that is undefined is not known: it scores nothing and is counted as missing. */

/** Mean arterial pressure, systolic pressure in mmHg; heart and breathing rate a minute; degrees Celsius. */
export interface BedsideInputs {
  readonly systolic?: number | undefined;
  readonly meanPressure?: number | undefined;
  readonly pulse?: number | undefined;
  readonly respiration?: number | undefined;
  readonly temperature?: number | undefined;
  /** Alert, voice, pain, unresponsive. */
  readonly avpu?: 'A' | 'V' | 'P' | 'U' | undefined;
  /** Glasgow Coma Scale, 3 … 15. */
  readonly gcs?: number | undefined;
}

export interface BedsideScore {
  /** A lower bound when anything is missing. */
  readonly points: number;
  /** Whether the threshold that its authors name is reached. */
  readonly isPositive: boolean;
  readonly missing: readonly (keyof BedsideInputs)[];
}

/**
 * MEWS has several printed versions that differ at the edges; this one is Subbe et al. 2001 as usually tabulated, and a
 * site with another one brings its own tables.
 */
export interface MewsTables {
  readonly name: string;
  readonly systolic: BandTable;
  readonly pulse: BandTable;
  readonly respiration: BandTable;
  readonly temperature: BandTable;
  readonly avpu: Readonly<Record<'A' | 'V' | 'P' | 'U', number>>;
  readonly threshold: number;
}

export const MEWS_SUBBE_2001: MewsTables = {
  name: 'subbe-2001',
  systolic: table([70, 3], [80, 2], [100, 1], [199, 0], [Infinity, 2]),
  pulse: table([40, 2], [50, 1], [100, 0], [110, 1], [129, 2], [Infinity, 3]),
  respiration: table([8, 2], [14, 0], [20, 1], [29, 2], [Infinity, 3]),
  temperature: table([34.9, 2], [38.4, 0], [Infinity, 2]),
  avpu: { A: 0, V: 1, P: 2, U: 3 },
  threshold: 5,
};

/** Modified Early Warning Score. */
export function mews(inputs: BedsideInputs, tables: MewsTables = MEWS_SUBBE_2001): BedsideScore {
  const { systolic, pulse, respiration, temperature, avpu } = inputs;
  return sum(tables.threshold, {
    systolic: known(systolic, (value) => pointsOf(tables.systolic, roundHalfUp(value))),
    pulse: known(pulse, (value) => pointsOf(tables.pulse, roundHalfUp(value))),
    respiration: known(respiration, (value) => pointsOf(tables.respiration, roundHalfUp(value))),
    temperature: known(temperature, (value) => pointsOf(tables.temperature, roundToTenths(value))),
    avpu: avpu === undefined ? undefined : tables.avpu[avpu],
  });
}

/** Quick SOFA (Sepsis-3, 2016): breathing ≥ 22, systolic ≤ 100, altered mentation; positive at 2. */
export function qSofa({ respiration, systolic, gcs }: BedsideInputs): BedsideScore {
  return sum(2, {
    respiration: known(respiration, (value) => (roundHalfUp(value) >= 22 ? 1 : 0)),
    systolic: known(systolic, (value) => (roundHalfUp(value) <= 100 ? 1 : 0)),
    gcs: known(gcs, (value) => (value < 15 ? 1 : 0)),
  });
}

/** Heart rate over systolic pressure; above 0.9 is the usual cut-off. Undefined when either is not known or senseless. */
export const shockIndex = ({ pulse, systolic }: BedsideInputs): number | undefined =>
  ratio(pulse, systolic);

/** Heart rate over mean arterial pressure. */
export const modifiedShockIndex = ({ pulse, meanPressure }: BedsideInputs): number | undefined =>
  ratio(pulse, meanPressure);

function ratio(above: number | undefined, below: number | undefined): number | undefined {
  if (above === undefined || below === undefined) return undefined;
  return Number.isFinite(above) && below > 0 && Number.isFinite(below) ? above / below : undefined;
}

const known = (value: number | undefined, points: (value: number) => number): number | undefined =>
  value === undefined || !Number.isFinite(value) ? undefined : points(value);

function sum(
  threshold: number,
  parts: Partial<Readonly<Record<keyof BedsideInputs, number | undefined>>>,
): BedsideScore {
  const missing: (keyof BedsideInputs)[] = [];
  let points = 0;
  for (const [name, part] of Object.entries(parts)) {
    if (part === undefined) missing.push(name as keyof BedsideInputs);
    else points += part;
  }
  return { points, isPositive: points >= threshold, missing };
}
