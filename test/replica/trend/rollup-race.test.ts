import { expect, test } from 'vitest';
import { TrendKeeper } from '../../../src/replica/trend/keeper.ts';
import { TrendQueries } from '../../../src/replica/trend/queries.ts';
import { MemoryTrendDisk, type Put } from '../../../src/storage/trend/trend-disk.ts';
import { MemoryJournal } from '../../../src/storage/trend/trend-journal.ts';
import { SKETCHES } from '../../../src/wire/trend/sketch.ts';
import { BatchBuilder, decodeSamples } from '../../../src/wire/trend/trend-samples.ts';
import { VirtualClock } from '../../client/virtual-clock.ts';

/** Does something else at the end of one of its scans, as the rest of the replica does while a query waits for the disk. */
class BusyDisk extends MemoryTrendDisk {
  meanwhile: (() => Promise<void>) | undefined;
  busyAt = 0;
  scans = 0;

  override async *scan(
    ...range: Parameters<MemoryTrendDisk['scan']>
  ): AsyncGenerator<Put, void, undefined> {
    yield* super.scan(...range);
    this.scans += 1;
    if (this.scans === this.busyAt) await this.meanwhile?.();
  }
}

test.each([
  [1_000, 1],
  [60_000, 1],
  [60_000, 2],
] as const)(
  'a window that is written while it is asked for is in the answer: rows of %i ms, scan %i',
  async (stepMs, busyAt) => {
    const clock = new VirtualClock();
    const disk = new BusyDisk();
    const journal = new MemoryJournal();
    const keeper = new TrendKeeper({ disk, journal, clock, sketches: SKETCHES });
    await clock.settle(keeper.load());
    const { place } = keeper.register({ patient: 'p', device: 'm', metric: 'HR', unit: '/min' });
    const from = Math.floor(clock.wall() / 60_000) * 60_000 - 600_000;
    const builder = new BatchBuilder();
    for (let second = 0; second < 60; second += 1) builder.add(place, from + second * 1_000, 80, 0);
    keeper.ingest(decodeSamples(builder.take()), undefined);
    const standing = { replica: 1, at: clock.wall(), completeTo: 0 };
    const queries = new TrendQueries(keeper, SKETCHES, () => standing);
    disk.meanwhile = () => keeper.checkpoint();
    disk.busyAt = disk.scans + busyAt;
    const query = { what: 'rollup', series: ['p/m/HR'], from, to: from + 60_000, stepMs } as const;
    const { series } = await clock.settle(queries.answer(query));
    const counts = series[0]?.columns['count'] ?? new Float64Array();
    expect(counts.reduce((sum, one) => sum + one, 0)).toBe(60);
    await clock.settle(keeper.close());
  },
);
