/** Tables that turn a measurement into points, as early-warning scores are printed. */

/** A measurement of at most `upTo`, and above the row before, earns `points`. */
export interface Band {
  readonly upTo: number;
  readonly points: number;
}

/** Rows in ascending order; the last one is open: `upTo` is Infinity. */
export type BandTable = readonly Band[];

/** `table([8, 3], [11, 1], [Infinity, 0])`: up to 8 → 3 points, above it up to 11 → 1, above that 0. */
export const table = (...rows: readonly (readonly [upTo: number, points: number])[]): BandTable =>
  rows.map(([upTo, points]) => ({ upTo, points }));

/** The points of a finite value that was rounded as the score asks. */
export function pointsOf(bands: BandTable, value: number): number {
  for (const { upTo, points } of bands) if (value <= upTo) return points;
  return 0;
}

/**
 * Rounds half up: 91.5 → 92, and −0.5 → 0. Published bands are whole numbers (tenths of a degree for temperature), so an
 * unrounded 91.6 would fall between two of them.
 */
export const roundHalfUp = (value: number): number => Math.floor(value + 0.5);

/** To tenths. The tiny term undoes that 35.05 × 10 may come out below 350.5. */
export const roundToTenths = (value: number): number => roundHalfUp(value * 10 + 1e-9) / 10;

/** A value, and when it was measured in milliseconds. */
export interface Measured<T> {
  readonly value: T;
  readonly at: number;
}
