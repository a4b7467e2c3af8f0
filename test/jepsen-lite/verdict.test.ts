import { expect, test } from 'vitest';
import { brokenPromises, verdictOf } from '../../jepsen-lite/verdict.ts';

test.each([
  ['valid', [], [], [], true],
  ['VOID', [], [], ['too little'], true],
  ['INVALID', [], ['lost'], ['too little'], true],
  ['INVALID', ['replicas differ'], [], ['an event is missing'], false],
  ['VOID', [], ['phantom'], ['an event is missing'], false],
])('%s: seen %j, found %j, void for %j, whole: %s', (verdict, seen, found, voids, isWhole) => {
  expect(verdictOf({ seen, found, voids, isWhole })).toEqual({
    verdict,
    why: expect.arrayContaining([...seen, ...found, ...voids]),
  });
});

test('a code that no promise allows is a finding, a refusal is none', () => {
  expect(brokenPromises({ UNAVAILABLE: 3, REVISION_MISMATCH: 2 })).toEqual([]);
  expect(brokenPromises({ UNAVAILABLE: 3, BODY_MALFORMED: 2 })).toEqual([
    'callers were told BODY_MALFORMED, 2 times',
  ]);
});
