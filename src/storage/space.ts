import { statfs } from 'node:fs/promises';
import { DISK_FREE_BYTES_LOW, DISK_FREE_BYTES_OUT } from '../base/limits.ts';
import type { Room } from '../wire/peers/room.ts';
import { faultOf } from './level/level.ts';

/** How much room there is. `before` is what it was: it gets better only with some margin, so that it does not flap. */
export function roomOf(freeBytes: number, before: Room): Room {
  const margin = before === 'ample' ? 0 : DISK_FREE_BYTES_OUT / 2;
  if (freeBytes < DISK_FREE_BYTES_OUT + (before === 'out' ? margin : 0)) return 'out';
  return freeBytes < DISK_FREE_BYTES_LOW + margin ? 'low' : 'ample';
}

/** Bytes that may still be written where `path` is. @throws TocsinError DISK_FAILED */
export async function freeBytesAt(path: string): Promise<number> {
  try {
    const { bavail, bsize } = await statfs(path);
    return bavail * bsize;
  } catch (error) {
    throw faultOf(error, `looking for room at ${path}`);
  }
}
