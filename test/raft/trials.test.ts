import { expect, test } from 'vitest';
import { replicaId } from '../../src/base/ids.ts';
import {
  ELECTION_TICKS_MAX,
  ELECTION_TICKS_MIN,
  HANDOVER_PAUSE_TIMEOUTS,
  HANDOVER_PAUSE_TIMEOUTS_MAX,
  HANDOVER_PROVEN_TIMEOUTS,
} from '../../src/base/limits.ts';
import type { RaftCore } from '../../src/raft/core.ts';
import { accepted, drain, heard, heartbeat, loneLeader, sent, vote } from './lone-core.ts';

/** How often a preferred voter is tried that does not hold on to the lead. */

const SHORTEST = ELECTION_TICKS_MAX * HANDOVER_PAUSE_TIMEOUTS;
const LONGEST = ELECTION_TICKS_MAX * HANDOVER_PAUSE_TIMEOUTS_MAX;
const PROVEN = ELECTION_TICKS_MAX * HANDOVER_PROVEN_TIMEOUTS;
/** From failing until the next attempt at most: a new reign begins with none, and a heartbeat has to come. */
const SLACK = ELECTION_TICKS_MAX + 2;

function preferring(priority = 5): RaftCore {
  const core = loneLeader();
  core.prefer(new Map([[replicaId(3), priority]]));
  return core;
}

/** One tick in which these others keep up. Whether one was ordered to campaign. */
function tick(core: RaftCore, others: readonly number[] = [2, 3]): boolean {
  const { term } = core.standing;
  core.tick();
  for (const from of others) {
    core.step(heard([from, 1, term]));
    core.step(accepted([from, 1, term], core.last.index));
  }
  return sent(drain(core), 'timeout-now').length > 0;
}

/** Ticks until one is. */
function untilTried(core: RaftCore, most = LONGEST * 2, others = [2, 3]): number {
  for (let ticks = 1; ticks <= most; ticks += 1) if (tick(core, others)) return ticks;
  return Number.POSITIVE_INFINITY;
}

/** It does not take the lead. */
function givenUp(core: RaftCore): void {
  for (let ticks = 0; core.standing.transferring; ticks += 1) {
    expect(ticks).toBeLessThan(ELECTION_TICKS_MIN);
    tick(core);
  }
}

/** It takes the lead, has it for so long, and then this replica leads again. */
function led(core: RaftCore, ticks: number): void {
  const term = core.standing.term + 1;
  for (let n = 0; n <= ticks; n += 1) {
    core.step(heartbeat([3, 1, term]));
    core.tick();
    drain(core);
  }
  core.peerLost(replicaId(3));
  elected(core);
  expect(core.standing.term).toBe(term + 1);
}

/** It follows nobody who is still there, and comes to lead. */
function elected(core: RaftCore): void {
  const term = core.standing.term + 1;
  for (let n = 0; core.standing.role === 'follower'; n += 1) {
    expect(n).toBeLessThan(ELECTION_TICKS_MAX * 2);
    core.tick();
  }
  drain(core);
  core.step(vote([2, 1, term], true));
  drain(core);
  core.step(vote([2, 1, term], false));
  drain(core);
  expect(core.standing).toMatchObject({ role: 'leader', term });
}

test.each<[how: string, fail: (core: RaftCore) => void]>([
  ['does not take the lead', givenUp],
  ['loses the lead soon', (core) => led(core, PROVEN - ELECTION_TICKS_MAX)],
])(
  'a preferred voter that %s is left alone, each time for twice as long, within a bound',
  (_how, fail) => {
    const core = preferring();
    untilTried(core);
    for (let pause = SHORTEST; pause < LONGEST * 4; pause *= 2) {
      fail(core);
      const waited = untilTried(core);
      expect(waited).toBeGreaterThanOrEqual(Math.min(pause, LONGEST) - 1);
      expect(waited).toBeLessThanOrEqual(Math.min(pause, LONGEST) + SLACK);
    }
  },
);

/** One that has failed so often that it is left alone for long. */
function wary(): RaftCore {
  const core = preferring();
  for (let n = 0; n < 4; n += 1) {
    untilTried(core);
    givenUp(core);
  }
  return core;
}

test('whoever has led for long is trusted again', () => {
  const core = wary();
  untilTried(core);
  led(core, PROVEN + 1);
  expect(untilTried(core)).toBeLessThanOrEqual(SLACK);
});

test('it counts too if it came to lead for long by itself', () => {
  const core = wary();
  led(core, PROVEN + 1);
  expect(untilTried(core)).toBeLessThanOrEqual(SLACK);
});

test('whoever is preferred otherwise is tried as if it were new; while it is not, it makes no difference', () => {
  const core = wary();
  core.prefer(new Map());
  tick(core);
  core.prefer(new Map([[replicaId(3), 5]]));
  expect(untilTried(core, SHORTEST * 4)).toBe(Number.POSITIVE_INFINITY);
  core.prefer(new Map([[replicaId(3), 6]]));
  expect(untilTried(core)).toBeLessThanOrEqual(SLACK);
  givenUp(core);
  expect(untilTried(core)).toBeLessThanOrEqual(SHORTEST + SLACK);
});

test('another that is preferred does not wait for it', () => {
  const core = wary();
  core.prefer(new Map([2, 3].map((id) => [replicaId(id), id + 2])));
  expect(untilTried(core)).toBeLessThanOrEqual(SHORTEST + SLACK);
  expect(core.state.role).toMatchObject({ transferTo: 2 });
});

test('orders to hand over, and a leader that is to rest, wait for nothing', () => {
  const core = wary();
  expect(core.transfer(replicaId(3))).toBe(true);
  expect(tick(core)).toBe(true);
  givenUp(core);
  // The attempt was no trial.
  expect(core.state.leftAlone.get(replicaId(3))?.pause).toBe(SHORTEST * 8);
  core.rest(true);
  expect(sent(drain(core), 'timeout-now')).not.toEqual([]);
  for (let n = 0; core.standing.role === 'leader'; n += 1) {
    expect(n).toBeLessThan(ELECTION_TICKS_MIN);
    tick(core);
  }
  elected(core);
  expect(untilTried(core, LONGEST, [3]), 'it still rests').toBeLessThanOrEqual(SHORTEST);
});

test('what is remembered is bounded by the voters', () => {
  const core = wary();
  const planned = core.plan({ voters: [1, 2].map(replicaId), learners: [] });
  if (planned?.ok !== true) throw new Error('the change was refused');
  core.change({ byteLength: 9, configuration: planned.configuration });
  for (let n = 0; n < 4; n += 1) tick(core);
  core.prefer(new Map([[replicaId(2), 5]]));
  untilTried(core);
  givenUp(core);
  expect([...core.state.leftAlone.keys()]).toEqual([2]);
});
