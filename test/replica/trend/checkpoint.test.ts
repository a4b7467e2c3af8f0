import { expect, test } from 'vitest';
import { TREND_WRITE_WINDOWS_MAX } from '../../../src/base/trend-limits.ts';
import { TrendKeeper } from '../../../src/replica/trend/keeper.ts';
import { MemoryTrendDisk } from '../../../src/storage/trend/trend-disk.ts';
import { MemoryJournal } from '../../../src/storage/trend/trend-journal.ts';
import { SKETCHES } from '../../../src/wire/trend/sketch.ts';
import { BatchBuilder, decodeSamples } from '../../../src/wire/trend/trend-samples.ts';
import { VirtualClock } from '../../client/virtual-clock.ts';

const BATCHES = 4;
const SERIES = BATCHES * TREND_WRITE_WINDOWS_MAX;
const SAMPLES = 60;

/** Looks at the memory with each write, and has no room from the write of this number on. */
class WatchedDisk extends MemoryTrendDisk {
  readonly heldAt: number[] = [];
  fullFrom = Infinity;
  held: () => number = () => 0;

  override write(...args: Parameters<MemoryTrendDisk['write']>): Promise<void> {
    this.heldAt.push(this.held());
    this.isFull = this.heldAt.length >= this.fullFrom;
    return super.write(...args);
  }
}

/** A minute of many series, which has ended. */
async function stage() {
  const clock = new VirtualClock();
  const disk = new WatchedDisk();
  const journal = new MemoryJournal();
  const keeper = new TrendKeeper({ disk, journal, clock, sketches: SKETCHES });
  await clock.settle(keeper.load());
  const from = Math.floor(clock.wall() / 60_000) * 60_000 - 600_000;
  const builder = new BatchBuilder();
  const info = { device: 'm', metric: 'HR', unit: '/min' };
  const all = Array.from({ length: SERIES }, (_, at) =>
    keeper.register({ ...info, patient: `p${at}` }),
  );
  for (const { place } of all)
    for (let second = 0; second < SAMPLES; second += 1)
      builder.add(place, from + second * 1_000, 80, 0);
  keeper.ingest(decodeSamples(builder.take()), undefined);
  disk.held = () => keeper.store.held;
  const kept = async (): Promise<number> => {
    let count = 0;
    for (const series of all)
      count += (await keeper.chunk(series, from))?.samples.times.length ?? 0;
    return count;
  };
  return { clock, disk, keeper, kept };
}

test('a minute leaves memory as it is written, some series at a time', async () => {
  const { clock, disk, keeper, kept } = await stage();
  await clock.settle(keeper.checkpoint());
  const batch = TREND_WRITE_WINDOWS_MAX * SAMPLES;
  expect(disk.heldAt).toEqual([4 * batch, 3 * batch, 2 * batch, batch]);
  expect(keeper.store.held).toBe(0);
  expect(await kept()).toBe(SERIES * SAMPLES);
  await clock.settle(keeper.close());
});

test('what finds no room in the middle of a minute is in memory until there is some, and written then', async () => {
  const { clock, disk, keeper, kept } = await stage();
  disk.fullFrom = 3;
  await expect(clock.settle(keeper.checkpoint())).rejects.toMatchObject({ code: 'DISK_FULL' });
  expect(keeper.store.held).toBe(2 * TREND_WRITE_WINDOWS_MAX * SAMPLES);
  expect(await kept()).toBe(SERIES * SAMPLES);
  keeper.pause();
  disk.fullFrom = Infinity;
  disk.isFull = false;
  await clock.settle(keeper.resume());
  expect(keeper.store.held).toBe(0);
  expect(await kept()).toBe(SERIES * SAMPLES);
  await clock.settle(keeper.close());
});
