import type { Socket } from 'node:net';
import { assert } from '../base/assert.ts';
import type { Link, LinkEvents } from './link.ts';
import { type RawConnection, socketOf } from './tcp-library.ts';

/** A TCP connection as a link. */
export class TcpLink implements Link {
  readonly remoteAddress: string;
  readonly #connection: RawConnection;
  readonly #socket: Socket;
  #events: LinkEvents | undefined;
  #released = false;

  constructor(connection: RawConnection) {
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
    if (!this.#released) this.#connection.pause();
  }

  resume(): void {
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
    if (!this.#released) this.#events?.received(chunk);
  }
}

const RELEASED = new Error('released by this side');
