import type { Clock } from '../base/clock.ts';
import { CLIENT_RECENT_ALERTS_MAX } from '../base/limits.ts';
import { Prng } from '../base/prng.ts';
import type { ListedAlert } from '../statemachine/alert-api.ts';
import type { Transport } from '../transport/types.ts';
import { Recent } from '../wire/clients/recent.ts';
import { WatchItems } from '../wire/clients/watch-messages.ts';
import { AbortListeners } from './abort-listeners.ts';
import { AddressBook } from './connection/address-book.ts';
import { ConnectionEvents } from './connection/connection-events.ts';
import { Connections } from './connection/connections.ts';
import { LeaderFinder } from './connection/leader-finder.ts';
import { Gets } from './gets.ts';
import type { ResolvedOptions } from './options.ts';
import { Reader } from './reader.ts';
import { Session } from './session.ts';
import { Writer } from './writer.ts';

/** What a client is made of. */
export interface ClientParts {
  readonly options: ResolvedOptions;
  readonly connections: Connections;
  readonly events: ConnectionEvents;
  readonly finder: LeaderFinder;
  readonly writer: Writer;
  readonly reader: Reader;
  readonly gets: Gets;
  readonly session: Session;
  readonly prng: Prng;
  readonly recentAlerts: Recent<ListedAlert>;
  readonly watchItems: WatchItems;
  readonly watchAborts: AbortListeners;
}

export function assemble(options: ResolvedOptions, transport: Transport): ClientParts {
  const { clock, clusterId, name, endpoints } = options;
  const prng = new Prng(options.seed);
  const connections = new Connections({ transport, clock, agent: name, clusterId });
  const events = new ConnectionEvents(name);
  const finder = new LeaderFinder(new AddressBook(endpoints, clock), connections, clock, events);
  const writer = new Writer(finder, clock, prng.fork(1));
  const reader = new Reader(finder, clock, prng.fork(2));
  const session = new Session();
  const recentAlerts: Recent<ListedAlert> = new Recent(CLIENT_RECENT_ALERTS_MAX);
  return {
    options,
    connections,
    events,
    finder,
    writer,
    reader,
    gets: new Gets(reader, session, recentAlerts, clock),
    session,
    prng,
    recentAlerts,
    watchItems: new WatchItems(),
    watchAborts: new AbortListeners(),
  };
}

/** Loaded when it is needed: a test or a simulator that brings its own does not pay for it. */
export async function defaultTransport(clock: Clock): Promise<Transport> {
  const { TcpTransport } = await import('../transport/tcp-transport.ts');
  return new TcpTransport({ clock });
}
