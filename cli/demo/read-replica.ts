import { TocsinError } from '../../src/base/errors.ts';
import { type ReplicaId, revision } from '../../src/base/ids.ts';
import { LIST_PAGE_MAX } from '../../src/base/limits.ts';
import { type Client, connect } from '../../src/client/client.ts';
import type { AlertPage, Answer, ListCursor } from '../../src/statemachine/alert-api.ts';
import type { Alert, AlertEvent } from '../../src/statemachine/types.ts';
import { TcpTransport } from '../../src/transport/tcp-transport.ts';
import type { Transport } from '../../src/transport/types.ts';
import type { Held } from './account.ts';
import { unlessAborted } from './waiting.ts';

export interface OneReplica {
  readonly id: ReplicaId;
  readonly address: string;
}

const READ_MS_MAX = 20_000;

/**
 * All that one replica holds, by its own word: nobody else is asked. The cluster has to be at rest.
 * @throws TocsinError UNAVAILABLE when it cannot be reached or does not tell everything in time
 */
export async function readReplica(
  { id, address }: OneReplica,
  clusterId: string,
  signal: AbortSignal,
): Promise<Held> {
  const transport = only({ id, address }, new TcpTransport());
  const client = await connect({ endpoints: [address], clusterId, transport, signal });
  const late = AbortSignal.timeout(READ_MS_MAX);
  const either = AbortSignal.any([signal, late]);
  try {
    const { applied, digest, revision: upTo } = await client.status(address);
    const events = await unlessAborted(historyOf(client, upTo, either), either);
    const alerts = await unlessAborted(alertsOf(client), either);
    return { replica: id, events, alerts, applied, digest };
  } catch (error) {
    if (!late.aborted) throw error;
    const message = `replica ${id} did not tell everything within ${READ_MS_MAX} ms`;
    throw new TocsinError('UNAVAILABLE', message, { cause: error });
  } finally {
    await client.close();
  }
}

/** Reaches this replica and nobody else, whomever the client may hear of. */
function only({ id, address }: OneReplica, transport: Transport): Transport {
  return {
    listen: (...listening) => transport.listen(...listening),
    dial: (to, self, signal, expected) => {
      if (to !== address)
        return Promise.reject(new TocsinError('CONNECTION_LOST', `${to} is not to be asked`));
      return transport.dial(to, self, signal, { ...expected, replicaId: id });
    },
  };
}

/** Every event from the first one up to `upTo`. */
async function historyOf(client: Client, upTo: number, signal: AbortSignal): Promise<AlertEvent[]> {
  const events: AlertEvent[] = [];
  if (upTo === 0) return events;
  for await (const message of client.watch({ from: revision(1), signal })) {
    if (message.type === 'compacted')
      throw new TocsinError('UNAVAILABLE', 'the beginning of the history is no longer kept');
    if (message.type === 'event') events.push(message.event);
    const told = message.type === 'event' ? message.event.revision : message.revision;
    if (told >= upTo) break;
  }
  return events;
}

async function alertsOf(client: Client): Promise<Alert[]> {
  const alerts: Alert[] = [];
  let after: ListCursor | undefined;
  do {
    const options = { consistency: 'local', limit: LIST_PAGE_MAX } as const;
    const { value }: Answer<AlertPage> = await client.list(
      {},
      after === undefined ? options : { ...options, after },
    );
    alerts.push(...value.alerts);
    after = value.next;
  } while (after !== undefined);
  return alerts;
}
