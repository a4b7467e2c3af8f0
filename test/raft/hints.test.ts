import { expect, test } from 'vitest';
import { logIndex, replicaId } from '../../src/base/ids.ts';
import {
  ELECTION_TICKS_MAX,
  ELECTION_TICKS_MIN,
  HEARTBEAT_TICKS,
  LEASE_MS,
  REST_TIMEOUTS,
} from '../../src/base/limits.ts';
import { configurationOf } from '../../src/raft/configuration.ts';
import type { RaftCore } from '../../src/raft/core.ts';
import {
  accepted,
  drain,
  entries,
  heard,
  heartbeat,
  loneCore,
  loneLeader,
  patience,
  sent,
  vote,
} from './lone-core.ts';

/** What the shell notices: connections that break, pauses, starts. When does the replica campaign? */

function follower(init: Parameters<typeof loneCore>[0] = {}): RaftCore {
  const core = loneCore({ term: 1, ...init });
  core.step(heartbeat([2, core.state.id, 1]));
  return core;
}

test('a silent leader is heard of no more after a time-out, by those too who may not campaign and go on following it', () => {
  const learner = follower({ id: 4, voters: [1, 2, 3] });
  for (let tick = 1; tick < ELECTION_TICKS_MIN; tick += 1) learner.tick();
  expect(learner.heard).toBe(2);
  learner.tick();
  expect(learner.standing.leader).toBe(2);
  expect(learner.heard).toBeUndefined();
  learner.step(heartbeat([2, 4, 1]));
  expect(learner.heard).toBe(2);
  // Who leads hears itself, however long it has heard nobody else do so.
  const leader = loneLeader({ voters: [1] });
  for (let tick = 0; tick < ELECTION_TICKS_MAX; tick += 1) leader.tick();
  expect(leader.heard).toBe(1);
});

test('what breaks while a replica is muted does not make it campaign sooner when it is so no more', () => {
  const core = follower({ id: 3 });
  core.mute(true);
  core.peerLost(replicaId(2));
  core.mute(false);
  expect(patience(core)).toBeGreaterThanOrEqual(ELECTION_TICKS_MIN);
});

test('whose removal is not committed waits out its time when the connection to the leader breaks', () => {
  const configuration = configurationOf([2, 3].map(replicaId));
  const tail = entries(0, 1).map((entry) => ({
    ...entry,
    payload: { byteLength: 9, configuration },
  }));
  const core = follower({ tail, configurations: [{ index: logIndex(1), configuration }] });
  core.peerLost(replicaId(2));
  expect(patience(core)).toBeGreaterThanOrEqual(ELECTION_TICKS_MIN);
});

test('a pause of one who was just heard makes it campaign no sooner', () => {
  for (let seed = 1; seed < 20; seed += 1) {
    const core = follower({ seed });
    core.tick();
    core.stalled(1);
    expect(patience(core)).toBeGreaterThanOrEqual(ELECTION_TICKS_MIN - 1);
  }
});

test('after a long silence a pause costs the time to listen, and no more', () => {
  for (let seed = 1; seed < 20; seed += 1) {
    const core = follower({ seed });
    for (let tick = 0; tick < ELECTION_TICKS_MIN - 1; tick += 1) core.tick();
    const usual = patience(follower({ seed })) - (ELECTION_TICKS_MIN - 1);
    core.stalled(1);
    expect(patience(core)).toBe(Math.max(usual, HEARTBEAT_TICKS * 2));
  }
});

test('whoever is about to ask in turn asks then, though it pauses', () => {
  const core = follower({ id: 3 });
  core.peerLost(replicaId(2));
  core.stalled(1);
  expect(patience(core)).toBe(HEARTBEAT_TICKS);
});

test('nobody waits to ask for one before it who is not there either', () => {
  const waitOf = (isThere: (voter: number) => boolean): number => {
    const core = follower({ id: 4, voters: [1, 2, 3, 4, 5] });
    core.peerLost(replicaId(2), isThere);
    return core.standing.role === 'follower' ? patience(core) : 0;
  };
  expect(waitOf(() => true)).toBe(2 * HEARTBEAT_TICKS);
  expect(waitOf((voter) => voter !== 1)).toBe(HEARTBEAT_TICKS);
  expect(waitOf((voter) => voter > 3)).toBe(0);
});

test('with leases a replica that was started waits for a time-out that is drawn, not for the shortest', () => {
  const waits = Array.from({ length: 20 }, (_, seed) => {
    const core = loneCore({ seed, options: { leaseMs: LEASE_MS } });
    core.started();
    return patience(core);
  });
  expect(Math.max(...waits)).toBeGreaterThan(ELECTION_TICKS_MIN);
});

/** One that rests and came to lead term 2 all the same. */
function restingLeader(): RaftCore {
  const core = follower();
  core.rest(true);
  for (let tick = 0; tick < ELECTION_TICKS_MAX * REST_TIMEOUTS; tick += 1) {
    core.step(heartbeat([2, 1, 1]));
    core.tick();
  }
  for (let tick = 0; tick < ELECTION_TICKS_MAX * REST_TIMEOUTS - 2; tick += 1) core.tick();
  expect(core.standing.role, 'it counts from the last word of the leader').toBe('follower');
  patience(core);
  core.step(vote([2, 1, 2], true));
  core.step(vote([2, 1, 2], false));
  drain(core);
  expect(core.standing).toMatchObject({ role: 'leader', term: 2 });
  return core;
}

test('one that rests leads when nobody has for long, and hands over as soon as another is fit', () => {
  const core = restingLeader();
  const orders: number[] = [];
  for (let tick = 0; tick < ELECTION_TICKS_MAX; tick += 1) {
    core.step(heard([3, 1, 2]));
    core.step(accepted([3, 1, 2], core.last.index));
    core.tick();
    orders.push(...sent(drain(core), 'timeout-now').map(({ to }) => to));
  }
  expect(orders).toEqual([3]);
});

test('told again that it rests, or that it does no more, one that leads goes on leading', () => {
  for (const on of [true, false]) {
    const core = restingLeader();
    core.step(accepted([3, 1, 2], core.last.index));
    core.rest(on);
    expect(core.standing).toMatchObject({ role: 'leader', transferring: false });
  }
});
