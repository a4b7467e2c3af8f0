import type { Clock } from '../../base/clock.ts';
import type { TocsinError } from '../../base/errors.ts';
import { millis } from '../../base/ids.ts';
import { cancelled, timeIsUp } from '../failures.ts';
import type { ReadLimits } from '../read-call.ts';
import { type LeaderFinder, unavailable } from './leader-finder.ts';

/**
 * Waits until a replica has answered. What cannot be reached is not tried again; what is slow is waited for.
 * @throws TocsinError UNAVAILABLE naming each address and why, CANCELLED
 */
export function reach(
  finder: LeaderFinder,
  clock: Clock,
  { timeoutMs, signal }: ReadLimits,
): Promise<void> {
  return new Promise((resolve, reject) => {
    let last: TocsinError | undefined;
    let isOver = false;
    const end = (reason: unknown): void => {
      isOver = true;
      timer.cancel();
      signal?.removeEventListener('abort', onAbort);
      if (reason === undefined) resolve();
      else reject(reason);
    };
    const onAbort = (): void => {
      if (signal !== undefined) end(cancelled(signal));
    };
    const tryAll = async (): Promise<void> => {
      while (!isOver) {
        const misses = await finder.round();
        if (isOver) return;
        last = misses.length === 0 ? undefined : unavailable(misses);
        if (misses.every(({ reason }) => reason !== undefined)) end(last);
      }
    };
    const timer = clock.after(millis(timeoutMs), () => end(timeIsUp(timeoutMs, last)));
    signal?.addEventListener('abort', onAbort);
    if (signal?.aborted) onAbort();
    else tryAll().catch(end);
  });
}
