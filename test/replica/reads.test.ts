import { expect, test } from 'vitest';
import { TocsinError } from '../../src/base/errors.ts';
import { logIndex } from '../../src/base/ids.ts';
import { Reads } from '../../src/replica/service/reads.ts';

const GONE = new TocsinError('NOT_LEADER', 'gone');

function stage(): {
  reads: Reads;
  contexts: number[];
  told: string[];
  ask: (name: string) => void;
} {
  const contexts: number[] = [];
  const told: string[] = [];
  const reads = new Reads((context) => contexts.push(context));
  const ask = (name: string): void =>
    reads.ask((error) => told.push(`${name} ${error?.code ?? 'ok'}`));
  return { reads, contexts, told, ask };
}

test('a read is answered when its index is applied, not before, and once', () => {
  const { reads, contexts, told, ask } = stage();
  ask('a');
  ask('b');
  reads.applied(logIndex(9));
  expect(told).toEqual([]);
  const [a = 0, b = 0] = contexts;
  reads.confirmed([
    { context: a, index: logIndex(5) },
    { context: b, index: logIndex(7) },
  ]);
  reads.confirmed([{ context: a, index: logIndex(5) }]);
  reads.applied(logIndex(6));
  expect(told).toEqual(['a ok']);
  reads.applied(logIndex(7));
  reads.applied(logIndex(8));
  reads.dropped([a, b], GONE);
  reads.close(GONE);
  expect(told).toEqual(['a ok', 'b ok']);
  expect(reads.pending).toBe(0);
});

test('a read that was confirmed before the leader was deposed is still answered, one that was not is an error', () => {
  const { reads, contexts, told, ask } = stage();
  ask('a');
  ask('b');
  const [a = 0, b = 0] = contexts;
  reads.confirmed([{ context: a, index: logIndex(5) }]);
  reads.dropped([b], GONE);
  reads.applied(logIndex(5));
  expect(told).toEqual(['b NOT_LEADER', 'a ok']);
});

test('closing tells everyone who waits, and who asks meanwhile is not forgotten', () => {
  const { reads, contexts, told, ask } = stage();
  ask('a');
  ask('b');
  reads.confirmed([{ context: contexts[0] ?? 0, index: logIndex(5) }]);
  reads.ask(() => ask('again'));
  reads.close(GONE);
  expect(told).toEqual(['b NOT_LEADER', 'a NOT_LEADER']);
  reads.close(GONE);
  expect(told).toEqual(['b NOT_LEADER', 'a NOT_LEADER', 'again NOT_LEADER']);
  expect(reads.pending).toBe(0);
});
