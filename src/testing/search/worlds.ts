import type { CoreCluster } from '../core-cluster.ts';
import { beat, timeOut, type World } from './world.ts';

/** Replica 1 leads the first term, and all hold its first entry and know it committed. */
function lead(cluster: CoreCluster): void {
  timeOut(cluster, 1);
  cluster.settle();
  beat(cluster, 1);
  cluster.settle();
}

/** Nothing goes to or from them until `together`. */
function apart(cluster: CoreCluster, ...ids: readonly number[]): void {
  for (const { id } of cluster.members)
    for (const other of ids)
      if (id !== other) cluster.cut.add(`${id}>${other}`).add(`${other}>${id}`);
}

function together(cluster: CoreCluster): void {
  cluster.cut.clear();
  cluster.network.length = 0;
}

/** They die and start again, and whoever knew one of them as leader has noticed; so nobody keeps anyone from being elected. */
function restart(cluster: CoreCluster, ...ids: readonly number[]): void {
  for (const id of ids) {
    cluster.crash(id);
    cluster.start(id);
    for (const { id: other } of cluster.running) if (other !== id) cluster.peerLost(other, id);
  }
  cluster.network.length = 0;
}

/** It is elected, as far as those hear of it who are not apart. */
function elect(cluster: CoreCluster, id: number): void {
  for (let round = 0; cluster.core(id).standing.role !== 'leader'; round += 1) {
    if (round > 10) throw new Error(`${id} is not elected`);
    timeOut(cluster, id);
    cluster.settle();
  }
}

/** Entry 2 is on disk at replicas 1 and 2, committed as 1 knows. Replica 3 never heard of it. */
function lag(cluster: CoreCluster): void {
  lead(cluster);
  apart(cluster, 3);
  cluster.propose(1, 'a');
  cluster.settle();
  together(cluster);
}

/** Entries 2 and 3 of the first term are with replica 1 alone; entry 2 of the second is committed without it. */
function overwrite(cluster: CoreCluster): void {
  lead(cluster);
  apart(cluster, 1);
  cluster.propose(1, 'a');
  cluster.propose(1, 'b');
  cluster.settle();
  restart(cluster, 1);
  elect(cluster, 2);
  beat(cluster, 2);
  cluster.settle();
  together(cluster);
}

/** Entry 2 of the first term is with replica 1, that of the second with 3, which led it; 1 leads again. Figure 8 (b) to (c). */
function figure8(cluster: CoreCluster): void {
  lead(cluster);
  apart(cluster, 1);
  cluster.propose(1, 'a');
  cluster.settle();
  restart(cluster, 1);
  crown(cluster, 3);
  together(cluster);
  restart(cluster, 3);
  apart(cluster, 3);
  crown(cluster, 1);
  cluster.cut.clear();
}

/** It is elected; what it sends as a leader has not arrived. */
function crown(cluster: CoreCluster, id: number): void {
  while (cluster.core(id).standing.role !== 'leader') if (!moved(cluster)) timeOut(cluster, id);
  cluster.sync(id);
}

/** Something that was under way arrives, or becomes durable. False if nothing was. */
function moved(cluster: CoreCluster): boolean {
  const writer = cluster.members.find(({ writes }) => writes.length > 0);
  if (writer !== undefined) cluster.sync(writer.id);
  else if (cluster.network.length > 0) cluster.deliver(0);
  else return false;
  return true;
}

const NOBODY = 'nobody leads, and nobody protects a leader';

/** Where the search begins, and what may happen from there. Together they reach every rule of the paper. */
export const WORLDS: readonly World[] = [
  {
    name: 'first-election',
    scene: 'replica 1 of 3 is the first to time out',
    size: 3,
    depth: 10,
    budget: { elections: 1, crashes: 1 },
    prepare: (cluster) => timeOut(cluster, 1),
  },
  {
    name: 'pair',
    scene: 'two replicas, nothing has happened',
    size: 2,
    depth: 14,
    budget: { elections: 2, proposals: 1, crashes: 1, duplicates: 1 },
    prepare: () => {},
  },
  {
    name: 'led',
    scene: 'replica 1 leads',
    size: 3,
    depth: 9,
    budget: { proposals: 2, crashes: 1, duplicates: 1 },
    prepare: lead,
  },
  {
    name: 'repeated',
    scene: 'replica 1 leads one other',
    size: 2,
    depth: 14,
    budget: { proposals: 2, crashes: 1, duplicates: 1 },
    prepare: lead,
  },
  {
    name: 'read',
    scene: 'replica 1 believes that it leads, 2 does',
    size: 3,
    depth: 10,
    budget: { reads: 2, heartbeats: 1, duplicates: 1 },
    prepare: (cluster) => {
      lead(cluster);
      apart(cluster, 1);
      cluster.peerLost(2, 1);
      cluster.peerLost(3, 1);
      elect(cluster, 2);
      together(cluster);
    },
  },
  {
    name: 'reign',
    scene: `entry 2 is committed, as only its leader knew, who died; ${NOBODY}`,
    size: 3,
    depth: 11,
    budget: { elections: 1, reads: 1 },
    prepare: (cluster) => {
      lag(cluster);
      restart(cluster, 1);
    },
  },
  {
    name: 'lagging',
    scene: `entry 2 is committed, without replica 3; ${NOBODY}`,
    size: 3,
    depth: 10,
    budget: { elections: 2 },
    prepare: (cluster) => {
      lag(cluster);
      restart(cluster, 1, 2, 3);
    },
  },
  {
    name: 'overwritten',
    scene: `replica 1 holds a longer log of an older term; ${NOBODY}`,
    size: 3,
    depth: 12,
    budget: { elections: 2 },
    prepare: (cluster) => {
      overwrite(cluster);
      restart(cluster, 1, 2, 3);
    },
  },
  {
    name: 'catching-up',
    scene: 'replica 2 leads, and 1 holds entries that 2 does not',
    size: 3,
    depth: 11,
    budget: { heartbeats: 1, proposals: 1, duplicates: 1, crashes: 1 },
    prepare: overwrite,
  },
  {
    name: 'figure-8',
    scene: 'replica 1 leads again, with an entry of its first reign on its own disk',
    size: 3,
    depth: 11,
    raft: { appendEntriesMax: 1 },
    budget: { elections: 1, heartbeats: 1 },
    prepare: figure8,
  },
  {
    name: 'compacted',
    scene: 'replica 1 leads, and 3 lacks an entry',
    size: 3,
    depth: 10,
    budget: { compactions: 2, heartbeats: 1, proposals: 1, crashes: 1 },
    prepare: lag,
  },
  {
    name: 'changing',
    scene: 'replica 1 leads two voters, a third replica waits',
    size: 3,
    voters: 2,
    depth: 10,
    budget: { changes: 2, elections: 1, crashes: 1 },
    prepare: lead,
  },
];
