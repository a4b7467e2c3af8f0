import { expect } from 'vitest';
import { replicaId } from '../../src/base/ids.ts';
import { Prng } from '../../src/base/prng.ts';
import { isJoint, isMemberOf, isVoterOf } from '../../src/raft/configuration.ts';
import { CoreCluster } from '../../src/testing/core-cluster.ts';

/**
 * One seed, one story: ticks, deliveries out of order, losses, duplicates, crashes with any prefix of the unfinished
 * writes, broken connections, transfers, reads, compactions, snapshots, changes of who takes part, votes in doubt, disks in
 * doubt. The harness checks safety after every step; at the end everyone runs and nobody is muted.
 */
export function story(seed: number, steps: number): CoreCluster {
  const chance = new Prng(seed);
  const faults = drawFaults(chance);
  const cluster = new CoreCluster({
    size: faults.size,
    voters: faults.changes === 0 ? faults.size : chance.between(1, faults.size),
    seed,
    raft: {
      appendBytesMax: chance.pick([150, 1000, 100_000]),
      appendEntriesMax: chance.pick([1, 3, 100]),
      inflightAppendsMax: chance.pick([1, 2, 64]),
      logMemoryBytesMax: chance.pick([0, 10_000, 1_000_000]),
      uncommittedBytesMax: chance.pick([300, 1_000_000]),
      commitNoticeMs: chance.pick([0, 1]),
      readRoundMs: chance.pick([0, 1]),
    },
  });
  for (let step = 0; step < steps; step += 1) {
    const id = chance.between(1, faults.size);
    if (!lives(cluster, id, chance, faults)) continue;
    if (chance.chance(faults.cuts)) {
      if (chance.chance(0.5)) cluster.cut.clear();
      else cluster.cut.add(`${id}>${chance.between(1, faults.size)}`);
    }
    act(cluster, id, step, chance, faults);
    deliver(cluster, chance, faults);
  }
  cluster.cut.clear();
  for (const member of cluster.members)
    if (member.core === undefined) cluster.start(member.id);
    else cluster.mute(member.id, false);
  cluster.settle();
  return cluster;
}

type Faults = ReturnType<typeof drawFaults>;

/** What may happen in one story, and how often. */
function drawFaults(chance: Prng) {
  const size = chance.pick([1, 2, 3, 3, 3, 4, 5, 5, 6]);
  const changes = chance.pick([0, 0.005, 0.03]);
  return {
    size,
    changes,
    loss: chance.pick([0, 0.02, 0.2]),
    duplicates: chance.pick([0, 0.05, 0.3]),
    reorder: chance.pick([0, 0.1, 0.7]),
    crashes: chance.pick([0, 0.002, 0.02]),
    ticks: chance.pick([0.05, 0.2, 0.5]),
    cuts: chance.pick([0, 0.005]),
    compactions: chance.pick([0, 0.01, 0.1]),
    // Of two voters that are left, one in doubt would be too many.
    doubts: changes > 0 ? 0 : chance.pick([0, 0.3]),
    mutes: chance.pick([0, 0.002]),
    preferences: chance.pick([0, 0.002]),
  };
}

/** Whether a member runs; it may start or crash instead. */
function lives(cluster: CoreCluster, id: number, chance: Prng, faults: Faults): boolean {
  if (cluster.member(id).core === undefined) {
    if (chance.chance(0.05))
      restart(cluster, id, chance.chance(faults.doubts) ? chance.between(0, 4) : undefined);
    return false;
  }
  if (!chance.chance(faults.crashes)) return true;
  cluster.crash(id, chance.between(0, cluster.member(id).writes.length));
  for (const other of cluster.running) if (chance.chance(0.7)) cluster.peerLost(other.id, id);
  return false;
}

/** What one member does in a step. */
function act(cluster: CoreCluster, id: number, step: number, chance: Prng, faults: Faults): void {
  if (chance.chance(faults.ticks)) cluster.tick(id);
  if (chance.chance(0.5)) cluster.sync(id);
  if (chance.chance(0.3)) cluster.readLog(id, chance.chance(0.1));
  if (chance.chance(0.1)) cluster.propose(id, `p${step}`, chance.between(10, 200));
  if (chance.chance(0.05)) cluster.read(id, step);
  if (chance.chance(0.002)) cluster.transfer(id, chance.between(1, faults.size));
  if (chance.chance(0.0005)) cluster.stepDown(id);
  if (chance.chance(0.001)) cluster.stalled(id, chance.between(1, 20));
  if (chance.chance(faults.preferences))
    cluster.prefer(new Map(cluster.members.map((each) => [each.id, chance.between(0, 2)])));
  if (chance.chance(faults.changes)) change(cluster, id, chance);
  if (chance.chance(faults.mutes)) cluster.mute(id, chance.chance(0.3));
  if (chance.chance(faults.compactions))
    cluster.compact(id, cluster.member(id).appliedTo - chance.between(0, 5));
  if (chance.chance(0.1)) cluster.fetch(id);
}

function deliver(cluster: CoreCluster, chance: Prng, faults: Faults): void {
  const { network } = cluster;
  for (let burst = chance.between(0, 4); burst > 0 && network.length > 0; burst -= 1) {
    const at = chance.chance(faults.reorder) ? chance.between(0, network.length - 1) : 0;
    if (chance.chance(faults.loss)) network.splice(at, 1);
    else cluster.deliver(at, chance.chance(faults.duplicates));
  }
  // A duplicate may be repeated for ever; a real network forgets.
  if (network.length > 500) network.splice(0, 250);
}

/** Some change of who takes part, whoever is asked. */
export function change(cluster: CoreCluster, id: number, chance: Prng): void {
  const { standing, configuration } = cluster.core(id);
  if (standing.role !== 'leader') return;
  const ids = cluster.members.map((each) => Number(each.id));
  const votes = ids.filter((each) =>
    chance.chance(isVoterOf(configuration, replicaId(each)) ? 0.7 : 0.4),
  );
  const learns = ids.filter((each) => !votes.includes(each) && chance.chance(0.6));
  // A stranger has to learn first.
  const stranger = (each: number): boolean => !isMemberOf(configuration, replicaId(each));
  cluster.change(
    id,
    votes.filter((each) => !stranger(each)),
    [...learns, ...votes.filter(stranger)],
  );
}

/**
 * Starts a member. It may have forgotten its vote and its newest entries, at most while a majority has not: they could
 * elect nobody, rightly.
 */
function restart(cluster: CoreCluster, id: number, forgets: number | undefined): void {
  const silent = cluster.members.filter(
    (each) => each.id !== id && (each.core?.silenced === true || each.disk.hardState.abstain),
  );
  const may = (silent.length + 1) * 2 < cluster.members.length;
  cluster.start(id, may ? forgets : undefined);
}

/** From here on nothing fails any more: something new gets committed, and all hold the same in the end. */
export function finish(cluster: CoreCluster): void {
  const done = (): boolean => [...cluster.history.values()].some((name) => name.endsWith(':last'));
  for (let round = 0; !done() && round < 50; round += 1) {
    // What the faults left behind may still cost this leader its reign; then the next one is asked.
    cluster.propose(cluster.elect(), 'last');
    cluster.calm(5);
  }
  expect(done()).toBe(true);
  cluster.calm(30);
  const leader = cluster.core(cluster.elect());
  expect(isJoint(leader.configuration), 'a change did not end').toBe(false);
  for (const member of cluster.members)
    if (isMemberOf(leader.configuration, member.id))
      expect(member.appliedTo).toBe(leader.last.index);
}
