import fc from 'fast-check';
import { type Revision, revision, type UnixMillis, unixMillis } from '../../src/base/ids.ts';
import { NAME_CHARS_MAX, UNIX_MILLIS_MAX } from '../../src/base/limits.ts';
import type { AlertId, AlertRef, Cause, Subject } from '../../src/statemachine/types.ts';

/** The pieces that commands, alerts and records are made of. */

export type Gen<T> = fc.Arbitrary<T>;

/** An object in which each optional field may be absent. */
export const record = <T>(
  required: Record<string, Gen<unknown>>,
  optional: Record<string, Gen<unknown>>,
): Gen<T> =>
  fc.record(
    { ...required, ...optional },
    { requiredKeys: Object.keys(required) },
  ) as unknown as Gen<T>;

export const whole = (min: number, max: number): Gen<number> =>
  fc.oneof(
    fc.constantFrom(min, max),
    fc.integer({ min, max: Math.min(max, min + 300) }),
    fc.integer({ min, max }),
  );

export const finite: Gen<number> = fc
  .double({ noNaN: true, noDefaultInfinity: true })
  .map((value) => value + 0); // MessagePack integers have no minus zero

const char: Gen<string> = fc.oneof(
  { weight: 8, arbitrary: fc.string({ unit: 'grapheme-ascii', minLength: 1, maxLength: 1 }) },
  { weight: 1, arbitrary: fc.constantFrom('é', '心', '🫀', '\u{10ffff}', '\ufffd', '\uffff') },
);
export const lineOf = (min: number, max: number): Gen<string> =>
  fc
    .oneof(
      fc.string({ unit: char, minLength: min, maxLength: 24 }),
      fc.string({ unit: char, minLength: min, maxLength: Math.floor(max / 2) }),
      fc.constantFrom('x'.repeat(max), '心'.repeat(max)),
    )
    .filter((text) => text.length >= min && text.length <= max);
export const name: Gen<string> = lineOf(1, 128);
/** Whom an alert is offered to: `user:` and a name, which may itself be as long as names are. */
export const offered: Gen<string> = fc
  .oneof(
    name,
    whole(NAME_CHARS_MAX - 4, NAME_CHARS_MAX).map((chars) => 'n'.repeat(chars)),
  )
  .map((one) => `user:${one}`);
export const dedupKey: Gen<string> = lineOf(1, 255);
export const text: Gen<string> = fc.oneof(
  lineOf(0, 1024),
  fc.constantFrom('', '\t\n', 'two\nlines'),
);

export const when: Gen<UnixMillis> = whole(0, UNIX_MILLIS_MAX).map(unixMillis);
export const aRevision: Gen<Revision> = whole(0, Number.MAX_SAFE_INTEGER).map(revision);
export const alertId: Gen<AlertId> = whole(1, Number.MAX_SAFE_INTEGER).map(
  (number): AlertId => `A${number}`,
);
export const ref: Gen<AlertRef> = fc.oneof(
  alertId.map((id) => ({ id })),
  dedupKey.map((key) => ({ dedupKey: key })),
);
export const activation: Gen<number> = whole(1, 2 ** 32 - 1);

export const subject: Gen<Subject> = record<Subject>(
  {},
  { unit: name, bed: name, patient: name, device: name },
);
export const cause: Gen<Cause> = record<Cause>(
  { metric: name, value: fc.option(finite, { nil: null }) },
  { unit: name, limit: finite, rule: name },
);
export const label: Gen<string> = name.filter(
  (key) => !['__proto__', 'constructor', 'prototype'].includes(key),
);
export const labels: Gen<Record<string, string>> = fc
  .uniqueArray(fc.tuple(label, lineOf(0, 128)), { selector: ([key]) => key, maxLength: 5 })
  .map((pairs) => Object.fromEntries(pairs));

export const count: Gen<number> = whole(0, Number.MAX_SAFE_INTEGER);
export const orUndefined = <T>(values: Gen<T>): Gen<T | undefined> =>
  fc.option(values, { nil: undefined });
