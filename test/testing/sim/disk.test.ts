import { expect, test } from 'vitest';
import { Prng } from '../../../src/base/prng.ts';
import { SimClock } from '../../../src/testing/sim/clock.ts';
import { SimDisk } from '../../../src/testing/sim/disk.ts';
import { CLUSTER, emptyLogEnd, entriesAfter, hard, writing } from '../../storage/entries.ts';

test('a disk that was put back counts as damaged although no entry is missing, until its process has written that it abstains', async () => {
  const clock = new SimClock();
  const disk = new SimDisk(CLUSTER, clock, new Prng(1));
  const store = disk.open();
  await Promise.all([store.load(), clock.run(100)]);
  const first = entriesAfter(emptyLogEnd, 1, [50]);
  const write = (...batch: Parameters<typeof writing>): Promise<unknown> =>
    Promise.all([store.write(writing(...batch)), clock.run(100)]);
  await write(first, hard(1));
  const putBack = disk.remember();
  // A vote, and nothing else.
  await write([], hard(2));
  await write([], hard(3));
  expect(disk.isDamaged).toBe(false);
  disk.crash();
  expect(putBack()).toBe(true);
  expect([disk.hasLost, disk.isDamaged]).toEqual([false, true]);
  disk.repaired();
  expect(disk.isDamaged).toBe(true);
});
