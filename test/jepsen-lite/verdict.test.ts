import { expect, test } from 'vitest';
import { verdictOf } from '../../jepsen-lite/run.ts';

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
