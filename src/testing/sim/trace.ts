import { hashText, hashToHex, mix } from '../../base/hash.ts';

/** What happened, as a hash over all of it; the lines themselves are kept only when somebody wants to read them. */
export class Trace {
  readonly lines: string[] = [];
  readonly #isKept: boolean;
  #hash = 0;

  constructor(isKept: boolean) {
    this.#isKept = isKept;
  }

  get hash(): string {
    return hashToHex(this.#hash);
  }

  /** Numbers, for what happens all the time. */
  step(...values: readonly number[]): void {
    this.#hash = mix(this.#hash, ...values);
  }

  say(now: number, text: string): void {
    this.#hash = hashText(text, mix(this.#hash, Math.floor(now * 1_000)));
    if (this.#isKept) this.lines.push(`${(now / 1_000).toFixed(4).padStart(10)} ${text}`);
  }
}
