import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { SortedMap, type SortedView } from '../../src/statemachine/collections/sorted-map.ts';

type Pair = readonly [number, string];

const pairsAfter = (map: SortedMap<string>, after: number): Pair[] => {
  const pairs: Pair[] = [];
  for (const cursor = map.after(after); cursor.next(); ) pairs.push([cursor.id, cursor.value]);
  return pairs;
};

const sorted = (model: ReadonlyMap<number, string>): Pair[] => [...model].sort(([a], [b]) => a - b);

const check = (map: SortedMap<string>, model: ReadonlyMap<number, string>, after: number): void => {
  const all = sorted(model);
  expect(pairsAfter(map, after)).toEqual(all.filter(([id]) => id > after));
  expect(map.size).toBe(model.size);
  expect(map.first).toEqual(all[0]);
  expect(map.blockCount).toBeLessThanOrEqual(Math.floor((2 * model.size) / 257) + 1);
  for (const [id, value] of all.slice(0, 5)) expect(map.get(id)).toBe(value);
};

describe('a sorted map', () => {
  // Runs of neighbours fill, split, empty and merge blocks of 512.
  const run = fc.record({
    start: fc.nat(4_000),
    length: fc.nat(1_500),
    stride: fc.nat(6),
    freezes: fc.boolean(),
  });

  test('is what a map that is sorted each time would be, and its views do not change', () => {
    fc.assert(
      fc.property(fc.array(run, { maxLength: 12 }), fc.nat(4_000), (runs, after) => {
        const map = new SortedMap<string>();
        const model = new Map<number, string>();
        const frozen: { view: SortedView<string>; was: string[] }[] = [];
        runs.forEach(({ start, length, stride, freezes }, turn) => {
          if (freezes)
            frozen.push({ view: map.freeze(), was: sorted(model).map(([, value]) => value) });
          for (let i = 0; i < length; i += 1) {
            const id = (start + i * (stride + 1) * 7) % 4_001;
            if (!model.has(id)) map.add(id, `${turn}`);
            else if (i % 3 === 0) map.replace(id, `${turn}`);
            else map.delete(id);
            if (model.has(id) && i % 3 !== 0) model.delete(id);
            else model.set(id, `${turn}`);
          }
          for (const { view, was } of frozen) {
            expect([...view.values()]).toEqual(was);
            expect(view.size).toBe(was.length);
          }
        });
        check(map, model, after);
        for (const id of model.keys()) map.delete(id);
        check(map, new Map(), -1);
      }),
      { numRuns: 60 },
    );
  });

  test.each(['ascending', 'descending'])('stays few blocks when thinned out, %s', (order) => {
    const all = Array.from({ length: 5_000 }, (_, i) => i);
    const map = new SortedMap<string>();
    for (const id of all) map.add(id, `${id}`);
    for (const id of order === 'ascending' ? all : all.toReversed())
      if (id % 100 !== 0) map.delete(id);
    const left = all.filter((id) => id % 100 === 0);
    check(map, new Map(left.map((id) => [id, `${id}`])), -1);
  });

  test('does not take a number twice, nor give up one that is not there', () => {
    const map = new SortedMap<string>();
    expect(() => map.delete(1)).toThrow('before every block');
    expect(() => map.replace(1, 'x')).toThrow('before every block');
    for (const id of [3, 1, 2]) map.add(id, '');
    expect(() => map.add(2, '')).toThrow('added twice');
    expect(() => map.delete(4)).toThrow('not there');
    expect(() => map.replace(4, '')).toThrow('not there');
    expect(pairsAfter(map, 0).map(([id]) => id)).toEqual([1, 2, 3]);
  });
});
