import { BugError } from '../../base/assert.ts';
import { type SlabReader, Slabs } from '../collections/slabs.ts';
import type { SortedView } from '../collections/sorted-map.ts';
import type { Packing } from '../layout.ts';
import type { Alert, Glance } from '../types.ts';

/** Alerts as bytes. What comes back is what was given, field by field. */
export interface AlertCodec {
  /** How many bytes it takes; until the next call they stand at the beginning of `encoded`. */
  encode(alert: Alert): number;
  readonly encoded: Uint8Array;
  /** Out of the bytes from … to. */
  readonly decode: (bytes: Uint8Array, from: number, to: number) => Alert;
  /** The dedup key alone. */
  readonly dedupKeyOf: (bytes: Uint8Array, from: number, to: number) => string;
  /** No more than a look wants. */
  readonly glanceAt: (bytes: Uint8Array, from: number, to: number) => Glance;
}

/** An alert in a table: itself, or the place where it lies packed. */
export type Cell = Alert | number;

/**
 * Alerts that nothing happens to. As objects a million of them are eight million for the collector of garbage to look at and
 * to move about; packed they are bytes, outside of its heap.
 */
export class PackedAlerts {
  readonly #slabs: Slabs;
  readonly #codec: AlertCodec;

  /**
   * `onMoved` is told that an alert lies at another place from now on: whenever one is packed or dropped, it has to know of each that
   * was not dropped. `slabBytes` as for Slabs.
   */
  constructor(codec: AlertCodec, slabBytes: number, onMoved: (alert: Alert, to: number) => void) {
    this.#codec = codec;
    this.#slabs = new Slabs(slabBytes, (to) => onMoved(this.alertOf(to), to));
  }

  pack(alert: Alert): number {
    const length = this.#codec.encode(alert);
    return this.#slabs.add(this.#codec.encoded, 0, length);
  }

  /** Forgets a packed alert. */
  drop(cell: Cell): void {
    if (typeof cell === 'number') this.#slabs.remove(cell);
  }

  alertOf(cell: Cell): Alert {
    return read(cell, this.#slabs, this.#codec);
  }

  dedupKeyOf(cell: Cell): string {
    return typeof cell === 'number'
      ? this.#slabs.read(cell, this.#codec.dedupKeyOf)
      : cell.dedupKey;
  }

  glanceAt(cell: Cell): Glance {
    return glance(cell, this.#slabs, this.#codec);
  }

  /** The alerts of a frozen table, whatever is packed and dropped later. */
  view(cells: SortedView<Cell>): AlertsView {
    return new AlertsView(cells, this.#slabs.freeze(), this.#codec);
  }
}

/** Alerts as they were at one moment, by the numbers in their ids. */
export class AlertsView {
  readonly #cells: SortedView<Cell>;
  readonly #slabs: SlabReader;
  readonly #codec: AlertCodec;

  constructor(cells: SortedView<Cell>, slabs: SlabReader, codec: AlertCodec) {
    this.#cells = cells;
    this.#slabs = slabs;
    this.#codec = codec;
  }

  get size(): number {
    return this.#cells.size;
  }

  get(number: number): Alert | undefined {
    const cell = this.#cells.get(number);
    return cell === undefined ? undefined : read(cell, this.#slabs, this.#codec);
  }

  *values(): Generator<Alert> {
    for (const cell of this.#cells.values()) yield read(cell, this.#slabs, this.#codec);
  }

  /** Those that `isWanted` says of after a look; `undefined` stands for each of the others. */
  *wanted(isWanted: (alert: Glance) => boolean): Generator<Alert | undefined> {
    for (const cell of this.#cells.values())
      yield isWanted(glance(cell, this.#slabs, this.#codec))
        ? read(cell, this.#slabs, this.#codec)
        : undefined;
  }
}

const read = (cell: Cell, slabs: SlabReader, codec: AlertCodec): Alert =>
  typeof cell === 'number' ? slabs.read(cell, codec.decode) : cell;

const glance = (cell: Cell, slabs: SlabReader, codec: AlertCodec): Glance =>
  typeof cell === 'number' ? slabs.read(cell, codec.glanceAt) : cell;

const isPlain = (): never => {
  throw new BugError('an alert was packed that is to stay as it is');
};

/** Of a table in which every alert stays an object. */
export const UNPACKED: Packing = {
  codec: {
    encode: isPlain,
    encoded: new Uint8Array(),
    decode: isPlain,
    dedupKeyOf: isPlain,
    glanceAt: isPlain,
  },
  unpackedMax: 1,
  slabBytes: 32,
};
