import { logIndex, replicaId, term } from '../../src/base/ids.ts';
import { ELECTION_TICKS_MAX } from '../../src/base/limits.ts';
import type { Entry, Message } from '../../src/raft/types.ts';
import type { CoreCluster, InFlight, Named } from '../../src/testing/core-cluster.ts';

/** What tests of several cores do again and again. */

export const idsOf = (cluster: CoreCluster): number[] => cluster.members.map(({ id }) => id);

/** Cuts `id` off from all others, both ways. */
export function isolate(cluster: CoreCluster, id: number): void {
  for (const other of idsOf(cluster))
    if (other !== id) cluster.cut.add(`${id}>${other}`).add(`${other}>${id}`);
}

/** The one that all of `ids` follow, if there is one. */
export function leaderOf(cluster: CoreCluster, ids: readonly number[]): number | undefined {
  const leads = (id: number): boolean => cluster.core(id).standing.role === 'leader';
  const leader = ids.find(leads);
  const followed = ids.every((id) => cluster.core(id).standing.leader === leader);
  return followed ? leader : undefined;
}

/** Lets time pass until all of `ids` follow one of them. */
export function awaitLeader(cluster: CoreCluster, ids: readonly number[] = idsOf(cluster)): number {
  for (let tick = 0; tick < ELECTION_TICKS_MAX * 20; tick += 1) {
    const leader = leaderOf(cluster, ids);
    if (leader !== undefined) return leader;
    cluster.calm(1);
  }
  throw new Error(`nobody leads ${ids}`);
}

/** Starts `id` anew with this on its disk, the log given as the terms of its entries. */
export function plant(
  cluster: CoreCluster,
  id: number,
  disk: { readonly term: number; readonly vote?: number; readonly log: readonly number[] },
): void {
  cluster.crash(id);
  const member = cluster.member(id);
  member.disk.hardState = {
    term: term(disk.term),
    vote: disk.vote === undefined ? undefined : replicaId(disk.vote),
    commit: logIndex(0),
  };
  member.disk.entries = disk.log.map(
    (entryTerm, at): Entry => ({
      index: logIndex(at + 1),
      term: term(entryTerm),
      payload: { byteLength: 10, name: `planted ${entryTerm}` } as Named,
    }),
  );
  cluster.start(id);
}

/** The terms of the entries a replica holds. */
export const logOf = (cluster: CoreCluster, id: number): (number | undefined)[] =>
  Array.from({ length: cluster.core(id).last.index }, (_, at) => cluster.core(id).termAt(at + 1));

/** What was proposed and is applied by `id`, in order; the empty entries of new leaders left out. */
export const appliedBy = (cluster: CoreCluster, id: number): string[] =>
  [...cluster.member(id).applied.values()]
    .map((name) => name.slice(name.indexOf(':') + 1))
    .filter((name) => name !== '');

/** Lets everything arrive and become durable; returns what was sent, in order. */
export function flow(cluster: CoreCluster): Message[] {
  const messages: Message[] = [];
  for (;;) {
    for (const { id, writes } of cluster.running) while (writes.length > 0) cluster.sync(id);
    const next = cluster.network[0];
    if (next === undefined) return messages;
    messages.push(next.message);
    cluster.deliver(0);
  }
}

/** A clock for a network in which each message takes as many ticks as `delay` says. Lets some ticks pass when called. */
export function slowNetwork(
  cluster: CoreCluster,
  delay: (message: Message) => number,
): (ticks: number) => void {
  const due = new Map<InFlight, number>();
  let now = 0;
  return (ticks) => {
    for (const end = now + ticks; now < end; now += 1) {
      for (const { id } of cluster.running) cluster.tick(id);
      for (;;) {
        for (const { id, writes } of cluster.running) while (writes.length > 0) cluster.sync(id);
        for (const item of cluster.network)
          if (!due.has(item)) due.set(item, now + delay(item.message));
        const at = cluster.network.findIndex((item) => (due.get(item) ?? 0) <= now);
        if (at < 0) break;
        cluster.deliver(at);
      }
    }
  };
}
