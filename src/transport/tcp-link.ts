import type { Socket } from 'node:net';
import { assert } from '../base/assert.ts';
import type { Clock } from '../base/clock.ts';
import { READ_BYTES_PER_TURN_MAX } from '../base/limits.ts';
import type { Link, LinkEvents } from './link.ts';
import { type RawConnection, socketOf } from './tcp-library.ts';

/** What Node reads at once. As long as a read is this full it reads on in the same turn, up to 2 MiB. */
const FULL_READ_BYTES = 64 * 1024;

/** A TCP connection as a link. */
export class TcpLink implements Link {
  readonly remoteAddress: string;
  readonly #connection: RawConnection;
  readonly #socket: Socket;
  readonly #clock: Clock;
  #events: LinkEvents | undefined;
  #released = false;
  #paused = false;
  /** Of the full reads one after another. */
  #readBytes = 0;

  constructor(connection: RawConnection, clock: Clock) {
    this.#clock = clock;
    this.remoteAddress = connection.remoteAddr.toString();
    this.#connection = connection;
    this.#socket = socketOf(connection);
  }

  get unsentBytes(): number {
    return this.#connection.writeBufferLength + this.#socket.writableLength;
  }

  get full(): boolean {
    return this.#connection.writableNeedsDrain;
  }

  attach(events: LinkEvents): void {
    assert(this.#events === undefined, 'a link has one user');
    this.#events = events;
    const connection = this.#connection;
    connection.addEventListener('message', ({ data }) => {
      if (data instanceof Uint8Array) this.#received(data);
      else for (const chunk of data) this.#received(chunk);
    });
    connection.addEventListener('drain', () => {
      if (!this.#released) events.drained();
    });
    connection.addEventListener('close', ({ error }) => {
      if (!this.#released) events.ended(error);
    });
  }

  write(bytes: Uint8Array): void {
    if (this.#released) return;
    assert(!this.full, 'written to a full link');
    this.#connection.send(bytes);
  }

  pause(): void {
    this.#paused = true;
    if (!this.#released) this.#connection.pause();
  }

  resume(): void {
    this.#paused = false;
    if (!this.#released) this.#connection.resume();
  }

  end(): void {
    // The library's close would destroy the socket once all is written; unread bytes would then make the system send a
    // reset, and the last frame, which tells the other side why, could be lost with it.
    if (!this.#released) this.#socket.end();
  }

  destroy(): void {
    if (this.#released) return;
    this.#released = true;
    this.#connection.abort(RELEASED);
    this.#socket.destroy();
  }

  #received(chunk: Uint8Array): void {
    if (this.#released) return;
    this.#events?.received(chunk);
    this.#readBytes = chunk.byteLength < FULL_READ_BYTES ? 0 : this.#readBytes + chunk.byteLength;
    if (this.#readBytes >= READ_BYTES_PER_TURN_MAX) this.#rest();
  }

  /** What has come beyond that is read in the next turn. */
  #rest(): void {
    this.#readBytes = 0;
    this.#socket.pause();
    this.#clock.soon(() => {
      if (!this.#released && !this.#paused) this.#socket.resume();
    });
  }
}

const RELEASED = new Error('released by this side');
