import { expect, test } from 'vitest';
import { replicaId } from '../../src/base/ids.ts';
import {
  ELECTION_TICKS_MIN,
  HEARTBEAT_TICKS,
  LEADER_DISK_TICKS_MAX,
} from '../../src/base/limits.ts';
import type { RaftCore } from '../../src/raft/core.ts';
import type { Message } from '../../src/raft/types.ts';
import { accepted, drain, heard, loneLeader, sent } from './lone-core.ts';

/** A leader that stands still again and again: time passes for it all the same. */

/** Pauses, and ticks in time between two of them. */
const RHYTHMS: readonly (readonly [ticks: number, inTime: number])[] = [1, 6, 8, 14, 600].flatMap(
  (ticks) => [0, 1, 2, 3, 8].map((inTime) => [ticks, inTime] as const),
);

/** One that both others have answered. */
function leader(): RaftCore {
  const core = loneLeader();
  for (const from of [2, 3]) core.step(accepted([from, 1, 1], core.last.index));
  drain(core);
  return core;
}

/** `between` what comes in from one pause to the next. Pauses until it leads no more, or `most`. */
function pauses(
  core: RaftCore,
  [ticks, inTime]: readonly [number, number],
  most: number,
  between: (told: readonly Message[]) => void = () => undefined,
): number {
  for (let count = 0; count < most; count += 1) {
    if (core.standing.role !== 'leader') return count;
    core.stalled(ticks);
    between(sent(drain(core)));
    for (let tick = 0; tick < inTime; tick += 1) {
      core.tick();
      between(sent(drain(core)));
    }
  }
  return most;
}

test.each(RHYTHMS)(
  'a leader that hears nobody, pauses of %i ticks and %i in time between them, gives up within a bound',
  (ticks, inTime) => {
    const each = inTime + Math.min(ticks, 3);
    const most = 2 + Math.ceil(ELECTION_TICKS_MIN / each);
    expect(pauses(leader(), [ticks, inTime], 100)).toBeLessThanOrEqual(most);
  },
);

/** Followers that are alive, and whom no order reaches. */
function answering(core: RaftCore, orders: Message[]): (told: readonly Message[]) => void {
  return (told) => {
    orders.push(...told.filter(({ type }) => type === 'timeout-now'));
    for (const { type, to, term } of told)
      if (type === 'heartbeat') core.step(heard([to, 1, term]));
  };
}

test.each(RHYTHMS.filter(([ticks]) => ticks * 2 >= ELECTION_TICKS_MIN))(
  'a leader that gives up, pauses of %i ticks and %i in time, repeats an order that got lost, and leads no more within a bound',
  (ticks, inTime) => {
    const core = leader();
    const orders: Message[] = [];
    const count = pauses(core, [ticks, inTime], 100, answering(core, orders));
    expect(count).toBeLessThanOrEqual(2 + ELECTION_TICKS_MIN / (inTime + 3));
    expect(orders.length).toBeGreaterThan(2);
  },
);

test.each(RHYTHMS.filter(([ticks]) => ticks * 2 < ELECTION_TICKS_MIN))(
  'a transfer that nobody takes, pauses of %i ticks and %i in time, ends, and proposals are taken again',
  (ticks, inTime) => {
    const core = leader();
    core.transfer(replicaId(2));
    pauses(core, [ticks, inTime], ELECTION_TICKS_MIN + 2, answering(core, []));
    expect(core.propose({ byteLength: 1 }).ok).toBe(true);
  },
);

test.each(RHYTHMS.filter(([ticks]) => ticks * 2 < ELECTION_TICKS_MIN))(
  'a leader that hears each answer one pause late, of %i ticks, leads on',
  (ticks, inTime) => {
    const core = leader();
    let late: readonly Message[] = [];
    const hear = answering(core, []);
    const count = pauses(core, [ticks, inTime], 100, (told) => {
      hear(late);
      late = told;
    });
    expect(count).toBe(100);
    expect(core.standing.transferring).toBe(false);
  },
);

test('a leader whose disk hangs gives up within a bound, though it stands still all the time', () => {
  const core = leader();
  core.propose({ byteLength: 1 });
  core.takeReady();
  const pause = ELECTION_TICKS_MIN / 2 - 1;
  let count = 0;
  for (; !core.standing.transferring && count < 100; count += 1) {
    core.stalled(pause);
    for (const from of [2, 3]) core.step(heard([from, 1, 1]));
    core.takeReady();
  }
  expect(count).toBeGreaterThanOrEqual(LEADER_DISK_TICKS_MAX / pause);
  expect(count).toBeLessThan(2 + LEADER_DISK_TICKS_MAX / HEARTBEAT_TICKS);
});
