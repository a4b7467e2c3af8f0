import { expect, test } from 'vitest';
import { replicaId } from '../../src/base/ids.ts';
import { ELECTION_TICKS_MIN, HEARTBEAT_TICKS, LEASE_MS } from '../../src/base/limits.ts';
import { Prng } from '../../src/base/prng.ts';
import { configurationOf } from '../../src/raft/configuration.ts';
import { CoreCluster } from '../../src/testing/core-cluster.ts';
import { awaitLeader, idsOf, plant } from './clusters.ts';
import { entries, id, loneCore } from './lone-core.ts';

/** Replicas that are started where nobody leads do not wait out a time-out; the harness holds "one leader a term". */

/** When a replica that hears nobody asks: two heartbeats of listening, and one for each that is to ask before it. */
const turn = (rank: number): number => (2 + rank) * HEARTBEAT_TICKS;

/** Ends all and starts them anew, each so many ticks after the one before it in `order`. */
function startAnew(cluster: CoreCluster, order: readonly number[], gaps: readonly number[]): void {
  for (const id of idsOf(cluster)) cluster.crash(id);
  for (const [place, id] of order.entries()) {
    cluster.start(id);
    cluster.started(id);
    cluster.calm(gaps[place] ?? 0);
  }
}

test.each([2, 3, 4, 5, 6, 7])(
  'of %i that are all started anew the first in turn leads, without a time-out, and keeps what was committed',
  (size) => {
    for (let seed = 1; seed <= 20; seed += 1) {
      const cluster = new CoreCluster({ size, seed });
      const index = cluster.propose(awaitLeader(cluster), 'before') ?? 0;
      cluster.calm(HEARTBEAT_TICKS);
      startAnew(cluster, idsOf(cluster), []);
      cluster.calm(turn(0));
      expect(cluster.leaders.map(({ id }) => id)).toEqual([1]);
      expect(cluster.core(1).committed).toBeGreaterThan(index);
    }
  },
);

test('the first Ready tells what the disk knew to be committed, beyond where the log begins, and nothing if that is nothing', () => {
  const snapshot = { ...id(5, 1), configuration: configurationOf([1, 2, 3].map(replicaId)) };
  const told = [
    loneCore({ log: [1, 1, 1], commit: 2 }),
    loneCore({ log: [1, 1, 1], commit: 0 }),
    loneCore({ snapshot, tail: entries(5, 1, 1), commit: 6 }),
    loneCore({ snapshot, tail: entries(5, 1, 1), commit: 5 }),
  ].map((core) => core.takeReady()?.committed);
  expect(told).toEqual([2, undefined, 6, undefined]);
});

test('alone, a replica leads at once', () => {
  const cluster = new CoreCluster({ size: 1, seed: 1 });
  cluster.started(1);
  cluster.settle();
  expect(cluster.leaders).toHaveLength(1);
});

test.each([2, 3, 5])(
  'of %i that start in any order, anyhow far apart, one leads soon after the last: seldom do two ask in one tick',
  (size) => {
    const prng = new Prng(size);
    const rounds = 300;
    let soon = 0;
    for (let round = 0; round < rounds; round += 1) {
      const cluster = new CoreCluster({ size, seed: round });
      awaitLeader(cluster);
      const draws = idsOf(cluster).map((id) => ({ id, draw: prng.unit() }));
      const order = draws.sort((a, b) => a.draw - b.draw).map(({ id }) => id);
      startAnew(
        cluster,
        order,
        order.map(() => prng.between(0, ELECTION_TICKS_MIN)),
      );
      cluster.calm(turn(size));
      soon += cluster.leaders.length;
      awaitLeader(cluster);
    }
    expect(soon).toBeGreaterThan(rounds * 0.9);
  },
);

test('who lacks entries asks in vain, and the next in turn leads', () => {
  const cluster = new CoreCluster({ size: 3, seed: 1 });
  for (const [id, log] of [[1], [1, 1, 1], [1, 1, 1]].entries())
    plant(cluster, id + 1, { term: 1, log });
  for (const id of idsOf(cluster)) cluster.started(id);
  cluster.calm(turn(1));
  expect(cluster.leaders.map(({ id }) => id)).toEqual([2]);
});

test('a replica that starts under a leader deposes nobody, even if it asks before it hears of it', () => {
  for (const id of [1, 2, 3]) {
    const cluster = new CoreCluster({ size: 3, seed: 1 });
    const leader = awaitLeader(cluster);
    if (id === leader) continue;
    const { term } = cluster.core(leader).standing;
    cluster.crash(id);
    cluster.calm(1);
    cluster.start(id);
    cluster.started(id);
    cluster.cut.add(`${leader}>${id}`);
    cluster.calm(turn(3));
    expect(cluster.core(id).standing.role).toBe('pre-candidate');
    cluster.cut.clear();
    cluster.calm(ELECTION_TICKS_MIN);
    expect(cluster.core(id).standing).toMatchObject({ role: 'follower', leader, term });
    expect(cluster.core(leader).standing).toMatchObject({ role: 'leader', term });
  }
});

test('the preferred asks first; who abstains, does not vote or may have promised a lease waits as ever', () => {
  const roleAfter = (ticks: number, init: Parameters<typeof loneCore>[0]): string => {
    const core = loneCore(init);
    core.prefer(new Map([[replicaId(3), 5]]));
    core.started();
    for (let tick = 0; tick < ticks; tick += 1) core.tick();
    return core.standing.role;
  };
  expect([turn(0) - 1, turn(0)].map((ticks) => roleAfter(ticks, { id: 3 }))).toEqual([
    'follower',
    'pre-candidate',
  ]);
  expect([turn(1) - 1, turn(1)].map((ticks) => roleAfter(ticks, { id: 1 }))).toEqual([
    'follower',
    'pre-candidate',
  ]);
  for (const init of [{ abstain: true }, { id: 9 }, { options: { leaseMs: LEASE_MS } }])
    expect(roleAfter(ELECTION_TICKS_MIN - 1, init)).toBe('follower');
});
