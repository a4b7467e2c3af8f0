import { expect, test } from 'vitest';
import { type Code, TocsinError } from '../../src/base/errors.ts';
import { moreTelling, timeIsUp } from '../../src/client/failures.ts';

const errorOf = (code: Code): TocsinError => new TocsinError(code, 'x');

test.each([
  [['DISK_FULL', 'NOT_LEADER'], 'DISK_FULL'],
  [['OVERLOADED', 'NOT_LEADER', 'NOT_LEADER'], 'OVERLOADED'],
  [['NOT_LEADER', 'DISK_FULL'], 'DISK_FULL'],
  [['DISK_FULL', 'CONNECTION_LOST'], 'UNAVAILABLE'],
  [['NOT_LEADER'], 'UNAVAILABLE'],
  [[], 'DEADLINE_EXCEEDED'],
] as [Code[], Code][])(
  'after %j a call whose time is up fails with %s: what a leader said outweighs who does not lead',
  (codes, code) => {
    let last: TocsinError | undefined;
    for (const each of codes) last = moreTelling(last, errorOf(each));
    expect(timeIsUp(10, last).code).toBe(code);
  },
);

test('the time that was allowed and the last reason are told once', () => {
  expect(timeIsUp(2_500, undefined).message).toBe('no answer within 2.5 s');
  expect(timeIsUp(10, errorOf('UNAVAILABLE')).message).toBe('no answer within 10 ms, at last: x');
  expect(timeIsUp(3_000, errorOf('NOT_LEADER')).message).toBe(
    'no answer within 3 s, at last: NOT_LEADER: x',
  );
});
