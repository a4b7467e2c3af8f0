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
    assert(last > (this.#last.at(-1) ?? 0), 'append up to % was sent before', last);
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
 * What the leader knows of one peer, itself included. Always: match < next; and match falls only if the peer's disk forgot.
 *
 *   ┌─────────┐ ◄─── refused, unreachable ───  ┌───────────┐
 *   │  probe  │ ─── a probe is accepted ─────► │ replicate │
 *   └─────────┘                                └───────────┘
 *        │  what it lacks is compacted               ▲
 *        ▼                                           │
 *   ┌──────────┐      it holds the snapshot          │
 *   │ snapshot │ ────────────────────────────────────┘
 *   └──────────┘
 *
 * Probe: one append at a time, to find where the logs agree. Replicate: appends in a window, `next` runs ahead of
 * `match`. Snapshot: one offer at a time, until the peer holds what was offered.
 */
export class Progress {
  /** Up to here the peer is known to hold the leader's log, durably. */
  match: LogIndex = logIndex(0);
  /** The first entry of the next append. */
  next: LogIndex;
  state: 'probe' | 'replicate' | 'snapshot' = 'probe';
  /** A probe or an offer is on its way: wait for the answer, or for a heartbeat's. */
  probing = false;
  /**
   * Whether the next heartbeat's answer may repeat what seems lost. Reads cause heartbeats by the thousand, and each
   * would send a slow peer the same megabyte again; so it is once a heartbeat interval.
   */
  retryDue = false;
  /** Entries that memory no longer holds are being read for this peer. */
  readPending = false;
  /** The leader's tick at which the peer was last heard. */
  heardAt: number = Number.NEGATIVE_INFINITY;
  /** It would not take the lead, as it said last. */
  declines = false;
  /** The leader's clock when it sent the newest heartbeat that the peer has answered. */
  confirmedAt = 0;
  /** A beat of the peer and the leader's clock when it came in, waiting for a quorum to confirm a later heartbeat. */
  beat = 0;
  beatAt = 0;
  /** Heartbeats in a row at which the peer kept up. */
  roundsNear = 0;
  /** The highest commit index this peer was told. */
  commitTold: LogIndex = logIndex(0);
  /** The newest read round the peer has confirmed. */
  round = 0;
  /** The snapshot that the peer is to fetch; of use in that state only. */
  offered: LogIndex = logIndex(0);
  readonly window: Window;

  constructor(next: LogIndex, window: Window) {
    this.next = next;
    this.window = window;
  }

  get paused(): boolean {
    return this.readPending || (this.state === 'replicate' ? this.window.full : this.probing);
  }

  becomeProbe(next: LogIndex): void {
    assert(next > this.match, `probing from ${next}, though ${this.match} is known to match`);
    this.state = 'probe';
    this.probing = false;
    this.next = next;
    this.window.clear();
  }

  /** The log no longer holds `next`: a snapshot up to `offered` is offered instead. */
  becomeSnapshot(offered: LogIndex): void {
    assert(offered >= this.next, `offering ${offered}, though ${this.next} is what lacks`);
    this.state = 'snapshot';
    this.offered = offered;
    this.probing = true;
    this.window.clear();
  }

  /** The peer has forgotten what it held beyond `index`. To believe less than is true is never wrong. */
  revert(index: LogIndex): void {
    if (index < this.match) this.match = index;
    this.becomeProbe(logIndex(this.match + 1));
  }

  /** The peer holds everything up to `index`. False if that was known. */
  accept(index: LogIndex): boolean {
    const news = index > this.match;
    if (news) this.match = index;
    if (this.next <= index) this.next = logIndex(index + 1);
    this.window.freeTo(index);
    const found = this.state === 'probe' ? news || index >= this.next - 1 : index >= this.offered;
    if (this.state !== 'replicate' && found) {
      this.state = 'replicate';
      this.next = logIndex(this.match + 1);
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
