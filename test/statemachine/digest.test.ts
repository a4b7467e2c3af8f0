import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { hashText, mix, RunningHash } from '../../src/base/hash.ts';
import { logIndex, revision, unixMillis } from '../../src/base/ids.ts';
import { UNIX_MILLIS_MAX } from '../../src/base/limits.ts';
import type { Batch, Command, Submission } from '../../src/statemachine/commands.ts';
import {
  foldEvent,
  foldReply,
  foldSubmission,
  identityOf,
} from '../../src/statemachine/snapshot/digest.ts';
import type {
  AcknowledgeCommand,
  Alert,
  AlertEvent,
  ClearCommand,
  Done,
  RaiseCommand,
  Reply,
} from '../../src/statemachine/types.ts';
import { acknowledge, Bench, clear, raise } from './commands.ts';
import { ReferenceModel } from './reference-model.ts';
import { play, SMALL_LIMITS, story, write } from './stories.ts';

const bench = new Bench();
const cause = { metric: 'HR', value: 141, unit: '/min', limit: 140, rule: 'hr-high@1' };
bench.done(raise({ cause, labels: { b: '1', a: '2' } }));
const reply: Done = bench.done(acknowledge({ note: 'n' }));
const event = bench.out.events.at(-1) as AlertEvent;
const { alert } = event;
const later = unixMillis(77);
const resolution = { how: 'auto', by: 'x', at: later } as const;
const escalation = {
  policy: 'icu',
  version: 1,
  loop: 0,
  step: 0,
  dueAt: later,
  exhausted: false,
};
const firstAcknowledgement = alert.acknowledgements[0] as Alert['acknowledgements'][0];

/** Total: a new field of a record does not compile until somebody says how it could differ. */
const ALERT: { readonly [K in keyof Alert]: readonly Alert[K][] } = {
  id: ['A2'],
  dedupKey: ['other', ''],
  occurrence: [2],
  previous: ['A7', 'A8'],
  activation: [2],
  activatedAt: [revision(7)],
  flaps: [1],
  kind: ['technical'],
  basePriority: ['high'],
  priority: ['high', 'none'],
  condition: ['HR:LO'],
  text: ['', 'heart rate high'],
  subject: [{}, { bed: 'icu-2' }, { unit: 'icu-2' }, { patient: 'p7' }, { device: 'p7' }],
  cause: [
    undefined,
    { metric: 'HR', value: null },
    { metric: 'HR', value: 0 },
    { metric: 'HR', value: 0, limit: 0 },
    { ...cause, metric: 'PR' },
    { ...cause, value: null },
    { ...cause, value: 141.25 },
    { ...cause, value: 0.25 },
    { ...cause, value: 0.5 },
    { ...cause, value: -141 },
    { ...cause, value: Number.NaN },
    { ...cause, value: Number.POSITIVE_INFINITY },
    { ...cause, limit: 140.5 },
    { ...cause, unit: '%' },
    { ...cause, rule: 'hr-high@2' },
  ],
  labels: [{}, { a: '2' }, { a: '2', b: '' }, { a: '1', b: '2' }, { a: '2', b: '1', c: '' }],
  presence: ['cleared'],
  acknowledged: [false],
  acknowledgements: [
    [],
    [{ ...firstAcknowledgement, by: 'x' }],
    [{ ...firstAcknowledgement, at: later }],
    [{ ...firstAcknowledgement, activation: 9 }],
    [{ ...firstAcknowledgement, note: 'm' }],
    [{ by: firstAcknowledgement.by, at: firstAcknowledgement.at, activation: 1 }],
    [firstAcknowledgement, firstAcknowledgement],
  ],
  acknowledgementSeconds: [1, 2],
  acknowledgedUntil: [later, unixMillis(0)],
  escalation: [
    escalation,
    { ...escalation, policy: 'p' },
    { ...escalation, version: 2 },
    { ...escalation, loop: 1 },
    { ...escalation, step: 1 },
    { ...escalation, dueAt: undefined },
    { ...escalation, exhausted: true },
  ],
  responsibility: [
    { state: 'offered', to: [], at: later },
    { state: 'offered', to: ['user:a'], at: later },
    { state: 'offered', to: ['user:a', 'user:b'], at: later },
    { state: 'accepted', by: 'user:a', at: later },
    { state: 'rejected', by: 'user:a', at: later },
    { state: 'rejected', by: 'user:a', at: unixMillis(78) },
  ],
  pausedUntil: [later],
  staleSince: [later],
  latching: [true],
  resetAfterClear: [true],
  acknowledgementRequired: [true],
  resolution: [
    resolution,
    { ...resolution, how: 'acknowledged' },
    { ...resolution, by: 'y' },
    { ...resolution, at: unixMillis(78) },
    { ...resolution, reason: '' },
    { ...resolution, reason: 'x' },
    { ...resolution, confirmedBy: 'x' },
    { ...resolution, reason: 'x', confirmedBy: 'x' },
  ],
  count: [2],
  raisedAt: [later],
  lastSeenAt: [later],
  clearedAt: [later, unixMillis(0)],
  observedAt: [later, unixMillis(0.5)],
  version: [9],
  revision: [revision(9)],
};

const EVENT: { readonly [K in Exclude<keyof AlertEvent, 'alert'>]: readonly AlertEvent[K][] } = {
  revision: [revision(9)],
  index: [logIndex(9)],
  time: [later],
  observedAt: [later],
  effect: ['raised', 'cleared'],
  actor: ['nurse-9', ''],
};

const DONE: { readonly [K in Exclude<keyof Done, 'ok'>]: readonly Done[K][] } = {
  effect: ['raised', 'unchanged'],
  alertId: ['A9'],
  activation: [9],
  revision: [revision(9)],
  state: ['LATCHED'],
};

/** All variants of a record that differ in one field. */
const variants = <T extends object>(
  base: T,
  table: Readonly<Record<string, readonly unknown[]>>,
): T[] =>
  Object.entries(table).flatMap(([field, values]) =>
    values.map((value) => ({ ...base, [field]: value })),
  );

const after = (folds: (digest: RunningHash) => void): number => {
  const digest = new RunningHash();
  folds(digest);
  return digest.value;
};
const ofReply = (one: Reply): number => after((digest) => foldReply(digest, one));

/** As the machine folds the first event of an occurrence. */
const fold = (one: AlertEvent): number =>
  after((digest) => foldEvent(digest, one, identityOf(one.alert)));

const distinct = (digests: readonly number[]): void => {
  expect(new Set(digests).size).toBe(digests.length);
  for (const digest of digests) expect(Number.isSafeInteger(digest)).toBe(true);
};

test('a running hash is what mixing and hashing one after another give', () => {
  const step = fc.oneof(fc.maxSafeInteger(), fc.string(), fc.array(fc.maxSafeInteger()));
  fc.assert(
    fc.property(fc.maxSafeNat(), fc.array(step), (start, steps) => {
      const running = new RunningHash(start);
      let plain = start;
      for (const one of steps) {
        if (typeof one === 'string') running.text(one);
        else for (const value of [one].flat()) running.add(value);
        if (typeof one !== 'string') running.end();
        plain = typeof one === 'string' ? hashText(one, plain) : mix(plain, ...[one].flat());
        expect(running.value).toBe(plain);
      }
    }),
  );
});

describe('no field can differ without a trace', () => {
  test('of an alert', () => {
    const all = [alert, ...variants(alert, ALERT)];
    distinct(all.map((one) => fold({ ...event, alert: one })));
  });

  test('of an event', () => {
    distinct([event, ...variants(event, EVENT)].map(fold));
  });

  test('of a reply, refusals included, save the text for people', () => {
    const refusals = ['ALERT_NOT_FOUND', 'KEY_REUSED'] as const;
    const refused = refusals.map((code) => ({ ok: false, code, message: 'm' }) as const);
    const all = [reply, ...variants(reply, DONE), ...refused];
    distinct(all.map(ofReply));
    const [one] = refused;
    if (one !== undefined) expect(ofReply({ ...one, message: 'n' })).toBe(ofReply(one));
  });

  test('of a submission', () => {
    const all = [
      [1, 1, 1],
      [1, 2, 1],
      [2, 1, 1],
      [1, 1.5, 1],
      [1, Number.NaN, 1],
      [1, 1, undefined],
      [1, 1, 0],
      [1, 1, 2],
      [1, 1, 2 ** 32 + 1],
      [1, 1, UNIX_MILLIS_MAX],
      [1, 1, 0.5],
    ] as const;
    distinct(
      all.map(([keyHash, fingerprint, at]) =>
        after((digest) =>
          foldSubmission(digest, keyHash, fingerprint, at === undefined ? at : unixMillis(at)),
        ),
      ),
    );
  });

  test('the order in which labels were written leaves none', () => {
    const turned = { ...alert, labels: { a: '2', b: '1' } };
    expect(fold({ ...event, alert: turned })).toBe(fold(event));
  });

  test('a label named __proto__ counts', () => {
    const labels = JSON.parse('{"__proto__":"x"}') as Record<string, string>;
    const other = JSON.parse('{"__proto__":"y"}') as Record<string, string>;
    const of = (one: Record<string, string>): number =>
      fold({ ...event, alert: { ...alert, labels: one } });
    distinct([of({}), of(labels), of(other)]);
  });
});

/**
 * The digest after `before` and then `command`, all fingerprints equal: only what was done can
 * tell.
 */
function digestAfter(command: Command, before: readonly Command[]): number {
  const one = new Bench();
  [...before, command].forEach((each, i) => {
    one.submit({ key: `${i}`, fingerprint: 0, command: each });
  });
  return one.machine.digest;
}

describe('no field of a command can differ without a trace, checksums aside', () => {
  const RAISE: {
    readonly [K in keyof Omit<RaiseCommand, 'type' | 'expectedRevision'>]-?: readonly unknown[];
  } = {
    dedupKey: ['other'],
    kind: ['advisory'],
    priority: ['high', 'low', 'none'],
    condition: ['x'],
    text: ['x'],
    subject: [{}, { unit: '12' }],
    cause: [cause, { ...cause, value: 141.5 }, { ...cause, limit: 139.5 }],
    latching: [true],
    resetAfterClear: [true],
    acknowledgementRequired: [true],
    labels: [{ a: 'b' }],
    acknowledgementSeconds: [1, 2],
    policy: [],
    actor: ['x'],
    observedAt: [later],
  };
  const CLEAR: {
    readonly [K in keyof Omit<ClearCommand, 'type' | 'expectedRevision'>]-?: readonly unknown[];
  } = { target: [{ id: 'A2' }, { id: 'A3' }], actor: ['x'], observedAt: [later] };
  const ACKNOWLEDGE: {
    readonly [K in keyof Omit<AcknowledgeCommand, 'type'>]-?: readonly unknown[];
  } = {
    target: [{ id: 'A2' }, { id: 'A3' }],
    activation: [2],
    note: ['', 'x'],
    actor: ['x'],
    observedAt: [later],
    expectedRevision: [0],
  };
  const opened = [raise(), raise({ dedupKey: 'second' })];

  test('raise', () => {
    const all = [raise(), ...variants(raise(), RAISE)];
    distinct(all.map((one) => digestAfter(one, [])));
  });
  test('clear', () => {
    const all = [clear(), ...variants(clear(), CLEAR)];
    distinct(all.map((one) => digestAfter(one, opened)));
  });
  test('acknowledge', () => {
    const refused = digestAfter(acknowledge({ activation: 2 }), opened);
    expect(digestAfter(acknowledge(), opened)).not.toBe(refused);
    const all = [acknowledge(), ...variants(acknowledge(), ACKNOWLEDGE)];
    distinct(all.map((one) => digestAfter(one, opened)));
  });
});

describe('a time of observation that no event tells of shows all the same', () => {
  const opened = [raise(), acknowledge()];
  test.each<readonly [string, Command, readonly Command[]]>([
    ['of a command that is refused', clear(), []],
    ['of a command that changes nothing', acknowledge(), opened],
  ])('%s', (_what, command, before) => {
    const other = { ...command, observedAt: later };
    expect(digestAfter(other, before)).not.toBe(digestAfter(command, before));
  });

  test('of a repetition, and of one that is no command any more', () => {
    const digestWith = (again: Command | undefined): number => {
      const one = new Bench();
      const first = one.submit({ key: 'k', fingerprint: 0, command: raise() });
      expect(one.submit({ key: 'k', fingerprint: 0, command: again })).toEqual(first);
      expect(one.out.events).toHaveLength(1);
      return one.machine.digest;
    };
    distinct([
      digestWith(raise()),
      digestWith(raise({ observedAt: later })),
      digestWith(undefined),
    ]);
  });
});

test('one changed submission, anywhere in a log, shows in every later digest', () => {
  fc.assert(
    fc.property(
      story,
      fc.nat(),
      fc.constantFrom('key', 'fingerprint', 'time', 'dropped'),
      (steps, at, how) => {
        const batches = write(steps, new ReferenceModel(SMALL_LIMITS));
        const total = batches.reduce((sum, batch) => sum + batch.submissions.length, 0);
        fc.pre(total > 0);
        let countdown = at % total;
        const changed = (one: Submission): Submission[] => {
          countdown -= 1;
          if (countdown !== -1) return [one];
          if (how === 'dropped') return [];
          return [altered(one, how)];
        };
        const others: Batch[] = batches.map((batch) => ({
          ...batch,
          submissions: batch.submissions.flatMap(changed),
        }));
        expect(play(others).machine.digest).not.toBe(play(batches).machine.digest);
      },
    ),
    { numRuns: 100 },
  );
});

function altered(one: Submission, how: 'key' | 'fingerprint' | 'time'): Submission {
  const { key, command } = one;
  if (how === 'key') return { ...one, key: `x${key}` };
  if (how === 'fingerprint' || command === undefined) return { ...one, fingerprint: 1.5 };
  return { ...one, command: { ...command, observedAt: unixMillis(command.observedAt + 1) } };
}
