import fc from 'fast-check';
import { expect, test } from 'vitest';
import type { Cause, Subject } from '../../src/statemachine/types.ts';
import { sharedCause, sharedSubject } from '../../src/wire/recent-parts.ts';

/** Few of each, so that many parts differ in one field alone, and in whether they have it. */
const text = fc.constantFrom('a', 'b', 'ab');
const number = fc.constantFrom(0, -0, 1, 1.5, 1e300, -1);
const subject: fc.Arbitrary<Subject> = fc.record(
  { unit: text, bed: text, patient: text, device: text },
  { requiredKeys: [], noNullPrototype: true },
);
const cause: fc.Arbitrary<Cause> = fc.record(
  { metric: text, value: fc.option(number), unit: text, limit: number, rule: text },
  { requiredKeys: ['metric', 'value'], noNullPrototype: true },
);

test('whoever shares a part holds the same fields, and whoever comes next with the same holds the same object', () => {
  fc.assert(
    fc.property(fc.array(subject), fc.array(cause), (subjects, causes) => {
      for (const one of subjects) {
        const shared = sharedSubject(one);
        expect(shared).toStrictEqual(one);
        expect(sharedSubject({ ...one })).toBe(shared);
      }
      for (const one of causes) {
        const shared = sharedCause(one);
        expect(shared).toStrictEqual(one);
        expect(sharedCause({ ...one })).toBe(shared);
      }
    }),
  );
});

test('a part that gave way to others is made anew, and what was shared stays as it was', () => {
  const first = sharedSubject({ patient: 'the first' });
  for (let n = 0; n < 100_000; n += 1) sharedSubject({ patient: `p${n}` });
  expect(first).toStrictEqual({ patient: 'the first' });
  expect(sharedSubject({ patient: 'the first' })).not.toBe(first);
});
