import { assert } from '../../base/assert.ts';

const BLOCK_BITS = 9;
const BLOCK_LENGTH: number = 2 ** BLOCK_BITS;

interface Block {
  readonly numbers: number[];
  /** The freezing before which it was made: an older one belongs to a view, and is copied before a change. */
  readonly age: number;
}

/** The newest numbers, in order of arrival. `freeze` costs a copy of the list of blocks, as that of SortedMap does. */
export class Ring {
  readonly #blocks: Block[] = [];
  readonly #sizeMax: number;
  #next = 0;
  #size = 0;
  #age = 0;

  constructor(sizeMax: number) {
    assert(Number.isSafeInteger(sizeMax), `bound is not an integer: ${sizeMax}`);
    assert(sizeMax >= 1, `bound of ${sizeMax} numbers`);
    this.#sizeMax = sizeMax;
  }

  get size(): number {
    return this.#size;
  }

  /** Adds a number. Returns the oldest, if it had to go for it. */
  add(number: number): number | undefined {
    const place = this.#next;
    this.#next = place + 1 === this.#sizeMax ? 0 : place + 1;
    const { numbers } = this.#own(place >>> BLOCK_BITS);
    const at = place & (BLOCK_LENGTH - 1);
    const dropped = place < this.#size ? numbers[at] : undefined;
    numbers[at] = number;
    if (dropped === undefined) this.#size += 1;
    return dropped;
  }

  /** The numbers as they are now, oldest first, whatever becomes of the ring. */
  freeze(): Iterable<number> {
    this.#age += 1;
    const oldest = this.#size < this.#sizeMax ? 0 : this.#next;
    const [blocks, size] = [this.#blocks.slice(), this.#size];
    return { [Symbol.iterator]: () => inOrder(blocks, size, oldest) };
  }

  /** The block of this number, for changing. */
  #own(number: number): Block {
    const block = this.#blocks[number];
    if (block?.age === this.#age) return block;
    const own = { numbers: block?.numbers.slice() ?? [], age: this.#age };
    this.#blocks[number] = own;
    return own;
  }
}

function* inOrder(blocks: readonly Block[], size: number, oldest: number): Generator<number> {
  for (let i = 0; i < size; i += 1) {
    const place = (oldest + i) % size;
    yield blocks[place >>> BLOCK_BITS]?.numbers[place & (BLOCK_LENGTH - 1)] as number;
  }
}
