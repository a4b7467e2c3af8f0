import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { type Code, MEANING, TocsinError } from '../../src/base/errors.ts';
import { groupId } from '../../src/base/ids.ts';
import {
  COMMANDS_PER_FRAME_MAX,
  GETS_PER_FRAME_MAX,
  HANDSHAKE_FRAME_BYTES_MAX,
  LIST_PAGE_MAX,
  REQUEST_MS_MAX,
} from '../../src/base/limits.ts';
import { encodeBody } from '../../src/wire/body.ts';
import {
  decodeEmpty,
  decodeFail,
  decodeGet,
  decodeList,
  decodeSubmit,
  decodeWatch,
  encodeFail,
  encodeGet,
  encodeList,
  encodeSubmit,
  encodeWatch,
} from '../../src/wire/clients/client-messages.ts';
import { urgencyOf } from '../../src/wire/commands/admission.ts';
import { encodeCommand } from '../../src/wire/commands/commands.ts';
import { FrameType, frameHeader } from '../../src/wire/frame.ts';
import { alertId, aRevision, command, filter, key, ref, text } from './arbitraries.ts';
import { codeOf, join, messageOf, shares } from './helpers.ts';

const consistency = fc.constantFrom('linearizable' as const, 'local' as const);
const CODES = Object.keys(MEANING) as Code[];

describe('SUBMIT', () => {
  test('gives the commands back as a piece of the body', () => {
    const timeout = fc.integer({ min: 1, max: REQUEST_MS_MAX });
    const pairs = fc.array(fc.tuple(command, key), { minLength: 1, maxLength: 4 });
    fc.assert(
      fc.property(timeout, pairs, (timeoutMs, commands) => {
        const records = commands.map(([one, itsKey]) => encodeCommand(one, itsKey));
        const parts = encodeSubmit(timeoutMs, records);
        for (const [i, record] of records.entries()) expect(parts[i + 1]).toBe(record);
        const body = join(parts);
        const read = decodeSubmit(body);
        expect(read.timeoutMs).toBe(timeoutMs);
        expect(read.count).toBe(commands.length);
        expect(read.urgency).toBe(Math.min(...commands.map(([one]) => urgencyOf(one))));
        expect(Buffer.compare(read.commands, join(records))).toBe(0);
        expect(shares(read.commands, body)).toBe(true);
      }),
    );
  });

  const one = encodeCommand(
    { type: 'clear', actor: 'a', observedAt: 1 as never, target: { id: 'A1' } },
    new Uint8Array(16),
  );
  const submit = (timeoutMs: number, count: number, ...records: Uint8Array[]): Uint8Array => {
    const header = Buffer.alloc(8);
    header.writeUInt32LE(timeoutMs, 0);
    header.writeUInt32LE(count, 4);
    return join([header, ...records]);
  };
  test.each([
    ['nothing', new Uint8Array(0), 'BODY_MALFORMED'],
    ['half a header', new Uint8Array(7), 'BODY_MALFORMED'],
    ['no time', submit(0, 1, one), 'BAD_REQUEST'],
    ['too much time', submit(REQUEST_MS_MAX + 1, 1, one), 'BAD_REQUEST'],
    ['no commands', submit(1, 0), 'BODY_MALFORMED'],
    ['fewer commands than announced', submit(1, 2, one), 'BODY_MALFORMED'],
    ['more commands than announced', submit(1, 1, one, one), 'BODY_MALFORMED'],
    ['a byte more', submit(1, 1, one, new Uint8Array(1)), 'BODY_MALFORMED'],
    ['too many announced', submit(1, COMMANDS_PER_FRAME_MAX + 1, one), 'BODY_MALFORMED'],
  ])('with %s is refused', (_what, body, code) => {
    expect(codeOf(() => decodeSubmit(body))).toBe(code);
  });

  test('of nothing, of too much or for no time is a bug of the sender', () => {
    expect(() => encodeSubmit(1, [])).toThrow(/nothing/);
    expect(() => encodeSubmit(0, [one])).toThrow(/timeout/);
    const many = Array.from({ length: COMMANDS_PER_FRAME_MAX + 1 }, () => one);
    expect(() => encodeSubmit(1, many)).toThrow(/over/);
  });
});

describe('requests come back as they were:', () => {
  test('GET', () => {
    fc.assert(
      fc.property(fc.array(ref, { minLength: 1, maxLength: 9 }), consistency, (refs, level) => {
        const request = { refs, consistency: level };
        expect(decodeGet(encodeGet(request))).toEqual(request);
      }),
    );
  });

  test('LIST', () => {
    const limit = fc.integer({ min: 1, max: LIST_PAGE_MAX });
    const after = fc.option(alertId, { nil: undefined });
    fc.assert(
      fc.property(
        filter,
        consistency,
        limit,
        after,
        aRevision,
        (itsFilter, level, most, from, at) => {
          const place = from === undefined ? { after: from } : { after: from, at };
          const request = { filter: itsFilter, consistency: level, limit: most, ...place };
          expect(decodeList(encodeList(request))).toEqual(request);
        },
      ),
    );
  });

  test('WATCH', () => {
    const from = fc.option(
      aRevision.filter((revision) => revision > 0),
      { nil: undefined },
    );
    fc.assert(
      fc.property(from, fc.option(filter, { nil: undefined }), (first, itsFilter) => {
        const request = { from: first, filter: itsFilter };
        expect(decodeWatch(encodeWatch(request))).toEqual(request);
      }),
    );
  });

  test('a filter whose fields are there but undefined is a filter without them', () => {
    const sparse = { open: true, unit: undefined } as never;
    expect(decodeWatch(encodeWatch({ from: undefined, filter: sparse })).filter).toEqual({
      open: true,
    });
  });
});

describe('requests that are refused with the name of the field:', () => {
  const refused = (name: string, run: () => unknown, why: RegExp): void =>
    test(name, () => {
      expect(codeOf(run)).toBe('BAD_REQUEST');
      expect(messageOf(run)).toMatch(why);
    });
  const get = (value: unknown) => () => decodeGet(encodeBody(value));
  const list = (value: object) => () =>
    decodeList(encodeBody({ filter: {}, consistency: 'local', limit: 1, ...value }));
  const watch = (value: unknown) => () => decodeWatch(encodeBody(value));

  const many = Array.from({ length: GETS_PER_FRAME_MAX + 1 }, () => 1);
  refused('GET without alerts', get({ consistency: 'local' }), /refs/);
  refused('GET of none', get({ refs: [], consistency: 'local' }), /refs.*one at least/);
  refused('GET of too many', get({ refs: many, consistency: 'local' }), /refs/);
  refused('GET of the alert 0', get({ refs: [0], consistency: 'local' }), /refs/);
  refused('GET of half an alert', get({ refs: [1.5], consistency: 'local' }), /refs/);
  refused('GET of an empty key', get({ refs: [''], consistency: 'local' }), /refs/);
  refused('GET of a map', get({ refs: [{ id: 'A1' }], consistency: 'local' }), /refs/);
  refused('GET without a level', get({ refs: [1] }), /consistency/);
  refused('GET of an unknown level', get({ refs: [1], consistency: 'x' }), /consistency/);
  refused('GET with more', get({ refs: [1], consistency: 'local', x: 1 }), /"x"/);
  refused('LIST of none', list({ limit: 0 }), /limit/);
  refused('LIST of too many', list({ limit: LIST_PAGE_MAX + 1 }), /limit/);
  refused('LIST of half', list({ limit: 0.5 }), /limit/);
  refused('LIST after nonsense', list({ after: 7 }), /after/);
  refused('LIST by an unknown field', list({ filter: { ward: 'x' } }), /filter.*"ward"/);
  refused('LIST by an unknown state', list({ filter: { states: ['OPEN'] } }), /states/);
  refused('LIST by states that are no list', list({ filter: { states: 'LATCHED' } }), /states/);
  refused(
    'LIST of a time that ends before it begins',
    list({ filter: { raisedFrom: 7, raisedUntil: 6 } }),
    /raisedUntil.*after raisedFrom/,
  );
  refused(
    'LIST of no time at all',
    list({ filter: { raisedFrom: 7, raisedUntil: 7 } }),
    /raisedUntil.*after raisedFrom/,
  );
  refused(
    'LIST of what was raised before all time',
    list({ filter: { raisedUntil: 0 } }),
    /raisedUntil/,
  );
  refused(
    'LIST by the same kind twice',
    list({ filter: { kinds: ['technical', 'technical'] } }),
    /kinds.*twice/,
  );
  refused(
    'LIST by many kinds',
    list({ filter: { kinds: Array.from({ length: 99 }, () => 'technical') } }),
    /kinds/,
  );
  refused('LIST by open 1', list({ filter: { open: 1 } }), /open/);
  refused('LIST by an empty bed', list({ filter: { bed: '' } }), /bed/);
  refused('WATCH from 0', watch({ from: 0 }), /from/);
  refused('WATCH that is no map', watch([]), /watch/);
  refused('WATCH with a nil filter', watch({ filter: null }), /filter/);

  test('(requests that are not MessagePack are malformed)', () => {
    for (const decode of [decodeGet, decodeList, decodeWatch])
      for (const body of [new Uint8Array(0), Buffer.from('ffff', 'hex'), Buffer.from('c1', 'hex')])
        expect(codeOf(() => decode(body))).toMatch(/BODY_MALFORMED/);
  });
});

describe('FAIL', () => {
  test('tells code, message and leader', () => {
    const leader = fc.constantFrom(undefined, '/ip4/10.0.0.1/tcp/7400');
    fc.assert(
      fc.property(fc.constantFrom(...CODES), text, leader, (code, itsMessage, address) => {
        const error = new TocsinError(code, itsMessage, { leader: address });
        const read = decodeFail(encodeFail(error));
        expect([read.code, read.message, read.leader]).toEqual([code, itsMessage, address]);
        expect(TocsinError.is(read)).toBe(true);
      }),
    );
  });

  test('of any message at all can be sent, and fits a frame of the handshake', () => {
    const units = fc.uint16Array({ maxLength: 1_200 });
    const anyText = units.map((all) => String.fromCharCode(...all));
    fc.assert(
      fc.property(anyText, (itsMessage) => {
        const leader = `/dns/${'x'.repeat(507)}`;
        const body = encodeFail(new TocsinError('NOT_LEADER', itsMessage, { leader }));
        const frame = [frameHeader(FrameType.REFUSE, groupId(0), 0, [body]), body];
        expect(join(frame).byteLength).toBeLessThanOrEqual(HANDSHAKE_FRAME_BYTES_MAX);
        expect(decodeFail(body).message.length).toBeLessThanOrEqual(1024);
      }),
    );
    const longest = encodeFail(new TocsinError('DATA_OTHER_CLUSTER', '心'.repeat(5_000)));
    expect(longest.byteLength + 512).toBeLessThanOrEqual(HANDSHAKE_FRAME_BYTES_MAX);
  });

  test('cleans what may not stand in a text and keeps the rest', () => {
    const dirty = new TocsinError('BAD_REQUEST', 'a\0b\ud800c\r\n\td🫀');
    expect(decodeFail(encodeFail(dirty)).message).toBe('a b\ufffdc \n\td🫀');
  });

  test('leaves out a leader whose address cannot be one', () => {
    for (const leader of ['', 'x'.repeat(513), '/ip4/１', 'a b', '/ip4/\n'])
      expect(
        decodeFail(encodeFail(new TocsinError('NOT_LEADER', '', { leader }))).leader,
      ).toBeUndefined();
  });

  test.each([
    ['no map', 7],
    ['an unknown code', { code: 'NO_SUCH', message: '' }],
    ['a code of every object', { code: 'toString', message: '' }],
    ['no message', { code: 'CLOSED' }],
    ['a leader that is a number', { code: 'NOT_LEADER', message: '', leader: 1 }],
    ['an empty leader', { code: 'NOT_LEADER', message: '', leader: '' }],
  ])('with %s is malformed', (_what, value) => {
    expect(codeOf(() => decodeFail(encodeBody(value)))).toBe('BODY_MALFORMED');
  });

  test('with a field of a later version is read without it', () => {
    const body = encodeBody({ code: 'CLOSED', message: 'bye', later: [1, 2] });
    expect(decodeFail(body).message).toBe('bye');
  });
});

test('STATUS, CANCEL, PING and PONG have no body', () => {
  expect(() => decodeEmpty(new Uint8Array(0))).not.toThrow();
  expect(codeOf(() => decodeEmpty(new Uint8Array(1)))).toBe('BODY_MALFORMED');
});
