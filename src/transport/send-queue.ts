import { SEND_SLAB_BYTES_MAX, SEND_SLAB_BYTES_MIN, SEND_WHOLE_BYTES_MIN } from '../base/limits.ts';
import type { Link } from './link.ts';

/**
 * What a channel is about to send. Small parts are copied into slabs as they come, so that a thousand small frames cost
 * a few writes, and hold no memory beyond their bytes while they wait. A written stretch of a slab is never reused.
 */
export class SendQueue {
  readonly #link: Link;
  readonly #chunks: Uint8Array[] = [];
  #chunkBytes = 0;
  #slab: Uint8Array = new Uint8Array(0);
  /** The stretch of the slab that belongs to no chunk yet. */
  #openFrom = 0;
  #openTo = 0;

  constructor(link: Link) {
    this.#link = link;
  }

  /** Not handed to the link yet. */
  get byteLength(): number {
    return this.#chunkBytes + this.#openTo - this.#openFrom;
  }

  add(part: Uint8Array): void {
    const bytes = part.byteLength;
    if (bytes >= SEND_WHOLE_BYTES_MIN) {
      this.#seal();
      this.#push(part);
      return;
    }
    if (bytes > this.#slab.byteLength - this.#openTo) {
      this.#seal();
      this.#renewSlab(bytes);
    }
    this.#slab.set(part, this.#openTo);
    this.#openTo += bytes;
  }

  /** Hands over as much as the link takes. */
  flush(): void {
    this.#seal();
    while (this.#chunks.length > 0 && !this.#link.full) {
      const chunk = this.#chunks.shift() as Uint8Array;
      this.#chunkBytes -= chunk.byteLength;
      this.#link.write(chunk);
    }
  }

  clear(): void {
    this.#chunks.length = 0;
    this.#chunkBytes = 0;
    this.#slab = new Uint8Array(0);
    this.#openFrom = 0;
    this.#openTo = 0;
  }

  #seal(): void {
    if (this.#openTo === this.#openFrom) return;
    this.#push(this.#slab.subarray(this.#openFrom, this.#openTo));
    this.#openFrom = this.#openTo;
  }

  #push(chunk: Uint8Array): void {
    this.#chunks.push(chunk);
    this.#chunkBytes += chunk.byteLength;
  }

  /** Each slab is twice the one before: a quiet connection keeps little, a busy one allocates seldom. */
  #renewSlab(bytes: number): void {
    const wanted = Math.min(this.#slab.byteLength * 2, SEND_SLAB_BYTES_MAX);
    this.#slab = Buffer.allocUnsafeSlow(Math.max(wanted, SEND_SLAB_BYTES_MIN, bytes));
    this.#openFrom = 0;
    this.#openTo = 0;
  }
}
