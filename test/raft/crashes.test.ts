import { expect, test } from 'vitest';
import { ELECTION_TICKS_MAX } from '../../src/base/limits.ts';
import { CoreCluster } from '../../src/testing/core-cluster.ts';
import { appliedBy, awaitLeader, idsOf, logOf } from './clusters.ts';

/**
 * A story that is the same each time, one small step after another: a write becomes durable, or a message arrives. At
 * each step in turn the power fails somewhere, with any part of the writes under way done.
 */
class Story {
  readonly cluster: CoreCluster;
  readonly #size: number;
  /** What is done once nothing else moves, in order. */
  readonly #acts: ((cluster: CoreCluster) => void)[];

  constructor(size: number) {
    this.#size = size;
    this.cluster = new CoreCluster({ size, seed: 1 });
    const propose = (name: string) => (cluster: CoreCluster) => {
      for (const { id } of cluster.leaders.slice(0, 1)) cluster.propose(id, name);
    };
    const act = (what: (cluster: CoreCluster) => void) => what;
    this.#acts = [
      act((cluster) => cluster.campaign(1)),
      propose('a'),
      (cluster) => {
        propose('b')(cluster);
        propose('c')(cluster);
      },
      act((cluster) => {
        const [leader] = cluster.leaders;
        if (leader !== undefined) cluster.transfer(leader.id, (leader.id % this.#size) + 1);
      }),
      propose('d'),
    ];
  }

  /** The next step; false when the story is over. */
  step(): boolean {
    const { cluster } = this;
    const writer = cluster.running.find(({ writes }) => writes.length > 0);
    if (writer !== undefined) cluster.sync(writer.id);
    else if (cluster.network.length > 0) cluster.deliver(0);
    else {
      const next = this.#acts.shift();
      if (next === undefined) return false;
      next(cluster);
    }
    return true;
  }
}

/** How many steps the story has, and how many writes of `id` are under way before each. */
function lengthOf(size: number, id: number): number[] {
  const story = new Story(size);
  const writes: number[] = [];
  do writes.push(story.cluster.member(id).writes.length);
  while (story.step());
  return writes;
}

/** Ends in a calm in which something new is agreed on; what anyone had applied before is still there, in its place. */
function recover(cluster: CoreCluster): void {
  const before = new Map(cluster.history);
  // One that dies as it takes over leaves the leader waiting for it, and proposals refused, for a time-out.
  while (cluster.propose(awaitLeader(cluster), 'after') === undefined) cluster.calm(1);
  cluster.calm(ELECTION_TICKS_MAX);
  const leader = awaitLeader(cluster);
  for (const id of idsOf(cluster)) {
    expect(logOf(cluster, id)).toEqual(logOf(cluster, leader));
    for (const [index, name] of before) expect(cluster.member(id).applied.get(index)).toBe(name);
    expect(appliedBy(cluster, id).at(-1)).toBe('after');
    expect(new Set(appliedBy(cluster, id)).size).toBe(appliedBy(cluster, id).length);
  }
}

const places = [1, 3].flatMap((size) =>
  Array.from({ length: size }, (_, at) => [size, at + 1] as const),
);

test.each(places)(
  'of %i, replica %i may crash at any step with any part of its writes done: nothing agreed is lost',
  (size, id) => {
    const writes = lengthOf(size, id);
    expect(writes.length).toBeGreaterThan(size === 1 ? 8 : 40);
    for (const [at, underWay] of writes.entries())
      for (let survive = 0; survive <= underWay; survive += 1) {
        const story = new Story(size);
        for (let step = 0; step < at; step += 1) story.step();
        story.cluster.crash(id, survive);
        story.cluster.start(id);
        while (story.step());
        recover(story.cluster);
      }
  },
);

test('the power may fail everywhere at any step, with any part of the writes done', () => {
  const steps = lengthOf(3, 1).length;
  for (let at = 0; at < steps; at += 1)
    for (const done of [0, 1, 99]) {
      const story = new Story(3);
      for (let step = 0; step < at; step += 1) story.step();
      const { cluster } = story;
      for (const id of idsOf(cluster))
        cluster.crash(id, Math.min(done, cluster.member(id).writes.length));
      cluster.network.length = 0;
      for (const id of idsOf(cluster)) cluster.start(id);
      recover(cluster);
    }
});
