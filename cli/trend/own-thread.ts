import { readlinkSync } from 'node:fs';
import { setPriority } from 'node:os';

/** How much less urgent than others: of two threads that want one core, the other gets nearly all of it. */
const BEHIND = 15;

/**
 * Lets all other threads of the machine go before the one that calls. Linux alone has priorities of threads; elsewhere
 * nothing happens.
 */
export function standBack(): void {
  try {
    const thread = Number(readlinkSync('/proc/thread-self').split('/').at(-1));
    if (Number.isSafeInteger(thread)) setPriority(thread, BEHIND);
  } catch {
    // A machine that knows no priorities of threads shares its cores as it likes.
  }
}
