import { describe, expect, it } from 'vitest';
import { ClockWatch } from '../../src/analytics/clock-watch.ts';

/** A sample a second, whose delay `delayOf` tells; `60 start` for each change. */
function watch(delayOf: (second: number) => number, seconds = 200): readonly string[] {
  const clocks = new ClockWatch(5_000);
  const seen: string[] = [];
  for (let second = 0; second < seconds; second += 1) {
    const change = clocks.add(0, second * 1_000, second * 1_000 - delayOf(second));
    if (change !== undefined) seen.push(`${second} ${change.phase} ${change.delayMs}`);
  }
  return seen;
}

describe('the watch over device clocks', () => {
  it('is silent about ordinary delays, single late samples, and a backlog that drains', () => {
    expect(watch((second) => 30 + (second % 7) * 40)).toEqual([]);
    expect(watch((second) => (second % 10 === 3 ? 60_000 : 50))).toEqual([]);
    expect(watch((second) => Math.max(50, 100_000 - second * 900))).toEqual([]);
  });

  it('finds a clock that is ahead, and its correction', () => {
    expect(watch((second) => (second < 100 ? -8_000 : 40))).toEqual([
      '30 start -8000',
      '130 end 40',
    ]);
  });

  it('finds a clock that is behind by the same all the time', () => {
    expect(watch(() => 3_600_000)).toEqual(['40 start 3600000']);
  });
});
