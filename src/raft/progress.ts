import { assert } from '../base/assert.ts';
import { type LogIndex, logIndex } from '../base/ids.ts';

/** Appends sent to one peer and not yet answered. When full, the leader waits; nothing queues. */
export class Window {
  readonly #last: number[] = [];
  readonly #bytes: number[] = [];
  readonly #countMax: number;
  readonly #bytesMax: number;
  #bytesNow = 0;

  constructor(countMax: number, bytesMax: number) {
    this.#countMax = countMax;
    this.#bytesMax = bytesMax;
  }

  get full(): boolean {
    return this.#last.length >= this.#countMax || this.#bytesNow >= this.#bytesMax;
  }
  get count(): number {
    return this.#last.length;
  }

  add(last: LogIndex, bytes: number): void {
    assert(!this.full, 'sent past a full window');
    assert(last > (this.#last.at(-1) ?? 0), `append up to ${last} was sent before`);
    this.#last.push(last);
    this.#bytes.push(bytes);
    this.#bytesNow += bytes;
  }

  /** Everything up to `index` has been answered. */
  freeTo(index: LogIndex): void {
    while (this.#last.length > 0 && (this.#last[0] as number) <= index) this.#freeFirst();
  }

  clear(): void {
    while (this.#last.length > 0) this.#freeFirst();
  }

  #freeFirst(): void {
    this.#last.shift();
    this.#bytesNow -= this.#bytes.shift() as number;
  }
}

/**
 * What the leader knows of one peer, itself included. Always: match < next.
 *
 *              accepted                      an answer to a probe is accepted
 *   ┌─────────┐ ◄────── refused, unreachable ┌───────────┐
 *   │  probe  │ ───────────────────────────► │ replicate │
 *   └─────────┘                              └───────────┘
 *   one append at a time,                    appends in a window, `next` runs ahead
 *   to find where the logs agree             of `match`
 */
export class Progress {
  /** Up to here the peer is known to hold the leader's log, durably. */
  match: LogIndex = logIndex(0);
  /** The first entry of the next append. */
  next: LogIndex;
  state: 'probe' | 'replicate' = 'probe';
  /** A probe is on its way: wait for the answer, or for a heartbeat's. */
  probing = false;
  /**
   * Whether the next heartbeat's answer may repeat what seems lost. Reads cause heartbeats by the thousand, and each
   * would send a slow peer the same megabyte again; so it is once a heartbeat interval.
   */
  retryDue = false;
  /** Entries that memory no longer holds are being read for this peer. */
  readPending = false;
  /** Heard from since the last quorum check. */
  active = false;
  /** The highest commit index this peer was told. */
  commitTold: LogIndex = logIndex(0);
  /** The newest read round the peer has confirmed. */
  round = 0;
  readonly window: Window;

  constructor(next: LogIndex, window: Window) {
    this.next = next;
    this.window = window;
  }

  get paused(): boolean {
    return this.readPending || (this.state === 'probe' ? this.probing : this.window.full);
  }

  becomeProbe(next: LogIndex): void {
    assert(next > this.match, `probing from ${next}, though ${this.match} is known to match`);
    this.state = 'probe';
    this.probing = false;
    this.next = next;
    this.window.clear();
  }

  /** The peer holds everything up to `index`. False if that was known. */
  accept(index: LogIndex): boolean {
    const news = index > this.match;
    if (news) this.match = index;
    if (this.next <= index) this.next = logIndex(index + 1);
    this.window.freeTo(index);
    if (this.state === 'probe' && (news || index >= this.next - 1)) {
      this.state = 'replicate';
      this.next = logIndex(this.match + 1);
      this.probing = false;
    }
    return news;
  }

  sent(last: LogIndex, bytes: number): void {
    if (this.state === 'probe') {
      this.probing = true;
      return;
    }
    this.next = logIndex(last + 1);
    this.window.add(last, bytes);
  }
}
