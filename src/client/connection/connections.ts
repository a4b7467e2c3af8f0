import type { Clock, Timer } from '../../base/clock.ts';
import { TocsinError } from '../../base/errors.ts';
import { millis } from '../../base/ids.ts';
import { CLIENT_IDLE_MS } from '../../base/limits.ts';
import type { Transport } from '../../transport/types.ts';
import type { Hello } from '../../wire/handshake.ts';
import { clientClosed } from '../failures.ts';
import { Connection } from './connection.ts';

export interface ConnectionsOptions {
  readonly transport: Transport;
  readonly clock: Clock;
  readonly agent: string;
  /** The only cluster to talk to; undefined = the first one that is reached. */
  readonly clusterId: string | undefined;
}

/** At most one connection to each address, dialled when asked for, closed when nobody has used it for a while. */
export class Connections {
  /** Called for each new connection, before anybody else has it. */
  onOpen: (connection: Connection) => void = () => {};
  /** Called for each connection that is lost. */
  onLost: (connection: Connection, reason: TocsinError) => void = () => {};
  /** Whether a connection is to be kept though nothing is under way on it. */
  isWanted: (connection: Connection) => boolean = () => false;
  readonly #options: ConnectionsOptions;
  readonly #open = new Map<string, Connection>();
  readonly #dials = new Map<string, Promise<Connection>>();
  readonly #leaving = new Set<Promise<void>>();
  readonly #abort = new AbortController();
  #clusterId: string | undefined;
  #sweep: Timer | undefined;

  constructor(options: ConnectionsOptions) {
    this.#options = options;
    this.#clusterId = options.clusterId;
  }

  /** The open ones, oldest first. */
  all(): Iterable<Connection> {
    return this.#open.values();
  }

  /**
   * The connection to this address, dialled if need be; all who ask at the same time share one dial, and nobody who
   * stops waiting ends it.
   * @throws TocsinError whatever `Transport.dial` throws; CLOSED
   */
  to(address: string): Promise<Connection> {
    if (this.#abort.signal.aborted) return Promise.reject(clientClosed());
    const open = this.#open.get(address);
    if (open !== undefined) return Promise.resolve(open);
    const underWay = this.#dials.get(address);
    if (underWay !== undefined) return underWay;
    const dial = this.#dial(address).finally(() => this.#dials.delete(address));
    this.#dials.set(address, dial);
    return dial;
  }

  /** Closes everything; resolves when all is let go. */
  async close(): Promise<void> {
    this.#abort.abort(clientClosed());
    this.#sweep?.cancel();
    for (const connection of [...this.#open.values()]) connection.close(clientClosed());
    await Promise.allSettled(this.#dials.values());
    await Promise.all(this.#leaving);
  }

  /** Closes, in a while, what is not wanted any more by then. */
  sweepLater(): void {
    if (this.#sweep !== undefined || this.#abort.signal.aborted) return;
    this.#sweep = this.#options.clock.after(millis(CLIENT_IDLE_MS), () => {
      this.#sweep = undefined;
      const unused = [...this.#open.values()].filter(
        (connection) => connection.outstanding === 0 && !this.isWanted(connection),
      );
      for (const connection of unused) connection.close(clientClosed());
      if ([...this.#open.values()].some((connection) => !this.isWanted(connection)))
        this.sweepLater();
    });
  }

  async #dial(address: string): Promise<Connection> {
    const { transport, clock, agent } = this.#options;
    const clusterId = this.#clusterId;
    const hello: Hello = {
      role: 'client',
      lane: 'client',
      clusterId: clusterId ?? '',
      replicaId: undefined,
      incarnation: 0,
      agent,
    };
    const expect = clusterId === undefined ? {} : { clusterId };
    const channel = await transport.dial(address, hello, this.#abort.signal, expect);
    const connection = new Connection(address, channel, clock);
    this.#keep(connection);
    this.#check(connection);
    this.#open.set(address, connection);
    this.sweepLater();
    this.onOpen(connection);
    return connection;
  }

  #keep(connection: Connection): void {
    connection.onLost = (reason) => {
      if (this.#open.get(connection.address) !== connection) return;
      this.#open.delete(connection.address);
      this.onLost(connection, reason);
    };
    const left = connection.released.finally(() => this.#leaving.delete(left));
    this.#leaving.add(left);
  }

  /** Two dials at once may have reached two clusters; the first one is ours. */
  #check(connection: Connection): void {
    if (this.#abort.signal.aborted) throw refuse(connection, clientClosed());
    this.#clusterId ??= connection.clusterId;
    if (connection.clusterId === this.#clusterId) return;
    const { address, clusterId } = connection;
    throw refuse(
      connection,
      new TocsinError(
        'WRONG_CLUSTER',
        `${address} belongs to cluster ${clusterId}, not ${this.#clusterId}`,
      ),
    );
  }
}

function refuse(connection: Connection, reason: TocsinError): TocsinError {
  connection.close(reason);
  return reason;
}
