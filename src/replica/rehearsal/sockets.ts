import { TocsinError } from '../../base/errors.ts';
import { ALERTS_GROUP } from '../../base/ids.ts';
import { newClusterId } from '../../storage/identity.ts';
import { TcpTransport } from '../../transport/tcp-transport.ts';
import type { Channel } from '../../transport/types.ts';
import { FrameType } from '../../wire/frame.ts';
import type { Hello } from '../../wire/handshake.ts';

/** Any free port of this machine alone. */
const WHERE = '/ip4/127.0.0.1/tcp/0';

/**
 * Connects this process with itself, over the loopback, as the first peers and clients will be: somebody listens, somebody dials, both
 * introduce themselves, a frame goes each way, and all is closed. Nobody else is let in.
 * @throws TocsinError BAD_ADDRESS, CONNECTION_LOST where there is no loopback
 */
export async function rehearseSockets(): Promise<void> {
  const transport = new TcpTransport();
  const self: Hello = {
    ...{ role: 'client', lane: 'client', clusterId: newClusterId(), agent: 'rehearsal' },
    ...{ replicaId: undefined, incarnation: 0 },
  };
  const listener = await transport.listen(WHERE, self, {
    judge: ({ clusterId }) => {
      if (clusterId !== self.clusterId)
        throw new TocsinError('WRONG_CLUSTER', 'this is a rehearsal');
    },
    open: (channel) => {
      channel.onFrame = (type, group, id, body) => channel.send(type, group, id, [body]);
    },
  });
  try {
    const { signal } = new AbortController();
    const channel = await transport.dial(listener.address, self, signal);
    await echo(channel);
    channel.close();
  } finally {
    await listener.close();
  }
}

/** Resolves when a frame has come back. @throws TocsinError CONNECTION_LOST */
function echo(channel: Channel): Promise<void> {
  return new Promise((resolve, reject) => {
    channel.onFrame = () => resolve();
    channel.onClose = (reason) =>
      reject(reason ?? new TocsinError('CONNECTION_LOST', 'it ended before the frame was back'));
    channel.send(FrameType.STATUS, ALERTS_GROUP, 1, []);
  });
}
