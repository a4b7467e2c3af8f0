import { REPLICA_ID_MAX, type ReplicaId, replicaId } from '../../base/ids.ts';
import { ADDRESS_CHARS_MAX, MEMBERS_MAX, PRIORITY_MAX } from '../../base/limits.ts';
import { decodeBody, encodeBody } from '../body.ts';
import { asArray, asFields, asLine, asOneOf, asWhole, refuse, type Unchecked } from '../check.ts';

/**
 * Who belongs to a cluster, as a configuration entry and a snapshot carry it. The core needs the ids alone; addresses and
 * incarnations are the shell's. Layout in FORMAT.md, "Members".
 */
export interface ClusterMember {
  readonly id: ReplicaId;
  /** Multiaddr on which the member listens. */
  readonly address: string;
  /** Of the data folder that is meant; 0 = any. A wiped disk is another member. */
  readonly incarnation: number;
  /** At least one. A voter that stays through a change is `voter` and `outgoing` while the change is under way. */
  readonly roles: readonly MemberRole[];
  /** Among equals the higher one leads. */
  readonly priority: number;
}

/** The lists of a configuration that the member is on. */
export type MemberRole = 'voter' | 'outgoing' | 'learner' | 'learner-next';

const ROLES: readonly MemberRole[] = ['voter', 'outgoing', 'learner', 'learner-next'];

/** The lists that agreement counts by, each in order of id. */
export interface MemberLists {
  readonly voters: readonly ReplicaId[];
  readonly outgoing: readonly ReplicaId[];
  readonly learners: readonly ReplicaId[];
  readonly learnersNext: readonly ReplicaId[];
}

export function listsOf(members: readonly ClusterMember[]): MemberLists {
  const withRole = (role: MemberRole): ReplicaId[] =>
    members.filter(({ roles }) => roles.includes(role)).map(({ id }) => id);
  return {
    voters: withRole('voter'),
    outgoing: withRole('outgoing'),
    learners: withRole('learner'),
    learnersNext: withRole('learner-next'),
  };
}

/** As a document has them, by name. @throws TocsinError BODY_MALFORMED */
export const parseRoles = (field: string, value: unknown): MemberRole[] =>
  asArray('answer', field, value, ROLES.length).map((role) =>
    asOneOf('answer', field, role, ROLES),
  );

/** Fields come in the order of the table in FORMAT.md, so equal members are equal bytes. */
export const membersBody = (members: readonly ClusterMember[]): unknown =>
  members.map(({ id, address, incarnation, roles, priority }) => ({
    id,
    addr: address,
    inc: incarnation,
    roles: roles.reduce((bits, role) => bits | (1 << ROLES.indexOf(role)), 0),
    prio: priority,
  }));

/** @throws TocsinError BODY_MALFORMED */
export function parseMembers(value: unknown): ClusterMember[] {
  const members = asArray('answer', 'members', value, MEMBERS_MAX).map(parseMember);
  for (const [at, { id }] of members.entries())
    if (at > 0 && id <= (members[at - 1] as ClusterMember).id)
      refuse('answer', 'members', `replica ${id} is out of order`);
  if (!members.some(({ roles }) => roles.includes('voter')))
    refuse('answer', 'members', 'nobody votes');
  return members;
}

/** The body of a configuration entry. */
export const encodeMembers = (members: readonly ClusterMember[]): Uint8Array =>
  encodeBody({ members: membersBody(members) });

/** @throws TocsinError BODY_MALFORMED */
export const decodeMembers = (body: Uint8Array): ClusterMember[] =>
  parseMembers(
    (asFields('answer', 'configuration', decodeBody(body), undefined) as { members?: unknown })
      .members,
  );

interface MemberFields {
  readonly id: number;
  readonly addr: string;
  readonly inc: number;
  readonly roles: number;
  readonly prio: number;
}

function parseMember(value: unknown): ClusterMember {
  const fields: Unchecked<MemberFields> = asFields('answer', 'member', value, undefined);
  const bits = asWhole('answer', 'roles', fields.roles, 1, 2 ** ROLES.length - 1);
  return {
    id: replicaId(asWhole('answer', 'id', fields.id, 1, REPLICA_ID_MAX)),
    address: asLine('answer', 'addr', fields.addr, 1, ADDRESS_CHARS_MAX),
    incarnation: asWhole('answer', 'inc', fields.inc, 0, Number.MAX_SAFE_INTEGER),
    roles: ROLES.filter((_, at) => (bits & (1 << at)) !== 0),
    priority: asWhole('answer', 'prio', fields.prio, 0, PRIORITY_MAX),
  };
}
