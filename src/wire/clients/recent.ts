import { CLIENT_RECENT_BYTES_MAX } from '../../base/limits.ts';
import { checksum } from '../checksum.ts';

interface Known<T> {
  readonly bytes: Buffer;
  readonly value: T;
}

/**
 * What was read not long ago, by its bytes: many watches in one process are told the same, and who asks again mostly finds
 * things as they were. To compare bytes costs a fraction of reading them. Whoever gets a value shares it with others.
 */
export class Recent<T> {
  readonly #countMax: number;
  /** The oldest first. Of two with one checksum, the newer stays. */
  readonly #known: Map<number, Known<T>> = new Map();

  constructor(countMax: number) {
    this.#countMax = countMax;
  }

  get size(): number {
    return this.#known.size;
  }

  /** What stands in `body` from `start` to `end`; `read` reads it if it is not known. */
  get(body: Uint8Array, start: number, end: number, read: () => T): T {
    if (end - start > CLIENT_RECENT_BYTES_MAX) return read();
    const sum = checksum(body, start, end);
    const known = this.#known.get(sum);
    if (known !== undefined && known.bytes.compare(body, start, end) === 0) return known.value;
    const value = read();
    this.#known.delete(sum);
    if (this.#known.size >= this.#countMax) this.#forgetOldest();
    this.#known.set(sum, { bytes: Buffer.from(body.subarray(start, end)), value });
    return value;
  }

  #forgetOldest(): void {
    for (const sum of this.#known.keys()) {
      this.#known.delete(sum);
      return;
    }
  }
}
