import { expect, test } from 'vitest';
import { rehearse } from '../../src/replica/rehearsal/rehearse.ts';
import { VirtualClock } from '../client/virtual-clock.ts';

test('what the first peers and clients will ask for is rehearsed in many turns, and nothing of it is refused or left behind', async () => {
  const loop = new VirtualClock();
  const rehearsed = rehearse(loop);
  let turns = 0;
  let isOver = false;
  const count = (): void => {
    turns += 1;
    if (!isOver) loop.soon(count);
  };
  loop.soon(count);
  const ended = rehearsed.finally(() => {
    isOver = true;
  });
  await loop.run(0);
  await ended;
  expect(turns).toBeGreaterThan(500);
  await loop.run(0);
  expect(loop.pending).toBe(0);
});
