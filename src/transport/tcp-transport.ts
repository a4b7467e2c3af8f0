import { must } from '../base/assert.ts';
import type { Clock } from '../base/clock.ts';
import { TocsinError } from '../base/errors.ts';
import { millis } from '../base/ids.ts';
import {
  CLOSE_MS_MAX,
  CONNECTIONS_MAX,
  HANDSHAKE_MS_MAX,
  UNFINISHED_BYTES_MAX,
} from '../base/limits.ts';
import type { Hello } from '../wire/handshake.ts';
import { parseTcpAddress, type TcpAddress } from './address.ts';
import { Doorman, type Room } from './doorman.ts';
import { cancelled, type IntroductionOptions, introduce } from './introduction.ts';
import { SystemClock } from './system-clock.ts';
import { openLibrary, type TcpLibrary, upgrader } from './tcp-library.ts';
import { TcpLink } from './tcp-link.ts';
import type { Accept, Channel, Expected, Listener, Transport } from './types.ts';

export interface TcpTransportOptions {
  /** @defaultValue the machine's */
  readonly clock?: Clock;
  /** How long the other side may take to answer, and again to introduce itself. @defaultValue HANDSHAKE_MS_MAX */
  readonly handshakeMsMax?: number;
  /** How long a closed connection may take to hand over what is queued. @defaultValue CLOSE_MS_MAX */
  readonly closeMsMax?: number;
  /** Connections that one listener lets in. @defaultValue CONNECTIONS_MAX */
  readonly connectionsMax?: number;
  /** Of frames that the clients of one listener have begun to send. @defaultValue UNFINISHED_BYTES_MAX */
  readonly unfinishedBytesMax?: number;
}

/** Connections over @libp2p/tcp, plain and without a muxer. */
export class TcpTransport implements Transport {
  readonly #options: IntroductionOptions;
  readonly #room: Room;
  readonly #library: TcpLibrary;

  constructor(options: TcpTransportOptions = {}) {
    this.#options = {
      clock: options.clock ?? new SystemClock(),
      handshakeMsMax: millis(options.handshakeMsMax ?? HANDSHAKE_MS_MAX),
      closeMsMax: millis(options.closeMsMax ?? CLOSE_MS_MAX),
    };
    this.#room = {
      connectionsMax: options.connectionsMax ?? CONNECTIONS_MAX,
      unfinishedBytesMax: options.unfinishedBytesMax ?? UNFINISHED_BYTES_MAX,
    };
    this.#library = openLibrary(this.#room.connectionsMax);
  }

  async listen(address: string, self: Hello, accept: Accept): Promise<Listener> {
    const where = parseTcpAddress(address);
    const doorman = new Doorman(self, accept, this.#room, this.#options);
    const server = this.#library.createListener({
      upgrader: upgrader((connection) =>
        doorman.meet(new TcpLink(connection, this.#options.clock)),
      ),
    });
    try {
      await server.listen(where.multiaddr);
    } catch (error) {
      throw listenFailure(address, error);
    }
    const [taken] = server.getAddrs();
    const { port } = parseTcpAddress(must(taken, 'a listener without an address').toString());
    return {
      address: `${where.host}/tcp/${port}`,
      close: async () => {
        // In this order: the library cuts off whatever is still connected.
        await doorman.close();
        await server.close();
      },
    };
  }

  async dial(
    address: string,
    self: Hello,
    signal: AbortSignal,
    expect: Expected = {},
  ): Promise<Channel> {
    const link = await this.#connect(parseTcpAddress(address), signal);
    return introduce(link, self, expect, signal, this.#options);
  }

  async #connect(where: TcpAddress, signal: AbortSignal): Promise<TcpLink> {
    if (signal.aborted) throw cancelled(signal);
    const given = new AbortController();
    const giveUp = (): void => given.abort();
    const timer = this.#options.clock.after(this.#options.handshakeMsMax, giveUp);
    signal.addEventListener('abort', giveUp);
    let link: TcpLink | undefined;
    try {
      await this.#library.dial(where.multiaddr, {
        upgrader: upgrader((connection) => {
          link = new TcpLink(connection, this.#options.clock);
        }),
        signal: given.signal,
      });
    } catch (error) {
      if (signal.aborted) throw cancelled(signal);
      throw dialFailure(where, given.signal.aborted ? 'no answer in time' : reasonOf(error), error);
    } finally {
      timer.cancel();
      signal.removeEventListener('abort', giveUp);
    }
    return must(link, 'a connection that the upgrader did not see');
  }
}

function listenFailure(address: string, error: unknown): TocsinError {
  const inUse = error instanceof Error && 'code' in error && error.code === 'EADDRINUSE';
  if (inUse)
    return new TocsinError('ADDRESS_IN_USE', `${address} is taken by another process`, {
      cause: error,
    });
  return new TocsinError('BAD_ADDRESS', `cannot listen on ${address}: ${reasonOf(error)}`, {
    cause: error,
  });
}

const dialFailure = (where: TcpAddress, why: string, cause: unknown): TocsinError =>
  new TocsinError('CONNECTION_LOST', `cannot reach ${where.multiaddr}: ${why}`, { cause });

/** The code of the operating system says all; what libraries put around it names the address again and again. */
function reasonOf(error: unknown): string {
  if (!(error instanceof Error)) return String(error);
  const code = 'code' in error ? error.code : undefined;
  return typeof code === 'string' && /^E(?!RR_)[A-Z0-9_]+$/.test(code) ? code : error.message;
}
