import fc from 'fast-check';
import { expect, test } from 'vitest';
import { TocsinError } from '../../../src/base/errors.ts';
import { replicaId } from '../../../src/base/ids.ts';
import { TREND_HOUR_MS, TREND_MINUTES_MS_MAX } from '../../../src/base/trend-limits.ts';
import { hourOf } from '../../../src/replica/trend/digest-table.ts';
import { TrendKeeper } from '../../../src/replica/trend/keeper.ts';
import { keyOf, levelRange } from '../../../src/replica/trend/keys.ts';
import { encodeSummary, summaryOf } from '../../../src/replica/trend/minute-record.ts';
import { TrendQueries } from '../../../src/replica/trend/queries.ts';
import { Retention } from '../../../src/replica/trend/retention.ts';
import {
  MemoryTrendDisk,
  type Put,
  type TrendDisk,
} from '../../../src/storage/trend/trend-disk.ts';
import { MemoryJournal } from '../../../src/storage/trend/trend-journal.ts';
import { seriesIdOf } from '../../../src/trend/series.ts';
import { SKETCHES } from '../../../src/wire/trend/sketch.ts';
import { VirtualClock } from '../../client/virtual-clock.ts';

const INFO = { patient: 'p', device: 'm', metric: 'HR', unit: '/min' };
const HOURS = 3;
const MINUTES = HOURS * 60;

/** Goes dead after so many steps. As with LevelDB, a batch is one; what is cleared goes key by key. */
class DyingDisk extends MemoryTrendDisk {
  readonly #lasting: TrendDisk;
  #steps: number;

  constructor(lasting: TrendDisk, steps: number) {
    super();
    this.#lasting = lasting;
    this.#steps = steps;
  }

  #step(): void {
    if (this.#steps === 0) throw new TocsinError('DISK_FAILED', 'the power is gone');
    this.#steps -= 1;
  }

  override getMany(keys: readonly Uint8Array[]): Promise<readonly (Uint8Array | undefined)[]> {
    return this.#lasting.getMany(keys);
  }

  override async write(puts: readonly Put[]): Promise<void> {
    this.#step();
    await this.#lasting.write(puts, true);
  }

  override async *scan(from: Uint8Array, to: Uint8Array): AsyncGenerator<Put, void, undefined> {
    yield* this.#lasting.scan(from, to);
  }

  override async clear(from: Uint8Array, to: Uint8Array): Promise<void> {
    for await (const [key] of this.#lasting.scan(from, to)) {
      this.#step();
      await this.#lasting.clear(key, Uint8Array.of(...key, 0));
    }
  }
}

/** A replica whose minutes are old enough to become hours. */
class OldTrends {
  readonly #clock = new VirtualClock();
  readonly #lasting = new MemoryTrendDisk();
  readonly #begin = hourOf(this.#clock.wall() - TREND_MINUTES_MS_MAX) - HOURS * TREND_HOUR_MS;

  async put(minutes: readonly number[]): Promise<void> {
    const puts = minutes.map((minute): Put => {
      const start = this.#begin + minute * 60_000;
      const samples = {
        times: Float64Array.of(start + 1, start + 30_000),
        values: Float64Array.of(60 + minute, 70 + (minute % 7)),
        qualities: new Uint8Array(2),
      };
      const key = keyOf('minutes', seriesIdOf(INFO), start);
      return [key, encodeSummary(summaryOf(samples, SKETCHES), start)];
    });
    await this.#lasting.write(puts);
  }

  async #life<T>(steps: number, live: (keeper: TrendKeeper) => Promise<T>): Promise<T> {
    const disk = new DyingDisk(this.#lasting, steps);
    const journal = new MemoryJournal();
    const keeper = new TrendKeeper({ disk, journal, clock: this.#clock, sketches: SKETCHES });
    await this.#clock.settle(keeper.load());
    keeper.register(INFO);
    return await this.#clock.settle(live(keeper));
  }

  /** Sweeps until it is done, or the disk is dead; tells which. */
  sweep(steps: number): Promise<'done' | 'dead'> {
    return this.#life(steps, async (keeper) => {
      try {
        await new Retention(keeper, SKETCHES, this.#clock).sweep();
        return 'done';
      } catch (error) {
        if (!TocsinError.is(error)) throw error;
        return 'dead';
      }
    });
  }

  /** The hours, as anybody who asks is told after a restart. */
  hours(): Promise<unknown> {
    return this.#life(0, async (keeper) => {
      const standing = { replica: replicaId(1), at: this.#clock.wall(), completeTo: 0 };
      const queries = new TrendQueries(keeper, SKETCHES, () => standing);
      const { series } = await queries.answer({
        what: 'rollup',
        series: ['p/m/HR'],
        from: this.#begin,
        to: this.#begin + HOURS * TREND_HOUR_MS,
        stepMs: TREND_HOUR_MS,
        quantiles: [0.5, 0.9],
      });
      return series[0]?.columns;
    });
  }

  async minutesLeft(): Promise<number> {
    let left = 0;
    for await (const _ of this.#lasting.scan(...levelRange('minutes'))) left += 1;
    return left;
  }
}

const some = fc.uniqueArray(fc.nat(MINUTES - 1), { minLength: 1, maxLength: MINUTES });

test('each hour is told as it was, whenever and however often a crash comes while minutes become hours', () =>
  fc.assert(
    fc.asyncProperty(some, fc.array(fc.nat(MINUTES), { maxLength: 4 }), async (minutes, lives) => {
      const trends = new OldTrends();
      await trends.put(minutes);
      const before = await trends.hours();
      for (const steps of lives) {
        await trends.sweep(steps);
        expect(await trends.hours()).toEqual(before);
      }
      expect(await trends.sweep(MINUTES + 1)).toBe('done');
      expect(await trends.hours()).toEqual(before);
      expect(await trends.minutesLeft()).toBe(0);
    }),
    { numRuns: 60 },
  ));

test('a crash at each step of it, in turn, changes no hour', async () => {
  const minutes = Array.from({ length: 12 }, (_, at) => at * 13 + 5);
  let died = 0;
  for (let steps = 0; ; steps += 1) {
    const trends = new OldTrends();
    await trends.put(minutes);
    const before = await trends.hours();
    const end = await trends.sweep(steps);
    expect(await trends.hours(), `after ${steps} steps`).toEqual(before);
    await trends.sweep(MINUTES + 1);
    expect(await trends.hours(), `swept after ${steps} steps`).toEqual(before);
    if (end === 'done') break;
    died += 1;
  }
  // One batch of hours, and each minute.
  expect(died).toBe(1 + minutes.length);
});
