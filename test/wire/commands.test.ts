import { crc32 } from 'node:zlib';
import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { BugError } from '../../src/base/assert.ts';
import { unixMillis } from '../../src/base/ids.ts';
import {
  COMMAND_BYTES_MAX,
  COMMANDS_PER_FRAME_MAX,
  UNIX_MILLIS_MAX,
} from '../../src/base/limits.ts';
import type { Command } from '../../src/statemachine/commands.ts';
import type { RaiseCommand } from '../../src/statemachine/types.ts';
import { encodeBody } from '../../src/wire/body.ts';
import { takesRoom, urgencyOf } from '../../src/wire/commands/admission.ts';
import {
  COMMAND_HEADER_BYTES,
  checkCommands,
  decodeSubmissions,
  encodeCommand,
  keyFromText,
  recordsOf,
} from '../../src/wire/commands/commands.ts';
import { parseCommand } from '../../src/wire/commands/parse.ts';
import { command, key } from './arbitraries.ts';
import { codeOf, copyOf, join, messageOf } from './helpers.ts';

const KEY = new Uint8Array(16).fill(9);
const OBSERVED_AT_AT = 24;
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

/** A record with any body under a header that is right. */
function recordOf(kind: number, urgency: number, body: Uint8Array): Uint8Array {
  const bytes = Buffer.alloc(COMMAND_HEADER_BYTES + body.byteLength);
  bytes.writeUInt32LE(bytes.byteLength, 0);
  bytes.set([1, kind, urgency, 0], 4);
  bytes.set(KEY, 8);
  bytes.writeBigUInt64LE(1n, OBSERVED_AT_AT);
  bytes.set(body, COMMAND_HEADER_BYTES);
  return bytes;
}

describe('command records', () => {
  test('come back as they were, with key, fingerprint and count', () => {
    fc.assert(
      fc.property(fc.array(fc.tuple(command, key), { minLength: 1, maxLength: 5 }), (pairs) => {
        const records = pairs.map(([one, itsKey]) => encodeCommand(one, itsKey));
        const body = join(records);
        const checked = checkCommands(body);
        expect(checked.count).toBe(pairs.length);
        expect(checked.urgency).toBe(Math.min(...pairs.map(([one]) => urgencyOf(one))));
        expect(checked.takesRoom).toBe(pairs.some(([one]) => takesRoom(one)));
        const found = [...recordsOf(body)];
        expect(found.map((record) => record.command)).toEqual(pairs.map(([one]) => one));
        expect(join(found.map(({ bytes }) => bytes))).toEqual(body);
        expect(decodeSubmissions(body)).toEqual(
          pairs.map(([one, itsKey], i) => ({
            key: Buffer.from(itsKey).toString('hex'),
            fingerprint: fingerprintOf(records[i] as Uint8Array),
            command: one,
          })),
        );
      }),
    );
  });

  test('are the same bytes for equal commands, however they were put together', () => {
    fc.assert(
      fc.property(command, key, (one, itsKey) => {
        const reversed = reverse(one) as Command;
        expect(reversed).toEqual(one);
        expect(encodeCommand(reversed, itsKey)).toEqual(encodeCommand(one, itsKey));
      }),
    );
  });

  test('that could be encoded were acceptable to parseCommand, and it changes nothing', () => {
    fc.assert(
      fc.property(command, (one) => {
        expect(parseCommand(one.type, one)).toEqual(one);
      }),
    );
  });

  test('changed in any bytes are refused or valid, and apply never throws over a body', () => {
    const change = fc.tuple(fc.nat(), fc.integer({ min: 0, max: 255 }));
    fc.assert(
      fc.property(command, fc.array(change, { minLength: 1, maxLength: 3 }), (one, changes) => {
        const bytes = copyOf(encodeCommand(one, KEY));
        for (const [at, byte] of changes) bytes[at % bytes.byteLength] = byte;
        const code = codeOf(() => checkCommands(bytes));
        expect(['no error', 'BODY_MALFORMED', 'BAD_REQUEST']).toContain(code);
        const kind = encodeCommand(one, KEY)[5] as number;
        const framed = recordOf(kind, 0, bytes.subarray(COMMAND_HEADER_BYTES));
        expect(decodeSubmissions(framed)).toHaveLength(1);
        if (code === 'no error')
          for (const submission of decodeSubmissions(bytes))
            expect(submission.command).toBeDefined();
      }),
      { numRuns: 500 },
    );
  });

  test('cut short anywhere are refused', () => {
    const bytes = encodeCommand(raise, KEY);
    for (let length = 0; length < bytes.byteLength; length += 1) {
      expect(codeOf(() => checkCommands(bytes.subarray(0, length)))).toBe('BODY_MALFORMED');
      if (length > 0)
        expect(codeOf(() => decodeSubmissions(bytes.subarray(0, length)))).toBe('BODY_MALFORMED');
    }
  });

  test('of no commands are no submissions, but not a request', () => {
    expect(decodeSubmissions(new Uint8Array(0))).toEqual([]);
    expect(codeOf(() => checkCommands(new Uint8Array(0)))).toBe('BODY_MALFORMED');
  });

  test('of the longest possible command fit the limit', () => {
    const wide = '心'.repeat(128);
    const labels = Object.fromEntries(
      Array.from({ length: 32 }, (_, i) => [`${wide.slice(2)}${10 + i}`, wide]),
    );
    const record = encodeCommand(
      {
        ...raise,
        dedupKey: '心'.repeat(255),
        text: '心'.repeat(1024),
        actor: wide,
        condition: wide,
        subject: { unit: wide, bed: wide, patient: wide, device: wide },
        cause: { metric: wide, value: 0.1, unit: wide, limit: 0.1, rule: wide },
        labels,
      },
      KEY,
    );
    expect(record.byteLength).toBeLessThan(COMMAND_BYTES_MAX);
    expect(checkCommands(record).count).toBe(1);
  });

  test('of more commands than a frame may hold are refused', () => {
    const one = encodeCommand({ ...raise, text: '' }, KEY);
    const many = Array.from({ length: COMMANDS_PER_FRAME_MAX }, () => one);
    expect(checkCommands(join(many)).count).toBe(COMMANDS_PER_FRAME_MAX);
    const tooMany = messageOf(() => checkCommands(join([...many, one])));
    expect(tooMany).toContain(`more than ${COMMANDS_PER_FRAME_MAX} `);
  });
});

describe('the time of observation', () => {
  const withTime = (time: bigint): Buffer => {
    const record = Buffer.from(encodeCommand(raise, KEY));
    record.writeBigUInt64LE(time, OBSERVED_AT_AT);
    return record;
  };

  test.each([0n, 1n, 2n ** 32n - 1n, 2n ** 32n, BigInt(UNIX_MILLIS_MAX)])(
    '%d is read from the header',
    (time) => {
      expect(checkCommands(withTime(time)).count).toBe(1);
      expect(decodeSubmissions(withTime(time))[0]?.command).toEqual({
        ...raise,
        observedAt: Number(time),
      });
    },
  );

  test.each([BigInt(UNIX_MILLIS_MAX) + 1n, 2n ** 53n - 1n, 2n ** 53n, 2n ** 63n, 2n ** 64n - 1n])(
    '%d is one no Date can hold: refused by name, and no command in the log',
    (time) => {
      const record = withTime(time);
      expect(codeOf(() => checkCommands(record))).toBe('BAD_REQUEST');
      expect(messageOf(() => checkCommands(record))).toMatch(/^observedAt: must be from 0 to/);
      const [submission] = decodeSubmissions(record);
      expect(submission?.command).toBeUndefined();
      expect(submission?.fingerprint).toBe(fingerprintOf(record));
    },
  );

  test('that is no whole number from 0 on is a bug of who encodes it', () => {
    for (const time of [-1, 0.5, Number.NaN, 2 ** 53])
      expect(() => encodeCommand({ ...raise, observedAt: unixMillis(time) }, KEY)).toThrow(
        BugError,
      );
  });
});

describe('a key from text', () => {
  test('is the beginning of its SHA-256', () => {
    const abc = Buffer.from(keyFromText('abc')).toString('hex');
    expect(abc).toBe('ba7816bf8f01cfea414140de5dae2223');
    expect(keyFromText('')).toHaveLength(16);
  });
});

describe('urgency', () => {
  test.each([
    ['high', 0],
    ['medium', 1],
    ['low', 1],
    ['none', 2],
  ] as const)('of a raise of priority %s is %i', (priority, urgency) => {
    expect(urgencyOf({ ...raise, priority })).toBe(urgency);
    expect(encodeCommand({ ...raise, priority }, KEY)[6]).toBe(urgency);
  });

  test('that a client claims but its command does not have is refused', () => {
    const record = copyOf(encodeCommand({ ...raise, priority: 'none' }, KEY));
    record[6] = 0;
    expect(messageOf(() => checkCommands(record))).toMatch(/urgency/);
  });
});

describe('refused with the name of the field:', () => {
  const good = { by: 'n', key: 'k', kind: 0, prio: 1, code: 'c', text: '' };
  const refused = (name: string, kind: number, body: unknown, why: RegExp): void =>
    test(name, () => {
      const record = recordOf(kind, kind === 1 ? 1 : 0, encodeBody(body));
      expect(codeOf(() => checkCommands(record))).toBe('BAD_REQUEST');
      expect(messageOf(() => checkCommands(record))).toMatch(why);
      expect(decodeSubmissions(record)[0]?.command).toBeUndefined();
    });

  test('(the body from which the others are made is right)', () => {
    expect(checkCommands(recordOf(1, 1, encodeBody(good))).count).toBe(1);
  });
  refused('not a map', 1, [1], /raise: must be an object/);
  refused('nil', 1, null, /raise: must be an object/);
  refused('no actor', 2, { id: 'A1' }, /actor: must be a text/);
  refused('an unknown field', 1, { ...good, urgent: true }, /unknown field "urgent"/);
  refused('a field of another kind', 2, { by: 'n', id: 'A1', note: 'x' }, /unknown field/);
  refused('an empty actor', 1, { ...good, by: '' }, /actor: must not be empty/);
  refused('a time in the body', 1, { ...good, at: 1 }, /unknown field "at"/);
  refused('an empty dedup key', 1, { ...good, key: '' }, /dedupKey/);
  refused('a dedup key of 256', 1, { ...good, key: 'x'.repeat(256) }, /dedupKey.*255/);
  refused('a line feed in a key', 1, { ...good, key: 'a\nb' }, /dedupKey.*control/);
  refused('DEL in a key', 1, { ...good, key: 'a\x7fb' }, /dedupKey.*control/);
  refused('C1 in a key', 1, { ...good, key: 'a\x85b' }, /dedupKey.*control/);
  refused('a kind nobody knows', 1, { ...good, kind: 3 }, /kind: must be one of phys/);
  refused('a kind by name', 1, { ...good, kind: 'technical' }, /kind/);
  refused('a priority nobody knows', 1, { ...good, prio: -1 }, /priority/);
  refused('half a priority', 1, { ...good, prio: 0.5 }, /priority/);
  refused('a nul in a text', 1, { ...good, text: 'a\0b' }, /text.*control/);
  refused('an escape in a text', 1, { ...good, text: '\x1b[2J' }, /text.*control/);
  refused('a carriage return in a text', 1, { ...good, text: 'a\rb' }, /text.*control/);
  refused('a text of 1025', 1, { ...good, text: 'x'.repeat(1025) }, /text.*1024/);
  refused('an unknown field of a subject', 1, { ...good, subj: { name: 'x' } }, /subject/);
  refused('a subject that is a text', 1, { ...good, subj: 'bed' }, /subject/);
  refused('an empty bed', 1, { ...good, subj: { bed: '' } }, /subject\.bed/);
  refused('a cause without a value', 1, { ...good, cause: { metric: 'hr' } }, /cause\.value/);
  refused(
    'a limit that is nil',
    1,
    { ...good, cause: { metric: 'hr', value: 1, limit: null } },
    /cause\.limit/,
  );
  refused('latching said to be false', 1, { ...good, latch: false }, /latching/);
  refused('latching 1', 1, { ...good, latch: 1 }, /latching/);
  refused(
    '33 labels',
    1,
    { ...good, tags: Object.fromEntries(Array.from({ length: 33 }, (_, i) => [`l${i}`, ''])) },
    /labels/,
  );
  refused('a label that is a number', 1, { ...good, tags: { a: 1 } }, /labels\.a/);
  refused('a label without a name', 1, { ...good, tags: { '': 'x' } }, /labels/);
  refused('a negative revision', 1, { ...good, rev: -1 }, /expectedRevision/);
  refused('a revision beyond 2⁵³', 1, { ...good, rev: 2 ** 60 }, /expectedRevision/);
  refused('a clear without a target', 2, { by: 'n' }, /target/);
  refused('a clear with two targets', 2, { by: 'n', id: 'A1', key: 'k' }, /target/);
  refused('alert 0', 2, { by: 'n', id: 'A0' }, /id/);
  refused('an alert with a zero in front', 2, { by: 'n', id: 'A01' }, /id/);
  refused('an alert in powers', 2, { by: 'n', id: 'A1e3' }, /id/);
  refused('an alert with a blank', 2, { by: 'n', id: 'A 1' }, /id/);
  refused('an alert beyond 2⁵³', 2, { by: 'n', id: 'A9007199254740993' }, /id/);
  refused('an alert of another letter', 2, { by: 'n', id: 'B1' }, /id/);
  refused('activation 0', 3, { by: 'n', id: 'A1', act: 0 }, /activation/);
  refused('activation 2³²', 3, { by: 'n', id: 'A1', act: 2 ** 32 }, /activation/);
});

describe('refused as malformed:', () => {
  const good = encodeCommand(raise, KEY);
  const refused = (name: string, alter: (record: Buffer) => void, why: RegExp): void =>
    test(name, () => {
      const record = Buffer.from(good);
      alter(record);
      expect(codeOf(() => checkCommands(record))).toBe('BODY_MALFORMED');
      expect(messageOf(() => checkCommands(record))).toMatch(why);
    });

  refused('a length of 0', (r) => r.writeUInt32LE(0, 0), /length 0/);
  refused('a length of the header alone', (r) => r.writeUInt32LE(32, 0), /length 32/);
  refused('a length over what is there', (r) => r.writeUInt32LE(r.byteLength + 1, 0), /left/);
  refused('a length over the limit', (r) => r.writeUInt32LE(0xffffffff, 0), /length 4294967295/);
  refused('a later version', (r) => r.writeUInt8(2, 4), /version 2/);
  refused('kind 0', (r) => r.writeUInt8(0, 5), /kind 0/);
  refused('kind 200', (r) => r.writeUInt8(200, 5), /kind 200/);
  refused('a flag', (r) => r.writeUInt8(2, 7), /flags 2/);
  refused('a place that is none', (r) => r.fill(0, 8, 24).writeUInt8(1, 7), /no place/);
});

describe('parseCommand', () => {
  const refused = (name: string, type: Command['type'], value: unknown, why: RegExp): void =>
    test(`refuses ${name}`, () => {
      expect(codeOf(() => parseCommand(type, value))).toBe('BAD_REQUEST');
      expect(messageOf(() => parseCommand(type, value))).toMatch(why);
    });

  test('takes what JSON brings, with what may be left out left out', () => {
    const { subject, latching, acknowledgementRequired, ...least } = raise;
    const parsed = parseCommand('raise', JSON.parse(JSON.stringify(least)));
    expect(parsed).toEqual({
      ...least,
      subject: {},
      latching: false,
      acknowledgementRequired: false,
    });
    expect([subject, latching, acknowledgementRequired]).toHaveLength(3);
  });

  refused('undefined', 'raise', undefined, /raise/);
  refused('an array', 'raise', [], /raise/);
  refused('a command of another type', 'raise', { ...raise, type: 'clear' }, /type/);
  refused('a field by its wire name', 'raise', { ...raise, prio: 1 }, /unknown field "prio"/);
  refused('half a surrogate pair', 'raise', { ...raise, text: 'a\ud800' }, /surrogate/);
  refused('the other half', 'raise', { ...raise, text: '\udc00a' }, /surrogate/);
  refused('half a pair in a name', 'raise', { ...raise, actor: '\ud800\ud800' }, /surrogate/);
  refused('NaN', 'raise', { ...raise, cause: { metric: 'hr', value: Number.NaN } }, /cause.value/);
  refused(
    'a label __proto__',
    'raise',
    JSON.parse(
      '{"actor":"a","observedAt":1,"dedupKey":"k","kind":"technical","priority":"low","condition":"c","text":"","labels":{"__proto__":"x"}}',
    ),
    /labels/,
  );
  refused(
    'a target by both',
    'clear',
    { actor: 'a', observedAt: 1, target: { id: 'A1', dedupKey: 'k' } },
    /target/,
  );
  refused('an empty cause', 'raise', { ...raise, cause: {} }, /cause\.metric/);
});

function fingerprintOf(record: Uint8Array): number {
  return crc32(Buffer.concat([record.subarray(5, 6), record.subarray(COMMAND_HEADER_BYTES)]));
}

/** The same value with the fields of every object in the opposite order. */
function reverse(value: unknown): unknown {
  if (typeof value !== 'object' || value === null || Array.isArray(value)) return value;
  return Object.fromEntries(
    Object.entries(value)
      .reverse()
      .map(([name, inner]) => [name, reverse(inner)]),
  );
}

test('a command that says too much is refused before it is sent', () => {
  const present = Array.from({ length: 256 }, (_, at) => `${at}`.padStart(255, 'x'));
  const heartbeat: Command = {
    type: 'heartbeat',
    actor: 'mon-3',
    observedAt: unixMillis(1),
    source: 'mon-3',
    leaseSeconds: 10,
    present,
  };
  const encode = (): unknown => encodeCommand(heartbeat, new Uint8Array(16));
  expect(encode).toThrow(expect.objectContaining({ code: 'BAD_REQUEST' }));
});
