import { expect, test } from 'vitest';
import {
  type Held,
  LOST_MS_MAX,
  type Sample,
  TrendPromises,
} from '../../../src/testing/sim/trend-promises.ts';

const sample = (name: string, value: number): Sample => ({ name, series: 0, time: 0, value });
const held = (values: Readonly<Record<string, number>>): Held => new Map(Object.entries(values));

/** Two were sent as `a`, one as `b`; member 1 has acknowledged the lesser `a` and, much later, `b`. */
function promises(): TrendPromises {
  const made = new TrendPromises();
  const [less, more, other] = [sample('a', 1), sample('a', 2), sample('b', 5)];
  made.sent([less, more, other]);
  made.keep(1, 1_000, [less]);
  made.keep(1, 9_000, [other]);
  return made;
}

test.each<[claim: string, first: Held, second: Held, says: string | undefined]>([
  ['all is there', held({ a: 1, b: 5 }), held({ a: 1, b: 5 }), undefined],
  [
    'a greater one of the same time stands for it',
    held({ a: 2, b: 5 }),
    held({ a: 2, b: 5 }),
    undefined,
  ],
  ['one holds more', held({ a: 1, b: 5 }), held({ a: 1 }), '1 and 2 differ: b is 5 and undefined'],
  [
    'they hold other values',
    held({ a: 1, b: 5 }),
    held({ a: 2, b: 5 }),
    '1 and 2 differ: a is 1 and 2',
  ],
  [
    'both have lost one',
    held({ a: 1 }),
    held({ a: 1 }),
    '1 has acknowledged 5 as b, and 1 has not got it',
  ],
])('of two replicas, %s', (_, first, second, says) => {
  expect(promises().missing([1, 2], [first, second])).toBe(says);
});

test('a death takes back what was promised in the moment before it, and nothing older', () => {
  const made = promises();
  made.died(1, 9_000 + LOST_MS_MAX - 1);
  expect(made.missing([1], [held({ a: 1 })])).toBeUndefined();
  expect(made.missing([1], [held({})])).toBe('1 has acknowledged 1 as a, and 1 has not got it');
  const late = promises();
  late.died(1, 9_000 + LOST_MS_MAX);
  expect(late.missing([1], [held({ a: 1 })])).toContain('5 as b');
});

test('nobody holds what was never sent, and what one holds never becomes less', () => {
  const made = promises();
  expect(() => made.look(2, held({ a: 3 }))).toThrow('nobody sent 3 as a');
  expect(() => made.look(2, held({ c: 1 }))).toThrow('nobody sent 1 as c');
  made.look(2, held({ a: 2 }));
  made.look(2, held({ a: 2, b: 5 }));
  expect(() => made.look(2, held({ a: 1, b: 5 }))).toThrow('a was 2, and is 1 now');
  expect(() => made.look(2, held({ b: 5 }))).toThrow('a was 2, and is undefined now');
});
