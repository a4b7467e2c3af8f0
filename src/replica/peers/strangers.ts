import { TocsinError } from '../../base/errors.ts';
import { ALERTS_GROUP, type ReplicaId } from '../../base/ids.ts';
import { STRANGERS_MAX } from '../../base/limits.ts';
import type { AppendRequest, EntryId, Message } from '../../raft/types.ts';
import type { Channel } from '../../transport/types.ts';
import { FrameType } from '../../wire/frame.ts';
import type { Hello } from '../../wire/handshake.ts';
import { recordOf } from '../../wire/log/record.ts';
import { encodePeerMessage } from '../../wire/peers/peer-messages.ts';
import type { CoreDriver } from '../core-driver.ts';
import type { Members } from './members.ts';

/**
 * Replicas that the log here does not name, and that may be members all the same: added while this one slept. If such a
 * one leads, or is the only one that can be elected, nobody else can tell (thesis §4.1). So whoever hears no leader
 * lets them in, to lead and to ask for votes, and for nothing else; they are answered over their own connections, since
 * their addresses are not known.
 *
 * Who founded a cluster was added to none: with the id of this one, and a member of this one among its founders, it was
 * formatted by mistake. It is not let in, nor is, once that shows, anybody whose log is not this one.
 */
export class Strangers {
  readonly #members: Members;
  /** Known only when the first of them comes. */
  readonly #log: () => KnownLog;
  /** In order of coming, each lane by itself. */
  readonly #channels: Map<string, Channel> = new Map();
  /** Incarnations of those whose log turned out to be another. */
  readonly #foreign: Set<number> = new Set();

  constructor(members: Members, log: () => KnownLog) {
    this.#members = members;
    this.#log = log;
  }

  /** @throws TocsinError WRONG_REPLICA, WRONG_INCARNATION */
  judge(remote: Hello): void {
    const { replicaId: id, lane, incarnation, joined = false } = remote;
    // Whom the log once named it has removed since. What is done by turns, not in the order of the log, is for members.
    const mayLead = id !== undefined && !this.#members.named(id) && lane !== 'bulk' && joined;
    if (!mayLead || !this.#mayBeLed(id))
      throw new TocsinError('WRONG_REPLICA', `replica ${id} is not a member`);
    if (this.#foreign.has(incarnation)) throw otherLog(id);
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
    return !this.#isStranger(peer) || (QUESTIONS.has(type) && this.#mayBeLed(peer));
  }

  /**
   * Whether that may be said by one whose log is this one. Among members the index and term of an entry name it; a stranger's
   * entries are held against the chain of this log, and one that they do not continue has to go.
   */
  fits(message: Message): boolean {
    const { type, from } = message;
    if (!this.#isStranger(from)) return true;
    // What is offered carries no chain: it is not what makes an entry here committed.
    if (type === 'snapshot-offer')
      return message.last.index <= this.#log().committed || !this.#holds(message.last);
    if (type !== 'append-request' || this.#continues(message)) return true;
    for (const channel of [...this.#channels.values()])
      if (channel.remote.replicaId === from) this.#banish(channel, from);
    return false;
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

  #isStranger(id: ReplicaId): boolean {
    return this.#members.find(id) === undefined && !this.#members.named(id);
  }

  /** Whether nobody else leads here. */
  #mayBeLed(by: ReplicaId): boolean {
    const { heard } = this.#log();
    return heard === undefined || heard === by;
  }

  #holds({ index, term }: EntryId): boolean {
    return this.#log().termAt(index) === term;
  }

  /** Where both logs have an entry of the same index and term, everything up to there is the same, or one is another's. */
  #continues({ prev, entries }: AppendRequest): boolean {
    const differs = (id: EntryId, theirs: number): boolean => {
      const ours = this.#holds(id) ? this.#log().sealer.chainAt(id.index) : undefined;
      return ours !== undefined && ours !== theirs;
    };
    const [first] = entries;
    if (first !== undefined && differs(prev, recordOf(first).previousChain)) return false;
    return !entries.some((entry) => differs(entry, recordOf(entry).chain));
  }

  #banish(channel: Channel, id: ReplicaId): void {
    const [eldest] = this.#foreign;
    if (this.#foreign.size >= STRANGERS_MAX && eldest !== undefined) this.#foreign.delete(eldest);
    this.#foreign.add(channel.remote.incarnation);
    this.left(channel);
    channel.close(otherLog(id));
  }

  /** Whoever came first and does not lead goes: one that was removed long ago must not keep out one that was added. */
  #makeRoom(): void {
    if (this.#channels.size < STRANGERS_MAX * LANES) return;
    const { heard } = this.#log();
    const first = [...this.#channels.values()].find(({ remote }) => remote.replicaId !== heard);
    if (first === undefined) return;
    this.left(first);
    first.close(new TocsinError('OVERLOADED', 'too many replicas that are no members'));
  }
}

/** What this replica knows of its own log, and of who leads. */
export interface KnownLog extends Pick<CoreDriver, 'heard' | 'committed' | 'termAt'> {
  readonly sealer: Pick<CoreDriver['sealer'], 'chainAt'>;
}

const otherLog = (id: ReplicaId): TocsinError =>
  new TocsinError('WRONG_CLUSTER', `the log of replica ${id} is that of another cluster`);

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
