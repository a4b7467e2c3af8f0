import type { TestCluster } from '../cluster.ts';
import { type End, once } from '../end.ts';
import type { Site } from '../site.ts';
import { about, type Fault, type Field, type Struck } from './fault.ts';

/** What operators change while everything else goes on: who takes part, and who leads. */
export type MemberFault = 'members' | 'transfer';

export const MEMBER_FAULTS: Readonly<Record<MemberFault, Fault>> = {
  members: { replicasMin: 2, begin: replaced },
  transfer: { replicasMin: 2, begin: transferred },
};

/** A new replica is let in, gets a vote, and another one is taken out, for good. */
async function replaced({ cluster, prng }: Field, _: Site): Promise<Struck | undefined> {
  const newcomer = await attempt(() => cluster.enlist());
  if (newcomer === undefined) return undefined;
  const end = leaving(cluster, [newcomer]);
  const where = `replica ${newcomer.id} comes`;
  const joined = ['add', newcomer.place.address, '--promote'];
  if (!(await ordered(cluster, joined))) return { where, sites: [newcomer.id], end };
  newcomer.isMember = true;
  const victim = prng.pick(removable(cluster, newcomer));
  // It may stop by itself as soon as it learns that it has no part any more.
  victim.excuse();
  await ordered(cluster, ['remove', `${victim.id}`, '--confirm', `${victim.id}`]);
  return {
    where: `replica ${newcomer.id} for replica ${victim.id}`,
    sites: [newcomer.id, victim.id],
    end: leaving(cluster, [newcomer, victim]),
  };
}

/** Callers know the first replicas alone: one of those stays. */
function removable(cluster: TestCluster, newcomer: Site): readonly Site[] {
  const [stays] = cluster.members;
  return cluster.members.filter((site) => site !== newcomer && site !== stays);
}

/** Ends those that have no part in the cluster; where it does not say, they go on. */
const leaving = (cluster: TestCluster, sites: readonly Site[]): End =>
  once(async () => {
    if (!(await cluster.learnMembers())) return;
    for (const site of sites) if (!site.isMember && !site.isBusy) await site.end('SIGKILL');
  });

async function transferred({ cluster }: Field, victim: Site): Promise<Struck | undefined> {
  await ordered(cluster, ['transfer', `${victim.id}`]);
  return { ...about([victim]), end: once(() => {}) };
}

/** Whether the command line said that it was done. */
const ordered = async (cluster: TestCluster, words: readonly string[]): Promise<boolean> => {
  const asked = ['--endpoints', cluster.endpoints.join(','), '--timeout', '10s'];
  return (await attempt(() => cluster.command(['cluster', ...words, ...asked]))) !== undefined;
};

/** Undefined when it did not work out: everything else fails meanwhile, and so may this. */
async function attempt<T>(act: () => Promise<T>): Promise<T | undefined> {
  try {
    return await act();
  } catch {
    return undefined;
  }
}
