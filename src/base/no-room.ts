import { constants } from 'node:os';

/** Node has a name for a full disk, and none for a quota that is used up: that is full for whoever has it. */
const { EDQUOT } = constants.errno;

/** Whether what failed, in Node or in LevelDB, found no room. */
export function foundNoRoom(error: Error): boolean {
  if ('code' in error && error.code === 'ENOSPC') return true;
  if ('errno' in error && error.errno === -EDQUOT) return true;
  return /No space left|ENOSPC|quota exceeded/i.test(error.message);
}
