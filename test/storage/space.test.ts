import { constants } from 'node:os';
import { expect, test } from 'vitest';
import { DISK_FREE_BYTES_LOW as LOW, DISK_FREE_BYTES_OUT as OUT } from '../../src/base/limits.ts';
import { faultOf } from '../../src/storage/level/level.ts';
import { freeBytesAt, roomOf } from '../../src/storage/space.ts';
import type { Room } from '../../src/wire/peers/room.ts';
import { remove, temporaryFolder } from './folders.ts';

const { EDQUOT } = constants.errno;

test.each<[number, Room, Room]>([
  [LOW, 'ample', 'ample'],
  [LOW - 1, 'ample', 'low'],
  [OUT, 'ample', 'low'],
  [OUT - 1, 'ample', 'out'],
  [LOW, 'low', 'low'],
  [LOW + OUT, 'low', 'ample'],
  [OUT, 'low', 'low'],
  [OUT, 'out', 'out'],
  [OUT * 1.5, 'out', 'low'],
  [LOW + OUT, 'out', 'ample'],
])('%d bytes free, %s before, is %s', (freeBytes, before, room) => {
  expect(roomOf(freeBytes, before)).toBe(room);
});

test('the room of a folder is told; of none it is an error', async () => {
  const folder = await temporaryFolder();
  expect(await freeBytesAt(folder)).toBeGreaterThan(0);
  await remove(folder);
  await expect(freeBytesAt(folder)).rejects.toThrow(
    expect.objectContaining({ code: 'DISK_FAILED' }),
  );
});

test.each([
  Object.assign(new Error('ENOSPC: no space left on device, write'), { code: 'ENOSPC' }),
  new Error('IO error: /data/raft/000005.log: No space left on device'),
  Object.assign(
    new Error(`Unknown system error -${EDQUOT}: Unknown system error -${EDQUOT}, write`),
    {
      code: `Unknown system error -${EDQUOT}`,
      errno: -EDQUOT,
    },
  ),
  new Error('IO error: /data/raft/000005.log: Disk quota exceeded'),
  new Error('Database failed to open', {
    cause: new Error('IO error: /data/raft/000005.log: Disk quota exceeded'),
  }),
])('a full disk, or a quota that is used up, has a code of its own: %s', (error) => {
  expect(faultOf(error, 'writing').code).toBe('DISK_FULL');
});
