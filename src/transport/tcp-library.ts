import './polyfill.ts';
// Node loads it when the first listener opens, in the turn in which a replica can first be reached.
import 'node:dns';
import { Socket } from 'node:net';
import { tcp } from '@libp2p/tcp';
import { assert, BugError } from '../base/assert.ts';
import { CONNECTIONS_REFUSED_MAX } from '../base/limits.ts';

/** The one door to @libp2p/tcp: what we use of it, set up as we need it. */

export type TcpLibrary = ReturnType<ReturnType<typeof tcp>>;
type Upgrader = Parameters<TcpLibrary['createListener']>[0]['upgrader'];
/** A connection of bytes, before anything is negotiated on it. */
export type RawConnection = Parameters<Upgrader['upgradeInbound']>[0];
type Upgraded = Awaited<ReturnType<Upgrader['upgradeOutbound']>>;
type ComponentLogger = Parameters<ReturnType<typeof tcp>>[0]['logger'];
type Logger = ReturnType<ComponentLogger['forComponent']>;

/** The library with its idle time-out off: a log connection may be silent for as long as nothing happens. */
export function openLibrary(connectionsMax: number): TcpLibrary {
  const init = tcp({
    inboundSocketInactivityTimeout: 0,
    outboundSocketInactivityTimeout: 0,
    maxConnections: connectionsMax + CONNECTIONS_REFUSED_MAX,
  });
  return init({ logger: { forComponent: () => SILENT } });
}

/**
 * Takes each new connection out of the library's hands as soon as there is one: no encryption, no muxer, no peer ids.
 * What `take` throws ends the process.
 */
export function upgrader(take: (connection: RawConnection) => void): Upgrader {
  return {
    upgradeInbound: (connection) => {
      surface(() => take(connection));
      return Promise.resolve();
    },
    upgradeOutbound: (connection) => {
      surface(() => take(connection));
      return Promise.resolve(NOTHING_TO_RETURN);
    },
    createInboundAbortSignal: unused,
    getStreamMuxers: unused,
    getConnectionEncrypters: unused,
  };
}

/** The library knows no way to give up a connection that the other side has half closed; the socket does. */
export function socketOf(connection: RawConnection): Socket {
  const socket: unknown = Reflect.get(connection, 'socket');
  assert(socket instanceof Socket, 'a connection of @libp2p/tcp has no socket');
  return socket;
}

/** Called by the library on each write, so it does nothing at all. */
const SILENT: Logger = Object.assign((): void => {}, {
  error: (): void => {},
  trace: (): void => {},
  enabled: false,
  newScope: (): Logger => SILENT,
});

/** The library passes on what the upgrader returns; we look at `take` only, and return a promise of nothing. */
const NOTHING_TO_RETURN = undefined as unknown as Upgraded;

function surface(task: () => void): void {
  try {
    task();
  } catch (error) {
    queueMicrotask(() => {
      throw error;
    });
  }
}

function unused(): never {
  throw new BugError('@libp2p/tcp calls a part of the upgrader that it did not call before');
}
