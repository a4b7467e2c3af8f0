import { assert, must } from '../../base/assert.ts';

/** What lies in one array of bytes. */
interface Slab {
  readonly bytes: Uint8Array;
  /** Where the next record goes. */
  used: number;
  /** Bytes of records that were not removed, their heads included. */
  live: number;
}

const SLAB_BITS = 18;
const SLAB_BYTES: number = 2 ** SLAB_BITS;
/** Records begin at multiples of this, so that a place is a small number, which takes no object. */
const UNIT_BITS = 3;
const UNIT: number = 2 ** UNIT_BITS;
const UNIT_BITS_PER_SLAB: number = SLAB_BITS - UNIT_BITS;
/** A place above that would be an object of its own in V8: 16 GiB lie below it. */
const SLABS: number = 2 ** (31 - UNIT_BITS_PER_SLAB);
/** Before each record: how many bytes it has, and whether it was removed. */
const HEAD_BYTES = 4;
const REMOVED = 0x8000_0000;

/** Reads records, wherever it was made: what is added or removed later does not touch what it sees. */
export class SlabReader {
  protected readonly slabs: (Slab | undefined)[];

  constructor(slabs: (Slab | undefined)[]) {
    this.slabs = slabs;
  }

  /** What the record at a place says, by who reads records out of what they lie in. */
  read<T>(place: number, reader: (bytes: Uint8Array, from: number, to: number) => T): T {
    const { bytes } = must(this.slabs[slabOf(place)], 'nothing lies at %', place);
    const from = startOf(place) + HEAD_BYTES;
    return reader(bytes, from, from + lengthAt(bytes, from - HEAD_BYTES));
  }
}

/**
 * Records of bytes, each at a place, outside of the heap: the collector of garbage does not look at them. Records are written
 * one after another and never changed. Of a slab that has lost half of what was in it the rest moves on, so
 * they take at most twice what they hold, and a slab more; and since no byte is written twice, what is frozen stays as it is.
 */
export class Slabs extends SlabReader {
  /** Numbers of slabs that are to be used again. */
  readonly #free: number[] = [];
  #current = 0;
  readonly #onMoved: (to: number) => void;

  /** `onMoved` is told of each record that lies elsewhere from now on. Its old place can be read until it returns. */
  constructor(onMoved: (to: number) => void) {
    super([newSlab(SLAB_BYTES)]);
    this.#onMoved = onMoved;
  }

  /** What all slabs take together. */
  get byteLength(): number {
    return this.slabs.reduce((sum, slab) => sum + (slab?.bytes.length ?? 0), 0);
  }

  /** Writes the `length` bytes at `from` as a record, and returns its place. Others may move. */
  add(bytes: Uint8Array, from: number, length: number): number {
    const size = sizeOf(length);
    // A long one lies alone: what is left at the end of a slab is never much of it.
    if (size > SLAB_BYTES / 4) return this.#write(this.#open(size), bytes, from, length);
    const { used } = this.#slab(this.#current);
    if (used + size <= SLAB_BYTES) return this.#write(this.#current, bytes, from, length);
    const full = this.#current;
    this.#current = this.#open(SLAB_BYTES);
    const place = this.#write(this.#current, bytes, from, length);
    if (isSparse(this.#slab(full))) this.#empty(full);
    return place;
  }

  /** Removes the record at a place. Others may move. */
  remove(place: number): void {
    const number = slabOf(place);
    const slab = this.#slab(number);
    const from = startOf(place);
    assert(!isRemoved(slab.bytes, from), '% was removed already', place);
    const length = lengthAt(slab.bytes, from);
    writeHead(slab.bytes, from, length + REMOVED);
    slab.live -= sizeOf(length);
    if (number !== this.#current && isSparse(slab)) this.#empty(number);
  }

  /** All records as they are now, whatever becomes of them. */
  freeze(): SlabReader {
    return new SlabReader(this.slabs.slice());
  }

  #slab(number: number): Slab {
    return must(this.slabs[number], 'slab % is gone', number);
  }

  #write(number: number, bytes: Uint8Array, from: number, length: number): number {
    const slab = this.#slab(number);
    const at = slab.used;
    writeHead(slab.bytes, at, length);
    // Neither `set` nor a part of the array: each would make an object.
    for (let i = 0; i < length; i += 1) slab.bytes[at + HEAD_BYTES + i] = bytes[from + i] as number;
    const size = sizeOf(length);
    slab.used = at + size;
    slab.live += size;
    return (number << UNIT_BITS_PER_SLAB) | (at >>> UNIT_BITS);
  }

  #open(length: number): number {
    const number = this.#free.pop() ?? this.slabs.length;
    assert(number < SLABS, 'more than % slabs', SLABS);
    this.slabs[number] = newSlab(length);
    return number;
  }

  /** Moves what is left in a slab to the current one. */
  #empty(number: number): void {
    const slab = this.#slab(number);
    for (let from = 0; from < slab.used && slab.live > 0; ) {
      const length = lengthAt(slab.bytes, from);
      const size = sizeOf(length);
      if (!isRemoved(slab.bytes, from)) {
        slab.live -= size;
        this.#onMoved(this.add(slab.bytes, from + HEAD_BYTES, length));
      }
      from += size;
    }
    this.slabs[number] = undefined;
    this.#free.push(number);
  }
}

const newSlab = (length: number): Slab => ({ bytes: new Uint8Array(length), used: 0, live: 0 });

const slabOf = (place: number): number => place >>> UNIT_BITS_PER_SLAB;

const startOf = (place: number): number => (place & (2 ** UNIT_BITS_PER_SLAB - 1)) << UNIT_BITS;

const isSparse = ({ live, bytes }: Slab): boolean => live * 2 < bytes.length;

/** With its head, up to where the next one may begin. */
const sizeOf = (length: number): number => (length + HEAD_BYTES + UNIT - 1) & -UNIT;

function writeHead(bytes: Uint8Array, at: number, head: number): void {
  bytes[at] = head;
  bytes[at + 1] = head >>> 8;
  bytes[at + 2] = head >>> 16;
  bytes[at + 3] = head >>> 24;
}

const lengthAt = (bytes: Uint8Array, at: number): number =>
  (bytes[at] as number) |
  ((bytes[at + 1] as number) << 8) |
  ((bytes[at + 2] as number) << 16) |
  (((bytes[at + 3] as number) & 0x7f) << 24);

const isRemoved = (bytes: Uint8Array, at: number): boolean =>
  ((bytes[at + 3] as number) & 0x80) !== 0;
