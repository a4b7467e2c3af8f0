import { assert, must } from '../../base/assert.ts';
import { mix } from '../../base/hash.ts';
import { revision } from '../../base/ids.ts';
import { idNumber } from '../alerts/alert-id.ts';
import { type DisplayState, type Done, type Effect, isDone, type Reply } from '../types.ts';

/** What the first command under a key was, and what was answered. */
export interface FirstReply {
  readonly fingerprint: number;
  readonly reply: Reply;
}

const BLOCK_BITS = 9;
const BLOCK_LENGTH: number = 2 ** BLOCK_BITS;

/** What a block holds of each reply as a number; all but the first of replies about alerts only. */
const NUMBERS = 4;
const [FINGERPRINT, ALERT, ACTIVATION, REVISION] = [0, 1, 2, 3];

/**
 * A piece of the ring. Nearly all replies are about alerts, and of those it holds the fields and not the objects: a quarter
 * of a million of them, with all they refer to, would be most of what the collector of garbage has to look at.
 */
interface Block {
  readonly keys: string[];
  /** What was done about an alert, or any other reply. */
  readonly replies: (Effect | Exclude<Reply, Done>)[];
  /** The state of the alert then. */
  readonly states: (DisplayState | undefined)[];
  readonly numbers: Float64Array;
  /** The freezing before which it was made: an older one belongs to a view, and is copied before a change. */
  readonly age: number;
}

/** The replies as they were at one moment. */
export interface ReplyView {
  readonly size: number;
  /** In order of arrival. */
  entries(): Iterable<readonly [key: string, first: FirstReply]>;
}

/**
 * The newest first replies, by idempotency key. A ring in order of arrival, and an index into it
 * with open addressing (linear probing, deletion by shifting back; Knuth, The Art of Computer
 * Programming, vol. 3, 6.4, algorithm R). A `Map` of this size that gives up its oldest entry for
 * each new one spends more than the rest of a command, and stalls whenever it rehashes; this one
 * allocates its index once.
 *
 * The caller brings a hash of the key. `seed` decides where entries lie and nothing else: a secret
 * one keeps callers from choosing keys that all lie in one place.
 */
export class ReplyTable {
  readonly #blocks: Block[] = [];
  /** Hash of the key of each ring place; its lowest bits are the slot that the search for it begins at. */
  readonly #hashes: Uint32Array;
  /** Ring place + 1; 0 = empty. At most half are in use. */
  readonly #slots: Uint32Array;
  readonly #mask: number;
  readonly #seed: number;
  readonly #sizeMax: number;
  #next = 0;
  #size = 0;
  #age = 0;

  constructor(sizeMax: number, seed: number) {
    assert(Number.isSafeInteger(sizeMax), `bound is not an integer: ${sizeMax}`);
    assert(sizeMax >= 1 && sizeMax <= 2 ** 30, `bound of ${sizeMax} replies`);
    assert(Number.isSafeInteger(seed), `seed is not an integer: ${seed}`);
    let slots = 2;
    while (slots < sizeMax * 2) slots *= 2;
    this.#hashes = new Uint32Array(sizeMax);
    this.#slots = new Uint32Array(slots);
    this.#mask = slots - 1;
    this.#seed = seed;
    this.#sizeMax = sizeMax;
  }

  get size(): number {
    return this.#size;
  }

  get(key: string, keyHash: number): FirstReply | undefined {
    const hash = this.#hashOf(keyHash);
    for (let slot = hash & this.#mask; ; slot = (slot + 1) & this.#mask) {
      const place = (this.#slots[slot] as number) - 1;
      if (place < 0) return undefined;
      if (this.#hashes[place] !== hash) continue;
      const block = this.#blocks[place >>> BLOCK_BITS] as Block;
      const at = place & (BLOCK_LENGTH - 1);
      if (block.keys[at] === key) return read(block, at);
    }
  }

  /** Keeps the reply to a key that is not there; the oldest goes when the table is full. */
  add(key: string, keyHash: number, fingerprint: number, reply: Reply): void {
    const place = this.#next;
    this.#next = place + 1 === this.#sizeMax ? 0 : place + 1;
    if (place < this.#size) this.#remove(place);
    else this.#size += 1;
    write(this.#own(place >>> BLOCK_BITS), place & (BLOCK_LENGTH - 1), key, fingerprint, reply);
    const hash = this.#hashOf(keyHash);
    this.#hashes[place] = hash;
    let at = hash & this.#mask;
    while (this.#slots[at] !== 0) at = (at + 1) & this.#mask;
    this.#slots[at] = place + 1;
  }

  /** The replies as they are now; those that come later do not show. Costs a copy of the list of blocks. */
  freeze(): ReplyView {
    this.#age += 1;
    const blocks = this.#blocks.slice();
    const size = this.#size;
    const oldest = size < this.#sizeMax ? 0 : this.#next;
    return { size, entries: () => inOrder(blocks, size, oldest) };
  }

  /** The block of this number, for changing. */
  #own(number: number): Block {
    const block = this.#blocks[number];
    if (block?.age === this.#age) return block;
    const copy =
      block === undefined
        ? { keys: [], replies: [], states: [], numbers: new Float64Array(BLOCK_LENGTH * NUMBERS) }
        : {
            keys: block.keys.slice(),
            replies: block.replies.slice(),
            states: block.states.slice(),
            numbers: block.numbers.slice(),
          };
    const own: Block = { ...copy, age: this.#age };
    this.#blocks[number] = own;
    return own;
  }

  #hashOf(keyHash: number): number {
    return mix(keyHash, this.#seed) >>> 0;
  }

  /** Empties the slot of a ring place, and moves back whoever had to pass it by. */
  #remove(place: number): void {
    const mask = this.#mask;
    let hole = (this.#hashes[place] as number) & mask;
    while (this.#slots[hole] !== place + 1) hole = (hole + 1) & mask;
    for (let at = (hole + 1) & mask; this.#slots[at] !== 0; at = (at + 1) & mask) {
      const home = (this.#hashes[(this.#slots[at] as number) - 1] as number) & mask;
      if (((at - home) & mask) < ((at - hole) & mask)) continue; // its home is behind the hole
      this.#slots[hole] = this.#slots[at] as number;
      hole = at;
    }
    this.#slots[hole] = 0;
  }
}

function write(block: Block, at: number, key: string, fingerprint: number, reply: Reply): void {
  const { keys, replies, states, numbers } = block;
  const from = at * NUMBERS;
  keys[at] = key;
  numbers[from + FINGERPRINT] = fingerprint;
  if (!isDone(reply)) {
    replies[at] = reply;
    states[at] = undefined;
    return;
  }
  replies[at] = reply.effect;
  states[at] = reply.state;
  const { alertId } = reply;
  numbers[from + ALERT] = must(idNumber(alertId), 'not an alert id: %', alertId);
  numbers[from + ACTIVATION] = reply.activation;
  numbers[from + REVISION] = reply.revision;
}

function read({ replies, states, numbers }: Block, at: number): FirstReply {
  const from = at * NUMBERS;
  const fingerprint = numbers[from + FINGERPRINT] as number;
  const effect = replies[at] as Block['replies'][0];
  if (typeof effect !== 'string') return { fingerprint, reply: effect };
  const reply: Done = {
    ok: true,
    effect,
    alertId: `A${numbers[from + ALERT] as number}`,
    activation: numbers[from + ACTIVATION] as number,
    revision: revision(numbers[from + REVISION] as number),
    state: states[at] as DisplayState,
  };
  return { fingerprint, reply };
}

function* inOrder(
  blocks: readonly Block[],
  size: number,
  oldest: number,
): Generator<readonly [string, FirstReply]> {
  for (let i = 0; i < size; i += 1) {
    const place = (oldest + i) % size;
    const block = blocks[place >>> BLOCK_BITS] as Block;
    const at = place & (BLOCK_LENGTH - 1);
    yield [block.keys[at] as string, read(block, at)];
  }
}
