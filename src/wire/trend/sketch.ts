import { DDSketch } from '@datadog/sketches-js';
import { TocsinError } from '../../base/errors.ts';
import { TREND_SKETCH_BINS_MAX } from '../../base/trend-limits.ts';
import type { QuantileSketch, SketchMaker } from '../../trend/sketch.ts';

/**
 * DDSketch (Masson et al., VLDB 2019): quantiles within a relative error, mergeable without loss. The library's own
 * encoding needs a package that it does not bring, so the bins are written here: version, zeros, then the bins of positive
 * and of negative values, each as count of runs and (first key, number of bins, bins), all in 64-bit floats.
 */

const RELATIVE_ERROR = 0.01;
const VERSION = 1;
/** Values nearer to zero count as zero, and greater ones as this one: a stray value must not cost a megabyte of bins. */
const TINY = 1e-9;
const HUGE = 1e12;

class Sketch implements QuantileSketch {
  readonly inner: DDSketch;

  constructor(inner: DDSketch) {
    this.inner = inner;
  }

  add(value: number): void {
    const size = Math.abs(value);
    const bounded = size < TINY ? 0 : size > HUGE ? Math.sign(value) * HUGE : value;
    this.inner.accept(bounded);
  }

  merge(other: QuantileSketch): void {
    if (!(other instanceof Sketch)) throw new TypeError('a sketch of another kind');
    // The library's own merge forgets the negative values.
    const { zeroCount, store, negativeStore } = other.inner;
    fill(this.inner.store, binsOf(store), 0);
    fill(this.inner.negativeStore, binsOf(negativeStore), 0);
    this.inner.zeroCount += zeroCount;
    count(this.inner);
  }

  quantile(q: number): number {
    return this.inner.count === 0 ? Number.NaN : this.inner.getValueAtQuantile(q);
  }

  encode(): Uint8Array {
    const { zeroCount, store, negativeStore } = this.inner;
    const fields = [VERSION, zeroCount, ...binsOf(store), ...binsOf(negativeStore)];
    const bytes = new Uint8Array(fields.length * 8);
    const view = new DataView(bytes.buffer);
    for (const [at, field] of fields.entries()) view.setFloat64(at * 8, field, true);
    return bytes;
  }
}

type Store = DDSketch['store'];

/** First key, number of bins, bins. */
function binsOf(store: Store): readonly number[] {
  if (store.count === 0) return [0, 0];
  const first = store.minKey - store.offset;
  const bins = store.bins.slice(first, store.maxKey - store.offset + 1);
  return [store.minKey, bins.length, ...bins];
}

export const SKETCHES: SketchMaker = {
  empty: () => new Sketch(new DDSketch({ relativeAccuracy: RELATIVE_ERROR })),
  decode: (bytes) => {
    const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
    if (bytes.byteLength % 8 !== 0 || bytes.byteLength < 48 || view.getFloat64(0, true) !== VERSION)
      throw damaged();
    const sketch = new DDSketch({ relativeAccuracy: RELATIVE_ERROR });
    const fields = Float64Array.from({ length: bytes.byteLength / 8 }, (_, at) =>
      view.getFloat64(at * 8, true),
    );
    sketch.zeroCount = fields[1] as number;
    const next = fill(sketch.store, fields, 2);
    if (fill(sketch.negativeStore, fields, next) !== fields.length) throw damaged();
    count(sketch);
    return new Sketch(sketch);
  },
};

/** Puts the bins at `at` into a store; tells where the next field stands. */
function fill(store: Store, fields: ArrayLike<number>, at: number): number {
  const first = fields[at] ?? Number.NaN;
  const length = fields[at + 1] ?? Number.NaN;
  const end = at + 2 + length;
  if (!Number.isSafeInteger(first) || !(length >= 0 && length <= TREND_SKETCH_BINS_MAX))
    throw damaged();
  if (!Number.isInteger(length) || end > fields.length) throw damaged();
  for (let bin = 0; bin < length; bin += 1) {
    const weight = fields[at + 2 + bin] as number;
    if (!(weight >= 0)) throw damaged();
    if (weight > 0) store.add(first + bin, weight);
  }
  return end;
}

function count(sketch: DDSketch): void {
  sketch.count = sketch.zeroCount + sketch.store.count + sketch.negativeStore.count;
}

const damaged = (): TocsinError => new TocsinError('DATA_CORRUPT', 'a quantile sketch is damaged');
