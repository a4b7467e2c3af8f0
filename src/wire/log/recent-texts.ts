const SLOTS = 512;

/**
 * Short texts that recur, so that each is not made anew whenever it is read: what was read last of those that share a slot. One belongs to
 * each packer, not to each item that is read.
 */
export class RecentTexts {
  readonly #slots: string[] = new Array<string>(SLOTS).fill('');

  /** The text in the bytes `from` … `to`, all of them ASCII. */
  of(bytes: Buffer, from: number, to: number): string {
    let hash = to - from;
    for (let i = from; i < to; i += 1) hash = (Math.imul(hash, 31) + (bytes[i] as number)) | 0;
    const slot = (hash ^ (hash >>> 16)) & (SLOTS - 1);
    const there = this.#slots[slot] as string;
    if (isThere(there, bytes, from, to)) return there;
    const text = bytes.toString('latin1', from, to);
    this.#slots[slot] = text;
    return text;
  }
}

function isThere(text: string, bytes: Buffer, from: number, to: number): boolean {
  if (text.length !== to - from) return false;
  for (let i = 0; i < text.length; i += 1) if (text.charCodeAt(i) !== bytes[from + i]) return false;
  return true;
}
