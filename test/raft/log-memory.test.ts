import { setFlagsFromString } from 'node:v8';
import { runInNewContext } from 'node:vm';
import { expect, test } from 'vitest';
import { logIndex, term, unixMillis } from '../../src/base/ids.ts';
import { LOG_ENTRY_MEMORY_BYTES } from '../../src/base/limits.ts';
import { RaftLog } from '../../src/raft/log.ts';
import { EntryRecord } from '../../src/wire/log/record.ts';

const ENTRIES = 20_000;

test('an entry takes as much memory besides its bytes as the log counts for it', () => {
  setFlagsFromString('--expose-gc');
  const collect = runInNewContext('gc') as () => void;
  const log = new RaftLog([], [], logIndex(0));
  const body = new Uint8Array(100);
  collect();
  const before = process.memoryUsage().heapUsed;
  for (let at = 1; at <= ENTRIES; at += 1) {
    const payload = EntryRecord.draft('commands', unixMillis(at), 1, [body]);
    log.append({ index: logIndex(at), term: term(1), payload });
  }
  collect();
  const each = (process.memoryUsage().heapUsed - before) / ENTRIES;
  expect(log.last.index).toBe(ENTRIES);
  expect(each).toBeGreaterThan(LOG_ENTRY_MEMORY_BYTES * 0.75);
  expect(each).toBeLessThan(LOG_ENTRY_MEMORY_BYTES * 1.25);
});
