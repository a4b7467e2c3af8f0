import fc from 'fast-check';
import { expect, test } from 'vitest';
import { finish, story } from './story.ts';

test('random faults never break agreement, and calm always ends in progress', () => {
  let installs = 0;
  let changes = 0;
  fc.assert(
    fc.property(fc.integer({ min: 0, max: 2 ** 31 }), (seed) => {
      const cluster = story(seed, 1500);
      finish(cluster);
      installs += cluster.oracle.installs;
      changes += cluster.oracle.configurations.size;
    }),
    { numRuns: 150 },
  );
  expect(installs, 'no story needed a snapshot').toBeGreaterThan(0);
  expect(changes, 'no story changed who takes part').toBeGreaterThan(0);
});

test('a confirmed read never precedes what was committed before it was asked', () => {
  fc.assert(
    fc.property(fc.integer({ min: 0, max: 2 ** 31 }), (seed) => {
      const cluster = story(seed, 800);
      const leader = cluster.elect();
      const before = Math.max(0, ...cluster.history.keys());
      cluster.read(leader, -1);
      cluster.calm(20);
      const answer = cluster.reads.get(-1);
      expect(answer).toBeDefined();
      if (answer !== undefined && answer !== 'dropped')
        expect(answer.index).toBeGreaterThanOrEqual(before);
    }),
    { numRuns: 60 },
  );
});
