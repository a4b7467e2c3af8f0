import { expect, test } from 'vitest';
import { TocsinError } from '../../src/base/errors.ts';
import { DISK_FREE_BYTES_LOW, DISK_FREE_BYTES_OUT, DISK_LOOK_MS } from '../../src/base/limits.ts';
import { openInRoom } from '../../src/replica/room-again.ts';
import { VirtualClock } from '../client/virtual-clock.ts';

/** A disk that cannot be opened while it is full, as LevelDB writes when it opens one. */
class FullDisk {
  readonly clock = new VirtualClock();
  readonly lines: string[] = [];
  readonly ending = new AbortController();
  free = 0;
  opened = 0;

  open(): Promise<'store'> {
    const parts = {
      clock: this.clock,
      log: (line: string) => this.lines.push(line),
      freeBytes: async () => this.free,
    };
    return openInRoom(() => this.#open(), parts, this.ending.signal);
  }

  async #open(): Promise<'store'> {
    this.opened += 1;
    if (this.free < DISK_FREE_BYTES_OUT) throw new TocsinError('DISK_FULL', 'no room to open');
    return 'store';
  }
}

test('a replica that finds its disk full begins by itself when there is room, and says what it waits for', async () => {
  const disk = new FullDisk();
  let store: string | undefined;
  const opening = disk.open().then((opened) => {
    store = opened;
  });
  await disk.clock.run(10 * DISK_LOOK_MS);
  expect([store, disk.opened]).toEqual([undefined, 1]);
  expect(disk.lines).toEqual([expect.stringContaining('begins when there is room')]);
  disk.free = 2 * DISK_FREE_BYTES_LOW;
  await disk.clock.run(2 * DISK_LOOK_MS);
  await opening;
  expect([store, disk.opened]).toEqual(['store', 2]);
  expect(disk.clock.pending).toBe(0);
});

test('one that is told to stop meanwhile does, at once', async () => {
  const disk = new FullDisk();
  const refused = expect(disk.open()).rejects.toMatchObject({ code: 'CANCELLED' });
  await disk.clock.run(DISK_LOOK_MS / 2);
  disk.ending.abort();
  await refused;
  expect(disk.clock.pending).toBe(0);
});

test('what else is wrong with a disk is told at once', async () => {
  const open = async (): Promise<never> => {
    throw new TocsinError('DATA_CORRUPT', 'rotten');
  };
  const parts = { clock: new VirtualClock(), log: () => {}, freeBytes: async () => 0 };
  await expect(openInRoom(open, parts, new AbortController().signal)).rejects.toMatchObject({
    code: 'DATA_CORRUPT',
  });
});
