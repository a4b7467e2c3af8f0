/**
 * Quantiles of many values in little memory, mergeable without loss: of two sketches, the merged one is the sketch of all
 * values of both, in whatever order. The library stands behind a door that may import it (src/wire/trend/sketch.ts); this
 * folder knows the promise only.
 */
export interface QuantileSketch {
  add(value: number): void;
  merge(other: QuantileSketch): void;
  /** The value below which the share `q` (0 … 1) lies, within the sketch's relative error; NaN when it is empty. */
  quantile(q: number): number;
  encode(): Uint8Array;
}

export interface SketchMaker {
  empty(): QuantileSketch;
  /** @throws TocsinError DATA_CORRUPT */
  decode(bytes: Uint8Array): QuantileSketch;
}
