import { describe, expect, test } from 'vitest';
import type { Ready } from '../../../src/raft/types.ts';
import { renderSearched, search } from '../../../src/testing/search/search.ts';
import { timeOut, type World } from '../../../src/testing/search/world.ts';
import { WORLDS } from '../../../src/testing/search/worlds.ts';

/** STATES visits more of each; `npm run sim -- --exhaustive` visits them faster, and all. */
const STATES = Number(process.env['STATES'] ?? 1_500);

describe('everything that can happen to a few cores', () => {
  test.each(WORLDS.map((world) => [world.name, world] as const))(
    'breaks no promise from the world %s',
    { timeout: 120_000 },
    (_name, world) => {
      const found = search(world, { depth: world.depth, states: STATES });
      expect(found.broken).toBeUndefined();
      expect(found.states).toBe(STATES);
      expect(found.transitions).toBeGreaterThanOrEqual(found.states - 1);
    },
  );
});

/** Two votes in one term: replica 2 has a disk that keeps no vote. */
const FORGETFUL: World = {
  name: 'forgetful',
  scene: 'the disk of replica 2 keeps no vote',
  size: 3,
  depth: 20,
  budget: { elections: 1, crashes: 1 },
  prepare: (cluster) => {
    const { disk } = cluster.member(2);
    const persist = disk.persist.bind(disk);
    disk.persist = (ready: Ready) => {
      const { hardState } = ready;
      persist(
        hardState === undefined
          ? ready
          : { ...ready, hardState: { ...hardState, vote: undefined } },
      );
    };
    timeOut(cluster, 1);
  },
};

test('a disk that forgets votes is found out, by the shortest way there is', () => {
  const found = search(FORGETFUL, { depth: FORGETFUL.depth, states: 100_000 });
  expect(found.broken?.why).toMatch(/the vote of 2@\d for \d is not durable/);
  const { length } = found.broken?.path ?? [];
  expect(search(FORGETFUL, { depth: (length ?? 0) - 1, states: 100_000 }).broken).toBeUndefined();
  expect(renderSearched(FORGETFUL, found).join('\n')).toContain('BROKEN: the vote of 2@');
});

test('a world in which nothing more can happen is exhausted, and visited the same twice', () => {
  const world: World = { ...FORGETFUL, size: 1, budget: { elections: 1 }, prepare: () => {} };
  const once = search(world, { depth: 100, states: 1_000 });
  expect(once).toMatchObject({ exhausted: true, broken: undefined });
  expect(search(world, { depth: 100, states: 1_000 })).toEqual(once);
  expect(renderSearched(world, once)[0]).toContain('all there are');
});
