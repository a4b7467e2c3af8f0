import type { Clock, Timer } from '../../base/clock.ts';
import { TocsinError } from '../../base/errors.ts';
import { ALERTS_GROUP, type GroupId, millis, type ReplicaId } from '../../base/ids.ts';
import { FAREWELL_MS, RECONNECT_MS_MAX, RECONNECT_MS_MIN } from '../../base/limits.ts';
import type { Message } from '../../raft/types.ts';
import type { Member } from '../../storage/types.ts';
import type { Channel, Lane, Transport } from '../../transport/types.ts';
import type { FrameType } from '../../wire/frame.ts';
import type { Hello } from '../../wire/handshake.ts';
import { decodePeerMessage, encodePeerMessage } from '../../wire/peers/peer-messages.ts';
import type { Turns } from '../turns.ts';
import { mustBeOurs } from './bulk-lane.ts';
import type { Members } from './members.ts';
import { ANSWERS, type Strangers } from './strangers.ts';

export interface PeerLinksParts {
  readonly transport: Transport;
  readonly clock: Clock;
  readonly turns: Pick<Turns, 'make'>;
  readonly self: Hello & { readonly replicaId: ReplicaId };
  /** Those that have to be answered though nothing here leads to them. */
  readonly strangers: Pick<Strangers, 'answer' | 'look'>;
  readonly members: Pick<Members, 'meets' | 'isOther'>;
  readonly owner: {
    /** A peer that does not know this replica has answered it. */
    receive(message: Message): void;
    /** A connection to the peer broke. A hint, not a verdict. */
    peerLost(peer: ReplicaId): void;
  };
  readonly log: (line: string) => void;
}

type PeerLane = Extract<Lane, 'control' | 'log'>;
const LANES: readonly PeerLane[] = ['control', 'log'];

/** Outgoing connections to the other members: each lane its own, dialled again whenever it breaks. */
export class PeerLinks {
  readonly #parts: PeerLinksParts;
  readonly #links: Map<string, Link> = new Map();
  /** Have something that `flush` sends off. */
  readonly #loaded: Link[] = [];

  constructor(parts: PeerLinksParts) {
    this.#parts = parts;
  }

  /** From now on these are the others: connects to who is new, or elsewhere, and lets go of who is gone. */
  sync(others: readonly Member[]): void {
    this.#parts.strangers.look();
    const wanted = new Map<string, Member>();
    for (const member of others)
      for (const lane of LANES) wanted.set(`${lane}${member.id}`, member);
    for (const [name, link] of this.#links) {
      const member = wanted.get(name);
      if (member?.address === link.address) link.stay();
      else if (member === undefined) link.part(() => this.#drop(name));
      else this.#drop(name);
    }
    for (const member of others)
      for (const lane of LANES) {
        const name = `${lane}${member.id}`;
        if (this.#links.has(name)) continue;
        const link = new Link(this.#parts, member, lane);
        this.#links.set(name, link);
        void this.#parts.turns.make(() => link.dial());
      }
  }

  /** Sends, or drops: Raft repeats what matters. */
  send(message: Message): void {
    const lane: PeerLane = message.type === 'append-request' ? 'log' : 'control';
    const link = this.#links.get(`${lane}${message.to}`);
    if (link === undefined) this.#parts.strangers.answer(message);
    if (link?.isOpen !== true) return;
    const { type, body } = encodePeerMessage(message);
    link.send(type, body);
    this.#loaded.push(link);
  }

  /** What was sent leaves now, not only when this turn ends. */
  flush(): void {
    for (const link of this.#loaded) link.flush();
    this.#loaded.length = 0;
  }

  /** Tells all the others, as far as they are connected. */
  tell(type: FrameType, body: readonly Uint8Array[]): void {
    for (const link of this.#links.values()) if (link.lane === 'control') link.send(type, body);
  }

  /** Tells one of them, if it is connected. */
  tellOne(peer: ReplicaId, type: FrameType, body: readonly Uint8Array[]): void {
    this.#links.get(`control${peer}`)?.send(type, body);
  }

  /** Whether messages to this peer have a way to leave now. */
  isConnected(peer: ReplicaId): boolean {
    return this.#links.get(`control${peer}`)?.isOpen ?? false;
  }

  close(): void {
    for (const link of this.#links.values()) link.close();
  }

  #drop(name: string): void {
    this.#links.get(name)?.close();
    this.#links.delete(name);
  }
}

class Link {
  readonly #parts: PeerLinksParts;
  readonly #member: Member;
  readonly lane: PeerLane;
  readonly #closing = new AbortController();
  #channel: Channel | undefined;
  #retry: Timer | undefined;
  #farewell: Timer | undefined;
  #pause = RECONNECT_MS_MIN;
  #complaint = '';

  constructor(parts: PeerLinksParts, member: Member, lane: PeerLane) {
    this.#parts = parts;
    this.#member = member;
    this.lane = lane;
  }

  get address(): string {
    return this.#member.address;
  }
  get isOpen(): boolean {
    return this.#channel !== undefined;
  }

  dial(): void {
    const { transport, self } = this.#parts;
    const hello: Hello = { ...self, lane: this.lane };
    const expect = { clusterId: self.clusterId, replicaId: this.#member.id };
    transport
      .dial(this.#member.address, hello, this.#closing.signal, expect)
      .then((channel) => this.#opened(channel))
      .catch((error: unknown) => this.#failed(error));
  }

  send(type: FrameType, body: readonly Uint8Array[]): void {
    this.#channel?.send(type, ALERTS_GROUP, 0, body);
  }

  flush(): void {
    this.#channel?.flush();
  }

  /** Its peer is gone for good, and has yet to be told so: `then` comes a while later. */
  part(then: () => void): void {
    this.#farewell ??= this.#parts.clock.after(millis(FAREWELL_MS), then);
  }

  stay(): void {
    this.#farewell?.cancel();
    this.#farewell = undefined;
  }

  close(): void {
    this.#closing.abort();
    this.#retry?.cancel();
    this.#farewell?.cancel();
    this.#channel?.close();
  }

  #opened(channel: Channel): void {
    if (this.#closing.signal.aborted) {
      channel.close();
      return;
    }
    if (this.#parts.members.isOther(channel.remote)) {
      // It may take this replica for a stranger that leads; and what it says is not the member's word.
      const other = new TocsinError('WRONG_INCARNATION', 'another disk answers there now');
      channel.close(other);
      this.#failed(other);
      return;
    }
    this.#channel = channel;
    this.#pause = RECONNECT_MS_MIN;
    this.#complaint = '';
    channel.onFrame = (type, group, _id, body) => this.#answered(channel, type, group, body);
    channel.onClose = () => {
      this.#channel = undefined;
      if (this.#closing.signal.aborted) return;
      this.#parts.owner.peerLost(this.#member.id);
      this.#redial();
    };
  }

  /** Who knows this replica answers over connections of its own; who was not there when it was added, over this one. */
  #answered(channel: Channel, type: FrameType, group: GroupId, body: Uint8Array): void {
    if (!ANSWERS.has(type)) return;
    try {
      mustBeOurs(group);
      const message = messageOf(this.#member.id, this.#parts.self.replicaId, type, body);
      if (this.#parts.members.meets(channel.remote)) this.#parts.owner.receive(message);
    } catch (error) {
      if (!TocsinError.is(error)) throw error;
      channel.close(error);
    }
  }

  #failed(error: unknown): void {
    if (this.#closing.signal.aborted) return;
    // A peer that is down is no news; one that refuses us is, once.
    const code = TocsinError.is(error) ? error.code : 'INTERNAL';
    const complaint = `${code}: ${error instanceof Error ? error.message : String(error)}`;
    if (code !== 'CONNECTION_LOST' && complaint !== this.#complaint)
      this.#parts.log(`replica ${this.#member.id} at ${this.#member.address}: ${complaint}`);
    this.#complaint = complaint;
    this.#redial();
  }

  #redial(): void {
    this.#retry = this.#parts.clock.after(millis(this.#pause), () => this.dial());
    this.#pause = Math.min(this.#pause * 2, RECONNECT_MS_MAX);
  }
}

/**
 * What a peer says to this replica: it speaks for itself alone.
 * @throws TocsinError BODY_MALFORMED, FRAME_UNKNOWN_TYPE, WRONG_REPLICA
 */
export function messageOf(
  peer: ReplicaId,
  self: ReplicaId,
  type: FrameType,
  body: Uint8Array,
): Message {
  const message = decodePeerMessage(type, body);
  if (message.from !== peer || message.to !== self)
    throw new TocsinError(
      'WRONG_REPLICA',
      `a message from ${message.from} to ${message.to} on the connection of ${peer}`,
    );
  return message;
}
