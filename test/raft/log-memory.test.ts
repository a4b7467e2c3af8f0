import { setFlagsFromString } from 'node:v8';
import { runInNewContext } from 'node:vm';
import { expect, test } from 'vitest';
import { logIndex, term, unixMillis } from '../../src/base/ids.ts';
import { LOG_ENTRY_MEMORY_BYTES } from '../../src/base/limits.ts';
import { RaftLog } from '../../src/raft/log.ts';
import { EntryRecord } from '../../src/wire/log/record.ts';
import { accepted, drain, loneLeader } from './lone-core.ts';

const ENTRIES = 20_000;

setFlagsFromString('--expose-gc');
const collect = runInNewContext('gc') as () => void;
const body = new Uint8Array(100);

/** Bytes of heap that stay of each of so many. */
function kept(add: (at: number) => void): number {
  collect();
  const before = process.memoryUsage().heapUsed;
  for (let at = 1; at <= ENTRIES; at += 1) add(at);
  collect();
  return (process.memoryUsage().heapUsed - before) / ENTRIES;
}

const recordAt = (at: number): EntryRecord =>
  EntryRecord.draft('commands', unixMillis(at), 1, [body]);

test('an entry takes as much memory besides its bytes as the log counts for it', () => {
  const log = new RaftLog([], [], logIndex(0));
  const each = kept((at) => {
    log.append({ index: logIndex(at), term: term(1), payload: recordAt(at) });
  });
  expect(log.last.index).toBe(ENTRIES);
  expect(each).toBeGreaterThan(LOG_ENTRY_MEMORY_BYTES * 0.75);
  expect(each).toBeLessThan(LOG_ENTRY_MEMORY_BYTES * 1.25);
});

test('an entry that a leader made itself takes no more than one that it was sent', () => {
  const core = loneLeader();
  const { term: ofLeader } = core.standing;
  const each = kept((at) => {
    const proposed = core.propose(recordAt(at));
    if (!proposed.ok) throw new Error(proposed.reason);
    drain(core);
    core.step(accepted([2, 1, ofLeader], proposed.id.index));
    drain(core);
  });
  expect(core.committed).toBeGreaterThan(ENTRIES);
  expect(each).toBeGreaterThan(LOG_ENTRY_MEMORY_BYTES * 0.75);
  expect(each).toBeLessThan(LOG_ENTRY_MEMORY_BYTES * 1.25);
});
