import { expect, test } from 'vitest';
import { must } from '../../src/base/assert.ts';
import { logIndex, replicaId } from '../../src/base/ids.ts';
import {
  ELECTION_TICKS_MAX,
  ELECTION_TICKS_MIN,
  HEARTBEAT_TICKS,
  LAG_ROUNDS_MAX,
  PROMOTION_ROUNDS,
} from '../../src/base/limits.ts';
import type { Target } from '../../src/raft/change.ts';
import {
  type Configuration,
  configurationOf,
  renderConfiguration,
} from '../../src/raft/configuration.ts';
import type { RaftCore } from '../../src/raft/core.ts';
import type { ChangeResult } from '../../src/raft/membership.ts';
import type { Message } from '../../src/raft/types.ts';
import { CoreCluster } from '../../src/testing/core-cluster.ts';
import {
  accepted,
  append,
  ask,
  drain,
  entries,
  heard,
  id,
  loneCore,
  loneLeader,
  message,
  sent,
} from './lone-core.ts';

/** Who takes part, and changes of it (§6), a replica at a time and in small clusters. */

const target = (voters: readonly number[], learners: readonly number[] = []): Target => ({
  voters: voters.map(replicaId),
  learners: learners.map(replicaId),
});
const payload = (configuration: Configuration) => ({ byteLength: 9, configuration });

function change(core: RaftCore, to: Target): ChangeResult {
  const planned = must(core.plan(to), 'no leader');
  if (!planned.ok) return planned;
  return core.change(payload(planned.configuration));
}

/** A leader of term 1 whose first entry is committed, all others just heard. */
function leader(voters: readonly number[] = [1, 2, 3]): RaftCore {
  const core = loneLeader({ voters });
  drain(core);
  for (const from of voters) if (from !== 1) core.step(accepted([from, 1, 1], 1));
  drain(core);
  return core;
}

/** Heartbeats that these answer, each with its log up to the end. */
function beat(core: RaftCore, from: readonly number[], times: number): void {
  for (let tick = 0; tick < times * HEARTBEAT_TICKS; tick += 1) {
    core.tick();
    for (const peer of from) {
      core.step(heard([peer, 1, 1]));
      core.step(accepted([peer, 1, 1], core.last.index));
    }
  }
  drain(core);
}

test('no change before an entry of the own reign is committed (raft-dev, 2015), nor two at a time', () => {
  const fresh = loneLeader();
  drain(fresh);
  for (const from of [2, 3]) fresh.step(heard([from, 1, 1]));
  const learns = payload(configurationOf([1, 2, 3].map(replicaId), [replicaId(4)]));
  expect(fresh.change(learns)).toMatchObject({ ok: false, reason: 'not-ready' });
  fresh.step(accepted([2, 1, 1], 1));
  fresh.step(heard([3, 1, 1]));
  expect(change(fresh, target([1, 2, 3], [4]))).toMatchObject({ ok: true, id: id(2, 1) });
  expect(change(fresh, target([1, 2, 3], [5]))).toMatchObject({ reason: 'change-pending' });
  fresh.step(accepted([2, 1, 1], 2));
  drain(fresh);
  expect(change(fresh, target([1, 2, 3], [5]))).toMatchObject({ ok: true });
});

test('who does not lead, or is handing over, plans and changes nothing', () => {
  const core = loneCore();
  expect(core.plan(target([1]))).toBeUndefined();
  expect(core.peers).toBeUndefined();
  const next = payload(configurationOf([1, 2].map(replicaId)));
  expect(core.change(next)).toMatchObject({ ok: false, reason: 'not-leader' });
  const handing = leader();
  handing.transfer(replicaId(2));
  expect(handing.change(next)).toMatchObject({ ok: false, reason: 'transferring' });
});

test('a configuration is stated again as it is, when nothing else is under way, and by a leader', () => {
  const same = payload(configurationOf([1, 2, 3].map(replicaId)));
  expect(loneCore().restate(same)).toMatchObject({ reason: 'not-leader' });
  expect(loneLeader().restate(same)).toMatchObject({ reason: 'not-ready' });
  const core = leader();
  expect(() => core.restate(payload(configurationOf([replicaId(1)])))).toThrow(/not stated again/);
  expect(core.restate(same)).toMatchObject({ ok: true, id: { index: 2 } });
  expect(core.restate(same)).toMatchObject({ reason: 'change-pending' });
  drain(core);
  core.step(accepted([2, 1, 1], 2));
  expect(core.restate(same)).toMatchObject({ ok: true, id: { index: 3 } });
  expect(core.configuration).toEqual(same.configuration);
});

test('a change is what was planned, and nothing else is', () => {
  const core = leader();
  const next = configurationOf([1, 2].map(replicaId));
  expect(() => core.change(payload(next))).toThrow('not what was planned');
  expect(() => core.change({ byteLength: 1 })).toThrow('without a configuration');
  expect(core.change(payload(core.configuration))).toMatchObject({ reason: 'nothing-changes' });
  expect(() => core.propose(payload(next))).toThrow('changed by `change`');
});

test('a learner receives the log, and is not counted: not for a commit, a read, nor the reign', () => {
  const core = leader([1, 2, 3]);
  change(core, target([1, 2, 3], [4, 5]));
  drain(core);
  for (const from of [2, 4, 5]) core.step(accepted([from, 1, 1], 2));
  drain(core);
  core.propose({ byteLength: 1 });
  expect(sent(drain(core), 'append-request').map(({ to }) => to)).toEqual([2, 3, 4, 5]);
  for (const from of [4, 5]) core.step(accepted([from, 1, 1], 3));
  core.read(7);
  const readies = drain(core);
  expect(
    sent(readies, 'heartbeat').filter((each) => each.type === 'heartbeat' && each.round > 0),
  ).toHaveLength(2);
  for (const from of [4, 5]) core.step(heard([from, 1, 1], 1));
  expect(drain(core).flatMap(({ reads }) => reads)).toEqual([]);
  expect(core.committed).toBe(2);
  for (let tick = 0; tick < ELECTION_TICKS_MIN; tick += 1) {
    core.tick();
    for (const from of [4, 5]) core.step(heard([from, 1, 1]));
  }
  expect(core.standing.role).toBe('follower');
});

test('a learner does not campaign, and votes when it is asked', () => {
  const learner = loneCore({ id: 4 });
  const joined = configurationOf([1, 2, 3].map(replicaId), [replicaId(4)]);
  const entry = { ...id(1, 1), payload: payload(joined) };
  learner.step(
    message('append-request', [1, 4, 1], { prev: id(0, 0), entries: [entry], commit: logIndex(1) }),
  );
  drain(learner, replicaId(4));
  learner.campaign();
  learner.step(message('timeout-now', [1, 4, 1], { last: id(1, 1) }));
  for (let tick = 0; tick < ELECTION_TICKS_MAX * 2; tick += 1) learner.tick();
  expect(learner.standing).toMatchObject({ role: 'follower', term: 1 });
  learner.step(ask([2, 4, 2], id(1, 1)));
  expect(sent(drain(learner, replicaId(4)))).toMatchObject([{ type: 'vote-reply', granted: true }]);
});

test('a learner becomes a voter only after it kept up for a while, and anew after it fell behind', () => {
  const core = leader();
  change(core, target([1, 2, 3], [4]));
  beat(core, [2, 3], PROMOTION_ROUNDS + 1);
  expect(change(core, target([1, 2, 3, 4]))).toMatchObject({ reason: 'not-caught-up' });
  beat(core, [2, 3, 4], PROMOTION_ROUNDS);
  expect(core.peers?.at(-1)).toEqual({
    id: 4,
    match: core.last.index,
    state: 'replicate',
    alive: true,
    caughtUp: true,
    declines: false,
  });
  core.propose({ byteLength: 1 });
  drain(core);
  beat(core, [2, 3], LAG_ROUNDS_MAX + 1);
  expect(change(core, target([1, 2, 3, 4]))).toMatchObject({ reason: 'not-caught-up' });
  beat(core, [2, 3, 4], PROMOTION_ROUNDS + 1);
  expect(change(core, target([1, 2, 3, 4]))).toMatchObject({ ok: true });
});

test('while a change is under way both majorities are needed; then it ends by itself', () => {
  const core = leader([1, 2, 3]);
  change(core, target([1, 2, 3], [4, 5]));
  beat(core, [2, 3, 4, 5], PROMOTION_ROUNDS + 1);
  expect(change(core, target([1, 4, 5]))).toMatchObject({ ok: true });
  drain(core);
  const { index } = core.last;
  for (const from of [4, 5]) core.step(accepted([from, 1, 1], index));
  expect(core.committed).toBeLessThan(index);
  core.step(accepted([2, 1, 1], index));
  expect(core.committed).toBe(index);
  expect(renderConfiguration(core.configuration)).toBe('1 4 5');
  expect(core.last.index).toBe(index + 1);
  for (const from of [2, 3]) core.step(accepted([from, 1, 1], index + 1));
  expect(core.committed).toBe(index);
  core.step(accepted([4, 1, 1], index + 1));
  drain(core);
  expect(core.committed).toBe(index + 1);
});

test('who is removed is told, for a while, and counted no more; its later terms do not disturb', () => {
  const core = leader([1, 2, 3]);
  change(core, target([1, 2]));
  drain(core);
  core.step(accepted([2, 1, 1], 2));
  core.step(accepted([3, 1, 1], 2));
  drain(core);
  expect(renderConfiguration(core.configuration)).toBe('1 2');
  core.step(accepted([2, 1, 1], 3));
  core.step(accepted([3, 1, 1], 3));
  // The removal is committed, and replica 3 hears so.
  const told = sent(drain(core)).filter((each) => each.to === 3);
  expect(told).toMatchObject([{ type: 'heartbeat', commit: 3 }]);
  expect(core.peers?.map((peer) => peer.id)).toEqual([2]);
  core.step(heard([3, 1, 9]));
  expect(core.standing).toMatchObject({ role: 'leader', term: 1 });
  beat(core, [2], 1);
  core.propose({ byteLength: 1 });
  expect(sent(drain(core)).map((each) => each.to)).toEqual([2]);
  expect(core.matchOf(replicaId(3))).toBeUndefined();
});

test('a removed member that does not answer is let go after an election time-out', () => {
  const core = leader([1, 2, 3]);
  beat(core, [2, 3], ELECTION_TICKS_MIN);
  change(core, target([1, 2]));
  drain(core);
  for (let each = 0; each < 3; each += 1) beat(core, [2], 1);
  expect(core.committed).toBe(3);
  expect(core.matchOf(replicaId(3))).toBe(1);
  beat(core, [2], ELECTION_TICKS_MIN);
  expect(core.matchOf(replicaId(3))).toBeUndefined();
});

test('a member that is removed and taken in again starts anew', () => {
  const core = leader([1, 2, 3]);
  change(core, target([1, 2]));
  drain(core);
  core.step(accepted([2, 1, 1], 2));
  drain(core);
  core.step(accepted([2, 1, 1], 3));
  drain(core);
  expect(core.matchOf(replicaId(3))).toBe(1);
  expect(change(core, target([1, 2], [3]))).toMatchObject({ ok: true });
  expect(core.matchOf(replicaId(3))).toBe(0);
});

test('a leader that is removed tells all who are left, so that they need not wait for the next one to learn of it', () => {
  const core = leader();
  beat(core, [2, 3], 1);
  expect(change(core, target([2, 3]))).toMatchObject({ ok: true });
  const told: Message[] = [];
  while (core.standing.role === 'leader') {
    drain(core);
    for (const from of [2, 3]) core.step(accepted([from, 1, 1], core.last.index));
    told.splice(0, told.length, ...sent(drain(core), 'heartbeat'));
  }
  const commit = core.last.index;
  expect(core.committed).toBe(commit);
  expect(told).toMatchObject([
    { to: 2, commit },
    { to: 3, commit },
  ]);
});

test('a transfer to a member that is no voter any more is off', () => {
  const cluster = new CoreCluster({ size: 3, seed: 1 });
  cluster.campaign(1);
  cluster.settle();
  cluster.calm(2);
  cluster.change(1, [1, 2]);
  cluster.cut.add('1>3');
  cluster.transfer(1, 3);
  cluster.settle();
  expect(cluster.core(1).standing).toMatchObject({ role: 'leader', transferring: false });
  expect(cluster.transfer(1, 3)).toBe(false);
});

test('an overwritten change is no longer in force, whatever it was', () => {
  const core = loneCore();
  const other = configurationOf([1, 2, 3, 4, 5].map(replicaId));
  const entry = { ...id(2, 1), payload: payload(other) };
  core.step(append([2, 1, 1], id(0, 0), [1]));
  core.step(
    message('append-request', [2, 1, 1], { prev: id(1, 1), entries: [entry], commit: logIndex(0) }),
  );
  expect(core.configuration).toEqual(other);
  expect(renderConfiguration(core.configurationAt(1))).toBe('1 2 3');
  core.step(append([3, 1, 2], id(1, 1), [2, 2]));
  expect(renderConfiguration(core.configuration)).toBe('1 2 3');
});

test('a core begins with the configuration its log ends with, and refuses a list that lacks it', () => {
  const five = configurationOf([1, 2, 3, 4, 5].map(replicaId));
  const tail = entries(0, 1, 1).map((entry) =>
    entry.index === 2 ? { ...entry, payload: payload(five) } : entry,
  );
  const core = loneCore({ tail, configurations: [{ index: logIndex(2), configuration: five }] });
  core.campaign();
  expect(sent(drain(core)).map(({ to }) => to)).toEqual([2, 3, 4, 5]);
  const fresh = loneCore({
    id: 4,
    tail,
    configurations: [{ index: logIndex(2), configuration: five }],
  });
  fresh.campaign();
  expect(sent(drain(fresh, replicaId(4))).map(({ to }) => to)).toEqual([1, 2, 3, 5]);
  expect(() => loneCore({ tail })).toThrow('entry 2: not listed');
});

test('all members are exchanged one by one while something is written', () => {
  const cluster = new CoreCluster({ size: 6, voters: 3, seed: 5 });
  let voters = [1, 2, 3];
  for (const [gone, fresh] of [
    [1, 4],
    [2, 5],
    [3, 6],
  ] as const) {
    const lead = cluster.elect();
    cluster.calm(HEARTBEAT_TICKS);
    expect(cluster.change(lead, voters, [fresh])).toMatchObject({ ok: true });
    cluster.propose(lead, `while ${fresh} learns`);
    cluster.calm(HEARTBEAT_TICKS * (PROMOTION_ROUNDS + 1));
    voters = [...voters.filter((each) => each !== gone), fresh];
    expect(cluster.change(lead, voters)).toMatchObject({ ok: true });
    cluster.propose(lead, `while ${gone} leaves`);
    cluster.calm(HEARTBEAT_TICKS * 2);
  }
  const lead = cluster.elect();
  expect(voters).toContain(Number(lead));
  for (const one of [1, 2, 3]) cluster.crash(one);
  cluster.propose(lead, 'after');
  cluster.calm(ELECTION_TICKS_MAX);
  for (const member of voters)
    expect([...cluster.member(member).applied.values()].at(-1)).toContain('after');
});
