import { TocsinError } from '../base/errors.ts';
import { ALERTS_GROUP } from '../base/ids.ts';
import type { Identity } from '../storage/types.ts';
import type { Channel, Listener, Transport } from '../transport/types.ts';
import { FrameType } from '../wire/frame.ts';
import type { Hello } from '../wire/handshake.ts';
import { decodePeerMessage } from '../wire/peer-messages.ts';
import { ClientSession } from './client-session.ts';
import type { Replica } from './replica.ts';

/**
 * Lets members of this cluster and clients in, and hands their frames to the replica.
 * @throws TocsinError BAD_ADDRESS, ADDRESS_IN_USE
 */
export function listenFor(
  replica: Replica,
  identity: Identity,
  transport: Transport,
  address: string,
): Promise<Listener> {
  return transport.listen(address, replica.hello, {
    judge: (remote) => judge(identity, remote),
    open: (channel) => {
      if (channel.remote.role === 'client') new ClientSession(channel, replica);
      else takePeer(replica, identity, channel);
    },
  });
}

/** Who may connect: members of this cluster, and clients that do not mean another one. */
function judge(identity: Identity, remote: Hello): void {
  const { clusterId, replicaId, members } = identity;
  const named = remote.role === 'peer' || remote.clusterId !== '';
  if (named && remote.clusterId !== clusterId)
    throw new TocsinError('WRONG_CLUSTER', `this is cluster ${clusterId}`);
  if (remote.role === 'client') return;
  if (remote.replicaId === replicaId)
    throw new TocsinError('WRONG_REPLICA', `this is replica ${replicaId} itself`);
  if (!members.some((member) => member.id === remote.replicaId))
    throw new TocsinError('WRONG_REPLICA', `replica ${remote.replicaId} is not a member`);
}

/** A peer speaks for itself alone: on its connections only its own messages, to this replica, are taken. */
function takePeer(replica: Replica, identity: Identity, channel: Channel): void {
  const peer = channel.remote.replicaId;
  channel.onFrame = (type, group, _id, body) => {
    if (type === FrameType.PONG) return;
    try {
      if (group !== ALERTS_GROUP)
        throw new TocsinError('BODY_MALFORMED', `there is no group ${group}`);
      const message = decodePeerMessage(type, body);
      if (message.from !== peer || message.to !== identity.replicaId)
        throw new TocsinError(
          'WRONG_REPLICA',
          `a message from ${message.from} to ${message.to} on the connection of ${peer}`,
        );
      replica.receive(message);
    } catch (error) {
      if (!TocsinError.is(error)) throw error;
      channel.close(error);
    }
  };
  channel.onClose = () => {
    if (peer !== undefined) replica.peerLost(peer);
  };
}
