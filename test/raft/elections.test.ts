import fc from 'fast-check';
import { expect, test } from 'vitest';
import { replicaId } from '../../src/base/ids.ts';
import { ELECTION_TICKS_MAX, ELECTION_TICKS_MIN } from '../../src/base/limits.ts';
import { Prng } from '../../src/base/prng.ts';
import { CoreCluster } from '../../src/testing/core-cluster.ts';
import { awaitLeader, idsOf, isolate, leaderOf, logOf, plant, slowNetwork } from './clusters.ts';
import { ask, drain, heartbeat, id, loneCore, sent } from './lone-core.ts';

/** Elections among several (§5.2, §5.4.1); the harness holds "one leader a term" after every step. */

const termsOf = (cluster: CoreCluster): number[] =>
  idsOf(cluster).map((id) => cluster.core(id).standing.term);

test.each([1, 2, 3, 4, 5, 6, 7])(
  'of %i replicas one comes to lead, in one term for all, and stays without faults',
  (size) => {
    for (let seed = 1; seed <= 10; seed += 1) {
      const cluster = new CoreCluster({ size, seed });
      const leader = awaitLeader(cluster);
      const terms = termsOf(cluster);
      expect(new Set(terms).size).toBe(1);
      expect(terms[0]).toBeGreaterThanOrEqual(1);
      expect(cluster.leaders).toHaveLength(1);
      cluster.calm(ELECTION_TICKS_MAX * 2);
      expect([leaderOf(cluster, idsOf(cluster)), termsOf(cluster)]).toEqual([leader, terms]);
    }
  },
);

test('a leader that is cut off is replaced, and comes back as a follower that disturbs nobody', () => {
  const cluster = new CoreCluster({ size: 3, seed: 1 });
  const first = awaitLeader(cluster);
  const others = idsOf(cluster).filter((id) => id !== first);
  isolate(cluster, first);
  const second = awaitLeader(cluster, others);
  const { term } = cluster.core(second).standing;
  cluster.cut.clear();
  expect(awaitLeader(cluster)).toBe(second);
  cluster.calm(ELECTION_TICKS_MAX * 2);
  expect(cluster.core(first).standing).toMatchObject({ role: 'follower', leader: second, term });
});

test('a leader that lost its quorum and asks for votes is answered by those who followed it, and protected no more', () => {
  const core = loneCore({ id: 3, term: 1 });
  core.step(heartbeat([1, 3, 1]));
  core.step(ask([2, 3, 2], id(9, 1), { pre: true }));
  expect(sent(drain(core, replicaId(3)), 'vote-reply')).toEqual([]);
  core.step(ask([1, 3, 2], id(9, 1), { pre: true }));
  core.step(ask([1, 3, 2], id(9, 1)));
  expect(sent(drain(core, replicaId(3)), 'vote-reply')).toMatchObject([
    { to: 1, pre: true, granted: true },
    { to: 1, pre: false, granted: true, term: 2 },
  ]);
});

test('without a quorum nobody leads; with one again, somebody does', () => {
  const cluster = new CoreCluster({ size: 3, seed: 1 });
  awaitLeader(cluster);
  for (const id of idsOf(cluster)) isolate(cluster, id);
  cluster.calm(ELECTION_TICKS_MAX * 3);
  expect(cluster.leaders).toEqual([]);
  cluster.cut.clear();
  awaitLeader(cluster);
  expect(cluster.leaders).toHaveLength(1);
});

test('of seven, whichever three are cut off, the other four are led by one, round after round', () => {
  const cluster = new CoreCluster({ size: 7, seed: 2 });
  const prng = new Prng(7);
  awaitLeader(cluster);
  for (let round = 0; round < 9; round += 1) {
    const ids = idsOf(cluster);
    while (ids.length > 4) ids.splice(prng.between(0, ids.length - 1), 1);
    for (const id of idsOf(cluster)) if (!ids.includes(id)) isolate(cluster, id);
    awaitLeader(cluster, ids);
    cluster.cut.clear();
    awaitLeader(cluster);
    expect(cluster.leaders).toHaveLength(1);
  }
});

test('two of five seldom time out together, and each time-out there is gets drawn', () => {
  const seen = new Set<number>();
  let conflicts = 0;
  const rounds = 1000;
  for (let round = 0; round < rounds; round += 1) {
    const cores = Array.from({ length: 5 }, (_, at) => loneCore({ seed: round * 5 + at }));
    let ticks = 0;
    while (cores.every((core) => core.standing.role === 'follower')) {
      for (const core of cores) core.tick();
      ticks += 1;
    }
    seen.add(ticks);
    if (cores.filter((core) => core.standing.role !== 'follower').length > 1) conflicts += 1;
  }
  expect(conflicts / rounds).toBeLessThan(0.3);
  for (let ticks = ELECTION_TICKS_MIN; ticks < ELECTION_TICKS_MIN + 5; ticks += 1)
    expect(seen).toContain(ticks);
});

test('whoever campaigns together, and however their words cross, one leads and the logs are equal', () => {
  const scene = fc.record({
    seed: fc.nat(1_000_000),
    campaigners: fc.uniqueArray(fc.integer({ min: 1, max: 5 }), { minLength: 2, maxLength: 5 }),
  });
  fc.assert(
    fc.property(scene, ({ seed, campaigners }) => {
      const cluster = new CoreCluster({ size: 5, seed });
      const prng = new Prng(seed);
      for (const id of campaigners) cluster.campaign(id);
      for (let step = 0; step < 200; step += 1) {
        if (prng.chance(0.3)) cluster.sync(prng.between(1, 5));
        const waiting = cluster.network.length;
        if (waiting > 0) cluster.deliver(prng.between(0, waiting - 1));
      }
      cluster.settle();
      const leader = awaitLeader(cluster);
      cluster.calm(ELECTION_TICKS_MIN);
      expect(cluster.leaders).toHaveLength(1);
      for (const id of idsOf(cluster)) expect(logOf(cluster, id)).toEqual(logOf(cluster, leader));
    }),
  );
});

test('each replica in turn can lead', () => {
  const cluster = new CoreCluster({ size: 5, seed: 1 });
  let leader = awaitLeader(cluster);
  for (const next of [...idsOf(cluster), ...idsOf(cluster)]) {
    if (next === leader) continue;
    cluster.transfer(leader, next);
    cluster.settle();
    expect(awaitLeader(cluster)).toBe(next);
    leader = next;
  }
});

test('who was elected by those that hold nothing overwrites the newer entry of a leader of less', () => {
  const cluster = new CoreCluster({ size: 5, seed: 1 });
  // 3 led term 2 with the votes of 4 and 5 and told nobody of its entry; 1 and 2 know of term 1 alone.
  for (const id of [1, 2]) plant(cluster, id, { term: 1, vote: 1, log: [1] });
  plant(cluster, 3, { term: 2, vote: 3, log: [2] });
  for (const id of [4, 5]) plant(cluster, id, { term: 2, vote: 3, log: [] });
  cluster.campaign(1);
  cluster.settle();
  expect(cluster.core(1).standing).toMatchObject({ role: 'follower', term: 2 });
  cluster.campaign(1);
  cluster.settle();
  expect(cluster.core(1).standing).toMatchObject({ role: 'leader', term: 3 });
  cluster.calm(ELECTION_TICKS_MIN);
  for (const id of idsOf(cluster)) expect(logOf(cluster, id)).toEqual([1, 3]);
});

test('a leader brings all six logs of Figure 7 into line with its own', () => {
  const cluster = new CoreCluster({ size: 7, seed: 1 });
  const logs = [
    [1, 1, 1, 4, 4, 5, 5, 6, 6, 6],
    [1, 1, 1, 4, 4, 5, 5, 6, 6],
    [1, 1, 1, 4],
    [1, 1, 1, 4, 4, 5, 5, 6, 6, 6, 6],
    [1, 1, 1, 4, 4, 5, 5, 6, 6, 6, 7, 7],
    [1, 1, 1, 4, 4, 4, 4],
    [1, 1, 1, 2, 2, 2, 3, 3, 3, 3, 3],
  ];
  for (const [at, log] of logs.entries()) plant(cluster, at + 1, { term: 7, log });
  cluster.campaign(1);
  cluster.settle();
  expect(cluster.core(1).standing).toMatchObject({ role: 'leader', term: 8 });
  cluster.calm(ELECTION_TICKS_MIN);
  for (const id of idsOf(cluster)) {
    expect(logOf(cluster, id)).toEqual([...(logs[0] ?? []), 8]);
    expect(cluster.member(id).appliedTo).toBe(11);
  }
});

test('a replica that missed many terms helps to elect the next leader', () => {
  const cluster = new CoreCluster({ size: 3, seed: 1 });
  let leader = awaitLeader(cluster);
  const [other, absent] = idsOf(cluster).filter((id) => id !== leader) as [number, number];
  isolate(cluster, absent);
  const pair = [leader, other];
  for (let hand = 0; hand < 6; hand += 1) {
    const next = pair.find((id) => id !== leader) ?? 0;
    cluster.transfer(leader, next);
    cluster.settle();
    leader = awaitLeader(cluster, pair);
  }
  const survivor = pair.find((id) => id !== leader) ?? 0;
  cluster.crash(leader);
  cluster.cut.clear();
  expect(awaitLeader(cluster, [survivor, absent])).toBe(survivor);
  expect(cluster.core(absent).standing.term).toBe(cluster.core(survivor).standing.term);
});

test('a replica that was cut off for long returns in the term it had, and nothing changes', () => {
  const cluster = new CoreCluster({ size: 3, seed: 1 });
  const leader = awaitLeader(cluster);
  const { term } = cluster.core(leader).standing;
  const absent = idsOf(cluster).find((id) => id !== leader) ?? 0;
  isolate(cluster, absent);
  cluster.calm(ELECTION_TICKS_MAX * 10);
  expect(cluster.core(absent).standing.term).toBe(term);
  cluster.cut.clear();
  cluster.calm(ELECTION_TICKS_MAX * 2);
  expect(leaderOf(cluster, idsOf(cluster))).toBe(leader);
  expect(new Set(termsOf(cluster))).toEqual(new Set([term]));
});

test('a replica that is stuck in a high term is back before two time-outs have passed', () => {
  for (let seed = 1; seed <= 20; seed += 1) {
    const cluster = new CoreCluster({ size: 3, seed });
    const leader = awaitLeader(cluster);
    cluster.propose(leader, 'before');
    cluster.settle();
    const stuck = idsOf(cluster).find((id) => id !== leader) ?? 0;
    plant(cluster, stuck, { term: 50, log: [] });
    cluster.calm(ELECTION_TICKS_MAX * 2);
    const now = leaderOf(cluster, idsOf(cluster));
    expect(now, `seed ${seed}`).toBeDefined();
    expect(cluster.core(stuck).standing.term).toBeGreaterThanOrEqual(50);
    expect(logOf(cluster, stuck)).toEqual(logOf(cluster, now ?? 0));
  }
});

test.each([
  ['to leave', 'vote-request'],
  ['to arrive', 'vote-reply'],
])('votes that are slow %s elect a leader all the same, and keep it', (_, kind) => {
  const cluster = new CoreCluster({ size: 5, seed: 1 });
  const pass = slowNetwork(cluster, ({ type }) => (type === kind ? 4 : 0));
  pass(ELECTION_TICKS_MAX * 5);
  const leader = leaderOf(cluster, idsOf(cluster));
  expect(leader).toBeDefined();
  const terms = termsOf(cluster);
  pass(ELECTION_TICKS_MAX * 5);
  expect([leaderOf(cluster, idsOf(cluster)), termsOf(cluster)]).toEqual([leader, terms]);
});
