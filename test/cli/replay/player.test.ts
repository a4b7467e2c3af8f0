import { join } from 'node:path';
import { expect, test } from 'vitest';
import { findRecordings } from '../../../cli/input/recordings.ts';
import { loadRules } from '../../../cli/input/rules-file.ts';
import { type Performance, play } from '../../../cli/replay/player.ts';
import type { AlertRequest } from '../../../src/analytics/alerts.ts';
import { folderOf, RESTLESS_AND_SLOW } from './made-up.ts';

const RULES = join(import.meta.dirname, '../../../examples/rules/bidmc.yaml');
const ORIGIN = 1_700_000_000_000;

async function performanceOf(changes: Partial<Performance> = {}): Promise<Performance> {
  return {
    recordings: await findRecordings(await folderOf(RESTLESS_AND_SLOW)),
    rules: await loadRules(RULES),
    device: 'replay-test',
    origin: ORIGIN,
    speed: undefined,
    signal: new AbortController().signal,
    send: () => Promise.resolve(),
    onRow: () => undefined,
    ...changes,
  };
}

test('rows of all patients become alert commands in order of time, under the keys of this run', async () => {
  const sent: AlertRequest[] = [];
  const played = await play(
    await performanceOf({
      send: (request) => {
        sent.push(request);
        return Promise.resolve();
      },
    }),
  );
  expect(played).toEqual({ rows: 200, samples: 4 * 200 - 20 });
  expect(
    sent.map(({ type, input }) => [
      (Number(input.observedAt) - ORIGIN) / 1000,
      type,
      'target' in input ? input.target.dedupKey : input.dedupKey,
    ]),
  ).toEqual([
    [19, 'raise', 'phys:1:replay-test:HR:HI'],
    [49, 'clear', 'phys:1:replay-test:HR:HI'],
    [59, 'raise', 'phys:2:replay-test:HR:LO'],
    [69, 'raise', 'tech:1:replay-test:HR:TEC'],
    [80, 'clear', 'tech:1:replay-test:HR:TEC'],
  ]);
});

test('the next row waits until there is room for what this one gave', async () => {
  let rows = 0;
  let isFull = true;
  let admit: () => void = () => {};
  const playing = play(
    await performanceOf({
      send: () =>
        new Promise((resolve) => {
          admit = resolve;
          if (!isFull) resolve();
        }),
      onRow: (played) => {
        rows = played;
        return undefined;
      },
    }),
  );
  // The first command comes of the twentieth row of one of two patients.
  await expect.poll(() => rows).toBe(38);
  for (let turn = 0; turn < 20; turn += 1) await new Promise((resolve) => setImmediate(resolve));
  expect(rows).toBe(38);
  isFull = false;
  admit();
  expect(await playing).toMatchObject({ rows: 200 });
});

test('a speed is kept, and an abort does not wait for the next row', async () => {
  const stop = new AbortController();
  const startedAt = performance.now();
  let at100 = 0;
  const played = await play(
    await performanceOf({
      // 100 seconds in 0.1, then it stands still for hours.
      speed: 1_000,
      signal: stop.signal,
      onRow: (rows) => {
        if (rows === 100) at100 = performance.now() - startedAt;
        if (rows === 150) stop.abort();
        return undefined;
      },
    }),
  );
  expect(played.rows).toBe(150);
  expect(at100).toBeGreaterThanOrEqual(40);
  const slow = new AbortController();
  const halted = await play(
    await performanceOf({
      speed: 0.001,
      signal: slow.signal,
      onRow: (rows) => {
        if (rows === 2) setImmediate(() => slow.abort());
        return undefined;
      },
    }),
  );
  expect(halted.rows).toBe(2);
});
