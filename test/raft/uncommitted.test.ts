import { expect, test } from 'vitest';
import { accepted, drain, loneCore, loneLeader, vote } from './lone-core.ts';

/** What a leader has not committed is bounded. */

const payload = { byteLength: 10 };

test('proposals end when too much is uncommitted, and go on when it is committed', () => {
  const core = loneLeader({ options: { uncommittedBytesMax: 100 } });
  const { term } = core.standing;
  for (let round = 0; round < 20; round += 1) {
    let taken = 0;
    for (; taken < 50 && core.propose(payload).ok; taken += 1);
    expect(taken).toBe(round === 0 ? 9 : 10);
    expect(core.propose(payload)).toEqual({ ok: false, reason: 'overloaded' });
    drain(core);
    core.step(accepted([2, 1, term], core.last.index));
    drain(core);
  }
  // One that is too large by itself still passes when nothing else waits.
  expect(core.propose({ byteLength: 5000 }).ok).toBe(true);
});

test('what earlier reigns left uncommitted counts too: many in a row gather no more than one, but for their beginnings', () => {
  const core = loneCore({ options: { uncommittedBytesMax: 100 }, log: [1, 1, 1], commit: 1 });
  for (let reign = 0; reign < 6; reign += 1) {
    core.campaign();
    drain(core);
    for (const pre of [true, false]) {
      core.step(vote([2, 1, core.standing.term + (pre ? 1 : 0)], pre));
      drain(core);
    }
    expect(core.standing.role, 'it leads, whatever is left').toBe('leader');
    let taken = 0;
    while (core.propose(payload).ok) taken += 1;
    expect(taken).toBe(reign === 0 ? 7 : 0);
    drain(core);
    if (reign < 5) core.stepDown();
  }
  core.step(accepted([2, 1, core.standing.term], core.last.index));
  expect(core.committed).toBe(core.last.index);
  for (let taken = 0; taken < 10; taken += 1) expect(core.propose(payload).ok).toBe(true);
  expect(core.propose(payload)).toEqual({ ok: false, reason: 'overloaded' });
});
