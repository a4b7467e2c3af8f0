import { must } from '../../base/assert.ts';
import type { Clock } from '../../base/clock.ts';
import type { Millis, ReplicaId } from '../../base/ids.ts';
import { ROOM_KEPT_MS } from '../../base/limits.ts';
import { majorityOf } from '../../raft/quorum.ts';
import { FrameType } from '../../wire/frame.ts';
import { encodeRoom, ROOMS, type Room, worseRoom } from '../../wire/peers/room.ts';
import type { Members } from './members.ts';
import type { PeerLinks } from './peer-links.ts';

/** Below every priority that a member can be given. */
const BEHIND_ALL = -1;

export interface RoomsParts {
  readonly self: ReplicaId;
  readonly clock: Clock;
  readonly members: Pick<Members, 'voters'>;
  readonly links: Pick<PeerLinks, 'tell'>;
  /** On the disk here. */
  readonly own: () => Room;
}

/**
 * Who has room on its disk. Replicas that are short of it say so, as often as heartbeats go: the lead is for one that is not,
 * and what a majority could not keep is refused before it is written anywhere.
 */
export class Rooms {
  readonly #parts: RoomsParts;
  readonly #told: Map<ReplicaId, { readonly room: Room; readonly at: Millis }> = new Map();
  #short: readonly ReplicaId[] = [];

  constructor(parts: RoomsParts) {
    this.#parts = parts;
  }

  /** A peer says how much it has. */
  readonly told = (peer: ReplicaId, room: Room): void => {
    this.#told.set(peer, { room, at: this.#parts.clock.monotonic() });
  };

  /** Called as often as a heartbeat goes. Whether others are short of room than before. */
  tell(): boolean {
    const { clock, links, members, own } = this.#parts;
    if (own() !== 'ample') links.tell(FrameType.ROOM, [encodeRoom(own())]);
    for (const [peer, { at }] of this.#told)
      if (clock.monotonic() - at > ROOM_KEPT_MS) this.#told.delete(peer);
    const before = this.#short;
    this.#short = members.voters.filter((id) => this.#roomOf(id) !== 'ample');
    return before.join() !== this.#short.join();
  }

  /** Who should lead rather than another: who is short of room only while nobody else can. */
  ranked(ranks: ReadonlyMap<ReplicaId, number>): ReadonlyMap<ReplicaId, number> {
    return new Map(
      [...ranks].map(([id, rank]) => [id, this.#short.includes(id) ? BEHIND_ALL : rank]),
    );
  }

  /** What is left for a new entry: it is written here, and by a majority. */
  get left(): Room {
    const { members, own } = this.#parts;
    return worseRoom(own(), this.#ofMajority(members.voters));
  }

  /** Those of them whose disk is full, if they are so many that a majority could keep nothing new. */
  fullAmong(voters: readonly ReplicaId[]): readonly ReplicaId[] {
    return this.#ofMajority(voters) === 'out'
      ? voters.filter((id) => this.#roomOf(id) === 'out')
      : [];
  }

  /** What a majority of them has left, of which the best count. */
  #ofMajority(voters: readonly ReplicaId[]): Room {
    const rooms = voters.map((id) => ROOMS.indexOf(this.#roomOf(id))).sort((a, b) => a - b);
    const worst = rooms[majorityOf(rooms.length) - 1] ?? 0;
    return must(ROOMS[worst], `room ${worst}`);
  }

  #roomOf(id: ReplicaId): Room {
    const { self, own } = this.#parts;
    return id === self ? own() : (this.#told.get(id)?.room ?? 'ample');
  }
}
