import { expect, test } from 'vitest';
import { logIndex, term, unixMillis } from '../../src/base/ids.ts';
import { LOG_ENTRY_MEMORY_BYTES } from '../../src/base/limits.ts';
import type { RaftCore } from '../../src/raft/core.ts';
import { RaftLog } from '../../src/raft/log.ts';
import { EntryRecord } from '../../src/wire/log/record.ts';
import { living } from '../living.ts';
import { accepted, drain, loneLeader } from './lone-core.ts';

const ENTRIES = 20_000;

const body = new Uint8Array(100);

/** What was measured stays: were it let go of while something else is measured, that would seem to take less. */
const measured: unknown[] = [];

/** Bytes of heap that stay of each of so many. */
async function kept(add: (at: number) => void): Promise<number> {
  const before = await living();
  for (let at = 1; at <= ENTRIES; at += 1) add(at);
  const { heap } = await living();
  return (heap - before.heap) / ENTRIES;
}

const recordAt = (at: number): EntryRecord =>
  EntryRecord.draft('commands', unixMillis(at), 1, [body]);

test('an entry takes as much memory besides its bytes as the log counts for it', async () => {
  const log = new RaftLog([], [], logIndex(0));
  measured.push(log);
  const each = await kept((at) => {
    log.append({ index: logIndex(at), term: term(1), payload: recordAt(at) });
  });
  expect(log.last.index).toBe(ENTRIES);
  expect(each).toBeGreaterThan(LOG_ENTRY_MEMORY_BYTES * 0.75);
  expect(each).toBeLessThan(LOG_ENTRY_MEMORY_BYTES * 1.25);
});

/** Proposes to a leader of three, and commits; a number for each, from 1 on. */
function proposer(core: RaftCore): (at: number) => void {
  measured.push(core);
  const { term: ofLeader } = core.standing;
  return (at) => {
    const proposed = core.propose(recordAt(at));
    if (!proposed.ok) throw new Error(proposed.reason);
    drain(core);
    for (const peer of [2, 3]) core.step(accepted([peer, 1, ofLeader], proposed.id.index));
    drain(core);
    core.release(core.committed);
  };
}

test('an entry that a leader made itself takes no more than one that it was sent', async () => {
  const core = loneLeader();
  const each = await kept(proposer(core));
  expect(core.committed).toBeGreaterThan(ENTRIES);
  expect(each).toBeGreaterThan(LOG_ENTRY_MEMORY_BYTES * 0.75);
  expect(each).toBeLessThan(LOG_ENTRY_MEMORY_BYTES * 1.25);
});

test('a leader whose entries take what they may takes no more, however many follow', async () => {
  const core = loneLeader({ options: { logMemoryBytesMax: 2 ** 21 } });
  const propose = proposer(core);
  await kept(propose);
  const each = await kept(propose);
  expect(core.committed).toBeGreaterThan(ENTRIES * 2);
  expect(core.last.index - core.firstInMemory).toBeLessThan(ENTRIES / 4);
  // Between two times that it lets go of some, it takes an eighth more.
  expect(Math.abs(each)).toBeLessThan(LOG_ENTRY_MEMORY_BYTES / 8);
});
