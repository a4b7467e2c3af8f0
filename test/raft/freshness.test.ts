import { expect, test } from 'vitest';
import { logIndex } from '../../src/base/ids.ts';
import { BEAT_MS_MIN, BEATS_KEPT_MAX } from '../../src/base/limits.ts';
import { Freshness } from '../../src/raft/freshness.ts';

/** What a replica remembers of its answers to heartbeats, and how much of it. */

/** Beats at these moments. */
function beats(freshness: Freshness, moments: readonly number[]): number[] {
  const life = { now: 0, sequence: 100 };
  return moments.map((now) => {
    life.now = now;
    return freshness.beat(life);
  });
}

test('without a clock there are no beats; those in quick succession share a number', () => {
  const freshness = new Freshness();
  const later = 10 + BEAT_MS_MIN;
  const moments = [0, 10, later - 1, later, later + 1];
  expect(beats(freshness, moments)).toEqual([0, 101, 101, 102, 102]);
});

test('of beats that nobody names, and of what was confirmed, the oldest are forgotten', () => {
  const freshness = new Freshness();
  const moments = Array.from({ length: BEATS_KEPT_MAX + 1 }, (_, at) => (at + 1) * BEAT_MS_MIN);
  const [first = 0, second = 0, third = 0] = beats(freshness, moments);
  freshness.confirm(first, logIndex(1));
  expect(freshness.of(1)).toBeUndefined();
  freshness.confirm(second, logIndex(1));
  expect(freshness.of(1)).toBe(2 * BEAT_MS_MIN);
  // It is named once, and those before it never.
  freshness.confirm(second, logIndex(0));
  expect(freshness.of(0)).toBeUndefined();
  freshness.confirm(third, logIndex(2));
  expect([freshness.of(1), freshness.of(2)]).toEqual([2 * BEAT_MS_MIN, 3 * BEAT_MS_MIN]);
  for (let at = 2; at <= BEATS_KEPT_MAX; at += 1)
    freshness.note({ at: 1000 + at, index: logIndex(at + 1) });
  expect([freshness.of(1), freshness.of(2)]).toEqual([undefined, 3 * BEAT_MS_MIN]);
});
