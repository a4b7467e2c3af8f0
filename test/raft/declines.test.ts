import { expect, test } from 'vitest';
import { replicaId } from '../../src/base/ids.ts';
import { ELECTION_TICKS_MAX } from '../../src/base/limits.ts';
import type { RaftCore } from '../../src/raft/core.ts';
import type { Message } from '../../src/raft/types.ts';
import {
  accepted,
  declined,
  drain,
  heard,
  heartbeat,
  loneCore,
  loneLeader,
  sent,
} from './lone-core.ts';

/** Whoever rests or abstains says that it would not lead, and nobody hands the lead to it. */

const saysOf = (core: RaftCore): boolean | undefined => {
  const [answer] = sent(drain(core), 'heartbeat-reply');
  return answer?.type === 'heartbeat-reply' ? answer.declines === true : undefined;
};

test('whoever rests or abstains says with each answer to a heartbeat that it would not lead', () => {
  const core = loneCore();
  for (const rests of [false, true, false]) {
    core.rest(rests);
    core.step(heartbeat([2, 1, 1]));
    expect(saysOf(core)).toBe(rests);
  }
  const doubting = loneCore({ abstain: true });
  doubting.step(heartbeat([2, 1, 1]));
  expect(saysOf(doubting)).toBe(true);
});

/** Both others hold everything, and answer as they are told to for so long. Whom the leader ordered to campaign. */
function ordered(core: RaftCore, answers: readonly Message[], ticks: number): number[] {
  const orders: number[] = [];
  for (let tick = 0; tick < ticks; tick += 1) {
    core.tick();
    for (const from of [2, 3]) core.step(accepted([from, 1, 1], core.last.index));
    for (const answer of answers) core.step(answer);
    orders.push(...sent(drain(core), 'timeout-now').map(({ to }) => to));
  }
  return orders;
}

test('a preferred voter that would not lead is not handed the lead before it says otherwise', () => {
  const core = loneLeader();
  core.prefer(new Map([[replicaId(3), 5]]));
  const declining = [heard([2, 1, 1]), declined([3, 1, 1])];
  expect(ordered(core, declining, ELECTION_TICKS_MAX * 20)).toEqual([]);
  expect(core.peers?.map(({ declines }) => declines)).toEqual([false, true]);
  const willing = [heard([2, 1, 1]), heard([3, 1, 1])];
  expect(ordered(core, willing, ELECTION_TICKS_MAX)).toContain(3);
});

test('the next that is preferred is handed the lead instead', () => {
  const core = loneLeader();
  core.prefer(new Map([2, 3].map((id) => [replicaId(id), id])));
  const answers = [heard([2, 1, 1]), declined([3, 1, 1])];
  expect(new Set(ordered(core, answers, ELECTION_TICKS_MAX * 2))).toEqual(new Set([2]));
});

test('a transfer to one that would not lead ends with the word of it', () => {
  const core = loneLeader();
  core.step(heard([3, 1, 1]));
  expect(core.transfer(replicaId(3))).toBe(true);
  // What others say is no reason to give up.
  core.step(declined([2, 1, 1]));
  expect(core.standing.transferring).toBe(true);
  core.step(declined([3, 1, 1]));
  expect(core.standing).toMatchObject({ role: 'leader', transferring: false });
  expect(core.propose({ byteLength: 1 }).ok).toBe(true);
  // It may have changed its mind just now.
  expect(core.transfer(replicaId(3))).toBe(true);
  core.step(heard([3, 1, 1]));
  expect(core.standing.transferring).toBe(true);
});

test('a leader that gives up hands over to one that would lead, though another has more of the log', () => {
  const core = loneLeader();
  core.step(heard([2, 1, 1]));
  core.step(accepted([3, 1, 1], core.last.index));
  core.step(declined([3, 1, 1]));
  core.stepDown();
  drain(core);
  core.step(accepted([2, 1, 1], core.last.index));
  expect(sent(drain(core), 'timeout-now').map(({ to }) => to)).toEqual([2]);
});

test('a leader that gives up asks the next when one says that it would not, and goes when all have', () => {
  const core = loneLeader();
  for (const from of [2, 3]) core.step(accepted([from, 1, 1], core.last.index));
  drain(core);
  core.stepDown();
  expect(sent(drain(core), 'timeout-now').map(({ to }) => to)).toEqual([2]);
  core.step(declined([2, 1, 1]));
  expect(sent(drain(core), 'timeout-now').map(({ to }) => to)).toEqual([3]);
  core.step(declined([3, 1, 1]));
  expect(core.standing.role).toBe('follower');
});
