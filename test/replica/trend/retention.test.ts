import { describe, expect, it } from 'vitest';
import { TREND_GRACE_MS } from '../../../src/base/trend-limits.ts';
import { TrendKeeper } from '../../../src/replica/trend/keeper.ts';
import { type Level, levelRange } from '../../../src/replica/trend/keys.ts';
import { Retention } from '../../../src/replica/trend/retention.ts';
import { MemoryTrendDisk } from '../../../src/storage/trend/trend-disk.ts';
import { MemoryJournal } from '../../../src/storage/trend/trend-journal.ts';
import { SKETCHES } from '../../../src/wire/trend/sketch.ts';
import { BatchBuilder, decodeSamples } from '../../../src/wire/trend/trend-samples.ts';
import { VirtualClock } from '../../client/virtual-clock.ts';

const MINUTE_MS = 60_000;
const DAY_MS = 86_400_000;

describe('retention', () => {
  it('lets samples go first, then seconds, then minutes, of which hours remain', async () => {
    const clock = new VirtualClock();
    const disk = new MemoryTrendDisk();
    const keeper = new TrendKeeper({
      disk,
      journal: new MemoryJournal(),
      clock,
      sketches: SKETCHES,
    });
    const retention = new Retention(keeper, SKETCHES, clock);
    await clock.settle(keeper.load());
    keeper.register({ patient: 'p', device: 'm', metric: 'HR', unit: '' });
    const builder = new BatchBuilder();
    const start = Math.floor(clock.wall());
    for (let second = 0; second < 600; second += 1)
      builder.add(0, start + second * 100, 70 + (second % 9), 0);
    keeper.ingest(decodeSamples(builder.take()), undefined);
    await clock.run(MINUTE_MS + TREND_GRACE_MS);
    await clock.settle(keeper.checkpoint());

    const count = async (level: Level): Promise<number> => {
      let found = 0;
      for await (const _ of disk.scan(...levelRange(level))) found += 1;
      return found;
    };
    const held = async (): Promise<readonly boolean[]> => {
      await clock.settle(retention.sweep());
      const counts = await Promise.all(
        (['chunk', 'seconds', 'minutes', 'hours'] as const).map(count),
      );
      return counts.map((one) => one > 0);
    };
    expect(await held()).toEqual([true, true, true, false]);
    await clock.run(4 * DAY_MS);
    expect(await held()).toEqual([false, true, true, false]);
    await clock.run(12 * DAY_MS);
    expect(await held()).toEqual([false, false, true, false]);
    await clock.run(80 * DAY_MS);
    expect(await held()).toEqual([false, false, false, true]);
  });
});
