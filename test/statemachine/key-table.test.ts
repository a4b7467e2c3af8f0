import { equal } from 'node:assert/strict';
import fc from 'fast-check';
import { expect, test } from 'vitest';
import { KeyTable } from '../../src/statemachine/collections/key-table.ts';

interface Item {
  readonly key: string;
  readonly turn: number;
}

const keyOf = ({ key }: Item): string => key;

test('a key table is what a map with numbers beside its values would be', () => {
  // Few keys, so that they are added, replaced and deleted again; and sometimes thousands, so that shards grow.
  const step = fc.record({ from: fc.nat(60), count: fc.oneof(fc.nat(4), fc.nat(3_000)) });
  fc.assert(
    fc.property(fc.array(step, { maxLength: 8 }), fc.nat(), (steps, seed) => {
      const table = new KeyTable(keyOf, seed);
      const model = new Map<string, { item: Item; note: number }>();
      steps.forEach(({ from, count }, turn) => {
        for (let n = from; n < from + count; n += 1) {
          const item = { key: `k${n}`, turn };
          const before = model.get(item.key);
          equal(table.get(item.key), before?.item);
          if (before === undefined) {
            table.add(item, n * 1.5);
            model.set(item.key, { item, note: n * 1.5 });
          } else if ((n + turn) % 3 === 0) {
            table.replace(item);
            model.set(item.key, { item, note: before.note });
          } else {
            equal(table.delete(item.key), before.note);
            model.delete(item.key);
          }
        }
        equal(table.size, model.size);
      });
      for (const [key, { item, note }] of model) {
        equal(table.get(key), item);
        equal(table.noteOf(key), note);
      }
      for (const key of model.keys()) table.delete(key);
      expect([table.size, table.get('k1'), table.delete('k1')]).toEqual([0, undefined, undefined]);
    }),
    { numRuns: 40 },
  );
});

test('keys that are numbers are as good, and what is there cannot be added again, nor what is not be replaced', () => {
  const table = new KeyTable((value: readonly [number, string]) => value[0], 7);
  for (let n = 0; n < 3_000; n += 1) table.add([n * 2 ** 20, `${n}`]);
  expect(table.get(2_999 * 2 ** 20)).toEqual([2_999 * 2 ** 20, '2999']);
  expect(() => table.add([0, 'again'])).toThrow('added twice');
  expect(() => table.replace([1, 'never'])).toThrow('not there');
  expect(() => table.noteOf(1)).toThrow('not there');
});
