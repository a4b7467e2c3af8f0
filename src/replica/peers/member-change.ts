import { TocsinError } from '../../base/errors.ts';
import type { ReplicaId } from '../../base/ids.ts';
import type { Target } from '../../raft/change.ts';
import type { MemberChange } from '../../wire/clients/admin-messages.ts';
import type { ClusterMember, MemberLists, MemberRole } from '../../wire/peers/members.ts';

/** What a change asks for, in terms of the members there are. Pure. */

/** Everything of a member that is not its role. */
export type Address = Omit<ClusterMember, 'roles'>;

/** Who is to take part when the change is done; undefined = that is how it is already. */
export interface Wanted {
  readonly target: Target;
  /** Where everybody is who has a part in it, before, while or after. */
  readonly addresses: ReadonlyMap<ReplicaId, Address>;
}

/** @throws TocsinError CHANGE_REFUSED: it makes no sense for these members */
export function wantedBy(
  change: MemberChange,
  members: readonly ClusterMember[],
): Wanted | undefined {
  const addresses = new Map<ReplicaId, Address>();
  for (const { roles: _, ...address } of members) addresses.set(address.id, address);
  const before = targetOf(members);
  const found = members.find(({ id }) => id === change.id);
  if (change.op === 'add') return addedTo(before, addresses, members, change);
  if (found === undefined) {
    if (change.op === 'remove') return undefined;
    throw refused(`replica ${change.id} is not a member`);
  }
  const voters = before.voters.filter((id) => id !== change.id);
  const learners = before.learners.filter((id) => id !== change.id);
  if (change.op === 'promote') voters.push(change.id);
  if (change.op === 'demote') learners.push(change.id);
  const isSame =
    voters.length === before.voters.length && learners.length === before.learners.length;
  return isSame ? undefined : { target: { voters, learners }, addresses };
}

function addedTo(
  before: Target,
  addresses: Map<ReplicaId, Address>,
  members: readonly ClusterMember[],
  change: Extract<MemberChange, { op: 'add' }>,
): Wanted | undefined {
  const { id, address, incarnation, priority } = change;
  const known = addresses.get(id);
  if (known !== undefined) {
    if (known.address === address && known.incarnation === incarnation) return undefined;
    throw refused(
      `there is a replica ${id} already, at ${known.address}; ids are never used again`,
    );
  }
  const taken = members.find((member) => member.address === address);
  if (taken !== undefined) throw refused(`${address} is the address of replica ${taken.id}`);
  addresses.set(id, { id, address, incarnation, priority });
  return { target: { ...before, learners: [...before.learners, id] }, addresses };
}

const targetOf = (members: readonly ClusterMember[]) => {
  const having = (role: MemberRole): ReplicaId[] =>
    members.filter(({ roles }) => roles.includes(role)).map(({ id }) => id);
  return { voters: having('voter'), learners: having('learner') };
};

/** The members of a configuration, in order of id. */
export function membersFor(
  configuration: MemberLists,
  addresses: ReadonlyMap<ReplicaId, Address>,
): readonly ClusterMember[] {
  const lists: readonly (readonly [MemberRole, readonly ReplicaId[]])[] = [
    ['voter', configuration.voters],
    ['outgoing', configuration.outgoing],
    ['learner', configuration.learners],
    ['learner-next', configuration.learnersNext],
  ];
  const ids = [...new Set(lists.flatMap(([, list]) => list))].sort((a, b) => a - b);
  return ids.flatMap((id) => {
    const address = addresses.get(id);
    const roles = lists.flatMap(([role, list]) => (list.includes(id) ? [role] : []));
    return address === undefined ? [] : [{ ...address, roles }];
  });
}

const refused = (says: string): TocsinError => new TocsinError('CHANGE_REFUSED', says);
