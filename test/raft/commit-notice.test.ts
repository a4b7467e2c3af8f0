import { expect, test } from 'vitest';
import { type Millis, millis, replicaId } from '../../src/base/ids.ts';
import { HEARTBEAT_TICKS } from '../../src/base/limits.ts';
import type { RaftCore } from '../../src/raft/core.ts';
import type { Message, Ready } from '../../src/raft/types.ts';
import { accepted, loneLeader, sent } from './lone-core.ts';

/** How followers hear of a commit: by the next append, or by a message of its own when none comes in time. */

const NOTICE_MS = 3;
const payload = { byteLength: 10 };

/** All messages to replica 2 that say what is committed, as [type, commit]. */
function told(core: RaftCore, now: Millis): [Message['type'], number][] {
  const readies: Ready[] = [];
  for (let ready = core.takeReady(now); ready !== undefined; ready = core.takeReady(now)) {
    readies.push(ready);
    for (const each of ready.sendAfterSync) if (each.to === replicaId(1)) core.step(each);
  }
  return sent(readies).flatMap((each): [Message['type'], number][] =>
    each.to === 2 && 'commit' in each ? [[each.type, each.commit]] : [],
  );
}

/** A leader that has just committed its first entry with replica 2, at 10 ms. */
function committing(commitNoticeMs: number): RaftCore {
  const core = loneLeader({ options: { commitNoticeMs } });
  told(core, millis(10));
  core.step(accepted([2, 1, 1], 1));
  return core;
}

test('without a notice time a commit is told at once', () => {
  const core = committing(0);
  expect(told(core, millis(10))).toEqual([['heartbeat', 1]]);
  expect(core.owesCommit).toBe(false);
});

test('an append that comes in time carries the commit, and nothing else tells it', () => {
  const core = committing(NOTICE_MS);
  expect(told(core, millis(10))).toEqual([]);
  expect(core.owesCommit).toBe(true);
  core.propose(payload);
  expect(told(core, millis(12))).toEqual([['append-request', 1]]);
  expect(core.owesCommit).toBe(false);
  expect(told(core, millis(50))).toEqual([]);
});

test('without an append a commit is told when its time is up, counted from the first that waits', () => {
  const core = committing(NOTICE_MS);
  expect(told(core, millis(10))).toEqual([]);
  expect(told(core, millis(12))).toEqual([]);
  expect(told(core, millis(13))).toEqual([['heartbeat', 1]]);
  expect(core.owesCommit).toBe(false);
});

test('a heartbeat tells it too, and so does one that confirms a read', () => {
  const beating = committing(NOTICE_MS);
  for (let tick = 0; tick < HEARTBEAT_TICKS; tick += 1) beating.tick(millis(10));
  expect(told(beating, millis(10))).toEqual([['heartbeat', 1]]);
  expect(beating.owesCommit).toBe(false);
  const reading = committing(NOTICE_MS);
  reading.read(7);
  expect(told(reading, millis(10))).toEqual([['heartbeat', 1]]);
});

test('a leader that is deposed owes nobody anything', () => {
  const core = committing(NOTICE_MS);
  told(core, millis(10));
  core.step({
    type: 'heartbeat-reply',
    from: replicaId(2),
    to: replicaId(1),
    term: (core.standing.term + 1) as Message['term'],
    round: 0,
    stamp: 0,
    beat: 0,
  });
  expect(core.standing.role).toBe('follower');
  expect(core.owesCommit).toBe(false);
});
