import { closeSync, openSync, readSync } from 'node:fs';

const SPACE = 0x20;
const ZERO = 0x30;
const NINE = 0x39;

/**
 * What the kernel tells of the thread that made it: how long it ran, and how long it stood ready without a core (the first
 * two figures of schedstat, proc(5)). Linux alone knows; elsewhere both stay zero. A look takes some microseconds and
 * allocates nothing.
 */
export class ThreadTimes {
  ranNs = 0;
  waitedNs = 0;
  #file: number | undefined;
  readonly #text = new Uint8Array(64);

  constructor() {
    try {
      this.#file = openSync('/proc/thread-self/schedstat', 'r');
    } catch {
      return;
    }
    this.look();
  }

  /** Brings the figures up to date. */
  look(): void {
    if (this.#file === undefined) return;
    const text = this.#text;
    let length: number;
    try {
      length = readSync(this.#file, text, 0, text.length, 0);
    } catch {
      // A figure is not worth a thread: from now on it stays what it is.
      this.close();
      return;
    }
    let at = 0;
    let ran = 0;
    for (; at < length && isDigit(text[at]); at += 1) ran = ran * 10 + (text[at] as number) - ZERO;
    if (text[at] === SPACE) at += 1;
    let waited = 0;
    for (; at < length && isDigit(text[at]); at += 1)
      waited = waited * 10 + (text[at] as number) - ZERO;
    this.ranNs = ran;
    this.waitedNs = waited;
  }

  close(): void {
    if (this.#file !== undefined) closeSync(this.#file);
    this.#file = undefined;
  }
}

const isDigit = (byte: number | undefined): boolean =>
  byte !== undefined && byte >= ZERO && byte <= NINE;
