import { describe, expect, test } from 'vitest';
import { BugError } from '../../src/base/assert.ts';
import { type Millis, millis } from '../../src/base/ids.ts';
import { SystemClock } from '../../src/transport/system-clock.ts';

const clock = new SystemClock();
const elapsed = (delay: number): Promise<number> => {
  const from = clock.monotonic();
  return new Promise((resolve) => {
    clock.after(millis(delay), () => resolve(clock.monotonic() - from));
  });
};

describe('The machine clock', () => {
  test('never fires early, not by a fraction of a millisecond', async () => {
    const delays = Array.from({ length: 60 }, (_, i) => i * 0.37);
    const waits = await Promise.all(delays.map(elapsed));
    for (const [i, wait] of waits.entries())
      expect(wait, `asked for ${delays[i]}`).toBeGreaterThanOrEqual(delays[i] ?? 0);
  });

  test('calls nothing that was called off, and bears calling off twice', async () => {
    const fired: string[] = [];
    const timers = [
      clock.after(millis(1), () => fired.push('after')),
      clock.after(millis(2 ** 40), () => fired.push('in 35 years')),
      clock.every(millis(1), () => fired.push('every')),
      clock.soon(() => fired.push('soon')),
    ];
    for (const timer of timers) timer.cancel();
    await elapsed(5);
    for (const timer of timers) timer.cancel();
    expect(fired).toEqual([]);
  });

  test('calls off a timer that fired once and looked again', async () => {
    let fired = 0;
    const timer = clock.after(millis(8), () => {
      fired += 1;
    });
    await elapsed(4);
    timer.cancel();
    await elapsed(8);
    expect(fired).toBe(0);
  });

  test('repeats until called off', async () => {
    let count = 0;
    await new Promise<void>((resolve) => {
      const timer = clock.every(millis(1), () => {
        count += 1;
        if (count < 3) return;
        timer.cancel();
        resolve();
      });
    });
    await elapsed(4);
    expect(count).toBe(3);
  });

  test('runs what is due soon after this turn, in order', async () => {
    const order: string[] = [];
    await new Promise<void>((resolve) => {
      clock.soon(() => order.push('first'));
      clock.soon(() => {
        order.push('second');
        resolve();
      });
      queueMicrotask(() => order.push('this turn'));
    });
    expect(order).toEqual(['this turn', 'first', 'second']);
  });

  test('knows the time of people', () => {
    expect(Math.abs(clock.wall() - Date.now())).toBeLessThan(1_000);
  });

  test.each([-1, Number.NaN, Number.POSITIVE_INFINITY])('refuses to wait %d ms', (delay) => {
    expect(() => clock.after(delay as Millis, () => {})).toThrow(BugError);
    expect(() => clock.every(delay as Millis, () => {})).toThrow(BugError);
  });
});
