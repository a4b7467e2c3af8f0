import type { Clock } from '../../base/clock.ts';
import { type Code, TocsinError } from '../../base/errors.ts';
import { decodeStatusAnswer } from '../../wire/clients/answers.ts';
import type { ReplicaStatus } from '../../wire/clients/status.ts';
import { FrameType } from '../../wire/frame.ts';
import type { AddressBook } from './address-book.ts';
import { type Connection, expectType } from './connection.ts';
import type { ConnectionEvents } from './connection-events.ts';
import type { Connections } from './connections.ts';
import { type Miss, type RaceResult, raceDials } from './dial-race.ts';

/** Knows the connection to the replica that is presumed to lead, and finds another one when it is not. */
export class LeaderFinder {
  readonly #book: AddressBook;
  readonly #connections: Connections;
  readonly #clock: Clock;
  readonly #events: ConnectionEvents;
  #current: Connection | undefined;
  #search: Promise<Connection> | undefined;

  constructor(book: AddressBook, connections: Connections, clock: Clock, events: ConnectionEvents) {
    this.#events = events;
    this.#book = book;
    this.#connections = connections;
    this.#clock = clock;
    connections.isWanted = (connection) => connection === this.#current;
    connections.onOpen = (connection) => {
      events.connected(connection.address);
      this.#askAround(connection);
    };
    connections.onLost = (connection, reason) => {
      events.disconnected(connection.address, reason);
      this.#lost(connection);
    };
  }

  /** The connection for writes and linearizable reads, if there is one now. */
  get current(): Connection | undefined {
    return this.#current;
  }

  /** The same, as soon as any replica can be reached. @throws TocsinError UNAVAILABLE after one round of tries */
  find(): Promise<Connection> {
    if (this.#current !== undefined) return Promise.resolve(this.#current);
    this.#search ??= this.#round().finally(() => {
      this.#search = undefined;
    });
    return this.#search;
  }

  /**
   * A connection for what any replica can answer, if possible not to `avoid`, which has let the asker down.
   * @throws TocsinError UNAVAILABLE after one round of tries
   */
  async any(avoid?: string): Promise<Connection> {
    for (const connection of [this.#current, ...this.#connections.all()])
      if (connection !== undefined && connection.address !== avoid) return connection;
    const others = this.#book.candidates().filter((address) => address !== avoid);
    if (avoid !== undefined && others.length > 0) {
      const result = await this.#race(others);
      if (result.ok && result.connection.isOpen) return result.connection;
    }
    return await this.find();
  }

  /** This replica said that it does not lead, or cannot; `leader` is the one that does, if it knows. */
  denied(connection: Connection, leader: string | undefined): void {
    this.#book.demote(connection.address);
    if (leader !== undefined && leader !== connection.address) this.#book.promote(leader);
    if (this.#current !== connection) return;
    this.#take(undefined);
    this.#connections.sweepLater();
  }

  /** Notes what a replica said about the cluster. */
  learn(status: ReplicaStatus): void {
    for (const { address } of status.members) this.#book.learn(address);
  }

  /** One try of all addresses; what is still silent at its end is tried last for a while. */
  async round(): Promise<readonly Miss[]> {
    const result = await this.#race(this.#book.candidates());
    if (result.ok) {
      this.#take(result.connection.isOpen ? result.connection : undefined);
      return [];
    }
    for (const { address, reason } of result.misses)
      if (reason === undefined) this.#book.suspect(address);
    return result.misses;
  }

  #race(addresses: readonly string[]): Promise<RaceResult> {
    return raceDials(addresses, (address) => this.#connections.to(address), this.#clock);
  }

  async #round(): Promise<Connection> {
    const misses = await this.round();
    if (this.#current !== undefined) return this.#current;
    throw unavailable(misses);
  }

  #lost(connection: Connection): void {
    if (connection.wentSilent) this.#book.suspect(connection.address);
    else this.#book.demote(connection.address);
    if (this.#current === connection) this.#take(undefined);
  }

  #take(connection: Connection | undefined): void {
    this.#current = connection;
    this.#events.leader(connection?.address);
  }

  /** Asks a new acquaintance whom else there is, so that its death does not leave this client alone. */
  #askAround(connection: Connection): void {
    connection.send(FrameType.STATUS, [], {
      isStream: false,
      answered: (type, body) => {
        expectType(type, FrameType.ANSWER);
        this.#introduced(connection, decodeStatusAnswer(body));
      },
      failed: () => {},
      lost: () => {},
    });
  }

  #introduced(connection: Connection, status: ReplicaStatus): void {
    this.learn(status);
    // With requests under way, their own answers say where to go.
    const isFree = connection.outstanding <= 1;
    if (status.role !== 'leader' && status.leaderAddress !== undefined && isFree)
      this.denied(connection, status.leaderAddress);
  }
}

/** No replica could be reached, each with its reason. */
export function unavailable(misses: readonly Miss[]): TocsinError {
  const [first] = misses;
  const shared = misses.every(({ reason }) => reason?.code === first?.reason?.code);
  // A mistake in the configuration is the same everywhere, and asking again would not help.
  const code = shared && first?.reason?.retryable === false ? first.reason.code : 'UNAVAILABLE';
  const whys = misses.map((miss) => whyOf(miss, code)).join('; ');
  const message = code === 'UNAVAILABLE' ? `no replica could be reached: ${whys}` : whys;
  return new TocsinError(code, message, { cause: first?.reason });
}

/** Names the address and the code, each once: `said` is the code of the error that tells of it. */
function whyOf({ address, reason }: Miss, said: Code): string {
  if (reason === undefined) return `${address}: no answer in time`;
  const why = reason.code === said ? reason.message : `${reason.code}: ${reason.message}`;
  return reason.message.includes(address) ? why : `${address}: ${why}`;
}
