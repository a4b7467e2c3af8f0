import { expect, test } from 'vitest';
import { replicaId } from '../../src/base/ids.ts';
import { Prng } from '../../src/base/prng.ts';
import { configurationOf } from '../../src/raft/configuration.ts';
import { RaftCore } from '../../src/raft/core.ts';
import type { Message } from '../../src/raft/types.ts';
import { append, drain, heartbeat, id, loneCore } from './lone-core.ts';

/** Replicas whose disk may have forgotten a vote, or entries that were acknowledged: how long they give no vote. */

test('whoever was in doubt already and shows a loss in this term stays so until a later one', () => {
  const core = loneCore({ log: [1], term: 4, abstain: true });
  core.step(heartbeat([2, 1, 6], 3));
  core.step(append([2, 1, 6], id(1, 1), [6]));
  drain(core);
  expect(core.silenced, 'it held 3 of this term, and holds 2').toBe(true);
  core.step(append([3, 1, 7], id(2, 6), [7]));
  expect(core.silenced).toBe(false);
});

test('a doubt is written down when it begins, not with each heartbeat that shows it', () => {
  const core = loneCore({ log: [1], term: 1 });
  for (const written of [true, false]) {
    core.step(heartbeat([2, 1, 1], 3));
    expect(drain(core).some(({ hardState }) => hardState?.abstain === true)).toBe(written);
  }
});

test.each([
  ['that has just begun', { log: [1], term: 1 }, heartbeat([2, 1, 1], 5)],
  ['that began again in this term', { log: [1], term: 4, abstain: true }, heartbeat([2, 1, 6], 3)],
  ['that stands', { log: [1], term: 1, abstain: true }, append([2, 1, 1], id(5, 1), [1])],
])(
  'a leader hears of a doubt %s when it is durable, or a next life would know of none',
  (_, init, message) => {
    const core = loneCore(init);
    core.step(message);
    const [ready] = drain(core);
    const isDoubt = ({ type, ...rest }: Message) => type === 'append-reply' && 'reverted' in rest;
    expect(ready?.send.filter(isDoubt)).toEqual([]);
    expect(ready?.sendAfterSync.filter(isDoubt)).toHaveLength(1);
  },
);

/** In doubt since term 4; the leader of term 6 has given it a snapshot that ends in an entry of its own. */
function restored(): RaftCore {
  const core = loneCore({ term: 4, abstain: true });
  core.step(heartbeat([2, 1, 6]));
  core.restore({ ...id(5, 6), configuration: configurationOf([1, 2, 3].map(replicaId)) });
  expect(drain(core).at(-1)?.hardState).toMatchObject({ term: 6, abstain: true });
  return core;
}

test('a late append shows that the log goes up to an entry of a later leader, and that is written down', () => {
  const core = restored();
  core.step(append([2, 1, 6], id(3, 6), [6]));
  expect(core.silenced).toBe(false);
  expect(drain(core)).toMatchObject([{ hardState: { term: 6, vote: 2, commit: 5 } }]);
});

test('an append to a replica without doubts says nothing of its vote', () => {
  const core = loneCore({ term: 4 });
  core.step(append([2, 1, 6], id(0, 0), [6]));
  expect(core.hardState).toEqual({ term: 6, vote: undefined, commit: 0 });
});

test('a doubt that was written down is there again after a start', () => {
  const doubting = loneCore({ term: 4, abstain: true });
  const core = new RaftCore({
    id: replicaId(1),
    voters: [1, 2, 3].map(replicaId),
    prng: new Prng(1),
    noop: () => ({ byteLength: 8 }),
    leaveJoint: (configuration) => ({ byteLength: 9, configuration }),
    hardState: doubting.hardState,
    tail: [],
    terms: [],
  });
  expect([core.silenced, core.hardState]).toEqual([true, doubting.hardState]);
});
