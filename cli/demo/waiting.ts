import { setTimeout as pause } from 'node:timers/promises';

/** Resolves at this reading of `performance.now()`, or when the signal aborts. */
export const pauseUntil = (at: number, signal: AbortSignal): Promise<void> =>
  pauseFor(at - performance.now(), signal);

/** Resolves after so many milliseconds, or when the signal aborts. */
export async function pauseFor(delayMs: number, signal?: AbortSignal): Promise<void> {
  if (signal?.aborted) return;
  try {
    await pause(Math.max(0, delayMs), undefined, signal === undefined ? {} : { signal });
  } catch (error) {
    if (!signal?.aborted) throw error;
  }
}

/** The promise's outcome, or a rejection with the signal's reason as soon as it aborts. */
export function unlessAborted<T>(promise: Promise<T>, signal: AbortSignal): Promise<T> {
  return new Promise((resolve, reject) => {
    const onAbort = (): void => reject(signal.reason);
    if (signal.aborted) onAbort();
    else signal.addEventListener('abort', onAbort, { once: true });
    promise.then(resolve, reject).finally(() => signal.removeEventListener('abort', onAbort));
  });
}
