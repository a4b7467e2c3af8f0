import { TocsinError } from '../../base/errors.ts';
import type { Batch, Database, KeyRange } from './level.ts';

/** What a database in memory holds: outlives those who use it, as a disk does. */
export class MemoryContents {
  /** In order. */
  readonly #keys: string[] = [];
  readonly #pairs: Map<string, Pair> = new Map();

  get(key: Uint8Array): Uint8Array | undefined {
    return this.#pairs.get(textOf(key))?.[1];
  }

  /** Puts back what is there now. */
  remember(): () => void {
    const keys = [...this.#keys];
    const pairs = [...this.#pairs];
    return () => {
      this.#keys.splice(0, this.#keys.length, ...keys);
      this.#pairs.clear();
      for (const [name, pair] of pairs) this.#pairs.set(name, pair);
    };
  }

  /** No value = the key goes. */
  set(key: Uint8Array, value: Uint8Array | undefined): void {
    const text = textOf(key);
    const isThere = this.#pairs.has(text);
    if (value === undefined) {
      if (isThere) this.#keys.splice(this.#placeOf(text), 1);
      this.#pairs.delete(text);
    } else {
      if (!isThere) this.#keys.splice(this.#placeOf(text), 0, text);
      this.#pairs.set(text, [key, value]);
    }
  }

  keysIn(range: KeyRange): Uint8Array[] {
    return this.pairsOf(this.namesIn(range)).map(([key]) => key);
  }

  /** The keys in this range, as names for `pairsOf`. */
  namesIn({ gte, lt, lte, reverse }: KeyRange): string[] {
    const from = this.#placeOf(textOf(gte));
    const to = lt === undefined ? this.#behind(lte) : this.#placeOf(textOf(lt));
    const names = this.#keys.slice(from, to);
    return reverse === true ? names.reverse() : names;
  }

  /** What is there of them now. */
  pairsOf(names: readonly string[]): Pair[] {
    const pairs: Pair[] = [];
    for (const name of names) {
      const pair = this.#pairs.get(name);
      if (pair !== undefined) pairs.push(pair);
    }
    return pairs;
  }

  #behind(key: Uint8Array | undefined): number {
    if (key === undefined) return this.#keys.length;
    const place = this.#placeOf(textOf(key));
    return this.#pairs.has(textOf(key)) ? place + 1 : place;
  }

  /** Of the first key that is not before `text`. */
  #placeOf(text: string): number {
    let low = 0;
    let high = this.#keys.length;
    while (low < high) {
      const middle = (low + high) >>> 1;
      if ((this.#keys[middle] as string) < text) low = middle + 1;
      else high = middle;
    }
    return low;
  }
}

type Pair = [key: Uint8Array, value: Uint8Array];

const textOf = ({ buffer, byteOffset, byteLength }: Uint8Array): string =>
  Buffer.from(buffer, byteOffset, byteLength).toString('latin1');

/** What a batch asks for; a value that is undefined deletes the key. */
export type Change = readonly [key: Uint8Array, value: Uint8Array | undefined];

/** One opening of a database in memory. */
export class MemoryDatabase implements Database {
  readonly #contents: MemoryContents;
  readonly #write: (changes: readonly Change[], sync: boolean) => Promise<void>;
  readonly #closed: () => void;
  #isOpen = true;

  /** `write` does, or does not do, what a batch asks for. */
  constructor(
    contents: MemoryContents,
    write: (changes: readonly Change[], sync: boolean) => Promise<void>,
    closed: () => void,
  ) {
    this.#contents = contents;
    this.#write = write;
    this.#closed = closed;
  }

  async get(key: Uint8Array): Promise<Uint8Array | undefined> {
    this.#mustBeOpen();
    return this.#contents.get(key);
  }

  async put(key: Uint8Array, value: Uint8Array): Promise<void> {
    this.#mustBeOpen();
    this.#contents.set(key, value);
  }

  async del(key: Uint8Array): Promise<void> {
    this.#mustBeOpen();
    this.#contents.set(key, undefined);
  }

  batch(): Batch {
    const changes: Change[] = [];
    return {
      put: (key, value) => changes.push([key, value]),
      del: (key) => changes.push([key, undefined]),
      write: ({ sync }) => {
        this.#mustBeOpen();
        return this.#write(changes, sync);
      },
    };
  }

  iterator(range: KeyRange): ReturnType<Database['iterator']> {
    this.#mustBeOpen();
    const names = this.#contents.namesIn(range);
    let at = 0;
    return {
      nextv: async (count) => {
        this.#mustBeOpen();
        const page = names.slice(at, at + count);
        at += page.length;
        return this.#contents.pairsOf(page);
      },
      close: async () => undefined,
    };
  }

  keys(range: KeyRange & { readonly limit: number }): ReturnType<Database['keys']> {
    return { all: async () => this.#contents.keysIn(range).slice(0, range.limit) };
  }

  async clear(range: KeyRange): Promise<void> {
    this.#mustBeOpen();
    for (const key of this.#contents.keysIn(range)) this.#contents.set(key, undefined);
  }

  async close(): Promise<void> {
    if (!this.#isOpen) return;
    this.#isOpen = false;
    this.#closed();
  }

  /** The process that had it open is dead: whatever it still asks for does not happen. */
  die(): void {
    this.#isOpen = false;
  }

  #mustBeOpen(): void {
    if (!this.#isOpen) throw new TocsinError('CLOSED', 'the log store is closed');
  }
}
