import { writeU64 } from '../wire/bytes.ts';
import { KEY_BYTES } from '../wire/commands.ts';

const PREFIX_BYTES = 8;

/** Idempotency keys for commands whose caller gives none: what is random is drawn once, then a counter runs. */
export class KeySource {
  readonly #prefix: Uint8Array;
  #drawn = 0;

  constructor(prefix: Uint8Array) {
    this.#prefix = prefix;
  }

  next(): Uint8Array {
    const key = new Uint8Array(KEY_BYTES);
    key.set(this.#prefix.subarray(0, PREFIX_BYTES));
    writeU64(key, PREFIX_BYTES, this.#drawn);
    this.#drawn += 1;
    return key;
  }
}
