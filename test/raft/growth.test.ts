import { expect, test } from 'vitest';
import {
  ELECTION_TICKS_MAX,
  ELECTION_TICKS_MIN,
  HEARTBEAT_TICKS,
  PROMOTION_ROUNDS,
} from '../../src/base/limits.ts';
import { Prng } from '../../src/base/prng.ts';
import { renderConfiguration } from '../../src/raft/configuration.ts';
import { CoreCluster } from '../../src/testing/core-cluster.ts';
import { appliedBy, awaitLeader, idsOf, isolate, logOf, slowNetwork } from './clusters.ts';

/** Clusters whose members change while something else goes wrong (§6). */

const configurationOf = (cluster: CoreCluster, id: number): string =>
  renderConfiguration(cluster.core(id).configuration);

const range = (from: number, to: number): number[] =>
  Array.from({ length: to - from + 1 }, (_, at) => from + at);

/** Asks again and again, of whoever leads, until the change is begun and done. */
function change(
  cluster: CoreCluster,
  among: readonly number[],
  voters: readonly number[],
  learners: readonly number[],
  meanwhile: () => void = () => cluster.calm(HEARTBEAT_TICKS),
): void {
  const wanted = [voters.join(' '), learners.join(' ')].filter((each) => each !== '').join(' + ');
  for (let time = 0; time < ELECTION_TICKS_MAX * 10; time += 1) {
    const [leader] = cluster.leaders.filter(({ id }) => among.includes(id));
    if (leader !== undefined) {
      const { id } = leader;
      const core = cluster.core(id);
      if (renderConfiguration(core.configurationAt(core.committed)) === wanted) return;
      cluster.change(id, voters, learners);
    }
    meanwhile();
  }
  throw new Error(`${wanted} was not reached`);
}

test('one grows to seven and shrinks back to one, under writes, losses and crashes', () => {
  for (let seed = 1; seed <= 4; seed += 1) {
    const cluster = new CoreCluster({ size: 7, voters: 1, seed });
    const prng = new Prng(seed);
    let proposed = 0;
    awaitLeader(cluster, [1]);
    let members = [1];
    const trouble = (): void => {
      const [leader] = cluster.leaders;
      if (leader !== undefined) cluster.propose(leader.id, `p${proposed++}`);
      // With two voters, or one, nobody can be spared.
      const victim = prng.pick(members);
      if (members.length >= 3 && prng.chance(0.1)) {
        cluster.crash(victim, prng.between(0, cluster.member(victim).writes.length));
        cluster.start(victim);
      }
      for (let tick = 0; tick < HEARTBEAT_TICKS; tick += 1) {
        for (const { id } of cluster.running) cluster.tick(id);
        for (let step = 0; step < 200; step += 1) {
          for (const { id, writes } of cluster.running) while (writes.length > 0) cluster.sync(id);
          if (cluster.network.length === 0) break;
          if (prng.chance(0.02)) cluster.network.shift();
          else cluster.deliver(0);
        }
      }
    };
    for (const size of [3, 5, 7, 5, 3, 1]) {
      const wanted = range(1, size);
      const fresh = wanted.filter((id) => !members.includes(id));
      if (fresh.length > 0) change(cluster, members, members, fresh, trouble);
      change(cluster, members, wanted, [], trouble);
      members = wanted;
    }
    cluster.settle();
    expect(configurationOf(cluster, 1)).toBe('1');
    const index = cluster.propose(1, 'alone');
    cluster.settle();
    expect(cluster.core(1).committed).toBe(index);
  }
});

/** The same story each time, a small step after another: a new member, then it takes the place of the leader. */
class Story {
  readonly cluster: CoreCluster = new CoreCluster({ size: 4, voters: 3, seed: 2 });
  readonly #acts: (() => void)[];

  constructor() {
    const { cluster } = this;
    const leading = (what: (id: number) => void) => () => {
      const [leader] = cluster.leaders;
      if (leader !== undefined) what(leader.id);
    };
    const beats = range(1, HEARTBEAT_TICKS * (PROMOTION_ROUNDS + 1)).map(() => () => {
      for (const { id } of cluster.running) cluster.tick(id);
    });
    this.#acts = [
      () => cluster.campaign(1),
      leading((id) => cluster.change(id, [1, 2, 3], [4])),
      leading((id) => cluster.propose(id, 'a')),
      ...beats,
      leading((id) => cluster.change(id, [2, 3, 4])),
      leading((id) => cluster.propose(id, 'b')),
    ];
  }

  step(): boolean {
    const { cluster } = this;
    const writer = cluster.running.find(({ writes }) => writes.length > 0);
    if (writer !== undefined) cluster.sync(writer.id);
    else if (cluster.network.length > 0) cluster.deliver(0);
    else {
      const next = this.#acts.shift();
      if (next === undefined) return false;
      next();
    }
    return true;
  }
}

test('a change survives a crash of any member at any step, begun or not, and ends one way for all', () => {
  const whole = new Story();
  let steps = 1;
  while (whole.step()) steps += 1;
  expect(configurationOf(whole.cluster, 4)).toBe('2 3 4');
  const ends = new Set<string>();
  for (let at = 0; at < steps; at += 1) {
    const victim = (at % 4) + 1;
    const story = new Story();
    const { cluster } = story;
    for (let step = 0; step < at; step += 1) story.step();
    cluster.crash(victim, at % (cluster.member(victim).writes.length + 1));
    cluster.start(victim);
    for (const other of cluster.running)
      if (other.id !== victim) cluster.peerLost(other.id, victim);
    while (story.step());
    cluster.calm(ELECTION_TICKS_MAX * 3);
    const [leader] = cluster.leaders;
    expect(leader, `step ${at}`).toBeDefined();
    const { configuration } = cluster.core(leader?.id ?? 0);
    ends.add(renderConfiguration(configuration));
    cluster.propose(leader?.id ?? 0, 'after');
    cluster.calm(ELECTION_TICKS_MIN);
    for (const id of [...configuration.voters, ...configuration.learners]) {
      expect(cluster.core(id).configuration).toEqual(configuration);
      expect(logOf(cluster, id)).toEqual(logOf(cluster, leader?.id ?? 0));
      expect(appliedBy(cluster, id).at(-1)).toBe('after');
    }
  }
  for (const end of ends) expect(['1 2 3', '1 2 3 + 4', '2 3 4']).toContain(end);
  expect(ends).toContain('2 3 4');
});

test('who was away while all others were exchanged is led by those it never heard of', () => {
  const cluster = new CoreCluster({ size: 6, voters: 3, seed: 1 });
  awaitLeader(cluster, [1, 2, 3]);
  cluster.transfer(awaitLeader(cluster, [1, 2, 3]), 1);
  cluster.settle();
  isolate(cluster, 3);
  const all = idsOf(cluster);
  change(cluster, all, [1, 2, 3], [4, 5]);
  change(cluster, all, [3, 4, 5], []);
  for (const id of [1, 2]) cluster.crash(id);
  const leader = awaitLeader(cluster, [4, 5]);
  for (let n = 0; n < 50; n += 1) cluster.propose(leader, `p${n}`);
  cluster.calm(ELECTION_TICKS_MAX);
  expect(configurationOf(cluster, 3)).toBe('1 2 3');
  cluster.cut.clear();
  cluster.calm(ELECTION_TICKS_MAX * 2);
  const now = awaitLeader(cluster, [3, 4, 5]);
  expect(configurationOf(cluster, 3)).toBe('3 4 5');
  expect(logOf(cluster, 3)).toEqual(logOf(cluster, now));
  expect(appliedBy(cluster, 3)).toHaveLength(50);
});

test('while every link is slow a new member is taken in and the leader put out, and writes go on', () => {
  const cluster = new CoreCluster({ size: 4, voters: 3, seed: 3 });
  const pass = slowNetwork(cluster, () => 2);
  pass(ELECTION_TICKS_MAX * 4);
  const first = cluster.leaders[0]?.id ?? 0;
  const meanwhile = (): void => {
    const [leader] = cluster.leaders;
    if (leader !== undefined) cluster.propose(leader.id, 'p');
    pass(HEARTBEAT_TICKS);
  };
  const all = idsOf(cluster);
  change(cluster, all, [1, 2, 3], [4], meanwhile);
  const voters = all.filter((id) => id !== first);
  change(cluster, all, voters, [], meanwhile);
  cluster.calm(ELECTION_TICKS_MAX * 2);
  const leader = awaitLeader(cluster, voters);
  expect(leader).not.toBe(first);
  for (const id of voters) expect(appliedBy(cluster, id)).toEqual(appliedBy(cluster, leader));
  expect(appliedBy(cluster, leader).length).toBeGreaterThan(5);
});

test('after a removal fewer are needed, and what waited for more is committed', () => {
  const cluster = new CoreCluster({ size: 5, seed: 1 });
  const leader = awaitLeader(cluster);
  cluster.calm(HEARTBEAT_TICKS);
  const [second = 0, third = 0, ...gone] = idsOf(cluster).filter((id) => id !== leader);
  const kept = [leader, second, third].toSorted((a, b) => a - b);
  change(cluster, kept, kept, []);
  for (const id of gone) cluster.crash(id);
  cluster.crash(third);
  // Two of five would be too few; two of three are enough.
  const index = cluster.propose(leader, 'a');
  cluster.settle();
  expect(cluster.core(leader).committed).toBe(index);
});
