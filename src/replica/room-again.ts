import type { Clock } from '../base/clock.ts';
import { TocsinError } from '../base/errors.ts';
import { millis } from '../base/ids.ts';
import { DISK_LOOK_MS } from '../base/limits.ts';
import { roomOf } from '../storage/space.ts';
import { aloud } from './health/long-wait.ts';

/** What has to be asked whether a disk has room, be it open or not. */
export interface DiskWatch {
  readonly clock: Clock;
  readonly freeBytes: () => Promise<number>;
}

/** Waits until a disk that was full has room again. False = `signal` ended that. */
export async function hasRoomAgain(
  { clock, freeBytes }: DiskWatch,
  signal: AbortSignal,
): Promise<boolean> {
  while (!signal.aborted) {
    await new Promise<void>((resolve) => {
      const goOn = (): void => {
        timer.cancel();
        signal.removeEventListener('abort', goOn);
        resolve();
      };
      const timer = clock.after(millis(DISK_LOOK_MS), goOn);
      signal.addEventListener('abort', goOn);
    });
    if (roomOf(await freeBytes(), 'out') !== 'out') return !signal.aborted;
  }
  return false;
}

/**
 * Opens what is on a disk, as soon as it has room: LevelDB writes as it opens, so a full disk cannot even be read.
 * @throws TocsinError as `open`, but never DISK_FULL; CANCELLED when `signal` ended the waiting
 */
export async function openInRoom<T>(
  open: () => Promise<T>,
  parts: DiskWatch & { readonly log: (line: string) => void },
  signal: AbortSignal,
): Promise<T> {
  for (;;) {
    try {
      return await aloud(parts, 'opening the data folder', open());
    } catch (error) {
      if (!isFull(error)) throw error;
      parts.log(`${error.message}; this replica begins when there is room`);
    }
    if (!(await hasRoomAgain(parts, signal))) throw cancelled();
  }
}

export const isFull = (error: unknown): error is TocsinError =>
  TocsinError.is(error) && error.code === 'DISK_FULL';

export const cancelled = (): TocsinError => new TocsinError('CANCELLED', 'told to stop');
