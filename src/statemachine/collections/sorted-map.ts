import { assert, must } from '../../base/assert.ts';

const BLOCK_LENGTH_MAX = 512;

interface Block<V> {
  readonly ids: number[];
  readonly values: V[];
  /** The freezing before which the block was made: an older one belongs to a view, and is copied before a change. */
  readonly age: number;
}

/**
 * A map from numbers to values, in ascending order, in blocks: no call moves more than one block, however many entries
 * there are, so none holds the event loop. `freeze` takes a view of all of it by copying the list of blocks alone;
 * afterwards a block is copied when it is changed for the first time.
 */
export class SortedMap<V> {
  /** None is empty, each ascends, and each begins above the end of the one before. */
  readonly #blocks: Block<V>[] = [];
  #size = 0;
  #age = 0;

  get size(): number {
    return this.#size;
  }

  /** At most one more than two for each 257 entries: small neighbours are joined. */
  get blockCount(): number {
    return this.#blocks.length;
  }

  get(id: number): V | undefined {
    return valueIn(this.#blocks[this.#blockOf(id)], id);
  }

  /** The entry with the lowest number. */
  get first(): readonly [number, V] | undefined {
    const block = this.#blocks[0];
    return block === undefined ? undefined : [block.ids[0] as number, block.values[0] as V];
  }

  /** Adds an entry whose number is not there. */
  add(id: number, value: V): void {
    this.#size += 1;
    const at = Math.max(0, this.#blockOf(id));
    const newest = this.#blocks.at(-1);
    if (newest === undefined || isFullBelow(newest, id)) {
      this.#blocks.push({ ids: [id], values: [value], age: this.#age });
      return;
    }
    const block = this.#own(at);
    const place = placeOf(block, id) + 1;
    assert(place === 0 || block.ids[place - 1] !== id, '% was added twice', id);
    if (place === block.ids.length) {
      block.ids.push(id);
      block.values.push(value);
    } else {
      block.ids.splice(place, 0, id);
      block.values.splice(place, 0, value);
    }
    if (block.ids.length > BLOCK_LENGTH_MAX) {
      const half = BLOCK_LENGTH_MAX / 2;
      const upper = { ids: block.ids.splice(half), values: block.values.splice(half) };
      this.#blocks.splice(at + 1, 0, { ...upper, age: this.#age });
    }
  }

  /** Gives a number that is there another value. */
  replace(id: number, value: V): void {
    const at = this.#blockOf(id);
    const block = must(this.#blocks[at], '% is before every block', id);
    const place = placeOf(block, id);
    assert(block.ids[place] === id, '% is not there', id);
    this.#own(at).values[place] = value;
  }

  /** Removes an entry that is there, and returns its value. */
  delete(id: number): V {
    const at = this.#blockOf(id);
    const there = must(this.#blocks[at], '% is before every block', id);
    const place = placeOf(there, id);
    assert(there.ids[place] === id, '% is not there', id);
    this.#size -= 1;
    const block = this.#own(at);
    const value = block.values[place] as V;
    removeAt(block.ids, place);
    removeAt(block.values, place);
    if (block.ids.length === 0) this.#blocks.splice(at, 1);
    this.#merge(at);
    this.#merge(at - 1);
    return value;
  }

  /** The entries above `id`, ascending. Not to be carried on after a change of the map. */
  after(id: number): Cursor<V> {
    return new Cursor(this.#blocks, Math.max(0, this.#blockOf(id)), id);
  }

  /** All entries as they are now, whatever becomes of the map. Costs a copy of the list of blocks. */
  freeze(): SortedView<V> {
    this.#age += 1;
    return new SortedView(this.#blocks.slice(), this.#size);
  }

  /** Which block holds `id`, if any does; -1 = it is below all. */
  #blockOf(id: number): number {
    return blockOf(this.#blocks, id);
  }

  /** The block at this place, for changing. */
  #own(at: number): Block<V> {
    const block = this.#blocks[at] as Block<V>;
    if (block.age === this.#age) return block;
    const copy = { ids: block.ids.slice(), values: block.values.slice(), age: this.#age };
    this.#blocks[at] = copy;
    return copy;
  }

  /** Joins two neighbours that have become small, so that blocks do not outnumber what they hold. */
  #merge(at: number): void {
    // A place below zero is looked for as a name would be, which takes longer than all the rest.
    if (at < 0 || at + 1 >= this.#blocks.length) return;
    const left = this.#blocks[at] as Block<V>;
    const right = this.#blocks[at + 1] as Block<V>;
    if (left.ids.length + right.ids.length > BLOCK_LENGTH_MAX / 2) return;
    const block = this.#own(at);
    block.ids.push(...right.ids);
    block.values.push(...right.values);
    this.#blocks.splice(at + 1, 1);
  }
}

/** The next numbers in a map above `after`, ascending, at most `max`. */
export function numbersAfter(map: SortedMap<unknown>, after: number, max: number): number[] {
  const numbers: number[] = [];
  for (const cursor = map.after(after); numbers.length < max && cursor.next(); )
    numbers.push(cursor.id);
  return numbers;
}

/** How many of the ascending numbers are at or below `number`. */
export function countUpTo(numbers: readonly number[], number: number): number {
  let low = 0;
  let high = numbers.length;
  if (high > 0 && (numbers[high - 1] as number) <= number) return high;
  while (low < high) {
    const middle = (low + high) >>> 1;
    if ((numbers[middle] as number) <= number) low = middle + 1;
    else high = middle;
  }
  return low;
}

/** What a map held when it was frozen. */
export class SortedView<V> {
  readonly #blocks: readonly Block<V>[];
  readonly size: number;

  constructor(blocks: readonly Block<V>[], size: number) {
    this.#blocks = blocks;
    this.size = size;
  }

  get(id: number): V | undefined {
    return valueIn(this.#blocks[blockOf(this.#blocks, id)], id);
  }

  *values(): Generator<V> {
    for (const block of this.#blocks) yield* block.values;
  }

  *entries(): Generator<readonly [id: number, value: V]> {
    for (const { ids, values } of this.#blocks)
      for (const [place, id] of ids.entries()) yield [id, values[place] as V];
  }
}

/** Walks over entries in ascending order: call `next` first. */
export class Cursor<V> {
  readonly #blocks: readonly Block<V>[];
  #at: number;
  #place: number;

  constructor(blocks: readonly Block<V>[], at: number, after: number) {
    this.#blocks = blocks;
    this.#at = at;
    const block = blocks[at];
    this.#place = block === undefined ? 0 : placeOf(block, after);
  }

  /** Moves to the next entry; false at the end. */
  next(): boolean {
    const block = this.#blocks[this.#at];
    if (block === undefined) return false;
    this.#place += 1;
    if (this.#place < block.ids.length) return true;
    this.#at += 1;
    this.#place = 0;
    return this.#at < this.#blocks.length;
  }

  get id(): number {
    return this.#blocks[this.#at]?.ids[this.#place] as number;
  }

  get value(): V {
    return this.#blocks[this.#at]?.values[this.#place] as V;
  }
}

/** The oldest goes most often, and `shift` moves nothing. */
function removeAt(items: unknown[], place: number): void {
  if (place === 0) items.shift();
  else items.splice(place, 1);
}

const isFullBelow = <V>(block: Block<V>, id: number): boolean =>
  block.ids.length >= BLOCK_LENGTH_MAX && (block.ids.at(-1) as number) < id;

/** Which block holds `id`, if any does; -1 = it is below all. */
function blockOf<V>(blocks: readonly Block<V>[], id: number): number {
  let low = 0;
  let high = blocks.length;
  if (high > 0 && ((blocks[high - 1] as Block<V>).ids[0] as number) <= id) return high - 1;
  while (low < high) {
    const middle = (low + high) >>> 1;
    if (((blocks[middle] as Block<V>).ids[0] as number) <= id) low = middle + 1;
    else high = middle;
  }
  return low - 1;
}

function valueIn<V>(block: Block<V> | undefined, id: number): V | undefined {
  if (block === undefined) return undefined;
  const place = placeOf(block, id);
  return block.ids[place] === id ? block.values[place] : undefined;
}

/** The last place in the block whose number is at or below `id`; -1 = none is. */
const placeOf = <V>({ ids }: Block<V>, id: number): number => countUpTo(ids, id) - 1;
