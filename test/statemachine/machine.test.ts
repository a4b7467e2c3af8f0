import { describe, expect, test } from 'vitest';
import { BugError } from '../../src/base/assert.ts';
import { logIndex, revision, unixMillis } from '../../src/base/ids.ts';
import type { Submission } from '../../src/statemachine/commands.ts';
import { AlertMachine } from '../../src/statemachine/machine.ts';
import { isDone, type Reply } from '../../src/statemachine/types.ts';
import { acknowledge, Bench, clear, raise } from './commands.ts';
import { submit } from './stories.ts';

const codeOf = (reply: Reply): string => (reply.ok ? reply.effect : reply.code);

describe('one life of an alert', () => {
  test('a raise, a repetition, an acknowledgement and the end leave the record one expects', () => {
    const bench = new Bench();
    const cause = { metric: 'HR', value: 141.5, unit: '/min', limit: 140, rule: 'hr-high@1' };
    bench.done(raise({ labels: { team: 'red' }, latching: true }));
    bench.done(raise({ cause, text: 'Heart rate 141', observedAt: unixMillis(7) }));
    bench.done(acknowledge({ note: 'on my way', activation: 1 }));
    const end = bench.done(clear({ observedAt: unixMillis(8) }));

    expect(bench.alert(end)).toStrictEqual({
      id: 'A1',
      dedupKey: 'phys:p7:mon42:HR:HI',
      occurrence: 1,
      previous: undefined,
      activation: 1,
      activatedAt: 1,
      flaps: 0,
      kind: 'physiological',
      basePriority: 'medium',
      priority: 'medium',
      condition: 'HR:HI',
      text: 'Heart rate 141',
      subject: { unit: 'icu-2', bed: '12', patient: 'p7', device: 'mon42' },
      cause,
      labels: { team: 'red' },
      presence: 'cleared',
      acknowledged: true,
      acknowledgements: [{ by: 'nurse-1', at: 3_000, activation: 1, note: 'on my way' }],
      acknowledgementSeconds: undefined,
      acknowledgedUntil: undefined,
      escalation: undefined,
      responsibility: undefined,
      pausedUntil: undefined,
      staleSince: undefined,
      latching: true,
      resetAfterClear: false,
      acknowledgementRequired: false,
      resolution: { how: 'auto', by: 'mon42', at: 4_000 },
      count: 2,
      raisedAt: 1_000,
      lastSeenAt: 2_000,
      clearedAt: 4_000,
      observedAt: 8,
      version: 4,
      revision: 4,
    });
    expect(end).toStrictEqual({
      ok: true,
      effect: 'cleared',
      alertId: 'A1',
      activation: 1,
      revision: 4,
      state: 'RESOLVED',
    });
  });

  test('goes as the README walks through it', () => {
    const bench = new Bench();
    const walk = [
      bench.do(raise({ latching: true })),
      bench.do(raise({ latching: true })),
      bench.do(raise({ latching: true, priority: 'high' })),
      bench.do(acknowledge({ activation: 1 })),
      bench.do(acknowledge({ activation: 2 })),
      bench.do(clear()),
      bench.do(raise({ latching: true })),
    ];
    expect(
      walk.map((one) =>
        isDone(one) ? `${one.alertId} ${one.effect} ${one.state}` : one.ok || one.code,
      ),
    ).toEqual([
      'A1 raised ACTIVE_UNACK',
      'A1 continued ACTIVE_UNACK',
      'A1 escalated ACTIVE_UNACK',
      'ACTIVATION_MISMATCH',
      'A1 acknowledged ACTIVE_ACK',
      'A1 cleared RESOLVED',
      'A6 raised ACTIVE_UNACK',
    ]);
    expect(bench.machine.get({ id: 'A6' })).toMatchObject({ occurrence: 2, previous: 'A1' });
  });

  test('an occurrence keeps the identity of its first raise', () => {
    const bench = new Bench();
    const first = bench.alert(bench.done(raise()));
    const again = bench.alert(
      bench.done(
        raise({
          kind: 'technical',
          condition: 'OTHER',
          subject: { bed: '99' },
          labels: { other: 'yes' },
          latching: true,
          acknowledgementRequired: true,
        }),
      ),
    );
    const { kind, condition, subject, labels, latching, acknowledgementRequired } = first;
    expect(again).toMatchObject({
      kind,
      condition,
      subject,
      labels,
      latching,
      acknowledgementRequired,
    });
  });

  test('the next occurrence links to the one before and begins afresh', () => {
    const bench = new Bench();
    bench.done(raise({ priority: 'high' }));
    bench.done(acknowledge());
    bench.done(clear());
    const next = bench.alert(bench.done(raise({ priority: 'low' })));
    expect(next).toMatchObject({ id: 'A4', occurrence: 2, previous: 'A1', activation: 1 });
    expect(next).toMatchObject({ basePriority: 'low', count: 1, acknowledgements: [], version: 1 });
    expect(bench.machine.get({ dedupKey: next.dedupKey })).toBe(next);
  });

  test('a new activation needs a new acknowledgement; the old ones stay on record', () => {
    const bench = new Bench();
    bench.done(raise({ priority: 'low' }));
    bench.done(acknowledge({ activation: 1 }));
    bench.done(raise({ priority: 'high' }));
    expect(codeOf(bench.do(acknowledge({ activation: 1 })))).toBe('ACTIVATION_MISMATCH');
    const alert = bench.alert(bench.done(acknowledge({ activation: 2 })));
    expect(alert.acknowledgements.map((one) => [one.by, one.activation])).toEqual([
      ['nurse-1', 1],
      ['nurse-1', 2],
    ]);
    expect(alert).toMatchObject({ basePriority: 'low', priority: 'high' });
  });

  test('a raise without a cause takes the old cause away', () => {
    const bench = new Bench();
    bench.done(raise({ cause: { metric: 'HR', value: 150 } }));
    expect(bench.alert(bench.done(raise())).cause).toBeUndefined();
  });

  test('an alert that is present again is not said to have been cleared', () => {
    const bench = new Bench();
    bench.done(raise({ latching: true }));
    expect(bench.alert(bench.done(clear())).clearedAt).toBe(2_000);
    expect(bench.alert(bench.done(raise())).clearedAt).toBeUndefined();
  });
});

describe('expectedRevision', () => {
  const none = new Bench();
  const open = (): Bench => {
    const bench = new Bench();
    bench.done(raise());
    return bench;
  };
  const at = (n: number) => ({ expectedRevision: revision(n) });

  test.each([
    ['raise, none open, 0', none, raise(at(0)), 'raised'],
    ['raise, none open, 1', new Bench(), raise(at(1)), 'REVISION_MISMATCH'],
    ['raise, open at 1, 1', open(), raise(at(1)), 'continued'],
    ['raise, open at 1, 0', open(), raise(at(0)), 'REVISION_MISMATCH'],
    ['raise, open at 1, 2', open(), raise(at(2)), 'REVISION_MISMATCH'],
    ['clear, none open, 0', new Bench(), clear(at(0)), 'ALERT_NOT_FOUND'],
    ['clear, open at 1, 1', open(), clear(at(1)), 'cleared'],
    ['clear, open at 1, 2', open(), clear(at(2)), 'REVISION_MISMATCH'],
    ['acknowledge, open at 1, 1', open(), acknowledge(at(1)), 'acknowledged'],
    ['acknowledge, open at 1, 0', open(), acknowledge(at(0)), 'REVISION_MISMATCH'],
    [
      'acknowledge, both guards wrong: the revision speaks first',
      open(),
      acknowledge({ ...at(9), activation: 9 }),
      'REVISION_MISMATCH',
    ],
  ] as const)('%s', (_case, bench, command, expected) => {
    expect(codeOf(bench.do(command))).toBe(expected);
  });

  test('is checked even when the command would change nothing', () => {
    const bench = open();
    bench.done(acknowledge());
    expect(codeOf(bench.do(acknowledge()))).toBe('unchanged');
    expect(codeOf(bench.do(acknowledge(at(1))))).toBe('REVISION_MISMATCH');
  });

  test('of a resolved alert does not hide that it is resolved', () => {
    const bench = open();
    bench.done(clear());
    expect(codeOf(bench.do(clear({ target: { id: 'A1' }, ...at(1) })))).toBe('ALREADY_RESOLVED');
  });
});

describe('references that name nothing are refused, whatever they look like', () => {
  test.each([
    'A0',
    'A2',
    'A01',
    'A1.0',
    'A1e0',
    'A-1',
    'A+1',
    'A 1',
    'A',
    '',
    '1',
    'B1',
    'A0x1',
    'A9007199254740993',
    'ANaN',
    'A1 ',
  ])('id %j', (id) => {
    const bench = new Bench();
    bench.done(raise());
    const target = { id: id as 'A1' };
    expect(codeOf(bench.do(clear({ target })))).toBe('ALERT_NOT_FOUND');
    expect(codeOf(bench.do(acknowledge({ target })))).toBe('ALERT_NOT_FOUND');
    expect(bench.machine.get(target)).toBeUndefined();
  });

  test.each(['', '__proto__', 'constructor', '\u{1f6a8}', '\ud800'])(
    'dedup key %j is a name like any other',
    (dedupKey) => {
      const bench = new Bench();
      expect(codeOf(bench.do(clear({ target: { dedupKey } })))).toBe('ALERT_NOT_FOUND');
      expect(codeOf(bench.do(raise({ dedupKey })))).toBe('raised');
      expect(codeOf(bench.do(clear({ target: { dedupKey } })))).toBe('cleared');
    },
  );
});

describe('idempotency', () => {
  const first = submit('k'.repeat(32), raise());
  const other: Submission = { ...first, fingerprint: first.fingerprint + 1 };

  test('the same key and command get the first reply, though the alert has moved on', () => {
    const bench = new Bench();
    const reply = bench.submit(first);
    bench.done(clear());
    expect(bench.submit(first)).toStrictEqual(reply);
    expect(bench.machine.openCount).toBe(0);
    expect(bench.machine.revision).toBe(2);
  });

  test('a refusal is repeated too, though the command could be done by now', () => {
    const bench = new Bench();
    const early = submit('e'.repeat(32), clear());
    const reply = bench.submit(early);
    bench.done(raise());
    expect(bench.submit(early)).toBe(reply);
    expect(codeOf(reply)).toBe('ALERT_NOT_FOUND');
    expect(bench.machine.openCount).toBe(1);
  });

  test('another command under a used key is refused, and the first reply stays', () => {
    const bench = new Bench();
    const reply = bench.submit(first);
    expect(codeOf(bench.submit(other))).toBe('KEY_REUSED');
    expect(bench.submit(first)).toStrictEqual(reply);
  });

  test('a malformed command is refused, and holds its key', () => {
    const bench = new Bench();
    const malformed: Submission = { ...first, command: undefined };
    const reply = bench.submit(malformed);
    expect(codeOf(reply)).toBe('BAD_REQUEST');
    expect(bench.submit(first)).toStrictEqual(reply);
    expect(codeOf(bench.submit(other))).toBe('KEY_REUSED');
  });

  test('twice in one entry is still once', () => {
    const machine = new AlertMachine();
    const out = { replies: [], events: [] };
    const submissions = [first, first, other, first];
    machine.apply({ index: logIndex(1), time: unixMillis(5), submissions }, out);
    expect(out.replies.map(codeOf)).toEqual(['raised', 'raised', 'KEY_REUSED', 'raised']);
    expect(out.events).toHaveLength(1);
  });
});

describe('the log', () => {
  const entry = (index: number, time: number) => ({
    index: logIndex(index),
    time: unixMillis(time),
    submissions: [],
  });
  const out = { replies: [], events: [] };

  test('may leave out indexes, and never goes back', () => {
    const machine = new AlertMachine();
    machine.apply(entry(3, 10), out);
    machine.apply(entry(5, 20), out);
    expect([machine.applied, machine.time]).toEqual([5, 20]);
    expect(() => machine.apply(entry(5, 30), out)).toThrow('entry 5 after entry 5');
    expect(() => machine.apply(entry(4, 30), out)).toThrow(BugError);
    expect([machine.applied, machine.time]).toEqual([5, 20]);
  });

  test('has a time that a lower stamp does not turn back', () => {
    const bench = new Bench();
    bench.machine.apply(entry(1, 1_000_000), out);
    expect(bench.alert(bench.done(raise())).raisedAt).toBe(1_000_000);
    expect(bench.machine.time).toBe(1_000_000);
  });

  test('leaves no trace in the digest by entries without commands', () => {
    const machine = new AlertMachine();
    machine.apply(entry(1, 1), out);
    machine.apply(entry(2, 2), out);
    expect(machine.digest).toBe(new AlertMachine().digest);
  });
});

test.each([
  [{ acknowledgementsMax: 2 }, 'acknowledgementsMax 2'],
  [{ resolvedAlertsMax: 5, dedupKeysRememberedMax: 4 }, 'remembers 4 keys'],
  [{ repliesMax: 0 }, 'bound of 0'],
  [{ listScanMax: 0 }, 'listScanMax 0'],
])('limits that cannot work are a bug: %j', (limits, message) => {
  expect(() => new AlertMachine(limits)).toThrow(message);
});
