import { expect, test } from 'vitest';
import { Prng } from '../../../src/base/prng.ts';
import {
  checkLinearizable,
  type Interval,
  type Sequential,
} from '../../../src/testing/checkers/linearizability.ts';

interface Step {
  readonly write?: number;
  readonly read?: number;
}

const REGISTER: Sequential<number, Step> = {
  initial: 0,
  keyOf: String,
  step: (state, { write, read }) => write ?? (read === state ? state : undefined),
};

const at = (call: number, end: number, operation: Step): Interval<Step> => ({
  call,
  end,
  operation,
});

/** Tries every order: what the search must agree with. */
function bruteForce(intervals: readonly Interval<Step>[], state = 0): boolean {
  const open = intervals.filter(({ end }) => end !== Number.POSITIVE_INFINITY);
  if (open.length === 0) return true;
  const earliestEnd = Math.min(...open.map(({ end }) => end));
  return intervals.some((one) => {
    if (one.call > earliestEnd) return false;
    const next = REGISTER.step(state, one.operation);
    return (
      next !== undefined &&
      bruteForce(
        intervals.filter((each) => each !== one),
        next,
      )
    );
  });
}

function randomIntervals(prng: Prng): Interval<Step>[] {
  return Array.from({ length: prng.between(1, 7) }, () => {
    const call = prng.between(0, 10);
    const isUnknown = prng.chance(0.15);
    const end = isUnknown ? Number.POSITIVE_INFINITY : call + prng.between(0, 6);
    const value = prng.between(0, 2);
    return at(call, end, isUnknown || prng.chance(0.5) ? { write: value } : { read: value });
  });
}

test('the search agrees with trying every order', () => {
  const verdicts = { yes: 0, no: 0 };
  for (let seed = 0; seed < 5_000; seed += 1) {
    const intervals = randomIntervals(new Prng(seed));
    const expected = bruteForce(intervals) ? 'yes' : 'no';
    verdicts[expected] += 1;
    expect(checkLinearizable(intervals, REGISTER), `seed ${seed}`).toBe(expected);
  }
  expect(Math.min(verdicts.yes, verdicts.no)).toBeGreaterThan(500);
});

test('intervals that touch are concurrent', () => {
  expect(checkLinearizable([at(0, 5, { write: 1 }), at(5, 9, { read: 0 })], REGISTER)).toBe('yes');
  expect(checkLinearizable([at(0, 5, { write: 1 }), at(6, 9, { read: 0 })], REGISTER)).toBe('no');
});

test('what may never have happened need not be placed, and may be at any time later', () => {
  const unknown = at(0, Number.POSITIVE_INFINITY, { write: 1 });
  expect(checkLinearizable([unknown, at(10, 11, { read: 0 })], REGISTER)).toBe('yes');
  const late = [unknown, at(10, 11, { read: 0 }), at(12, 13, { read: 1 })];
  expect(checkLinearizable(late, REGISTER)).toBe('yes');
  expect(checkLinearizable([...late, at(14, 15, { read: 0 })], REGISTER)).toBe('no');
});

test('a search that is not over after so many steps says so', () => {
  const wide = Array.from({ length: 30 }, (_, n) => at(0, 100, { write: n }));
  const never = [...wide, at(101, 102, { read: 99 })];
  expect(checkLinearizable(never, REGISTER, 10_000)).toBe('unknown');
});

/** Long enough that a memo which takes equal hashes for equal sets would call it bad. */
test('ten callers and 5,000 operations on one register are decided', () => {
  const prng = new Prng(7);
  const intervals: Interval<Step>[] = [];
  let state = 0;
  const free = Array.from({ length: 10 }, () => 0);
  for (let n = 1; n <= 5_000; n += 1) {
    const caller = n % 10;
    const moment = n * 10;
    const call = Math.max(free[caller] as number, moment - prng.between(0, 60));
    const end = moment + prng.between(0, 60);
    free[caller] = end + 1;
    if (call > moment) continue;
    if (prng.chance(0.5)) state = prng.between(1, 3);
    intervals.push(at(call, end, prng.chance(0.5) ? { write: state } : { read: state }));
    if (intervals.at(-1)?.operation.read === undefined)
      state = intervals.at(-1)?.operation.write ?? state;
  }
  expect(intervals.length).toBeGreaterThan(2_000);
  expect(['yes', 'no']).toContain(checkLinearizable(intervals, REGISTER));
});
