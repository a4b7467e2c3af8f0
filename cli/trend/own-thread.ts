import { readlinkSync } from 'node:fs';
import { getPriority, setPriority } from 'node:os';

/**
 * How much less urgent than the main thread, which has the alerts (nice values, sched(7)). Of two threads that want one core,
 * the main one gets three quarters of it beside a thread that judges samples, and nearly all of it beside one for which
 * nobody waits.
 */
export const BEHIND = { judging: 5, encoding: 15 } as const;
/** The least urgent that there is. */
const LAST = 19;

/**
 * Lets the main thread of the process go before the one that calls, wherever that stands itself. Linux alone has priorities
 * of threads; elsewhere nothing happens.
 */
export function standBack(by: number): void {
  try {
    const thread = Number(readlinkSync('/proc/thread-self').split('/').at(-1));
    if (Number.isSafeInteger(thread))
      setPriority(thread, Math.min(LAST, getPriority(process.pid) + by));
  } catch {
    // A machine that knows no priorities of threads shares its cores as it likes.
  }
}
