import fc from 'fast-check';
import { expect, test } from 'vitest';
import { ELECTION_TICKS_MAX, ELECTION_TICKS_MIN, HEARTBEAT_TICKS } from '../../src/base/limits.ts';
import { Prng } from '../../src/base/prng.ts';
import { CoreCluster } from '../../src/testing/core-cluster.ts';
import { awaitLeader, idsOf, isolate, leaderOf } from './clusters.ts';
import { ask, drain, heartbeat, id, loneCore, patience, sent } from './lone-core.ts';

/** Who refuses a vote since its own log is further, and knows of no leader, asks for votes itself before long. */

/** A few heartbeats: that of the question, the wait for the turn, that of the election. */
const SOON_TICKS = HEARTBEAT_TICKS * 4;

const roleOf = (cluster: CoreCluster, replica: number): string =>
  cluster.core(replica).standing.role;

/** A leader that appended what nobody else has, lost its quorum and stepped down; the others ask for votes by now. */
function deposed(seed: number, crashed: number): { cluster: CoreCluster; ids: number[] } {
  const cluster = new CoreCluster({ size: 3, seed });
  const leader = cluster.elect();
  const others = idsOf(cluster).filter((each) => each !== leader);
  for (const each of others.splice(0, crashed)) cluster.crash(each);
  for (const each of idsOf(cluster)) isolate(cluster, each);
  cluster.propose(leader, 'kept');
  const ready = (): boolean =>
    roleOf(cluster, leader) === 'follower' &&
    others.every((each) => roleOf(cluster, each) === 'pre-candidate');
  for (let tick = 0; !ready(); tick += 1) {
    if (tick > ELECTION_TICKS_MAX * 4) throw new Error(`seed ${seed}: not all gave up together`);
    cluster.calm(1);
  }
  return { cluster, ids: [leader, ...others] };
}

test.each([0, 1])(
  'a leader that lost its quorum and meets it again is led, or leads, within a few heartbeats (%i down)',
  (crashed) => {
    for (let seed = 1; seed <= 50; seed += 1) {
      const { cluster, ids } = deposed(seed, crashed);
      const term = Math.max(...ids.map((each) => cluster.core(each).standing.term));
      cluster.cut.clear();
      cluster.calm(SOON_TICKS);
      const now = leaderOf(cluster, ids);
      expect(now, `seed ${seed}`).toBeDefined();
      // One election that the one with the longer log refused, if any, and one that it won.
      expect(cluster.core(now ?? 0).standing.term, `seed ${seed}`).toBeLessThanOrEqual(term + 2);
      cluster.calm(ELECTION_TICKS_MAX * 2);
      expect(leaderOf(cluster, ids), `seed ${seed}`).toBe(now);
    }
  },
);

test('whatever links break and heal, there are no more elections than time-outs, and one of a few ends them', () => {
  const scene = fc.record({ seed: fc.nat(1_000_000), size: fc.integer({ min: 3, max: 5 }) });
  fc.assert(
    fc.property(scene, ({ seed, size }) => {
      const prng = new Prng(seed);
      const cluster = new CoreCluster({ size, seed });
      const ids = idsOf(cluster);
      const newest = (): number => Math.max(...ids.map((each) => cluster.core(each).standing.term));
      awaitLeader(cluster);
      for (let round = 0; round < 8; round += 1) {
        const before = newest();
        const share = prng.pick([0, 0.2, 0.5, 0.8]);
        cluster.cut.clear();
        for (const from of ids)
          for (const to of ids)
            if (from !== to && prng.chance(share)) cluster.cut.add(`${from}>${to}`);
        const ticks = prng.between(1, ELECTION_TICKS_MAX * 3);
        for (let tick = 0; tick < ticks; tick += 1) {
          for (const { id: leader } of cluster.leaders)
            if (prng.chance(0.2)) cluster.propose(leader, `${round}.${tick}`);
          cluster.calm(1);
        }
        expect(newest() - before).toBeLessThanOrEqual(2 + ticks / ELECTION_TICKS_MIN);
      }
      cluster.cut.clear();
      const before = newest();
      awaitLeader(cluster);
      expect(newest() - before).toBeLessThanOrEqual(4);
    }),
    { numRuns: 60 },
  );
});

/** The others ask replica 1, which is further than they are. */
const behind = (from: number, term: number, pre = true) => ask([from, 1, term], id(1, 1), { pre });

test.each([true, false])(
  'of those that are further each waits for its turn, asked for a pre-vote: %s',
  (pre) => {
    const waits = [1, 2, 3].map((own) => {
      const core = loneCore({ id: own, voters: [1, 2, 3, 4], log: [1, 1], term: 1, seed: own });
      core.step(ask([4, own, 2], id(1, 1), { pre }));
      return patience(core);
    });
    expect(waits).toEqual([1, 2, 3].map((turn) => turn * HEARTBEAT_TICKS));
  },
);

test('however often it is asked, it asks the others once, and then as often as any campaigner', () => {
  const core = loneCore({ log: [1, 1], term: 1 });
  let asked = 0;
  for (let tick = 0; tick < ELECTION_TICKS_MIN; tick += 1) {
    for (let again = 0; again < 20; again += 1) core.step(behind(2 + (again % 2), 2));
    core.tick();
    asked += sent(drain(core), 'vote-request').length;
  }
  expect(asked).toBe((ELECTION_TICKS_MIN / HEARTBEAT_TICKS) * 2);
});

test('nobody begins to ask who is led, who is as far as the one that asks, or who must not campaign', () => {
  const led = loneCore({ log: [1, 1], term: 2 });
  led.step(heartbeat([2, 1, 2]));
  led.step(behind(3, 2));
  expect(patience(led)).toBeGreaterThanOrEqual(ELECTION_TICKS_MIN);
  const equal = loneCore({ log: [1], term: 2, vote: 3 });
  equal.step(behind(2, 2, false));
  expect(patience(equal)).toBeGreaterThanOrEqual(ELECTION_TICKS_MIN);
  const doubtful = loneCore({ log: [1, 1], term: 1, abstain: true });
  doubtful.step(behind(2, 2));
  expect(() => patience(doubtful)).toThrow('it never campaigns');
});

test('a campaign under way is not begun anew by those who cannot win', () => {
  const core = loneCore({ log: [1, 1], term: 1 });
  core.campaign();
  const before = core.state.electionTimeout;
  core.step(behind(3, 2));
  expect(core.state.electionTimeout).toBe(before);
});
