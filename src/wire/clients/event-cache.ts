import { WATCH_CACHED_EVENT_BYTES_MAX, WATCH_CACHED_EVENTS_MAX } from '../../base/limits.ts';
import type { AlertEvent } from '../../statemachine/types.ts';
import { checksum } from '../checksum.ts';

interface Known {
  readonly bytes: Buffer;
  readonly event: AlertEvent;
}

/**
 * Events that were read not long ago, by their bytes: of many watches in one process most are told the same, and to compare
 * bytes costs a fraction of reading them.
 */
export class EventCache {
  /** The oldest first. Of two with one checksum, the newer stays. */
  readonly #known: Map<number, Known> = new Map();

  get size(): number {
    return this.#known.size;
  }

  /** What stands in `body` from `start` to `end`; `read` reads it if it is not known. */
  get(body: Uint8Array, start: number, end: number, read: () => AlertEvent): AlertEvent {
    if (end - start > WATCH_CACHED_EVENT_BYTES_MAX) return read();
    const sum = checksum(body, start, end);
    const known = this.#known.get(sum);
    if (known !== undefined && known.bytes.compare(body, start, end) === 0) return known.event;
    const event = read();
    this.#known.delete(sum);
    if (this.#known.size >= WATCH_CACHED_EVENTS_MAX) this.#forgetOldest();
    this.#known.set(sum, { bytes: Buffer.from(body.subarray(start, end)), event });
    return event;
  }

  #forgetOldest(): void {
    for (const sum of this.#known.keys()) {
      this.#known.delete(sum);
      return;
    }
  }
}
