import { millis, type ReplicaId, replicaId } from '../../base/ids.ts';
import { CHANGE_MS_MAX } from '../../base/limits.ts';
import type { Prng } from '../../base/prng.ts';
import type { Replica } from '../../replica/replica.ts';
import type { MemberChange } from '../../wire/clients/admin-messages.ts';
import type { SimCluster } from './cluster.ts';
import type { Machine } from './machine.ts';

/** Between two looks at who takes part. */
const PAUSE_MS = 200;

/** Whoever looks after the members: moves votes about, and puts a new replica in the place of one whose disk is gone. */
export class Operator {
  readonly #cluster: SimCluster;
  readonly #prng: Prng;
  #isReplacing = false;

  constructor(cluster: SimCluster, prng: Prng) {
    this.#cluster = cluster;
    this.#prng = prng;
  }

  /** A replica is gone, and the one that takes its place has no vote yet. */
  get isReplacing(): boolean {
    return this.#isReplacing;
  }

  /** Takes the vote of one replica, or gives it back. Refused or not, done or not: whoever watches must not care. */
  moveVote(): void {
    const replica = this.#leader;
    if (replica === undefined) return;
    const learners = having(replica, 'learner');
    const change: MemberChange =
      learners.length > 0 && this.#prng.chance(0.6)
        ? { op: 'promote', id: this.#prng.pick(learners) }
        : { op: 'demote', id: this.#prng.pick(having(replica, 'voter')) };
    this.#ask(replica, change);
  }

  /** The disk of one is empty: another one joins with an id of its own, and gets the vote. Goes on until that is so. */
  async replace(gone: Machine): Promise<void> {
    this.#isReplacing = true;
    const { replicaId: id, incarnation } = this.#cluster.join().identity;
    const changes: readonly MemberChange[] = [
      { op: 'remove', id: replicaId(gone.id) },
      { op: 'add', id, address: `/memory/${id}`, incarnation, priority: 0 },
      { op: 'promote', id },
    ];
    // What was done may be undone, as long as it is not committed: each time from the first on.
    for (;;) {
      const replica = this.#leader;
      const next = replica && changes.find((change) => !isSo(replica, change));
      if (replica !== undefined && next === undefined) break;
      if (replica !== undefined && next !== undefined) this.#ask(replica, next);
      await new Promise<void>((resolve) => this.#cluster.clock.after(millis(PAUSE_MS), resolve));
    }
    // Under its old number it never took part.
    this.#cluster.bury([gone]);
    this.#isReplacing = false;
  }

  #ask(replica: Replica, change: MemberChange): void {
    const deadline = millis(replica.clock.monotonic() + CHANGE_MS_MAX);
    replica.administer({ act: 'change', change, dryRun: false }, deadline, () => {});
  }

  get #leader(): Replica | undefined {
    return this.#cluster.running.find(({ replica }) => replica?.standing.role === 'leader')
      ?.replica;
  }
}

/** Whether it is done, and nothing is under way. */
function isSo(replica: Replica, { op, id }: MemberChange): boolean {
  if (having(replica, 'outgoing').length > 0) return false;
  const isVoter = having(replica, 'voter').includes(id);
  const isMember = isVoter || having(replica, 'learner').includes(id);
  if (op === 'remove') return !isMember;
  return op === 'promote' ? isVoter : isMember;
}

const having = (replica: Replica, role: string): readonly ReplicaId[] =>
  replica
    .status()
    .members.filter(({ roles = [] }) => roles.some((each) => each === role))
    .map(({ id }) => id);
