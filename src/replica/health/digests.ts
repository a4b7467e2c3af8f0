import { assert } from '../../base/assert.ts';
import type { LogIndex, ReplicaId } from '../../base/ids.ts';
import { DIGEST_EVERY, DIGESTS_KEPT_MAX, DIGESTS_PER_FRAME_MAX } from '../../base/limits.ts';
import { majorityOf } from '../../raft/quorum.ts';
import type { Checkpoint } from '../../wire/peers/digests.ts';

/**
 * What comparing came to, at the newest place where it could be decided. `agrees`: with a majority. `differs`: a
 * majority agrees on something else, so the state here is wrong. `divided`: there are different states, and no majority
 * for any of them; nobody may guess which is right.
 */
export type Verdict =
  | { readonly is: 'unknown' }
  | { readonly is: 'agrees'; readonly index: LogIndex; readonly differing: readonly ReplicaId[] }
  | { readonly is: 'differs'; readonly index: LogIndex; readonly agreeing: readonly ReplicaId[] }
  | { readonly is: 'divided'; readonly index: LogIndex };

/** Compares the digest of the state here with those of the peers, at the same places in the log. */
export class Digests {
  readonly #self: ReplicaId;
  readonly #own: Ring = new Ring();
  readonly #peers: Map<ReplicaId, Ring> = new Map();

  constructor(self: ReplicaId) {
    this.#self = self;
  }

  /** Everything up to `index` has been applied, and this is the digest. */
  note(index: LogIndex, digest: number): void {
    if (index % DIGEST_EVERY === 0) this.#own.add({ index, digest });
  }

  /** What a peer said of itself. */
  heard(peer: ReplicaId, checkpoints: readonly Checkpoint[]): void {
    let ring = this.#peers.get(peer);
    if (ring === undefined) {
      ring = new Ring();
      this.#peers.set(peer, ring);
    }
    for (const checkpoint of checkpoints) ring.add(checkpoint);
  }

  /** The newest ones, to be told to the peers. */
  newest(): readonly Checkpoint[] {
    return this.#own.newest(DIGESTS_PER_FRAME_MAX);
  }

  /** The state was replaced: what was noted of it, here or of a peer, says nothing any more. */
  forget(replica: ReplicaId): void {
    if (replica === this.#self) this.#own.clear();
    else this.#peers.delete(replica);
  }

  /** Only voters count, and this replica if it is one. */
  judge(voters: readonly ReplicaId[]): Verdict {
    for (const { index, digest } of this.#own.downwards()) {
      const verdict = this.#judgeAt(index, digest, voters);
      if (verdict.is !== 'unknown') return verdict;
    }
    return { is: 'unknown' };
  }

  #judgeAt(index: LogIndex, own: number, voters: readonly ReplicaId[]): Verdict {
    const said = new Map<number, ReplicaId[]>();
    for (const voter of voters) {
      const digest = voter === this.#self ? own : this.#peers.get(voter)?.at(index);
      if (digest === undefined) continue;
      said.set(digest, [...(said.get(digest) ?? []), voter]);
    }
    for (const [digest, agreeing] of said) {
      if (agreeing.length < majorityOf(voters.length)) continue;
      if (digest !== own) return { is: 'differs', index, agreeing };
      return { is: 'agrees', index, differing: voters.filter((id) => this.#differs(id)) };
    }
    const isAlone = said.size === 0 || (said.size === 1 && said.has(own));
    return isAlone ? { is: 'unknown' } : { is: 'divided', index };
  }

  /** At the newest place that both have told of: it may have stopped since. */
  #differs(peer: ReplicaId): boolean {
    if (peer === this.#self) return false;
    for (const { index, digest } of this.#own.downwards()) {
      const theirs = this.#peers.get(peer)?.at(index);
      if (theirs !== undefined) return theirs !== digest;
    }
    return false;
  }
}

/** The newest checkpoints of one replica, in order. */
class Ring {
  readonly #slots: (Checkpoint | undefined)[] = [];
  #newest = 0;

  add(checkpoint: Checkpoint): void {
    const { index } = checkpoint;
    // Others may note other places than we do, in another version: there is nothing to compare them with.
    if (index % DIGEST_EVERY !== 0) return;
    this.#slots[slotOf(index)] = checkpoint;
    if (index > this.#newest) this.#newest = index;
  }

  at(index: LogIndex): number | undefined {
    const found = this.#slots[slotOf(index)];
    return found?.index === index ? found.digest : undefined;
  }

  *downwards(): Generator<Checkpoint> {
    for (let back = 0; back < DIGESTS_KEPT_MAX; back += 1) {
      const index = this.#newest - back * DIGEST_EVERY;
      if (index < 1) return;
      const found = this.#slots[slotOf(index)];
      if (found?.index === index) yield found;
    }
  }

  /** Rising. */
  newest(count: number): readonly Checkpoint[] {
    const found: Checkpoint[] = [];
    for (const checkpoint of this.downwards()) {
      if (found.length === count) break;
      found.push(checkpoint);
    }
    return found.reverse();
  }

  clear(): void {
    this.#slots.length = 0;
    this.#newest = 0;
  }
}

function slotOf(index: number): number {
  assert(index % DIGEST_EVERY === 0, `${index} is no place to compare at`);
  return (index / DIGEST_EVERY) % DIGESTS_KEPT_MAX;
}
