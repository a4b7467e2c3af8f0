import { TocsinError } from '../base/errors.ts';
import type { ReplicaId } from '../base/ids.ts';
import type { Identity, Member } from '../storage/types.ts';
import type { Hello } from '../wire/handshake.ts';

/** Who belongs to the cluster, and where: the address book of a replica, and its list of whom to let in. */
export class Members {
  readonly #clusterId: string;
  readonly #self: ReplicaId;
  readonly #all: readonly Member[];

  constructor({ clusterId, replicaId, members }: Identity) {
    this.#clusterId = clusterId;
    this.#self = replicaId;
    this.#all = members;
  }

  /** In order of id, this replica included. */
  get all(): readonly Member[] {
    return this.#all;
  }
  get others(): readonly Member[] {
    return this.#all.filter(({ id }) => id !== this.#self);
  }

  addressOf(id: ReplicaId | undefined): string | undefined {
    return this.#all.find((member) => member.id === id)?.address;
  }

  /**
   * Who may connect: members of this cluster, and clients that do not mean another one.
   * @throws TocsinError WRONG_CLUSTER, WRONG_REPLICA
   */
  judge(remote: Hello): void {
    const named = remote.role === 'peer' || remote.clusterId !== '';
    if (named && remote.clusterId !== this.#clusterId)
      throw new TocsinError('WRONG_CLUSTER', `this is cluster ${this.#clusterId}`);
    if (remote.role === 'client') return;
    if (remote.replicaId === this.#self)
      throw new TocsinError('WRONG_REPLICA', `this is replica ${this.#self} itself`);
    if (this.addressOf(remote.replicaId) === undefined)
      throw new TocsinError('WRONG_REPLICA', `replica ${remote.replicaId} is not a member`);
  }
}
