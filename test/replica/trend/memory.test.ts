import { expect, test } from 'vitest';
import { TREND_HOUR_MS, TREND_WINDOW_MS } from '../../../src/base/trend-limits.ts';
import { hourOf } from '../../../src/replica/trend/digest-table.ts';
import { TrendKeeper } from '../../../src/replica/trend/keeper.ts';
import { Retention } from '../../../src/replica/trend/retention.ts';
import { MemoryTrendDisk } from '../../../src/storage/trend/trend-disk.ts';
import { MemoryJournal } from '../../../src/storage/trend/trend-journal.ts';
import { SKETCHES } from '../../../src/wire/trend/sketch.ts';
import { BatchBuilder, decodeSamples } from '../../../src/wire/trend/trend-samples.ts';
import { VirtualClock } from '../../client/virtual-clock.ts';
import { living } from '../../living.ts';

const SERIES = 16;
const STEP_MS = 2_000;
const HOURS = 3;
const DIGEST_BYTES = 8;
const NOISE_BYTES = 128 * 1_024;

/** Takes all and keeps none of it, so that what stays in memory is the keeper's. */
class NowhereDisk extends MemoryTrendDisk {
  override write(): Promise<void> {
    return Promise.resolve();
  }
}

test('an hour of samples leaves nothing in memory but a digest of each window', async () => {
  const clock = new VirtualClock();
  const keeper = new TrendKeeper({
    disk: new NowhereDisk(),
    journal: new MemoryJournal(),
    clock,
    sketches: SKETCHES,
  });
  const retention = new Retention(keeper, SKETCHES, clock);
  await clock.settle(keeper.load());
  for (let at = 0; at < SERIES; at += 1)
    keeper.register({ patient: `p${at}`, device: 'm', metric: 'HR', unit: '' });

  const playMinute = async (): Promise<void> => {
    const builder = new BatchBuilder();
    const from = Math.ceil(clock.wall());
    for (let time = from; time < from + TREND_WINDOW_MS; time += STEP_MS)
      for (let place = 0; place < SERIES; place += 1)
        builder.add(place, time, 80 + ((time / STEP_MS + place) % 37), 0);
    await clock.run(TREND_WINDOW_MS);
    keeper.ingest(decodeSamples(builder.take()), undefined);
    await clock.settle(keeper.checkpoint());
    await clock.settle(retention.sweep());
    // As peers do, who compare the newest hours: from then on an hour is at hand.
    await keeper.digests.chunk.ofSeries(hourOf(clock.wall()), Infinity);
  };
  const playHours = async (): Promise<void> => {
    const until = clock.wall() + HOURS * TREND_HOUR_MS;
    while (clock.wall() < until) await playMinute();
  };

  await playHours();
  const before = await living();
  await playHours();
  const after = await living();
  const digests = HOURS * SERIES * (TREND_HOUR_MS / TREND_WINDOW_MS) * DIGEST_BYTES;
  expect(after.arrays - before.arrays).toBeGreaterThan(digests / 2);
  expect(after.arrays - before.arrays).toBeLessThan(digests + NOISE_BYTES);
  expect(after.heap - before.heap).toBeLessThan(NOISE_BYTES * 2);
  await clock.settle(keeper.close());
});
