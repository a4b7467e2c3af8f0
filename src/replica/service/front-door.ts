import { TocsinError } from '../../base/errors.ts';
import type { ReplicaId } from '../../base/ids.ts';
import type { Message } from '../../raft/types.ts';
import type { Channel, Listener, Transport } from '../../transport/types.ts';
import { FrameType } from '../../wire/frame.ts';
import type { Hello } from '../../wire/handshake.ts';
import { decodeClockAsk, decodeClockTold } from '../../wire/peers/clocks.ts';
import { type Checkpoint, decodeDigests } from '../../wire/peers/digests.ts';
import { decodeRoom, type Room } from '../../wire/peers/room.ts';
import type { Clocks } from '../clocks/clocks.ts';
import { type BulkAnswer, mustBeOurs, serveBulk } from '../peers/bulk-lane.ts';
import { messageOf } from '../peers/peer-links.ts';
import type { Strangers } from '../peers/strangers.ts';

/** Who lives behind the door. */
export interface Resident {
  readonly hello: Hello & { readonly replicaId: ReplicaId };
  /** Refuses whom it does not want. @throws TocsinError */
  judge(remote: Hello): void;
  welcomeClient(channel: Channel): void;
  receive(message: Message): void;
  receiveDigests(peer: ReplicaId, checkpoints: readonly Checkpoint[]): void;
  /** A connection to or from a peer broke. */
  peerLost(peer: ReplicaId): void;
  readonly answerBulk: BulkAnswer;
  /** That its own disk failed while it answered a peer; the peer is told before. */
  readonly diskFailed: (error: TocsinError) => void;
  /** What matters only to one that takes part. */
  readonly strangers?: Pick<Strangers, 'met' | 'left' | 'takes' | 'fits'>;
  readonly clocks?: Pick<Clocks, 'asked' | 'told'>;
  /** A peer says how much room its disk has. */
  readonly toldRoom?: ((peer: ReplicaId, room: Room) => void) | undefined;
}

/**
 * Lets members of this cluster and clients in, and hands their frames to the resident.
 * @throws TocsinError BAD_ADDRESS, ADDRESS_IN_USE
 */
export function listenFor(
  resident: Resident,
  transport: Transport,
  address: string,
): Promise<Listener> {
  return transport.listen(address, resident.hello, {
    judge: (remote) => resident.judge(remote),
    open: (channel) => {
      const { role, lane, replicaId: peer } = channel.remote;
      if (role === 'client' || peer === undefined) resident.welcomeClient(channel);
      else if (lane === 'bulk')
        serveBulk(channel, resident.answerBulk, (error) => resident.diskFailed(error));
      else takePeer(resident, peer, channel);
    },
  });
}

/** A peer speaks for itself alone: on its connections only its own messages, to this replica, are taken. */
function takePeer(resident: Resident, peer: ReplicaId, channel: Channel): void {
  const { strangers, clocks } = resident;
  strangers?.met(channel);
  channel.onFrame = (type, group, _id, body) => {
    if (type === FrameType.PONG || strangers?.takes(peer, type) === false) return;
    try {
      mustBeOurs(group);
      if (type === FrameType.DIGESTS) resident.receiveDigests(peer, decodeDigests(body));
      else if (type === FrameType.CLOCK_ASK) clocks?.asked(peer, decodeClockAsk(body));
      else if (type === FrameType.ROOM) resident.toldRoom?.(peer, decodeRoom(body));
      else if (type === FrameType.CLOCK_TELL) clocks?.told(peer, decodeClockTold(body));
      else {
        const message = messageOf(peer, resident.hello.replicaId, type, body);
        if (strangers?.fits(message) !== false) resident.receive(message);
      }
    } catch (error) {
      if (!TocsinError.is(error)) throw error;
      channel.close(error);
    }
  };
  channel.onClose = () => {
    strangers?.left(channel);
    resident.peerLost(peer);
  };
}
