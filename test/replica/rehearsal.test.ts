import { expect, test } from 'vitest';
import { rehearse } from '../../src/replica/rehearsal.ts';
import { Turns } from '../../src/replica/turns.ts';
import { VirtualClock } from '../client/virtual-clock.ts';

test('what the first clients will ask for is rehearsed in many turns, and nothing of it is refused or left behind', async () => {
  const clock = new VirtualClock();
  const rehearsed = rehearse(new Turns(clock, 5));
  let turns = 0;
  let isOver = false;
  const count = (): void => {
    turns += 1;
    if (!isOver) clock.soon(count);
  };
  clock.soon(count);
  const ended = rehearsed.then(() => {
    isOver = true;
  });
  await clock.run(0);
  await ended;
  expect(turns).toBeGreaterThan(20);
  await clock.run(0);
  expect(clock.pending).toBe(0);
});
