import { TocsinError } from '../../base/errors.ts';
import { ALERTS_GROUP, type ReplicaId } from '../../base/ids.ts';
import { STRANGERS_MAX } from '../../base/limits.ts';
import type { Message } from '../../raft/types.ts';
import type { Channel } from '../../transport/types.ts';
import { FrameType } from '../../wire/frame.ts';
import type { Hello } from '../../wire/handshake.ts';
import { encodePeerMessage } from '../../wire/peers/peer-messages.ts';
import type { Members } from './members.ts';

/**
 * Replicas that the log here does not name, and that may be members all the same: added while this one slept. If such a
 * one leads, or is the only one that can be elected, nobody else can tell (thesis §4.1). So whoever hears no leader
 * lets them in, to lead and to ask for votes, and for nothing else; they are answered over their own connections, since
 * their addresses are not known.
 */
export class Strangers {
  readonly #members: Members;
  /** Who leads, as far as this replica knows. */
  readonly #leader: () => ReplicaId | undefined;
  /** In order of coming, each lane by itself. */
  readonly #channels: Map<string, Channel> = new Map();

  constructor(members: Members, leader: () => ReplicaId | undefined) {
    this.#members = members;
    this.#leader = leader;
  }

  /** @throws TocsinError WRONG_REPLICA, WRONG_INCARNATION */
  judge(remote: Hello): void {
    const { replicaId: id, lane, incarnation } = remote;
    const leader = this.#leader();
    // Whom the log once named it has removed since. What is done by turns, not in the order of the log, is for members.
    const mayLead = id !== undefined && !this.#members.named(id) && lane !== 'bulk';
    if (!mayLead || (leader !== undefined && leader !== id))
      throw new TocsinError('WRONG_REPLICA', `replica ${id} is not a member`);
    for (const { remote: other } of this.#channels.values())
      if (other.replicaId === id && other.incarnation !== incarnation)
        throw new TocsinError('WRONG_INCARNATION', `another replica ${id} is connected`);
  }

  /** A peer was let in. */
  met(channel: Channel): void {
    const { replicaId: id, lane } = channel.remote;
    if (this.#members.find(id) !== undefined) return;
    const before = this.#channels.get(`${lane}${id}`);
    if (before === undefined) this.#makeRoom();
    this.#channels.delete(`${lane}${id}`);
    this.#channels.set(`${lane}${id}`, channel);
    before?.close();
  }

  left(channel: Channel): void {
    for (const [name, each] of this.#channels) if (each === channel) this.#channels.delete(name);
  }

  /** Whether a frame of that peer is to be looked at. */
  takes(peer: ReplicaId, type: FrameType): boolean {
    const isStranger = this.#members.find(peer) === undefined && !this.#members.named(peer);
    return !isStranger || QUESTIONS.has(type);
  }

  /** Sends what answers a stranger, if it is connected. */
  answer(message: Message): void {
    const channel = this.#channels.get(`control${message.to}`);
    if (channel === undefined) return;
    const { type, body } = encodePeerMessage(message);
    if (ANSWERS.has(type)) channel.send(type, ALERTS_GROUP, 0, body);
  }

  /** The members are others now: who turned out to be one is none of these any more, and who turned out not to be has to go. */
  look(): void {
    for (const [name, channel] of [...this.#channels]) {
      const { replicaId: id } = channel.remote;
      if (id === undefined || !this.#members.named(id)) continue;
      this.#channels.delete(name);
      if (this.#members.meets(channel.remote)) continue;
      channel.close(new TocsinError('WRONG_REPLICA', `replica ${id} is not a member`));
    }
  }

  /** Whoever came first and does not lead goes: one that was removed long ago must not keep out one that was added. */
  #makeRoom(): void {
    if (this.#channels.size < STRANGERS_MAX * LANES) return;
    const leader = this.#leader();
    const first = [...this.#channels.values()].find(({ remote }) => remote.replicaId !== leader);
    if (first === undefined) return;
    this.left(first);
    first.close(new TocsinError('OVERLOADED', 'too many replicas that are no members'));
  }
}

/** Over which one of them comes: control and log. */
const LANES = 2;

/** What the leader of a term says, or who wants to be that. */
const QUESTIONS: ReadonlySet<FrameType> = new Set<FrameType>([
  FrameType.APPEND_REQUEST,
  FrameType.HEARTBEAT,
  FrameType.SNAPSHOT_OFFER,
  FrameType.VOTE_REQUEST,
]);

/** What is said to those, and may come over the connection on which they asked. */
export const ANSWERS: ReadonlySet<FrameType> = new Set<FrameType>([
  FrameType.APPEND_REPLY,
  FrameType.HEARTBEAT_REPLY,
  FrameType.VOTE_REPLY,
]);
