import { assert } from '../base/assert.ts';
import type { Link, LinkEvents } from './link.ts';

/** Bytes on their way that make a link full, about as much as a socket takes in. */
const WINDOW_BYTES = 64 * 1024;

/** What the network decides about one direction between two hosts. */
export interface Path {
  /** Runs the task when what is sent now has arrived; tasks of one path run in the order of the calls. */
  readonly carry: (task: () => void) => void;
  readonly isCut: () => boolean;
}

type Parcel = Uint8Array | 'end' | 'reset';

/** Two links, each the other's far end. Bytes are copied on the way, as a real network would. */
export function memoryLinkPair(
  [near, far]: readonly [near: string, far: string],
  [there, back]: readonly [there: Path, back: Path],
): readonly [MemoryLink, MemoryLink] {
  const dialler = new MemoryLink(far, there);
  const listener = new MemoryLink(near, back);
  dialler.join(listener);
  listener.join(dialler);
  return [dialler, listener];
}

/** One end of a connection in memory. */
export class MemoryLink implements Link {
  readonly remoteAddress: string;
  readonly #path: Path;
  #peer: MemoryLink | undefined;
  #events: LinkEvents | undefined;
  /** Sent by this end, not yet taken by the other; the first `#arrived` of them are there. */
  #parcels: Parcel[] = [];
  #arrived = 0;
  #stepping = false;
  #unsentBytes = 0;
  #full = false;
  #paused = false;
  #farEnded = false;
  #severed = false;
  #released = false;

  constructor(remoteAddress: string, path: Path) {
    this.remoteAddress = remoteAddress;
    this.#path = path;
  }

  get unsentBytes(): number {
    return this.#unsentBytes;
  }

  get full(): boolean {
    return this.#full;
  }

  get released(): boolean {
    return this.#released;
  }

  join(peer: MemoryLink): void {
    this.#peer = peer;
  }

  attach(events: LinkEvents): void {
    assert(this.#events === undefined, 'a link has one user');
    this.#events = events;
    this.#peer?.retry();
  }

  write(bytes: Uint8Array): void {
    if (this.#released) return;
    assert(!this.#full, 'written to a full link');
    this.#unsentBytes += bytes.byteLength;
    if (this.#unsentBytes >= WINDOW_BYTES) this.#full = true;
    this.#send(bytes.slice());
  }

  pause(): void {
    this.#paused = true;
  }

  resume(): void {
    this.#paused = false;
    this.#peer?.retry();
  }

  end(): void {
    if (!this.#released) this.#send('end');
  }

  destroy(): void {
    if (this.#released) return;
    this.#released = true;
    this.#clear();
    this.#send(this.#farEnded ? 'end' : 'reset');
    this.#peer?.retry();
  }

  /** The network lost the connection: this end is told, and can send nothing any more. */
  sever(): void {
    this.#severed = true;
    this.#clear();
    this.#path.carry(() => this.#end(new Error('connection reset')));
  }

  /** Delivers what has arrived, if a cut or a pause that held it is over. */
  retry(): void {
    if (this.#stepping || this.#arrived === 0 || !this.#passable()) return;
    this.#stepping = true;
    queueMicrotask(() => this.#step());
  }

  #send(parcel: Parcel): void {
    if (this.#severed) return;
    this.#parcels.push(parcel);
    this.#path.carry(() => {
      if (this.#arrived < this.#parcels.length) this.#arrived += 1;
      this.retry();
    });
  }

  #passable(): boolean {
    return !this.#path.isCut() && this.#peer !== undefined && this.#peer.#willing();
  }

  /** An end that was let go takes everything, and drops it. */
  #willing(): boolean {
    return this.#released || (this.#events !== undefined && !this.#paused);
  }

  /** One parcel at a time: what it sets off may pause, cut or let go before the next. */
  #step(): void {
    this.#stepping = false;
    if (this.#arrived === 0 || !this.#passable()) return;
    const parcel = this.#parcels.shift();
    this.#arrived -= 1;
    this.retry();
    if (parcel === undefined) return;
    this.#account(parcel);
    const peer = this.#peer;
    if (peer !== undefined) peer.#take(parcel);
  }

  #account(parcel: Parcel): void {
    if (typeof parcel === 'string') return;
    this.#unsentBytes -= parcel.byteLength;
    if (!this.#full || this.#unsentBytes > 0) return;
    this.#full = false;
    this.#path.carry(() => {
      if (!this.#released) this.#events?.drained();
    });
  }

  #take(parcel: Parcel): void {
    if (this.#released || this.#severed || this.#farEnded) return;
    if (parcel === 'end') this.#end(undefined);
    else if (parcel === 'reset') this.#end(new Error('connection reset'));
    else this.#events?.received(parcel);
  }

  #end(reason: Error | undefined): void {
    if (this.#released || this.#farEnded) return;
    this.#farEnded = true;
    this.#events?.ended(reason);
  }

  #clear(): void {
    this.#parcels = [];
    this.#arrived = 0;
    this.#unsentBytes = 0;
  }
}
