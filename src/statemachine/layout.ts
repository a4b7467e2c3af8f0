import type { AlertCodec } from './alerts/packed-alerts.ts';

/** Where a machine keeps things in memory. It changes no answer: replicas need not share it. */
export interface Layout {
  /** A secret one keeps callers from choosing keys that are slow to find. */
  readonly seed: number;
  /** Absent = alerts are objects, all of them. */
  readonly packing?: Packing;
}

/** How alerts that nothing happens to are kept. */
export interface Packing {
  readonly codec: AlertCodec;
  /** So many of those that changed last stay objects. */
  readonly unpackedMax: number;
  /** What a slab holds: a multiple of 32. */
  readonly slabBytes: number;
}

export const PLAIN: Layout = Object.freeze({ seed: 0 });
