import { expect, test } from 'vitest';
import { replicaId } from '../../src/base/ids.ts';
import type { RaftCore } from '../../src/raft/core.ts';
import { ask, drain, heartbeat, id, loneCore, sent, vote } from './lone-core.ts';

/** Whom a replica gives its vote, by what it knows of the term it is in (§5.2). */

const answers = (core: RaftCore): boolean[] =>
  sent(drain(core)).flatMap((each) => (each.type === 'vote-reply' ? [each.granted] : []));

const following = (init: { readonly vote?: number } = {}): RaftCore => {
  const core = loneCore({ term: 5, ...init });
  core.step(heartbeat([3, 1, 5]));
  drain(core);
  return core;
};

test.each<[string, () => RaftCore, number, boolean]>([
  ['knows of nobody', () => loneCore({ term: 5 }), 2, true],
  ['voted for who asks', () => loneCore({ term: 5, vote: 2 }), 2, true],
  ['voted for another', () => loneCore({ term: 5, vote: 3 }), 2, false],
  ['follows another', following, 2, false],
  ['follows another and voted for who asks', () => following({ vote: 2 }), 2, true],
])('whoever %s answers a question and a request of its own term', (_, start, from, granted) => {
  for (const pre of [true, false]) {
    const core = start();
    core.step(ask([from, 1, 5], id(0, 0), { pre }));
    expect(answers(core)).toEqual([granted]);
  }
});

test('a vote of this term does not hinder the question about the next', () => {
  const core = loneCore({ term: 5, vote: 3 });
  core.step(ask([2, 1, 6], id(0, 0), { pre: true }));
  expect(answers(core)).toEqual([true]);
  expect(core.hardState).toMatchObject({ term: 5, vote: 3 });
});

test('a vote that is asked for again is given again, and written once', () => {
  const core = loneCore({ term: 5 });
  for (const written of [true, false]) {
    core.step(ask([2, 1, 5], id(0, 0)));
    const readies = drain(core);
    expect(readies.some(({ hardState }) => hardState !== undefined)).toBe(written);
    expect(sent(readies)).toMatchObject([{ granted: true }]);
  }
});

test('a candidate tells itself that it has its own vote, and asks only the others', () => {
  const core = loneCore({ term: 5 });
  core.campaign();
  core.step(vote([2, 1, 6], true));
  const toItself = drain(core).flatMap((ready) =>
    [...ready.send, ...ready.sendAfterSync].filter(({ to }) => to === 1),
  );
  expect(toItself).toMatchObject([{ type: 'vote-reply', term: 6, granted: true }]);
});

test('an answer from the past is not answered', () => {
  const core = loneCore({ term: 5 });
  core.step(vote([2, 1, 3], true));
  expect(drain(core)).toEqual([]);
});

test('the order of a leader is no word of one that is no voter: it deposes nobody', () => {
  const core = following();
  core.step(ask([9, 1, 6], id(9, 5), { transfer: true }));
  expect([core.standing.term, answers(core)]).toEqual([5, []]);
});

test('when the connection breaks the question that was put off is answered, and no request', () => {
  for (const pre of [true, false]) {
    const core = following();
    core.step(ask([2, 1, 6], id(0, 0), { pre }));
    core.peerLost(replicaId(3));
    expect(answers(core)).toEqual(pre ? [true] : []);
  }
});
