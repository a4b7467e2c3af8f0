import { expect, test } from 'vitest';
import { assert, assertWhole, BugError, must } from '../../src/base/assert.ts';

test('a broken assertion says its values in the places that its text leaves for them', () => {
  expect(() => assert(false, 'nothing to say')).toThrow(new BugError('nothing to say'));
  expect(() => assert(false, 'entry % does not follow %', 7, 5)).toThrow(
    'entry 7 does not follow 5',
  );
  expect(() => assert(false, '% led to %, not %', 'T4', 'open', 'over')).toThrow(
    'T4 led to open, not over',
  );
  expect(() => assert(false, () => `of ${2 + 1}`)).toThrow(new BugError('of 3'));
  expect(() => must(undefined, 'A% is gone', 12)).toThrow(new BugError('A12 is gone'));
  expect(() => must(null, 'nobody')).toThrow(new BugError('nobody'));
});

test('what a value holds is no place for another value', () => {
  expect(() => must(undefined, '% is not open', '50%')).toThrow('50% is not open');
});

test('a fact that holds is passed, and a value that is there is handed on, however little it is', () => {
  expect(() => assert(true, 'never %', 1)).not.toThrow();
  for (const little of [0, '', false, Number.NaN]) expect(must(little, 'there')).toBe(little);
});

test.each([-1, 0.5, 2 ** 53, Number.NaN, Number.POSITIVE_INFINITY])('%d is no place', (value) => {
  expect(() => assertWhole(value, 'place')).toThrow(`place is no safe integer from 0: ${value}`);
});

test.each([0, 1, 2 ** 32, 2 ** 53 - 1])('%d is a place', (value) => {
  expect(() => assertWhole(value, 'place')).not.toThrow();
});
