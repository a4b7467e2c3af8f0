import { expect, test, vi } from 'vitest';
import { REHEARSED_MS_MAX, REHEARSED_TURN_MS } from '../../src/base/limits.ts';
import { rehearse } from '../../src/replica/rehearsal/rehearse.ts';
import { rehearseSockets } from '../../src/replica/rehearsal/sockets.ts';
import { Stage } from '../../src/replica/rehearsal/stage.ts';
import { WorkingClock } from './working-clock.ts';

/** How many turns it takes on a loop where each look at the clock costs so much. */
async function turnsOf(loop: WorkingClock, act: Promise<void>): Promise<number> {
  let turns = 0;
  let isOver = false;
  const count = (): void => {
    turns += 1;
    if (!isOver) loop.soon(count);
  };
  loop.soon(count);
  const ended = act.finally(() => {
    isOver = true;
  });
  ended.catch(() => {});
  await loop.run(0);
  await ended;
  await loop.run(0);
  expect(loop.pending).toBe(0);
  return turns;
}

test('what the first peers and clients will ask for is rehearsed in many turns, and nothing of it is refused or left behind', async () => {
  const loop = new WorkingClock(REHEARSED_TURN_MS / 2);
  expect(await turnsOf(loop, rehearse(loop))).toBeGreaterThan(500);
});

test('a rehearsal in which nothing happens, or that does not end, is given up', async () => {
  const loop = new WorkingClock(REHEARSED_TURN_MS);
  const stage = new Stage(loop);
  const hanging = stage.perform(() => new Promise(() => {}));
  await expect(turnsOf(loop, hanging)).rejects.toMatchObject({ code: 'UNAVAILABLE' });

  const busy = new WorkingClock(REHEARSED_TURN_MS);
  const endless = new Stage(busy);
  const playing = endless.perform(async () => {
    for (;;) await endless.pause(1);
  });
  await expect(turnsOf(busy, playing)).rejects.toMatchObject({ code: 'UNAVAILABLE' });
  expect(busy.monotonic()).toBeGreaterThan(REHEARSED_MS_MAX);
});

test('the first connection of a process is rehearsed with itself, and nothing of it is left open', async () => {
  const open = (): string[] => process.getActiveResourcesInfo().filter((kind) => /^TCP/.test(kind));
  const before = open();
  await rehearseSockets();
  await vi.waitFor(() => expect(open()).toEqual(before));
});
