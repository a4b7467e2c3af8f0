import { readlinkSync } from 'node:fs';
import { getPriority, setPriority } from 'node:os';

/** How much less urgent than others: of two threads that want one core, the other gets nearly all of it. */
export const BEHIND = 15;
/** The least urgent that there is. */
const LAST = 19;

/**
 * Lets all other threads of the process go before the one that calls. Linux alone has priorities of threads; elsewhere
 * nothing happens.
 */
export function standBack(): void {
  try {
    const thread = Number(readlinkSync('/proc/thread-self').split('/').at(-1));
    if (!Number.isSafeInteger(thread)) return;
    // From where the process stands: it may have been started as one that is less urgent itself.
    setPriority(thread, Math.min(LAST, getPriority(thread) + BEHIND));
  } catch {
    // A machine that knows no priorities of threads shares its cores as it likes.
  }
}
