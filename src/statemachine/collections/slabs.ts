import { assert, must } from '../../base/assert.ts';

/** What lies in one array of bytes. */
interface Slab {
  readonly bytes: Uint8Array;
  /** Where the next record goes. */
  used: number;
  /** Bytes of records that were not removed, their heads included. */
  live: number;
}

/** Records begin at multiples of this, so that a place is a small number, which V8 keeps without an object. */
const UNIT = 8;
/** Before each record: how many bytes it has, and whether it was removed. */
const HEAD_BYTES = 4;
const REMOVED = 0x8000_0000;

/** Reads records: what is added or removed after it was made does not touch what it sees. */
export class SlabReader {
  protected readonly slabs: (Slab | undefined)[];
  /** Of a slab, where it is not one record's. */
  protected readonly slabBytes: number;
  readonly #unitsPerSlab: number;

  constructor(slabs: (Slab | undefined)[], slabBytes: number) {
    this.slabs = slabs;
    this.slabBytes = slabBytes;
    this.#unitsPerSlab = slabBytes / UNIT;
  }

  /** What the record at a place says, by who reads records out of what they lie in. */
  read<T>(place: number, reader: (bytes: Uint8Array, from: number, to: number) => T): T {
    const { bytes } = must(this.slabs[this.slabOf(place)], 'nothing lies at %', place);
    const from = this.startOf(place) + HEAD_BYTES;
    return reader(bytes, from, from + lengthAt(bytes, from - HEAD_BYTES));
  }

  protected placeOf(slab: number, start: number): number {
    return slab * this.#unitsPerSlab + start / UNIT;
  }

  protected slabOf(place: number): number {
    return Math.floor(place / this.#unitsPerSlab);
  }

  protected startOf(place: number): number {
    return (place % this.#unitsPerSlab) * UNIT;
  }
}

/**
 * Records of bytes, each at a place, outside of the heap: the collector of garbage does not look at them. Records are written
 * one after another and never changed. Of a slab that has lost half of what it can hold the rest moves on, so slabs
 * take some twice what lies in them; and since no byte is written twice, what is frozen stays as it is.
 */
export class Slabs extends SlabReader {
  /** Numbers of slabs that are to be used again. */
  readonly #free: number[] = [];
  /** Numbers of slabs that are to be emptied. */
  readonly #sparse: number[] = [];
  #current = 0;
  readonly #onMoved: (to: number) => void;

  /**
   * `slabBytes`: a multiple of 32. `onMoved` is told of each record that lies elsewhere from now on; its old place can be read
   * until it returns. So whenever anything is added or removed, whoever it tells has to know each place that was not removed.
   */
  constructor(slabBytes: number, onMoved: (to: number) => void) {
    assert(slabBytes % (4 * UNIT) === 0, `slabs of ${slabBytes} bytes`);
    super([newSlab(slabBytes)], slabBytes);
    this.#onMoved = onMoved;
  }

  /** What all slabs take together. */
  get byteLength(): number {
    return this.slabs.reduce((sum, slab) => sum + (slab?.bytes.length ?? 0), 0);
  }

  /** Writes the `length` bytes at `from` as a record, and returns its place. Others may move, this one does not. */
  add(bytes: Uint8Array, from: number, length: number): number {
    const place = this.#add(bytes, from, length);
    this.#emptySparse();
    return place;
  }

  /** Removes the record at a place. Others may move. */
  remove(place: number): void {
    const number = this.slabOf(place);
    const slab = this.#slab(number);
    const from = this.startOf(place);
    assert(!isRemoved(slab.bytes, from), '% was removed already', place);
    const length = lengthAt(slab.bytes, from);
    writeHead(slab.bytes, from, length + REMOVED);
    slab.live -= sizeOf(length);
    if (number !== this.#current && isSparse(slab)) this.#sparse.push(number);
    this.#emptySparse();
  }

  /** All records as they are now, whatever becomes of them. */
  freeze(): SlabReader {
    return new SlabReader(this.slabs.slice(), this.slabBytes);
  }

  #add(bytes: Uint8Array, from: number, length: number): number {
    const size = sizeOf(length);
    // A long one lies alone: what is left at the end of a slab is never much of it.
    if (size > this.slabBytes / 4) return this.#write(this.#open(size), bytes, from, length);
    const full = this.#current;
    if (this.#slab(full).used + size > this.slabBytes) {
      this.#current = this.#open(this.slabBytes);
      if (isSparse(this.#slab(full))) this.#sparse.push(full);
    }
    return this.#write(this.#current, bytes, from, length);
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
    return this.placeOf(number, at);
  }

  #slab(number: number): Slab {
    return must(this.slabs[number], 'slab % is gone', number);
  }

  #open(bytes: number): number {
    const number = this.#free.pop() ?? this.slabs.length;
    this.slabs[number] = newSlab(bytes);
    return number;
  }

  /** What moves can fill a slab that has become sparse meanwhile: it is emptied too. Each time less than half a slab moves. */
  #emptySparse(): void {
    for (let number = this.#sparse.pop(); number !== undefined; number = this.#sparse.pop())
      this.#empty(number);
  }

  /** Moves what is left in a slab to the current one. */
  #empty(number: number): void {
    const slab = this.#slab(number);
    for (let from = 0; from < slab.used && slab.live > 0; ) {
      const length = lengthAt(slab.bytes, from);
      const size = sizeOf(length);
      if (!isRemoved(slab.bytes, from)) {
        slab.live -= size;
        this.#onMoved(this.#add(slab.bytes, from + HEAD_BYTES, length));
      }
      from += size;
    }
    this.slabs[number] = undefined;
    this.#free.push(number);
  }
}

const newSlab = (length: number): Slab => ({ bytes: new Uint8Array(length), used: 0, live: 0 });

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
