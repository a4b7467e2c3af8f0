import { expect, test } from 'vitest';
import { logIndex, type Millis, millis } from '../../src/base/ids.ts';
import {
  SCRUB_REST_MS_MAX,
  SCRUB_REST_TIMES,
  SCRUB_ROUND_MS,
  SCRUB_SLICE_MS,
  TICK_MS,
} from '../../src/base/limits.ts';
import { Scrubber } from '../../src/replica/health/scrubber.ts';
import { MemoryDisk } from '../../src/storage/log/memory-log-store.ts';
import { VirtualClock } from '../client/virtual-clock.ts';
import { CLUSTER } from '../storage/entries.ts';

const DAMAGE = { ranges: [], snapshotFrom: undefined };

test.each([
  ['with peers is muted until they have repaired it', false, ['on'], 'repaired'],
  ['alone goes on, and says how what it holds is saved', true, [], 'snapshot save'],
])('a replica whose log rots at rest, %s', async (_what, isAlone, muted, says) => {
  const clock = new VirtualClock();
  const store = new MemoryDisk(CLUSTER).open();
  store.scrub = () => Promise.resolve({ bytes: 1, roundEnds: false, damage: DAMAGE });
  const voice: string[] = [];
  const scrubber = new Scrubber({
    store,
    clock,
    isAlone: () => isAlone,
    mute: (on) => voice.push(on ? 'on' : 'off'),
    repair: () => new Promise(() => {}),
    readable: () => logIndex(0),
    makeUp: () => Promise.resolve(false),
    log: () => {},
    onFault: (error) => {
      throw error;
    },
  });
  expect(scrubber.alarms).toEqual([]);
  const ticker = clock.every(TICK_MS as Millis, () => scrubber.tick());
  await clock.run(millis(1_000));
  ticker.cancel();
  expect(voice).toEqual(muted);
  expect(scrubber.alarms).toMatchObject([{ name: 'log-damaged' }]);
  expect(scrubber.alarms[0]?.says).toContain(says);
});

/** When slices begin, on a disk where each takes so long. `meanwhile` is called so often, too. */
async function slicesOf(
  sliceMs: number,
  forMs: number,
  roundEnds = false,
  meanwhile: (scrubber: Scrubber) => void = () => {},
): Promise<number[]> {
  const clock = new VirtualClock();
  const began: number[] = [];
  const store = new MemoryDisk(CLUSTER).open();
  store.scrub = () => {
    began.push(clock.monotonic());
    return new Promise((resolve) => {
      const whole = { bytes: 1, roundEnds, damage: undefined };
      clock.after(millis(sliceMs), () => resolve(whole));
    });
  };
  const scrubber = new Scrubber({
    store,
    clock,
    isAlone: () => false,
    mute: () => {},
    repair: () => Promise.resolve(true),
    readable: () => logIndex(0),
    makeUp: () => Promise.resolve(true),
    log: () => {},
    onFault: (error) => {
      throw error;
    },
  });
  const ticker = clock.every(TICK_MS as Millis, () => {
    scrubber.tick();
    meanwhile(scrubber);
  });
  await clock.run(millis(forMs));
  ticker.cancel();
  return began;
}

const pausesOf = (began: readonly number[]): number[] =>
  began.slice(1).map((at, n) => at - (began[n] ?? 0));

test('slices that take no time follow each other as often as there may be one', async () => {
  const pauses = pausesOf(await slicesOf(0, 2_000));
  expect(pauses.length).toBeGreaterThan(10);
  for (const pause of pauses) {
    expect(pause).toBeGreaterThanOrEqual(SCRUB_SLICE_MS);
    expect(pause).toBeLessThan(SCRUB_SLICE_MS + TICK_MS);
  }
});

test.each([5, 20, 60])('slices of %i ms take one part in so many of the time', async (sliceMs) => {
  const pauses = pausesOf(await slicesOf(sliceMs, 20_000));
  expect(pauses.length).toBeGreaterThan(3);
  for (const pause of pauses)
    expect(pause).toBeGreaterThanOrEqual(sliceMs * (1 + SCRUB_REST_TIMES));
});

test('a slice in which the process stood still is not followed by a rest without end', async () => {
  const pauses = pausesOf(await slicesOf(10_000, 60_000));
  expect(pauses.length).toBeGreaterThan(2);
  for (const pause of pauses) expect(pause).toBeLessThan(10_000 + SCRUB_REST_MS_MAX + 2 * TICK_MS);
});

test('a log that one slice reads is not read over and over', async () => {
  const pauses = pausesOf(await slicesOf(0, 10_000, true));
  expect(pauses.length).toBeGreaterThan(3);
  for (const pause of pauses) expect(pause).toBeGreaterThanOrEqual(SCRUB_ROUND_MS);
});

test('a round does not wait once somebody has met damage, however often that is told', async () => {
  const pauses = pausesOf(await slicesOf(0, 10_000, true, (scrubber) => scrubber.hurry('rot')));
  expect(pauses.length).toBeGreaterThan(50);
  for (const pause of pauses) expect(pause).toBeLessThanOrEqual(2 * TICK_MS);
});
