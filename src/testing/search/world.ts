import type { RaftOptions } from '../../raft/options.ts';
import { CoreCluster } from '../core-cluster.ts';

/** How often each kind of action may happen on one path: what keeps a world small. */
export interface Budget {
  /** A connection to the leader breaks, or a time-out ends. */
  readonly elections: number;
  readonly proposals: number;
  readonly reads: number;
  readonly crashes: number;
  readonly duplicates: number;
  readonly heartbeats: number;
  readonly compactions: number;
  readonly changes: number;
}

/** A few cores in a place from which everything that can happen is tried. */
export interface World {
  readonly name: string;
  /** What is so at the beginning. */
  readonly scene: string;
  readonly size: number;
  /** Of the first configuration. @defaultValue all */
  readonly voters?: number;
  readonly raft?: Partial<RaftOptions>;
  readonly budget: Partial<Budget>;
  /** Actions deep that an ordinary run goes. */
  readonly depth: number;
  /** Brings the cores to the place where the search begins. */
  readonly prepare: (cluster: CoreCluster) => void;
}

/** No seed matters here: what is drawn at random, time-outs alone, is told by the search. */
const SEED = 1;

export function build(world: World): CoreCluster {
  const { size, voters = size, raft = {} } = world;
  const cluster = new CoreCluster({ size, voters, raft, seed: SEED });
  world.prepare(cluster);
  return cluster;
}

/** The time-out of a member ends, and it asks for votes; or asks again. */
export function timeOut(cluster: CoreCluster, id: number): void {
  const { network } = cluster;
  const before = network.length;
  for (let tick = 0; tick < TICKS_MAX && network.length === before; tick += 1) cluster.tick(id);
}

/** As many ticks as there are between two heartbeats. */
export function beat(cluster: CoreCluster, id: number): void {
  timeOut(cluster, id);
}

/** More than any time-out takes. */
const TICKS_MAX = 100;
