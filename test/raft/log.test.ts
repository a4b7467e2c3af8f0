import fc from 'fast-check';
import { expect, test } from 'vitest';
import { logIndex, term } from '../../src/base/ids.ts';
import { LOG_ENTRY_MEMORY_BYTES } from '../../src/base/limits.ts';
import { RaftLog } from '../../src/raft/log.ts';
import { entries, id } from './lone-core.ts';

const logOf = (...terms: readonly number[]): RaftLog => {
  const log = new RaftLog([], [], logIndex(0));
  for (const entry of entries(0, ...terms)) log.append(entry);
  return log;
};

const operation = fc.oneof(
  {
    weight: 4,
    arbitrary: fc.record({ do: fc.constant('append' as const), by: fc.nat(2), bytes: fc.nat(50) }),
  },
  fc.record({ do: fc.constant('truncate' as const), by: fc.nat(5), bytes: fc.constant(0) }),
  fc.record({ do: fc.constant('commit' as const), by: fc.nat(4), bytes: fc.constant(0) }),
  fc.record({ do: fc.constant('evict' as const), by: fc.nat(30), bytes: fc.nat(5_000) }),
  fc.record({ do: fc.constant('compact' as const), by: fc.nat(8), bytes: fc.constant(0) }),
  fc.record({ do: fc.constant('reset' as const), by: fc.nat(30), bytes: fc.constant(0) }),
);

test('the log does what a plain list of all entries does', () => {
  fc.assert(
    fc.property(fc.array(operation, { maxLength: 60, size: 'max' }), (operations) => {
      const log = new RaftLog([], [], logIndex(0));
      let model: { term: number; bytes: number }[] = [];
      let committed = 0;
      let base = 0;
      for (const { do: what, by, bytes } of operations) {
        const last = model.length;
        if (what === 'append') {
          const entryTerm = Math.max(1, (model.at(-1)?.term ?? 0) + Math.max(0, by - 1));
          log.append({ ...id(last + 1, entryTerm), payload: { byteLength: bytes } });
          model.push({ term: entryTerm, bytes });
        } else if (what === 'truncate') {
          const from = Math.max(committed + 1, last - by);
          if (from > last) continue;
          log.truncate(logIndex(from));
          model = model.slice(0, from - 1);
        } else if (what === 'commit') {
          committed = Math.min(last, committed + by);
          log.commitTo(logIndex(committed));
        } else if (what === 'compact') {
          const to = Math.max(base, committed - by);
          log.compact(logIndex(to));
          base = to;
        } else if (what === 'reset') {
          if (by > 5) continue;
          base = committed + 1 + by;
          committed = base;
          const held = model.at(-1) ?? { term: 1, bytes: 0 };
          // Perhaps within the log, which did not hold that very entry.
          model = model.slice(0, base - 1);
          while (model.length < base) model.push(held);
          log.reset(id(base, held.term));
        } else {
          evicted(log, by, bytes);
        }
        compare(log, model, committed, base);
      }
    }),
    { numRuns: 200 },
  );
});

/** Nothing goes until there is an eighth too much; then it goes, but for what is needed. */
function evicted(log: RaftLog, below: number, bytesMax: number): void {
  const { firstInMemory: before, bytes } = log;
  const needed = Math.min(below, log.committed, log.last.index);
  log.evict(below, bytesMax);
  const { firstInMemory: after } = log;
  if (bytes <= bytesMax + Math.floor(bytesMax / 8)) expect(after).toBe(before);
  else expect(log.bytes <= bytesMax || after >= needed).toBe(true);
  if (after > before) expect(after).toBeLessThanOrEqual(needed);
}

function compare(
  log: RaftLog,
  model: readonly { term: number; bytes: number }[],
  committed: number,
  base: number,
): void {
  const last = model.length;
  expect({ ...log.last }).toMatchObject({ index: last, term: model.at(-1)?.term ?? 0 });
  expect(log.committed).toBe(committed);
  expect(log.base.index).toBe(base);
  expect([log.termAt(base - 1), log.termAt(last + 1)]).toEqual([undefined, undefined]);
  for (let index = base; index <= last; index += 1)
    expect(log.termAt(index)).toBe(model[index - 1]?.term ?? 0);
  const first = log.firstInMemory;
  expect(first).toBeGreaterThan(base);
  if (committed > base) expect(first).toBeLessThanOrEqual(committed);
  expect(log.entryAt(first - 1)).toBeUndefined();
  for (let index: number = first; index <= last; index += 1)
    expect(log.entryAt(index)).toMatchObject(id(index, model[index - 1]?.term ?? 0));
  const held = model.slice(first - 1);
  expect(log.bytes).toBe(held.reduce((sum, each) => sum + each.bytes + LOG_ENTRY_MEMORY_BYTES, 0));
  const uncommitted = model.slice(committed);
  expect(log.uncommittedBytes).toBe(uncommitted.reduce((sum, { bytes }) => sum + bytes, 0));
  expect(log.slice(first - 1, 10, 10)).toBeUndefined();
  for (const limit of [0, 1, 2, 99])
    for (const at of [0, 1, last, last + 5]) {
      const known = model.slice(0, at).findLastIndex((each) => each.term <= limit) + 1;
      const found = known < base ? 0 : known;
      expect(log.lastAtOrBelow(at, limit)).toEqual(id(found, model[found - 1]?.term ?? 0));
    }
}

test('a slice keeps both bounds, but never is empty while there are entries', () => {
  const log = logOf(1, 1, 1, 1);
  const indexes = (...bounds: [number, number, number]): number[] | undefined =>
    log.slice(...bounds)?.map((entry) => entry.index);
  expect(indexes(2, 100, 1000)).toEqual([2, 3, 4]);
  expect(indexes(2, 2, 1000)).toEqual([2, 3]);
  expect(indexes(2, 100, 20)).toEqual([2, 3]);
  expect(indexes(2, 100, 19)).toEqual([2]);
  expect(indexes(2, 100, 1)).toEqual([2]);
  expect(indexes(5, 100, 1000)).toEqual([]);
});

test('entries of few bytes are let go of by the memory that they take, not by their bytes', () => {
  const log = new RaftLog([], [], logIndex(0));
  for (let index = 1; index <= 100; index += 1)
    log.append({ ...id(index, 1), payload: { byteLength: 1 } });
  log.commitTo(logIndex(100));
  log.evict(100, 10 * (LOG_ENTRY_MEMORY_BYTES + 1));
  expect(log.firstInMemory).toBe(91);
});

test('committed entries can neither be cut nor forgotten, nor can the commit index fall or run ahead', () => {
  const log = logOf(1, 1, 2);
  log.commitTo(logIndex(2));
  expect(() => log.truncate(logIndex(2))).toThrow('would cut committed');
  expect(() => log.truncate(logIndex(4))).toThrow('nothing to truncate');
  expect(() => log.commitTo(logIndex(1))).toThrow('commit fell');
  expect(() => log.commitTo(logIndex(4))).toThrow('past the last entry');
  log.evict(100, 0);
  expect(log.firstInMemory).toBe(2);
  expect(log.termAt(1)).toBe(1);
});

test('memory is not tidied for less than an eighth too much, and never beyond what it may hold', () => {
  const log = logOf(...Array.from({ length: 9 }, () => 1));
  const each = log.bytes / 9;
  const most = each * 8;
  log.commitTo(logIndex(9));
  log.evict(100, most);
  expect([log.firstInMemory, log.bytes]).toEqual([1, each * 9]);
  log.append({ ...id(10, 1), payload: { byteLength: 1 } });
  log.evict(100, most);
  expect([log.firstInMemory, log.bytes]).toEqual([3, most - 9]);
  log.append({ ...id(11, 1), payload: { byteLength: each + 19 } });
  log.evict(100, most);
  expect([log.firstInMemory, log.bytes]).toEqual([5, most]);
});

test('an entry must follow the last one, in a term no earlier', () => {
  const log = logOf(1, 3);
  expect(() => log.append({ ...id(4, 3), payload: { byteLength: 1 } })).toThrow('does not follow');
  expect(() => log.append({ ...id(3, 2), payload: { byteLength: 1 } })).toThrow('term fell');
});

test('a log whose parts contradict each other does not open', () => {
  const tail = entries(0, 1, 1);
  const runs = [{ from: 1, term: 1 }];
  const open =
    (...parts: ConstructorParameters<typeof RaftLog>) =>
    () =>
      new RaftLog(...parts);
  expect(open(tail, [], logIndex(0))).toThrow('or neither');
  expect(open(tail, [{ from: 1, term: 2 }], logIndex(0))).toThrow('told two ways');
  expect(open(tail, runs, logIndex(3))).toThrow('past the end');
  expect(open(tail.slice(1), runs, logIndex(1))).toThrow('memory begins at 2');
  expect(open(tail.slice(1), runs, logIndex(0))).toThrow('memory begins at 2');
  expect(open(tail.slice(1), runs, logIndex(2))().termAt(1)).toBe(term(1));
  expect(open(tail, runs, logIndex(2), id(1, 1))).toThrow('before the base');
  expect(open(tail.slice(1), runs, logIndex(0), id(1, 1))).toThrow('before the base');
  expect(open(tail.slice(1), runs, logIndex(2), id(1, 2))).toThrow('after the base');
  expect(open(tail.slice(1), runs, logIndex(1), id(1, 1))().last.index).toBe(2);
  expect(() => logOf(1, 1).compact(logIndex(1))).toThrow('only 0 committed');
  expect(() => open(tail, runs, logIndex(2))().reset(id(2, 1))).toThrow('would undo committed');
});
