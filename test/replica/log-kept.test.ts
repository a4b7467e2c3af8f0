import fc from 'fast-check';
import { expect, test } from 'vitest';
import { must } from '../../src/base/assert.ts';
import { logIndex } from '../../src/base/ids.ts';
import {
  DISK_FREE_BYTES_LOW,
  DISK_FREE_BYTES_OUT,
  DISK_LOOK_MS,
  LOG_KEPT_BYTES_MAX,
} from '../../src/base/limits.ts';
import { LogWeight } from '../../src/replica/snapshots/log-weight.ts';
import { entryKey } from '../../src/storage/level/level.ts';
import { clusterOf, OFTEN, raiseMany } from './scenes.ts';
import type { VirtualCluster } from './virtual-cluster.ts';

/** What of the log is kept, and for whom. */

test('whatever entries came before, those that are kept weigh no less than the limit and little more', () => {
  const sizes = fc.constantFrom(300, 20_000, 1_000_000);
  const storms = fc.array(fc.tuple(sizes, fc.integer({ min: 1, max: 2_000 })), { minLength: 1 });
  fc.assert(
    fc.property(storms, (each) => {
      const weight = new LogWeight();
      const reached: number[] = [0];
      for (const [bytes, count] of each)
        for (let n = 0; n < count; n += 1) {
          weight.note(logIndex(reached.length), bytes);
          reached.push((reached.at(-1) ?? 0) + bytes);
          const kept = (reached.at(-1) ?? 0) - (reached[weight.heavyFrom] ?? 0);
          expect(kept).toBeLessThan(LOG_KEPT_BYTES_MAX * 1.05);
          if (weight.heavyFrom > 0) expect(kept).toBeGreaterThanOrEqual(LOG_KEPT_BYTES_MAX);
        }
    }),
    { numRuns: 20 },
  );
});

/** The first entry that is on that disk. */
function firstOn(cluster: VirtualCluster, id: number): number {
  const { disk } = must(cluster.machines[id - 1], 'a machine');
  let index = 1;
  while (disk.peek(entryKey(index)) === undefined) index += 1;
  return index;
}

test.each([
  ['as soon as it has caught up, though nothing is written', false],
  ['on a disk that has run out of room meanwhile, too', true],
])('what was kept for a follower that took nothing is let go %s', async (_how, runsOut) => {
  const cluster = await clusterOf(3, 6, { snapshots: OFTEN });
  const client = await cluster.client('c');
  const leader = must(cluster.leader.standing.leader, 'a leader');
  const slow = (leader % 3) + 1;
  const room = (id: number, bytes: number): void => {
    must(cluster.machines[id - 1], 'a machine').disk.freeBytes = bytes;
  };
  room(slow, DISK_FREE_BYTES_OUT - 1);
  await cluster.clock.run(2 * DISK_LOOK_MS);
  await raiseMany(cluster, client, 'k', 150);
  const before = firstOn(cluster, leader);
  expect(before).toBeLessThan(20);
  if (runsOut) {
    for (const id of [1, 2, 3]) if (id !== slow) room(id, DISK_FREE_BYTES_OUT - 1);
    await cluster.clock.run(2 * DISK_LOOK_MS);
  }
  room(slow, 4 * DISK_FREE_BYTES_LOW);
  await cluster.clock.run(20_000);
  expect(firstOn(cluster, leader)).toBeGreaterThan(60);
});
