import { expect, test } from 'vitest';
import { must } from '../../src/base/assert.ts';
import { replicaId } from '../../src/base/ids.ts';
import {
  ELECTION_TICKS_MAX,
  ELECTION_TICKS_MIN,
  HEARTBEAT_TICKS,
  LAG_ROUNDS_MAX,
  PROMOTION_ROUNDS,
} from '../../src/base/limits.ts';
import { Prng } from '../../src/base/prng.ts';
import { isJoint } from '../../src/raft/configuration.ts';
import type { RaftCore } from '../../src/raft/core.ts';
import { CoreCluster } from '../../src/testing/core-cluster.ts';
import { accepted, drain, heard, id, loneLeader, message } from './lone-core.ts';
import { change } from './story.ts';

/** What the leader takes a member for, and what changes of members come to when it is so. */

/**
 * `stuck`: answers heartbeats, and its disk finishes nothing. `full`: answers them, and takes no append in. `slow`: its disk
 * finishes what it was given now and then.
 */
type Health = 'well' | 'slow' | 'stuck' | 'full' | 'down';

class Ward {
  readonly cluster: CoreCluster;
  readonly #health: Map<number, Health> = new Map();
  #ticks = 0;

  constructor(cluster: CoreCluster) {
    this.cluster = cluster;
  }

  become(id: number, health: Health): void {
    const isDown = this.cluster.member(id).core === undefined;
    if (health === 'down' && !isDown) this.cluster.crash(id);
    if (health !== 'down' && isDown) this.cluster.start(id);
    this.#health.set(id, health);
  }

  healthOf(id: number): Health {
    return this.#health.get(id) ?? 'well';
  }

  /** So many ticks, in each of which all that can move does. */
  pass(ticks: number, meanwhile: (tick: number) => void = () => {}): void {
    for (let tick = 0; tick < ticks; tick += 1) {
      this.#ticks += 1;
      meanwhile(tick);
      for (const { id } of this.cluster.running) this.cluster.tick(id);
      while (this.#move());
    }
  }

  #move(): boolean {
    const { cluster } = this;
    const next = cluster.network[0]?.message;
    if (next !== undefined) {
      const isLost = this.healthOf(next.to) === 'full' && next.type === 'append-request';
      if (isLost) cluster.network.shift();
      else cluster.deliver(0);
      return true;
    }
    const writer = cluster.running.find(({ id, writes }) => writes.length > 0 && this.#syncs(id));
    if (writer !== undefined) cluster.sync(writer.id);
    return writer !== undefined;
  }

  #syncs(id: number): boolean {
    const health = this.healthOf(id);
    return health === 'slow' ? this.#ticks % SLOW_TICKS === 0 : health !== 'stuck';
  }
}

const SLOW_TICKS = 4;
/** By then whoever is silent, or takes nothing, is known. */
const SEEN_TICKS = ELECTION_TICKS_MIN + HEARTBEAT_TICKS * 2;

/** The health of all is drawn anew; if one leads all the while, it is asked for a change. What came of it. */
function ask(ward: Ward, chance: Prng): 'begun' | 'refused' | 'nobody' {
  const { cluster } = ward;
  const leader = cluster.elect();
  for (const { id } of cluster.members) {
    const ills: readonly Health[] = id === leader ? ['slow', 'stuck'] : ILLS;
    ward.become(id, chance.chance(id === leader ? 0.9 : 0.6) ? 'well' : chance.pick(ills));
  }
  // What was written last is some heartbeats old: at once nobody could know who takes it.
  const written = chance.pick([1, SEEN_TICKS]);
  ward.pass(SEEN_TICKS, (tick) => tick < written && cluster.propose(leader, `${tick}`));
  if (cluster.core(leader).standing.role !== 'leader') return 'nobody';
  const before = cluster.core(leader).configuration;
  change(cluster, leader, chance);
  return cluster.core(leader).configuration === before ? 'refused' : 'begun';
}

const ILLS: readonly Health[] = ['slow', 'stuck', 'full', 'down'];

function recover(ward: Ward): void {
  for (const { id } of ward.cluster.members) ward.become(id, 'well');
  ward.pass(ELECTION_TICKS_MAX * 2);
}

test('a change that is not refused ends, as the members are, whoever takes no entries though it answers', () => {
  const count = { begun: 0, refused: 0, nobody: 0 };
  for (let seed = 1; seed <= 150; seed += 1) {
    const chance = new Prng(seed);
    const size = chance.between(2, 6);
    const cluster = new CoreCluster({ size, voters: chance.between(1, size), seed });
    const ward = new Ward(cluster);
    for (let round = 0; round < 6; round += 1) {
      const outcome = ask(ward, chance);
      count[outcome] += 1;
      if (outcome === 'begun') {
        ward.pass(ELECTION_TICKS_MAX * 6);
        const { last, committed, configuration } = must(cluster.leaders[0]?.core, 'a leader');
        const how = cluster.members.map(({ id }) => `${id} ${ward.healthOf(id)}`).join();
        expect(isJoint(configuration), `seed ${seed}: ${how}`).toBe(false);
        expect(committed, `seed ${seed}: ${how}`).toBe(last.index);
      }
      recover(ward);
    }
  }
  for (const each of Object.values(count)) expect(each).toBeGreaterThan(30);
});

/** Replica 1 leads 2 and 3; so many ticks, in each of which both are heard, and 2 holds all. */
function lead(core: RaftCore, ticks: number, third: (tick: number) => number | undefined): void {
  for (let tick = 0; tick < ticks; tick += 1) {
    for (const peer of [2, 3]) core.step(heard([peer, 1, 1]));
    core.step(accepted([2, 1, 1], core.last.index));
    const held = third(tick);
    if (held !== undefined) core.step(accepted([3, 1, 1], held));
    drain(core);
    core.tick();
  }
}

/** What comes of a change in which replica 3 is needed. */
const leaning = (core: RaftCore) =>
  must(core.plan({ voters: [1, 3].map(replicaId), learners: [] }), 'no leader');

/** What replica 3 is taken for: fit to lead, and to be counted on. */
const verdict = (core: RaftCore) => ({
  caughtUp: must(core.peers?.[1], 'replica 3').caughtUp,
  counted: leaning(core).ok,
});
const GOOD = { caughtUp: true, counted: true };
const BAD = { caughtUp: false, counted: false };

test('however much is written, who acknowledges it in time keeps up, though it never holds all; who does later does not', () => {
  const bound = LAG_ROUNDS_MAX * HEARTBEAT_TICKS;
  for (let delay = 0; delay <= bound * 2; delay += 1) {
    const core = loneLeader();
    drain(core);
    const ends: number[] = [];
    lead(core, bound * 4, () => {
      for (let n = 0; n < 100; n += 1) core.propose({ byteLength: 1 });
      ends.push(core.last.index);
      return ends.at(-1 - delay);
    });
    if (delay <= bound) expect(verdict(core), `${delay} ticks`).toEqual(GOOD);
    if (delay > bound + HEARTBEAT_TICKS) expect(verdict(core), `${delay} ticks`).toEqual(BAD);
  }
});

test('who holds all keeps up for as long as nothing is written; who does not take the next entry is known some heartbeats after it', () => {
  const core = loneLeader();
  drain(core);
  lead(core, 1_000, () => 1);
  expect(verdict(core)).toEqual(GOOD);
  core.propose({ byteLength: 1 });
  lead(core, (LAG_ROUNDS_MAX + 1) * HEARTBEAT_TICKS, () => undefined);
  expect(verdict(core)).toEqual(BAD);
  expect(leaning(core)).toMatchObject({
    reason: 'no-quorum',
    after: { voters: 2, needed: 2, alive: 1 },
    says: '2 of 2 voters are needed afterwards, 1 can be counted on; replica 3 answers, and has acknowledged entries up to 1 of 2: it is catching up, or its disk takes nothing',
  });
  core.step(accepted([3, 1, 1], 2));
  expect(leaning(core)).toMatchObject({ ok: true });
});

test('a new leader counts on nobody who has acknowledged nothing of its reign, and says so', () => {
  const core = loneLeader({ log: [1, 1], term: 1 });
  drain(core);
  for (const peer of [2, 3]) core.step(heard([peer, 1, 2]));
  core.step(accepted([3, 1, 2], 2));
  const refusal = leaning(core);
  expect(refusal).toMatchObject({ reason: 'no-quorum', before: { alive: 1 } });
  expect('says' in refusal && refusal.says).toContain('replica 2 has told this leader nothing yet');
  core.step(accepted([3, 1, 2], 3));
  expect(leaning(core)).toMatchObject({ ok: true });
});

test('a member that is not heard, or whose disk has lost what it acknowledged, is not counted on until it has made up for it', () => {
  const core = loneLeader();
  drain(core);
  lead(core, PROMOTION_ROUNDS * HEARTBEAT_TICKS * 2, () => core.last.index);
  expect(leaning(core)).toMatchObject({ ok: true });
  const lost = { accepted: false, index: core.last.index, hint: id(0, 0), reverted: true } as const;
  core.step(message('append-reply', [3, 1, 1], lost));
  expect(leaning(core)).toMatchObject({ reason: 'no-quorum' });
  core.step(accepted([3, 1, 1], core.last.index));
  expect(leaning(core)).toMatchObject({ ok: true });
  for (let tick = 0; tick < ELECTION_TICKS_MIN; tick += 1) {
    core.tick();
    core.step(heard([2, 1, 1]));
  }
  const silent = leaning(core);
  expect('says' in silent && silent.says).toContain('replica 3 is not heard');
  core.step(heard([3, 1, 1]));
  expect(leaning(core)).toMatchObject({ ok: true });
});

test('a learner that answers, and takes no entries, is given no vote', () => {
  const cluster = new CoreCluster({ size: 2, voters: 1, seed: 3 });
  const ward = new Ward(cluster);
  const leader = cluster.elect();
  cluster.change(leader, [1], [2]);
  ward.pass(PROMOTION_ROUNDS * HEARTBEAT_TICKS * 2);
  ward.become(2, 'full');
  for (let n = 0; n < 6; n += 1) cluster.propose(leader, `${n}`);
  ward.pass((LAG_ROUNDS_MAX + 1) * HEARTBEAT_TICKS);
  expect(cluster.change(leader, [1, 2])).toMatchObject({
    reason: 'not-caught-up',
    says: 'replica 2 answers, and has acknowledged entries up to 2 of 8: it is catching up, or its disk takes nothing',
  });
  ward.become(2, 'well');
  ward.pass(PROMOTION_ROUNDS * HEARTBEAT_TICKS * 2);
  expect(cluster.change(leader, [1, 2])).toMatchObject({ ok: true });
});
