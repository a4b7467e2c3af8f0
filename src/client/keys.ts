import type { UnixMillis } from '../base/ids.ts';
import { writeU64 } from '../wire/bytes.ts';
import { KEY_BYTES } from '../wire/commands/commands.ts';

const PREFIX_BYTES = 8;
/** Hex digits of the milliseconds since 1970: enough for the next 8,000 years. */
const TIME_DIGITS = 12;

/** Idempotency keys for commands whose caller gives none: what is random is drawn once, then a counter runs. */
export class KeySource {
  readonly #prefix: Uint8Array;
  #drawn = 0;

  constructor(prefix: Uint8Array) {
    this.#prefix = prefix.slice(0, PREFIX_BYTES);
  }

  next(): Uint8Array {
    const key = Buffer.allocUnsafe(KEY_BYTES);
    key.set(this.#prefix);
    writeU64(key, PREFIX_BYTES, this.#drawn);
    this.#drawn += 1;
    return key;
  }

  /** One as a text: such texts sort as the times at which they were made. */
  nextText(now: UnixMillis): string {
    const time = now.toString(16).padStart(TIME_DIGITS, '0');
    return time + Buffer.from(this.next()).toString('hex');
  }
}
