import { writeSync } from 'node:fs';
import { openFolder } from '../../src/storage/data-folder.ts';
import { endAfter } from '../../src/storage/log/log-state.ts';
import type { LogPlace } from '../../src/storage/types.ts';
import { recordOf } from '../../src/wire/log/record.ts';
import { emptyLogEnd, entriesAfter, hard, writing } from './entries.ts';

/**
 * A process that appends synced entries and prints the index of each once it is acknowledged, until
 * it is killed.
 */
const { store } = await openFolder(process.argv[2] ?? '');
const { tail } = await store.load();
const newest = tail.at(-1);
let end: LogPlace = newest === undefined ? emptyLogEnd : endAfter(recordOf(newest));
for (;;) {
  const [entry] = entriesAfter(end, 1, [(end.index * 7919) % 4000]);
  if (entry === undefined) break;
  await store.write(writing([entry], hard(1, end.index)));
  end = endAfter(recordOf(entry));
  writeSync(1, `${end.index}\n`);
}
