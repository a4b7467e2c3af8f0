import { join } from 'node:path';
import fc from 'fast-check';
import { expect, test } from 'vitest';
import { PUT_BYTES_PER_TURN_MAX } from '../../src/base/limits.ts';
import { formatFolder, openFolder } from '../../src/storage/data-folder.ts';
import { entryKeyIndex } from '../../src/storage/level/level.ts';
import { putEntries } from '../../src/storage/log/log-batch.ts';
import { recordOf } from '../../src/wire/log/record.ts';
import { batches, digest, hard, writing } from './entries.ts';
import { identity, remove, temporaryFolder } from './folders.ts';

/** Bytes of the commands of an entry; now and then more than a turn has room for. */
const sizes = fc.oneof(
  fc.integer({ min: 0, max: 2_000 }),
  fc.integer({ min: PUT_BYTES_PER_TURN_MAX / 4, max: PUT_BYTES_PER_TURN_MAX + 2_000 }),
);

test('entries are put in their order, each once, and no turn gets more of them than it has time for unless it is one', () => {
  fc.assert(
    fc.property(fc.array(sizes, { maxLength: 12 }), (lengths) => {
      const entries = batches(lengths.map((length) => [new Uint8Array(length)]));
      const turns: number[] = [];
      const indexes: (number | undefined)[] = [];
      let bytes = 0;
      const batch = {
        put: (key: Uint8Array, value: Uint8Array) => {
          indexes.push(entryKeyIndex(key));
          bytes += value.byteLength;
          turns[turns.length - 1]! += 1;
        },
        del: () => expect.unreachable(),
        write: () => expect.unreachable(),
      };
      for (let at = 0; at < entries.length; ) {
        turns.push(0);
        bytes = 0;
        at = putEntries(batch, entries, at);
        expect(turns.at(-1) === 1 || bytes <= PUT_BYTES_PER_TURN_MAX).toBe(true);
      }
      expect(turns.every((count) => count > 0)).toBe(true);
      expect(indexes).toEqual(entries.map(({ index }) => index));
      const all = entries.reduce((sum, entry) => sum + recordOf(entry).bytes.byteLength, 0);
      // What a turn leaves over is less than the entry that did not fit.
      expect(turns.length).toBeLessThanOrEqual(Math.ceil((all * 2) / PUT_BYTES_PER_TURN_MAX) + 1);
    }),
  );
});

test('of no entries nothing is put', () => {
  const unused = (): never => expect.unreachable();
  expect(putEntries({ put: unused, del: unused, write: unused }, [], 0)).toBe(0);
});

test('a write that is longer than a turn has time for is one write all the same, and others have their turns meanwhile', async () => {
  const root = await temporaryFolder();
  const path = join(root, 'data');
  await formatFolder(path, identity);
  const entries = batches([1, 2, 3, 4].map(() => [new Uint8Array(PUT_BYTES_PER_TURN_MAX * 0.7)]));
  const { store } = await openFolder(path);
  await store.load();
  let turns = 0;
  let isDurable = false;
  const count = (): void => {
    turns += 1;
    if (!isDurable) setImmediate(count);
  };
  setImmediate(count);
  await store.write(writing(entries, hard(1)));
  isDurable = true;
  expect(turns).toBeGreaterThanOrEqual(entries.length - 1);
  await store.close();
  const again = (await openFolder(path)).store;
  expect(digest((await again.load()).tail)).toEqual(digest(entries));
  await again.close();
  await remove(root);
});
