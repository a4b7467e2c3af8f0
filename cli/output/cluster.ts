import type { ReplicaStatus } from '../../src/wire/clients/status.ts';

/** One member of the cluster, as seen from here. */
export interface MemberView {
  readonly id: number;
  /** Multiaddr as the members know it. */
  readonly address: string;
  /** What it answered; undefined = it did not. */
  readonly status: ReplicaStatus | undefined;
  /** Why not. */
  readonly problem: string | undefined;
}

/** All members, in order of id, and what follows from what they said. */
export interface ClusterView {
  readonly clusterId: string;
  readonly members: readonly MemberView[];
  /** Whom a majority of the members takes for the leader. */
  readonly leader: number | undefined;
  /** The newest entry known to be committed. */
  readonly commit: number;
  /** Ids of members that hold a different state at the same place of the log: a fault. */
  readonly differing: readonly number[];
}

export function viewCluster(clusterId: string, members: readonly MemberView[]): ClusterView {
  const statuses = members.flatMap(({ status }) => (status === undefined ? [] : [status]));
  return {
    clusterId,
    members,
    leader: leaderOf(statuses, majorityOf(members.length)),
    commit: Math.max(0, ...statuses.map(({ commit }) => commit)),
    differing: differingOf(statuses),
  };
}

export const majorityOf = (count: number): number => Math.floor(count / 2) + 1;

/** Of the newest term: an older leader that does not know of its end is none. */
function leaderOf(statuses: readonly ReplicaStatus[], majority: number): number | undefined {
  const newest = Math.max(0, ...statuses.map(({ term }) => term));
  const votes = new Map<number, number>();
  for (const { leader, term } of statuses)
    if (leader !== undefined && term === newest) votes.set(leader, (votes.get(leader) ?? 0) + 1);
  return [...votes].find(([, count]) => count >= majority)?.[0];
}

function differingOf(statuses: readonly ReplicaStatus[]): readonly number[] {
  const differs = (one: ReplicaStatus): boolean =>
    statuses.some(({ applied, digest }) => applied === one.applied && digest !== one.digest);
  return statuses.filter(differs).map(({ replicaId }) => replicaId);
}

/** The same as a JSON document has it. */
export const clusterJson = (view: ClusterView): unknown => ({
  clusterId: view.clusterId,
  leader: view.leader ?? null,
  commit: view.commit,
  differing: view.differing,
  members: membersJson(view),
});

/** Each member as a value of its own. */
export const membersJson = ({ members, commit }: ClusterView): readonly unknown[] =>
  members.map(({ id, address, status, problem }) => ({
    id,
    address,
    reached: status !== undefined,
    problem,
    trailsBy: status === undefined ? undefined : Math.max(0, commit - status.applied),
    status,
  }));
