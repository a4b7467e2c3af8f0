import { expect, test } from 'vitest';
import { replicaId } from '../../src/base/ids.ts';
import { ELECTION_TICKS_MAX, HEARTBEAT_TICKS } from '../../src/base/limits.ts';
import { type Configuration, renderConfiguration } from '../../src/raft/configuration.ts';
import type { RaftCore } from '../../src/raft/core.ts';
import { CoreCluster } from '../../src/testing/core-cluster.ts';
import { appliedBy, awaitLeader, idsOf, isolate, logOf } from './clusters.ts';
import { accepted, append, drain, heartbeat, id, loneCore, loneLeader, sent } from './lone-core.ts';

/** What a snapshot says of who takes part (§6, §7), and when a change is over. */

const ids = (...numbers: readonly number[]) => numbers.map(replicaId);
const configuration = (
  voters: readonly number[],
  outgoing: readonly number[] = [],
  learners: readonly number[] = [],
): Configuration => ({
  voters: ids(...voters),
  outgoing: ids(...outgoing),
  learners: ids(...learners),
  learnersNext: [],
});

/** Whom a core asks for votes when it campaigns; nobody if it may not. */
function asks(core: RaftCore, own: number): number[] {
  drain(core, replicaId(own));
  for (let tick = 0; tick < ELECTION_TICKS_MAX; tick += 1) core.tick();
  const requests = sent(drain(core, replicaId(own)), 'vote-request');
  return [...new Set(requests.map(({ to }) => Number(to)))].toSorted((a, b) => a - b);
}

test.each<[string, number, Configuration, number[]]>([
  ['joint', 1, configuration([1, 4], [1, 2, 3], [7]), [2, 3, 4]],
  ['one in which a learner was promoted', 9, configuration([1, 2, 9]), [1, 2]],
  ['one in which a voter was demoted', 1, configuration([2, 3], [], [1]), []],
  ['one in which it has no part', 1, configuration([2, 3]), []],
])('a snapshot brings its configuration, also %s', (_, own, brought, asked) => {
  const core = loneCore({ id: own, voters: [1, 2, 3], log: [1, 1], term: 3 });
  core.step(heartbeat([2, own, 3]));
  expect(core.restore({ ...id(9, 3), configuration: brought })).toBe(true);
  expect(core.configuration).toEqual(brought);
  expect(asks(core, own)).toEqual(asked);
});

/** An entry that changes who takes part, and one that does not. */
const tailWith = (changed: Configuration) => {
  const message = append([2, 1, 3], id(2, 1), [3, 3]);
  if (message.type !== 'append-request') throw new Error('no append');
  const [first, second] = message.entries;
  return {
    ...message,
    entries: [{ ...first!, payload: { byteLength: 9, configuration: changed } }, second!],
  };
};

test('a configuration that only the replaced log knew is gone, whether older or newer', () => {
  const held = configuration([1, 2, 3], [], [8]);
  const brought = configuration([1, 2, 3], [], [9]);
  for (const at of [id(4, 2), id(9, 3)]) {
    const core = loneCore({ log: [1, 1], term: 3 });
    core.step(heartbeat([2, 1, 3]));
    core.step(tailWith(held));
    drain(core);
    expect(core.configuration).toEqual(held);
    expect(core.restore({ ...at, configuration: brought })).toBe(true);
    expect(core.configuration).toEqual(brought);
  }
});

test('a configuration behind a snapshot that the log goes on after stays in force', () => {
  const held = configuration([1, 2, 3], [], [8]);
  const core = loneCore({ log: [1, 1], term: 3 });
  core.step(tailWith(held));
  drain(core);
  expect(core.restore({ ...id(2, 1), configuration: configuration([1, 2, 3]) })).toBe(true);
  expect(core.configuration).toEqual(held);
});

test('a snapshot while a change is not committed carries what holds at its end, not the change', () => {
  const core = loneLeader();
  drain(core);
  core.step(accepted([2, 1, 1], 1));
  core.step(accepted([3, 1, 1], 1));
  drain(core);
  const changed = configuration([1, 2, 3], [], [4]);
  expect(core.change({ byteLength: 9, configuration: changed })).toMatchObject({ ok: true });
  expect(core.configuration).toEqual(changed);
  expect(core.configurationAt(core.committed)).toEqual(configuration([1, 2, 3]));
});

test('what held before the log begins is forgotten with it, and compacting to before that changes nothing', () => {
  const core = loneLeader({ log: [1, 1, 1] });
  drain(core);
  core.step(accepted([2, 1, 2], 4));
  core.compact(3);
  core.compact(2);
  expect(core.base).toEqual(id(3, 1));
  expect(core.configurationAt(3)).toEqual(configuration([1, 2, 3]));
  expect(() => core.configurationAt(2)).toThrow('no configuration is known');
});

test('a change ends when its beginning is committed, not by whatever else is committed before that', () => {
  const core = loneLeader();
  drain(core);
  for (const from of [2, 3]) core.step(accepted([from, 1, 1], 1));
  drain(core);
  for (const byteLength of [1, 2]) core.propose({ byteLength });
  const begin = configuration([1, 2], [1, 2, 3]);
  expect(core.change({ byteLength: 9, configuration: begin })).toMatchObject({ ok: true });
  drain(core);
  core.step(accepted([2, 1, 1], 3));
  expect([core.committed, core.last.index]).toEqual([3, 4]);
  core.step(accepted([2, 1, 1], 4));
  expect([core.committed, core.last.index]).toEqual([4, 5]);
  expect(core.configuration).toEqual(configuration([1, 2]));
});

test('who was away through compaction and changes takes the snapshot with what holds now', () => {
  for (let seed = 1; seed <= 10; seed += 1) {
    const cluster = new CoreCluster({ size: 4, voters: 3, seed });
    const leader = awaitLeader(cluster, [1, 2, 3]);
    const away = idsOf(cluster).find((each) => each !== leader && each !== 4) ?? 0;
    cluster.calm(HEARTBEAT_TICKS);
    isolate(cluster, away);
    for (let n = 0; n < 10; n += 1) cluster.propose(leader, `p${n}`);
    cluster.change(leader, [1, 2, 3], [4]);
    cluster.calm(HEARTBEAT_TICKS);
    for (const member of idsOf(cluster))
      if (member !== away) cluster.compact(member, cluster.member(member).appliedTo);
    // What follows the snapshot comes as entries.
    for (let n = 10; n < 15; n += 1) cluster.propose(leader, `p${n}`);
    cluster.settle();
    cluster.cut.clear();
    cluster.calm(ELECTION_TICKS_MAX * 2);
    const now = awaitLeader(cluster);
    expect(cluster.oracle.installs).toBeGreaterThan(0);
    expect(renderConfiguration(cluster.core(away).configuration)).toBe('1 2 3 + 4');
    expect(logOf(cluster, away).at(-1)).toEqual(logOf(cluster, now).at(-1));
    expect(appliedBy(cluster, away)).toHaveLength(15);
  }
});

test('a dead replica that needs a snapshot holds up nobody, nor does it hold the log', () => {
  const cluster = new CoreCluster({ size: 3, seed: 1 });
  const leader = awaitLeader(cluster);
  const dead = idsOf(cluster).find((each) => each !== leader) ?? 0;
  cluster.crash(dead);
  for (let n = 0; n < 100; n += 1) {
    const index = cluster.propose(leader, `p${n}`) ?? 0;
    cluster.calm(1);
    expect(cluster.core(leader).committed).toBe(index);
    cluster.compact(leader, index);
    expect(cluster.core(leader).base.index).toBe(index);
  }
  cluster.start(dead);
  cluster.calm(ELECTION_TICKS_MAX);
  expect(appliedBy(cluster, dead)).toHaveLength(100);
});
