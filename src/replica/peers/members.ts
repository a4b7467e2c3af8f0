import { must } from '../../base/assert.ts';
import { TocsinError } from '../../base/errors.ts';
import type { LogIndex, ReplicaId } from '../../base/ids.ts';
import type { Ready } from '../../raft/types.ts';
import type { Identity, Restored, SnapshotMeta } from '../../storage/types.ts';
import type { MemberLine } from '../../wire/clients/admin-messages.ts';
import type { Hello } from '../../wire/handshake.ts';
import { recordOf } from '../../wire/log/record.ts';
import type { ClusterMember, MemberRole } from '../../wire/peers/members.ts';
import type { Strangers } from './strangers.ts';
import type { TrendsFeed } from './trends-feed.ts';

/** Members, and the entry that made them so. */
interface MembersAt {
  readonly index: number;
  readonly members: readonly ClusterMember[];
}

/**
 * Who belongs to the cluster, and where: the address book of a replica, and its list of whom to let in. The log says so,
 * by its newest configuration entry, committed or not; until it holds one, the identity does.
 */
export class Members {
  readonly #clusterId: string;
  readonly #self: ReplicaId;
  readonly #joins: boolean;
  /** Those that it was formatted with: who joins was told of them only so that it knows whom to ask. */
  readonly #formatted: MembersAt;
  /** The incarnations of peers that were let in, and our own. */
  readonly #met: Map<ReplicaId, number>;
  readonly #trends: TrendsFeed | undefined;
  /** The first holds where the log begins. Never empty. */
  #list: MembersAt[];
  /** Everybody who is in it, and the founders. */
  #named: ReadonlySet<ReplicaId> = new Set();

  constructor(
    identity: Identity,
    restored: Pick<Restored, 'snapshot' | 'configurations'>,
    trends?: TrendsFeed,
  ) {
    this.#clusterId = identity.clusterId;
    this.#self = identity.replicaId;
    this.#joins = identity.joining === true;
    this.#met = new Map([[identity.replicaId, identity.incarnation]]);
    this.#formatted = { index: 0, members: formatted(identity) };
    const { snapshot } = restored;
    this.#list = [
      snapshot === undefined ? this.#formatted : { index: 0, members: snapshot.members },
    ];
    for (const entry of restored.configurations) this.#append(entry.index, recordOf(entry).members);
    this.#gatherNames();
    this.#trends = trends;
    this.#tellTrends();
  }

  /** Those where the log begins. */
  get first(): readonly ClusterMember[] {
    return (this.#list[0] as MembersAt).members;
  }
  /** The entry that made them so. */
  get newestIndex(): number {
    return this.#newest.index;
  }
  /** As operators are told of them. */
  get lines(): readonly MemberLine[] {
    return this.all.map(({ id, address, roles, priority }) => ({ id, address, roles, priority }));
  }
  /** In order of id, this replica included if it belongs to them. */
  get all(): readonly ClusterMember[] {
    return this.#newest.members;
  }
  get others(): readonly ClusterMember[] {
    return this.all.filter(({ id }) => id !== this.#self);
  }
  get voters(): readonly ReplicaId[] {
    return this.#having('voter');
  }
  get learners(): readonly ReplicaId[] {
    return this.#having('learner');
  }

  /** Those that held right after the entry at `index`. */
  at(index: LogIndex): readonly ClusterMember[] {
    const found = this.#list.findLast((each) => each.index <= index);
    return must(found, `no members are known for entry ${index}`).members;
  }

  /**
   * The members, with the incarnations of those that were met and that the log does not name yet; undefined = there are
   * none. Nobody can name them when the cluster is formatted, member by member.
   */
  get identified(): readonly ClusterMember[] | undefined {
    const isNews = ({ id, incarnation }: ClusterMember): boolean =>
      incarnation === 0 && (this.#met.get(id) ?? 0) !== 0;
    if (!this.all.some(isNews)) return undefined;
    return this.all.map((member) => ({
      ...member,
      incarnation: member.incarnation || (this.#met.get(member.id) ?? 0),
    }));
  }

  find(id: ReplicaId | undefined): ClusterMember | undefined {
    return this.all.find((member) => member.id === id);
  }
  addressOf(id: ReplicaId | undefined): string | undefined {
    return this.find(id)?.address;
  }
  /** Whether it is a member, or was one as far back as is known here. */
  named(id: ReplicaId): boolean {
    return this.#named.has(id);
  }
  /** Whether that is the member of its number, or may be taken for it until another one comes; it is remembered then. */
  meets(remote: Hello): boolean {
    const member = this.find(remote.replicaId);
    if (member === undefined || this.isOther(remote)) return false;
    this.#met.set(member.id, remote.incarnation);
    this.#trends?.meet(remote);
    return true;
  }
  /** Whether that is another disk than the member of its number. */
  isOther({ replicaId, incarnation }: Hello): boolean {
    const member = this.find(replicaId);
    const known = member && (member.incarnation || this.#met.get(member.id));
    return known !== undefined && known !== incarnation;
  }

  /** Takes in what a Ready does to the log. Whether that changed the members. */
  note(ready: Ready, snapshot: SnapshotMeta | undefined): boolean {
    const before = this.#newest;
    if (ready.snapshot !== undefined) {
      const { members, index } = must(snapshot, 'the core installs what nobody fetched');
      const later = ready.snapshot.keepsLog ? this.#list.filter((at) => at.index > index) : [];
      this.#list = [{ index: 0, members }, ...later];
    }
    const { truncateFrom } = ready;
    if (truncateFrom !== undefined)
      this.#list = this.#list.filter((each, at) => at === 0 || each.index < truncateFrom);
    for (const entry of ready.append) this.#append(entry.index, recordOf(entry).members);
    if (this.#newest === before) return false;
    this.#gatherNames();
    this.#tellTrends();
    return true;
  }

  /**
   * Who may connect: members of this cluster, strangers that may be some, and clients that do not mean another one.
   * @throws TocsinError WRONG_CLUSTER, WRONG_REPLICA, WRONG_INCARNATION
   */
  judge(remote: Hello, strangers?: Pick<Strangers, 'judge'>): void {
    const named = remote.role === 'peer' || remote.clusterId !== '';
    if (named && remote.clusterId !== this.#clusterId)
      throw new TocsinError('WRONG_CLUSTER', `this is cluster ${this.#clusterId}`);
    if (remote.role === 'client') return;
    if (remote.replicaId === this.#self)
      throw new TocsinError('WRONG_REPLICA', `this is replica ${this.#self} itself`);
    const member = this.find(remote.replicaId);
    // Who joins knows of the members only what it was told when it was formatted.
    if (member === undefined && this.#isJoining) return;
    if (member === undefined && strangers !== undefined) {
      strangers.judge(remote);
      return;
    }
    if (member === undefined)
      throw new TocsinError('WRONG_REPLICA', `replica ${remote.replicaId} is not a member`);
    if (!this.meets(remote))
      throw new TocsinError(
        'WRONG_INCARNATION',
        `replica ${member.id} is another one now: remove it, and let it join under a new number`,
      );
  }

  #tellTrends(): void {
    this.#trends?.belong(this.others.map(({ id }) => id));
  }

  #having(role: MemberRole): readonly ReplicaId[] {
    return this.all.filter(({ roles }) => roles.includes(role)).map(({ id }) => id);
  }

  get #isJoining(): boolean {
    return this.#joins && this.find(this.#self) === undefined;
  }

  #gatherNames(): void {
    const known = this.#list.filter((each) => each !== this.#formatted);
    if (!this.#joins) known.push(this.#formatted);
    this.#named = new Set(known.flatMap(({ members }) => members.map(({ id }) => id)));
  }

  get #newest(): MembersAt {
    return this.#list[this.#list.length - 1] as MembersAt;
  }

  #append(index: LogIndex, members: readonly ClusterMember[] | undefined): void {
    if (members !== undefined && index > this.#newest.index) this.#list.push({ index, members });
  }
}

/** Those that the cluster was formatted with: all of them voters, of whatever incarnation they turn out to be. */
const formatted = ({ members, replicaId, joining }: Identity): readonly ClusterMember[] =>
  members
    .filter(({ id }) => joining === undefined || id !== replicaId)
    .map(({ id, address }) => ({ id, address, incarnation: 0, roles: ['voter'], priority: 0 }));
