import type { Clock } from '../../base/clock.ts';
import {
  TREND_HOUR_MS,
  TREND_HOURS_MS_MAX,
  TREND_MINUTES_MS_MAX,
  TREND_RAW_MS_MAX,
  TREND_SECONDS_MS_MAX,
} from '../../base/trend-limits.ts';
import type { Put } from '../../storage/trend/trend-disk.ts';
import { coarsen, concatRollups } from '../../trend/rollup.ts';
import type { Series } from '../../trend/series.ts';
import type { SketchMaker } from '../../trend/sketch.ts';
import { hourOf } from './digest-table.ts';
import type { TrendKeeper } from './keeper.ts';
import { keyOf, type Level, startOf } from './keys.ts';
import { betterRollup, decodeSummary, encodeSummary, type Summary } from './minute-record.ts';

const AGES: readonly (readonly [Level, number])[] = [
  ['chunk', TREND_RAW_MS_MAX],
  ['seconds', TREND_SECONDS_MS_MAX],
  ['minutes', TREND_MINUTES_MS_MAX],
  ['hours', TREND_HOURS_MS_MAX],
];
/** Series looked at in one sweep, of which there is one a minute: at least these, and all of them within an hour. */
const SERIES_AT_ONCE = 64;
const SWEEPS_AT_MOST = 60;

/** Removes what is older than it is kept, a few series at a time; minutes become hours first. */
export class Retention {
  readonly #keeper: TrendKeeper;
  readonly #sketches: SketchMaker;
  readonly #clock: Clock;
  #place = 0;

  constructor(keeper: TrendKeeper, sketches: SketchMaker, clock: Clock) {
    this.#keeper = keeper;
    this.#sketches = sketches;
    this.#clock = clock;
  }

  async sweep(): Promise<void> {
    const { registry, disk } = this.#keeper;
    const now = this.#clock.wall();
    const due = Math.max(SERIES_AT_ONCE, Math.ceil(registry.size / SWEEPS_AT_MOST));
    for (let left = Math.min(due, registry.size); left > 0; left -= 1) {
      const series = registry.at(this.#place);
      this.#place = this.#place + 1 < registry.size ? this.#place + 1 : 0;
      if (series === undefined) continue;
      await this.#keepHours(series, hourOf(now - TREND_MINUTES_MS_MAX));
      for (const [level, age] of AGES)
        await disk.clear(keyOf(level, series.id), keyOf(level, series.id, hourOf(now - age)));
    }
  }

  /**
   * Sums up the minutes before `cutoff`, which is a whole hour. Of one that was summed up before, some minutes may be left,
   * if a crash came while they were removed: then what is known of the hour is more, and stays.
   */
  async #keepHours({ id }: Series, cutoff: number): Promise<void> {
    const { disk } = this.#keeper;
    const hours = new Map<number, Summary[]>();
    const minutes = disk.scan(keyOf('minutes', id), keyOf('minutes', id, cutoff));
    for await (const [key, value] of minutes) {
      const start = startOf(key);
      const summary = decodeSummary(value, 60_000, start, this.#sketches);
      const hour = hours.get(hourOf(start));
      if (hour === undefined) hours.set(hourOf(start), [summary]);
      else hour.push(summary);
    }
    const keys = [...hours.keys()].map((start) => keyOf('hours', id, start));
    const known = await disk.getMany(keys);
    const puts = [...hours].map(([start, all], at): Put => {
      const sum = encodeSummary(this.#sum(all), start);
      const better = betterRollup('hours', known[at], sum, start, this.#sketches);
      return [keyOf('hours', id, start), better];
    });
    if (puts.length > 0) await disk.write(puts, true);
  }

  #sum(all: readonly Summary[]): Summary {
    const sketch = this.#sketches.empty();
    for (const one of all) sketch.merge(one.sketch);
    const rows = all.map(({ row }) => row);
    return { row: coarsen(concatRollups(60_000, rows), TREND_HOUR_MS), sketch };
  }
}
