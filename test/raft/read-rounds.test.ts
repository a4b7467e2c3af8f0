import { expect, test } from 'vitest';
import { type Millis, millis, replicaId } from '../../src/base/ids.ts';
import type { RaftCore } from '../../src/raft/core.ts';
import type { Ready } from '../../src/raft/types.ts';
import { accepted, heard, loneLeader, sent } from './lone-core.ts';

/** Rounds of heartbeats that confirm reads: one at a time, as long as it is answered. */

const ROUND_MS = 5;

function readies(core: RaftCore, now: Millis): Ready[] {
  const all: Ready[] = [];
  for (let ready = core.takeReady(now); ready !== undefined; ready = core.takeReady(now)) {
    all.push(ready);
    for (const each of ready.sendAfterSync) if (each.to === replicaId(1)) core.step(each);
  }
  return all;
}

/** The rounds that replica 2 is told of, and the reads that are confirmed. */
function outcome(core: RaftCore, now: number): { rounds: number[]; confirmed: number[] } {
  const all = readies(core, millis(now));
  return {
    rounds: sent(all, 'heartbeat').flatMap((each) =>
      each.type === 'heartbeat' && each.to === replicaId(2) ? [each.round] : [],
    ),
    confirmed: all.flatMap(({ reads }) => reads.map(({ context }) => context)),
  };
}

/** A leader of term 1 whose first entry is committed, at 10 ms. */
function leading(readRoundMs: number): RaftCore {
  const core = loneLeader({ options: { readRoundMs } });
  readies(core, millis(10));
  core.step(accepted([2, 1, 1], 1));
  readies(core, millis(10));
  return core;
}

test('a read alone begins its round at once', () => {
  const core = leading(ROUND_MS);
  core.read(1);
  expect(outcome(core, 10).rounds).toEqual([1]);
  core.step(heard([2, 1, 1], 1));
  expect(outcome(core, 10)).toEqual({ rounds: [], confirmed: [1] });
});

test('reads that come while a round is under way share the next one, which begins when it is answered', () => {
  const core = leading(ROUND_MS);
  core.read(1);
  outcome(core, 10);
  for (const context of [2, 3, 4]) {
    core.read(context);
    expect(outcome(core, 11)).toEqual({ rounds: [], confirmed: [] });
  }
  core.step(heard([2, 1, 1], 1));
  expect(outcome(core, 12)).toEqual({ rounds: [2], confirmed: [1] });
  core.step(heard([3, 1, 1], 2));
  expect(outcome(core, 12)).toEqual({ rounds: [], confirmed: [2, 3, 4] });
});

test('the answer to an older round confirms no read that came after it', () => {
  const core = leading(ROUND_MS);
  core.read(1);
  outcome(core, 10);
  core.read(2);
  core.step(heard([2, 1, 1], 1));
  expect(outcome(core, 10).confirmed).toEqual([1]);
  core.step(heard([3, 1, 1], 1));
  expect(outcome(core, 10).confirmed).toEqual([]);
});

test('a round that is lost keeps the next one waiting for a while only, whose answer serves both', () => {
  const core = leading(ROUND_MS);
  core.read(1);
  outcome(core, 10);
  core.read(2);
  expect(outcome(core, 10 + ROUND_MS - 1).rounds).toEqual([]);
  expect(outcome(core, 10 + ROUND_MS).rounds).toEqual([2]);
  core.step(heard([2, 1, 1], 2));
  expect(outcome(core, 10 + ROUND_MS).confirmed).toEqual([1, 2]);
});

test('with no time to wait, each turn has a round of its own', () => {
  const core = leading(0);
  for (const context of [1, 2]) {
    core.read(context);
    expect(outcome(core, 10).rounds).toEqual([context]);
  }
});
