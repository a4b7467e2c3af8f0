import { expect, test } from 'vitest';
import { millis, type UnixMillis, unixMillis } from '../../../src/base/ids.ts';
import { TREND_FUTURE_MS_MAX, TREND_RAW_MS_MAX } from '../../../src/base/trend-limits.ts';
import { TrendKeeper } from '../../../src/replica/trend/keeper.ts';
import { MemoryTrendDisk } from '../../../src/storage/trend/trend-disk.ts';
import { MemoryJournal } from '../../../src/storage/trend/trend-journal.ts';
import { SKETCHES } from '../../../src/wire/trend/sketch.ts';
import { BatchBuilder, decodeSamples } from '../../../src/wire/trend/trend-samples.ts';
import { VirtualClock } from '../../client/virtual-clock.ts';

/** Somebody can set it. */
class WallClock extends VirtualClock {
  offset = 0;

  override wall(): UnixMillis {
    return unixMillis(super.wall() + this.offset);
  }
}

/** How far the device's clock is ahead. */
const AHEAD_MS = TREND_FUTURE_MS_MAX - 1_000;
const INFO = { patient: 'p', device: 'm', metric: 'HR', unit: '/min' };

test.each([
  ['goes on', 0],
  ['is set back by an hour', -3_600_000],
  ['is set forward by more than samples are kept', TREND_RAW_MS_MAX * 2],
])(
  'what was acknowledged outlives a crash after which the clock %s, and so does when it came',
  async (_, jump) => {
    const clock = new WallClock();
    const disk = new MemoryTrendDisk();
    const journal = new MemoryJournal();
    const start = async (): Promise<TrendKeeper> => {
      const keeper = new TrendKeeper({ disk, journal, clock, sketches: SKETCHES });
      await clock.settle(keeper.load());
      return keeper;
    };

    const first = await start();
    const { place } = first.register(INFO);
    const times: number[] = [];
    // Over a checkpoint, after which the journal has to say the time anew; and one from the future, which is refused for good.
    for (let second = 0; second < 6; second += 1) {
      const builder = new BatchBuilder();
      times.push(clock.wall() + AHEAD_MS);
      builder.add(place, times.at(-1) ?? 0, second, 0);
      builder.add(place, clock.wall() + TREND_FUTURE_MS_MAX + 1, second, 0);
      expect(first.ingest(decodeSamples(builder.take()), undefined).tooNew).toBe(1);
      if (second % 2 === 0) await clock.settle(first.checkpoint());
      await clock.run(millis(1_000));
    }
    await clock.settle(first.sync());
    journal.crash();

    clock.offset = jump;
    const second = await start();
    const series = second.register(INFO);
    const starts = [...new Set(times.map((time) => Math.floor(time / 60_000) * 60_000))];
    const chunks = await Promise.all(starts.map((each) => second.chunk(series, each)));
    expect(chunks.flatMap((chunk) => [...(chunk?.samples.times ?? [])])).toEqual(times);
    for (const chunk of chunks)
      expect(chunk?.delays).toEqual({ minMs: -AHEAD_MS, maxMs: -AHEAD_MS });
    await clock.settle(second.close());
  },
);
