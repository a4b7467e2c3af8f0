import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { revision, unixMillis } from '../../src/base/ids.ts';
import { UNIX_MILLIS_MAX } from '../../src/base/limits.ts';
import type { Command } from '../../src/statemachine/commands.ts';
import type {
  AcknowledgeCommand,
  ClearCommand,
  RaiseCommand,
} from '../../src/statemachine/types.ts';
import { decodeSubmissions, encodeCommand, keyFromText } from '../../src/wire/commands/commands.ts';
import { command, key } from './arbitraries.ts';

const KEY = keyFromText('k');
const raise: RaiseCommand = {
  type: 'raise',
  actor: 'monitor-7',
  observedAt: unixMillis(1_790_000_000_000),
  dedupKey: 'icu:bed-12:hr:hi',
  kind: 'physiological',
  priority: 'high',
  condition: 'HR:HI',
  text: 'Heart rate high',
  subject: { unit: 'icu', bed: '12' },
  cause: { metric: 'hr', value: 151, unit: '/min', limit: 130, rule: 'hr-high@1' },
  latching: true,
  acknowledgementRequired: false,
  labels: { b: '2', a: '1' },
};

describe('a fingerprint', () => {
  const printOf = (one: Command, itsKey: Uint8Array = KEY): number =>
    decodeSubmissions(encodeCommand(one, itsKey))[0]?.fingerprint ?? Number.NaN;

  test('depends on neither the key nor the time of observation', () => {
    const time = fc.nat({ max: UNIX_MILLIS_MAX }).map(unixMillis);
    fc.assert(
      fc.property(command, key, key, time, (one, first, second, observedAt) => {
        expect(printOf({ ...one, observedAt }, second)).toBe(printOf(one, first));
      }),
    );
  });

  /** Total: a new field does not compile until somebody says how it could differ. */
  type Others<T> = {
    readonly [K in keyof Omit<T, 'type' | 'observedAt'>]-?: readonly T[K][];
  };
  const guards = { actor: ['x', 'Monitor-7'], expectedRevision: [revision(0), revision(1)] };
  const RAISE: Others<RaiseCommand> = {
    ...guards,
    dedupKey: ['icu:bed-12:hr:lo'],
    kind: ['technical', 'advisory'],
    priority: ['medium', 'low', 'none'],
    condition: ['HR:LO'],
    text: ['', 'Heart rate low'],
    subject: [{}, { unit: 'icu' }, { unit: 'icu', bed: '13' }, { unit: 'icu', patient: '12' }],
    cause: [
      { metric: 'hr', value: 151 },
      { metric: 'hr', value: null },
      { metric: 'hr', value: 151.5, unit: '/min', limit: 130, rule: 'hr-high@1' },
      { metric: 'hr', value: 151, unit: '/min', limit: 131, rule: 'hr-high@1' },
    ],
    latching: [false],
    resetAfterClear: [true],
    acknowledgementRequired: [true],
    labels: [{}, { a: '1' }, { a: '2', b: '1' }],
    acknowledgementSeconds: [1, 300],
    policy: ['icu', 'ward'],
  };
  const { actor, observedAt } = raise;
  const clear: ClearCommand = { type: 'clear', actor, observedAt, target: { id: 'A7' } };
  const target: ClearCommand['target'][] = [{ id: 'A8' }, { dedupKey: 'A7' }];
  const CLEAR: Others<ClearCommand> = { ...guards, target };
  const acknowledge: AcknowledgeCommand = { ...clear, type: 'acknowledge' };
  const ACKNOWLEDGE: Others<AcknowledgeCommand> = {
    ...CLEAR,
    activation: [1, 2],
    note: ['', 'on my way'],
  };

  test('tells commands apart that differ in anything else, were it only in kind', () => {
    const variants = (one: Command, others: object): Command[] => [
      one,
      ...Object.entries(others).flatMap(([field, values]) =>
        (values as readonly unknown[]).map((value) => ({ ...one, [field]: value })),
      ),
    ];
    const all = [
      ...variants(raise, RAISE),
      ...variants(clear, CLEAR),
      ...variants(acknowledge, ACKNOWLEDGE),
    ];
    expect(new Set(all.map((one) => printOf(one))).size).toBe(all.length);
  });
});
