import type { ReplicaId } from '../../base/ids.ts';
import type { Hello } from '../../wire/handshake.ts';
import type { TrendPeer } from '../trend/trend-peers.ts';

export type TrendsFollower = (others: readonly TrendPeer[]) => void;

/**
 * Tells, in this process, of the trend tiers of the other members: the log says who they are, and each of them where its
 * own listens, whenever it connects. One that was not met since this process began is told of without an address: what it
 * has is not known to be here.
 */
export class TrendsFeed {
  #members: readonly ReplicaId[] = [];
  /** By member: where its trend tier listens; undefined = it has none. */
  readonly #met: Map<ReplicaId, string | undefined> = new Map();
  #told: readonly TrendPeer[] = [];
  #follower: TrendsFollower | undefined;

  get others(): readonly TrendPeer[] {
    return this.#told;
  }

  /** The one follower is told at once of those that are known, and then of each change. */
  follow(follower: TrendsFollower): void {
    this.#follower = follower;
    follower(this.#told);
  }

  /** These are the other members from now on. */
  belong(members: readonly ReplicaId[]): void {
    this.#members = members;
    for (const id of this.#met.keys()) if (!members.includes(id)) this.#met.delete(id);
    this.#look();
  }

  /** Another member introduced itself. */
  meet({ replicaId: id, trend }: Hello): void {
    if (id === undefined || !this.#members.includes(id)) return;
    this.#met.set(id, trend);
    this.#look();
  }

  #look(): void {
    const others = this.#members
      .filter((id) => !this.#met.has(id) || this.#met.get(id) !== undefined)
      .map((id) => ({ id, address: this.#met.get(id) }));
    if (isSame(others, this.#told)) return;
    this.#told = others;
    this.#follower?.(others);
  }
}

const isSame = (one: readonly TrendPeer[], other: readonly TrendPeer[]): boolean =>
  one.length === other.length &&
  one.every(({ id, address }, at) => other[at]?.id === id && other[at]?.address === address);
