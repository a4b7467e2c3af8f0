import fc from 'fast-check';
import { expect, test } from 'vitest';
import { revision } from '../../src/base/ids.ts';
import { History } from '../../src/statemachine/queries/history.ts';
import type { AppliedEvent } from '../../src/statemachine/types.ts';
import { Bench, raise } from './commands.ts';

const bench = new Bench();
bench.done(raise());
const sample = bench.out.events[0] as AppliedEvent;
const eventAt = (position: number): AppliedEvent => ({ ...sample, revision: revision(position) });

test('keeps the newest events, each at its revision, and nothing else', () => {
  fc.assert(
    fc.property(fc.integer({ min: 1, max: 7 }), fc.nat(30), fc.nat(9), (max, count, after) => {
      const history = new History(max, revision(after));
      const all = Array.from({ length: count }, (_, i) => eventAt(after + 1 + i));
      for (const event of all) history.push(event);
      const kept = all.slice(-max);
      expect(history.newest).toBe(after + count);
      expect(history.oldest).toBe(after + count - kept.length + 1);
      for (let at = 0; at <= after + count + 3; at += 1)
        expect(history.at(revision(at))).toBe(kept.find((event) => event.revision === at));
    }),
  );
});

test('takes no event twice and leaves none out', () => {
  const history = new History(4);
  history.push(eventAt(1));
  expect(() => history.push(eventAt(1))).toThrow('event 1 where 2 is due');
  expect(() => history.push(eventAt(3))).toThrow('event 3 where 2 is due');
  history.push(eventAt(2));
  expect(history.newest).toBe(2);
});

test('knows no event at a revision that is none', () => {
  const history = new History(4);
  history.push(eventAt(1));
  for (const odd of [Number.NaN, 0.5, 1.5, -1, Number.POSITIVE_INFINITY])
    expect(history.at(odd as AppliedEvent['revision'])).toBeUndefined();
});

test.each([0, -1, 1.5, Number.NaN])('a bound of %s is a bug', (max) => {
  expect(() => new History(max)).toThrow();
});
