import { expect, test } from 'vitest';
import { latenessOf } from '../../jepsen-lite/workloads/lateness.ts';
import type { Delay } from '../../src/testing/checkers/escalation-once.ts';

/** A step that was so late, when it happened by the time in the log, and when somebody heard of it. */
const told = (lateMs: number, time: number, seenAt: number): Delay => ({ lateMs, time, seenAt });

test('lateness is told in all, and without what was broken from when a step was due until it was seen', () => {
  const fault = (from: number, to: number): { from: number; to: number } => ({ from, to });
  const lateness = (lateMs: number, ...spans: { from: number; to: number }[]): string =>
    latenessOf([told(0, 20, 30), told(lateMs, 9_990, 10_700)], spans)['without faults, most'] ?? '';
  expect(lateness(3_000)).toBe('3000 ms');
  expect(lateness(3_000, fault(0, 6_000), fault(11_000, 12_000))).toBe('3000 ms');
  expect(lateness(3_000, fault(0, 9_000))).toBe('1000 ms');
  expect(lateness(3_000, fault(8_000, 8_500), fault(7_500, 9_000))).toBe('1500 ms');
  expect(lateness(3_000, fault(8_000, Number.POSITIVE_INFINITY))).toBe('1000 ms');
  const late = Array.from({ length: 200 }, (_, at) => told(at, 0, 0));
  expect(latenessOf(late, [])).toMatchObject({ 'late, median': '100 ms', 'late, 99 %': '198 ms' });
  expect(latenessOf([], [])).toMatchObject({ 'late, most': '0 ms' });
});
