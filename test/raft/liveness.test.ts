import { expect, test } from 'vitest';
import { must } from '../../src/base/assert.ts';
import { ELECTION_TICKS_MAX } from '../../src/base/limits.ts';
import { majorityOf } from '../../src/raft/quorum.ts';
import { CoreCluster } from '../../src/testing/core-cluster.ts';

/**
 * Partial partitions: whenever some replica is connected both ways to a majority, there is a leader before long, it stays,
 * and it commits; whatever the other links do. Names in a link are places: 0 leads when the links break.
 */

/** From when links break to when somebody must lead for good: a few campaigns, should votes be split. */
const PATIENCE_TICKS = ELECTION_TICKS_MAX * 5;

type Link = readonly [from: number, to: number];

const linksOf = (size: number): Link[] =>
  Array.from({ length: size * size }, (_, at): Link => [Math.floor(at / size), at % size]).filter(
    ([from, to]) => from !== to,
  );

/** Whether somebody hears, and is heard by, a majority, itself included. */
function canBeLed(size: number, cut: ReadonlySet<string>): boolean {
  const whole = (a: number, b: number): boolean => !cut.has(`${a}>${b}`) && !cut.has(`${b}>${a}`);
  return Array.from({ length: size }, (_, a) => a).some(
    (a) =>
      linksOf(size).filter(([from, to]) => from === a && whole(a, to)).length + 1 >=
      majorityOf(size),
  );
}

/** Breaks the links under a leader in step with all, and asks for what a client would. */
function live(size: number, cut: ReadonlySet<string>, noticed: boolean): void {
  const cluster = new CoreCluster({ size, seed: cut.size + 7 });
  const leader = cluster.elect();
  cluster.propose(leader, 'before');
  cluster.calm(5);
  const ids = [leader, ...cluster.members.map((each) => each.id).filter((each) => each !== leader)];
  for (const link of cut) {
    const [from = 0, to = 0] = link.split('>').map((place) => Number(ids[Number(place)]));
    cluster.cut.add(`${from}>${to}`);
    if (noticed) cluster.peerLost(to, from);
  }
  cluster.calm(PATIENCE_TICKS);
  if (!canBeLed(size, cut)) return;
  const now = must(cluster.leaders[0], 'nobody leads').id;
  const { term } = cluster.core(now).standing;
  const index = must(cluster.propose(now, 'after'), 'the proposal is not taken');
  cluster.calm(ELECTION_TICKS_MAX * 2);
  expect(cluster.core(now).committed).toBeGreaterThanOrEqual(index);
  expect(cluster.core(now).standing).toMatchObject({ role: 'leader', term });
  cluster.cut.clear();
  cluster.calm(ELECTION_TICKS_MAX);
  for (const member of cluster.members)
    expect(member.appliedTo).toBe(cluster.core(cluster.elect()).last.index);
}

test.each([false, true])(
  'three replicas, any links one way or both broken (noticed: %s)',
  (noticed) => {
    const links = linksOf(3);
    for (let set = 0; set < 2 ** links.length; set += 1) {
      const cut = links.filter((_, at) => (set >> at) & 1).map(([from, to]) => `${from}>${to}`);
      live(3, new Set(cut), noticed);
    }
  },
);

/** All ways to break links of five, but for what only swaps followers. */
function fiveWays(): Set<string>[] {
  const pairs = linksOf(5).filter(([a, b]) => a < b);
  const orders = [1, 2, 3, 4].flatMap((a) =>
    [1, 2, 3, 4].flatMap((b) =>
      [1, 2, 3, 4]
        .map((c) => [0, a, b, c, 10 - a - b - c])
        .filter((each) => new Set(each).size === 5),
    ),
  );
  const name = (set: number, order: readonly number[]): string =>
    pairs
      .flatMap(([a, b], at) => {
        const ends = [order[a] ?? 0, order[b] ?? 0].sort();
        return (set >> at) & 1 ? [ends.join('>')] : [];
      })
      .sort()
      .join(' ');
  const names = new Set<string>();
  for (let set = 0; set < 2 ** pairs.length; set += 1)
    names.add(must(orders.map((order) => name(set, order)).sort()[0], 'no order'));
  return [...names].map((each) => {
    const cut = each === '' ? [] : each.split(' ');
    return new Set(cut.flatMap((link) => [link, link.split('>').reverse().join('>')]));
  });
}

test('five replicas, any links broken', () => {
  const ways = fiveWays();
  expect(ways.length).toBeGreaterThanOrEqual(34);
  for (const [at, cut] of ways.entries()) live(5, cut, at % 2 === 0);
});

test('a replica that cannot hear the leader does not unseat it, however long it tries', () => {
  const cluster = new CoreCluster({ size: 3, seed: 3 });
  const leader = cluster.elect();
  const other = leader === 1 ? 2 : 1;
  const { term } = cluster.core(leader).standing;
  cluster.cut.add(`${leader}>${other}`);
  cluster.calm(ELECTION_TICKS_MAX * 20);
  expect(cluster.core(leader).standing).toMatchObject({ role: 'leader', term });
});
