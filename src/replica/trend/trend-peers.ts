import { assert } from '../../base/assert.ts';
import { TocsinError } from '../../base/errors.ts';
import type { ReplicaId } from '../../base/ids.ts';
import { MEMBERS_MAX } from '../../base/limits.ts';
import type { Channel } from '../../transport/types.ts';
import type { SampleBatch } from '../../wire/trend/trend-samples.ts';
import { PeerLink, type PeerLinkOptions } from './peer-link.ts';

/** A member that has a trend tier, or may have one. */
export interface TrendPeer {
  readonly id: ReplicaId;
  /** Where it listens; undefined = not known yet. */
  readonly address: string | undefined;
}

/** The trend tiers of the other members, as the cluster has them now. */
export class TrendPeers {
  readonly #options: Omit<PeerLinkOptions, 'peer' | 'address'>;
  #links: readonly PeerLink[] = [];
  /** Samples that those who are gone since were not sent. */
  #leftOut = 0;
  readonly #closing: Set<Promise<void>> = new Set();
  /** Connections that they opened. */
  readonly #guests: Set<Channel> = new Set();
  #isClosed = false;

  constructor(options: Omit<PeerLinkOptions, 'peer' | 'address'>) {
    this.#options = options;
  }

  /** Of this moment; one that has gone is closed, and in no later list. */
  get links(): readonly PeerLink[] {
    return this.#links;
  }

  get leftOut(): number {
    return this.#links.reduce((total, link) => total + link.leftOut, this.#leftOut);
  }

  /** @throws TocsinError WRONG_REPLICA */
  judge(id: ReplicaId | undefined): void {
    if (!this.#has(id)) throw new TocsinError('WRONG_REPLICA', `${id} is no other member`);
  }

  /** One of them has connected. */
  welcome(channel: Channel): void {
    this.#guests.add(channel);
    channel.onClose = () => this.#guests.delete(channel);
  }

  /** From now on these are the others: dials who is new, or elsewhere, and lets go of who is gone. */
  sync(others: readonly TrendPeer[]): void {
    if (this.#isClosed) return;
    assert(others.length <= MEMBERS_MAX, `${others.length} trend tiers`);
    const stay = (link: PeerLink): boolean =>
      others.some(({ id, address }) => link.peer === id && link.address === address);
    for (const link of this.#links) if (!stay(link)) this.#drop(link);
    const kept = this.#links.filter(stay);
    const fresh = others
      .filter(({ id }) => !kept.some(({ peer }) => peer === id))
      .map(({ id, address }) => new PeerLink({ ...this.#options, peer: id, address }));
    this.#links = [...kept, ...fresh];
    for (const link of fresh) link.start();
    for (const guest of this.#guests)
      if (!this.#has(guest.remote.replicaId))
        guest.close(new TocsinError('WRONG_REPLICA', 'this replica is no member any more'));
  }

  forward(batch: SampleBatch): void {
    for (const link of this.#links) link.forward(batch);
  }

  async close(): Promise<void> {
    this.#isClosed = true;
    for (const link of this.#links) this.#drop(link);
    this.#links = [];
    await Promise.all(this.#closing);
  }

  #has(id: ReplicaId | undefined): boolean {
    return this.#links.some(({ peer }) => peer === id);
  }

  #drop(link: PeerLink): void {
    this.#leftOut += link.leftOut;
    const closing: Promise<void> = link.close().finally(() => this.#closing.delete(closing));
    this.#closing.add(closing);
  }
}
