import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { logIndex, replicaId, revision, term } from '../../src/base/ids.ts';
import {
  COMMANDS_PER_FRAME_MAX,
  FRAME_BYTES_MAX,
  PAGE_BYTES_MAX,
  REFUSAL_CHARS_MAX,
} from '../../src/base/limits.ts';
import type { WatchMessage } from '../../src/statemachine/alert-api.ts';
import type { Alert, AlertEvent, Reply } from '../../src/statemachine/types.ts';
import { encodeBody } from '../../src/wire/body.ts';
import {
  decodeListAnswer,
  decodeStatusAnswer,
  encodeListAnswer,
  encodeStatusAnswer,
} from '../../src/wire/clients/answers.ts';
import { decodeHistoryAnswer, encodeHistoryAnswer } from '../../src/wire/clients/history-query.ts';
import { decodeReplies, encodeReplies } from '../../src/wire/clients/replies.ts';
import type { ReplicaStatus } from '../../src/wire/clients/status.ts';
import {
  encodeCompacted,
  encodeCompactedAlert,
  encodeEvent,
  encodeProgress,
  encodeTransaction,
  encodeWatchMessages,
  WatchReader,
} from '../../src/wire/clients/watch-messages.ts';
import { REFUSALS } from '../../src/wire/commands/words.ts';
import { alert, alertId, aRevision, batchReply, event, watchMessages } from './arbitraries.ts';
import { change, survives } from './damage.ts';
import { bytesOf, codeOf, copyOf, join, messageOf } from './helpers.ts';

const someAlert = fc.sample(alert, { numRuns: 1, seed: 1 })[0] as Alert;
describe('the answer to LIST', () => {
  test('comes back as it was', () => {
    const page = fc.record({
      alerts: fc.array(alert, { maxLength: 4 }),
      next: fc.option(alertId, { nil: undefined }),
    });
    fc.assert(
      fc.property(page, aRevision, (value, at) => {
        const told = decodeListAnswer(join(encodeListAnswer({ value, revision: at })));
        const next = value.next === undefined ? undefined : `${value.next}@${at}`;
        expect(told).toEqual({ value: { ...value, next }, revision: at });
      }),
    );
  });

  test('that is damaged is malformed', () => {
    fc.assert(
      fc.property(
        fc.array(alert, { maxLength: 2 }),
        fc.array(change, { minLength: 1 }),
        (alerts, changes) => {
          const answer = { value: { alerts, next: undefined }, revision: revision(1) };
          survives(join(encodeListAnswer(answer)), decodeListAnswer, changes);
        },
      ),
    );
  });

  test('of alerts too big for a frame ends early and says where to go on', () => {
    const big: Alert = {
      ...someAlert,
      acknowledgements: Array.from({ length: 32 }, (_, i) => ({
        by: '心'.repeat(128),
        at: someAlert.raisedAt,
        activation: i + 1,
        note: '心'.repeat(1024),
      })),
    };
    const alerts = Array.from({ length: 60 }, (_, i): Alert => ({ ...big, id: `A${i + 1}` }));
    const body = join(encodeListAnswer({ value: { alerts, next: 'A60' }, revision: revision(9) }));
    expect(body.byteLength).toBeGreaterThan(PAGE_BYTES_MAX);
    expect(body.byteLength).toBeLessThan(FRAME_BYTES_MAX);
    const { value } = decodeListAnswer(body);
    expect(value.alerts.length).toBeLessThan(60);
    expect(value.next).toBe(`${value.alerts.at(-1)?.id}@9`);
  });

  test('that announces what it does not have is malformed', () => {
    const good = join(
      encodeListAnswer({ value: { alerts: [someAlert], next: undefined }, revision: revision(1) }),
    );
    for (const count of [0, 2, 1001, 2 ** 32 - 1]) {
      const bytes = copyOf(good);
      Buffer.from(bytes.buffer).writeUInt32LE(count, 16);
      expect(codeOf(() => decodeListAnswer(bytes))).toBe('BODY_MALFORMED');
    }
  });
});

describe('the answer to STATUS', () => {
  const status: ReplicaStatus = {
    replicaId: replicaId(2),
    clusterId: '0123456789abcdef0123456789abcdef',
    role: 'follower',
    term: term(7),
    leader: replicaId(1),
    leaderAddress: '/ip4/127.0.0.1/tcp/7401',
    commit: logIndex(100),
    applied: logIndex(99),
    lastIndex: logIndex(101),
    revision: revision(80),
    digest: '0123456789abcd',
    uptimeMs: 1234,
    agent: 'tocsin/0.1.0',
    openAlerts: 12,
    alarms: [],
    stages: [{ name: 'sync', count: 3, p50Us: 260, p99Us: 1_000 }],
    incarnation: 0,
    members: [1, 2, 3].map((id) => ({ id: replicaId(id), address: `/ip4/127.0.0.1/tcp/740${id}` })),
  };

  test('comes back as it was', () => {
    expect(decodeStatusAnswer(encodeStatusAnswer(status))).toEqual(status);
    const alone = {
      ...status,
      role: 'pre-candidate',
      leader: undefined,
      leaderAddress: undefined,
    } as const;
    expect(decodeStatusAnswer(encodeStatusAnswer(alone))).toEqual(alone);
  });

  test('counts whole milliseconds', () => {
    expect(decodeStatusAnswer(encodeStatusAnswer({ ...status, uptimeMs: 1.9 })).uptimeMs).toBe(1);
  });

  test.each([
    ['clusterId', { clusterId: 'x' }],
    ['digest', { digest: 'not hex digits' }],
    ['role', { role: 'king' }],
    ['replicaId', { replicaId: 0 }],
    ['leader', { leader: 65_536 }],
    ['commit', { commit: -1 }],
    ['members', { members: Array.from({ length: 99 }, () => status.members[0]) }],
    ['members.address', { members: [{ id: 1, address: '\n' }] }],
  ])('with a wrong %s names it', (field, wrong) => {
    const body = encodeBody({ ...status, ...wrong });
    expect(messageOf(() => decodeStatusAnswer(body))).toMatch(new RegExp(`^${field}`));
  });

  test('that is damaged is malformed', () => {
    fc.assert(
      fc.property(fc.array(change, { minLength: 1, maxLength: 3 }), (changes) => {
        survives(encodeStatusAnswer(status), decodeStatusAnswer, changes);
      }),
    );
  });
});

describe('the answer to HISTORY', () => {
  const history = fc.record({
    events: fc.array(event, { maxLength: 4 }),
    next: fc.option(
      aRevision.filter((at) => at > 0),
      { nil: undefined },
    ),
    isCompacted: fc.boolean(),
  });

  test('comes back as it was', () => {
    fc.assert(
      fc.property(fc.option(history, { nil: undefined }), aRevision, (value, at) => {
        const answer = { value, revision: at };
        expect(decodeHistoryAnswer(join(encodeHistoryAnswer(answer)))).toEqual(answer);
      }),
    );
  });

  test('that is damaged is malformed', () => {
    fc.assert(
      fc.property(history, fc.array(change, { minLength: 1 }), (value, changes) => {
        const body = join(encodeHistoryAnswer({ value, revision: revision(1) }));
        survives(body, decodeHistoryAnswer, changes);
      }),
    );
  });

  test('too big for a frame is of the newest steps, and says which is next', () => {
    const one = fc.sample(event, { numRuns: 1, seed: 1 })[0] as AlertEvent;
    const big = { ...one, alert: { ...someAlert, text: '心'.repeat(1024) } };
    const events = Array.from({ length: 900 }, (_, at) => ({ ...big, revision: revision(at + 1) }));
    const value = { events, next: undefined, isCompacted: true };
    const told = decodeHistoryAnswer(join(encodeHistoryAnswer({ value, revision: revision(999) })));
    const first = told.value?.events[0]?.revision ?? 0;
    expect(told.value?.events.at(-1)?.revision).toBe(900);
    expect(first).toBeGreaterThan(1);
    expect(told.value).toMatchObject({ next: first - 1, isCompacted: false });
  });
});

describe('WATCH_MESSAGES', () => {
  test('say the same however they are spread over frames', () => {
    fc.assert(
      fc.property(watchMessages, fc.nat(), (messages, seed) => {
        const items = encodeWatchMessages(messages);
        const split = items.length === 0 ? 0 : seed % (items.length + 1);
        const reader = new WatchReader();
        const read = [
          ...reader.read(join(items.slice(0, split))),
          ...reader.read(join(items.slice(split))),
        ];
        expect(read).toEqual(messages);
        expect(new WatchReader().read(join(items))).toEqual(messages);
      }),
    );
  });

  test('are damaged: malformed', () => {
    fc.assert(
      fc.property(event, fc.array(change, { minLength: 1, maxLength: 3 }), (one, changes) => {
        survives(encodeEvent(one), (body) => new WatchReader().read(body), changes);
      }),
    );
  });

  test('a state is told once it is whole', () => {
    const reader = new WatchReader();
    expect(reader.read(encodeCompactedAlert(someAlert))).toEqual([]);
    expect(reader.read(encodeCompactedAlert(someAlert))).toEqual([]);
    const whole: WatchMessage = {
      type: 'compacted',
      revision: revision(5),
      alerts: [someAlert, someAlert],
    };
    expect(reader.read(encodeCompacted(revision(5)))).toEqual([whole]);
    expect(reader.read(encodeCompacted(revision(6)))).toEqual([
      { ...whole, revision: 6, alerts: [] },
    ]);
  });

  test.each([
    [
      'a state broken off',
      join([encodeCompactedAlert(someAlert), encodeProgress(revision(1))]),
      /broken off/,
    ],
    [
      'a transaction broken off',
      join([encodeTransaction(2), encodeProgress(revision(1))]),
      /transaction was broken off/,
    ],
    ['a transaction within another', join([encodeTransaction(2), encodeTransaction(2)]), /broken/],
    ['a transaction of one event', bytesOf('05000000 06 01000000'), /of 1 events/],
    ['a transaction without end', bytesOf('05000000 06 ffffffff'), /of 4294967295 events/],
    ['a transaction whose count is cut', bytesOf('04000000 06 010000'), /4 bytes/],
    ['an unknown kind', bytesOf('01000000 09'), /kind 9/],
    ['an empty item', bytesOf('00000000'), /item of 0/],
    ['an item longer than the body', bytesOf('ffffffff 01'), /item of/],
    ['a length cut short', bytesOf('0100'), /too many/],
    ['a revision of 7 bytes', bytesOf('08000000 02 01000000000000'), /8 bytes/],
    ['a revision of 9 bytes', bytesOf('0a000000 02 010000000000000000'), /8 bytes/],
    ['a revision beyond 2⁵³', bytesOf('09000000 02 ffffffffffffffff'), /safe/],
    ['an event without a body', bytesOf('01000000 01'), /early/],
  ])('with %s are malformed', (_what, body, why) => {
    expect(codeOf(() => new WatchReader().read(body))).toBe('BODY_MALFORMED');
    expect(messageOf(() => new WatchReader().read(body))).toMatch(why);
  });
});

describe('SUBMIT_REPLY', () => {
  test('comes back as it was', () => {
    fc.assert(
      fc.property(fc.array(batchReply, { maxLength: 20 }), (replies) => {
        expect(decodeReplies(encodeReplies(replies))).toEqual(replies);
      }),
    );
  });

  test('cut short or with a byte more is malformed', () => {
    fc.assert(
      fc.property(fc.array(batchReply, { minLength: 1, maxLength: 3 }), (replies) => {
        const body = encodeReplies(replies);
        for (let length = 0; length < body.byteLength; length += 1)
          expect(codeOf(() => decodeReplies(body.subarray(0, length)))).toBe('BODY_MALFORMED');
        expect(codeOf(() => decodeReplies(join([body, new Uint8Array(1)])))).toBe('BODY_MALFORMED');
      }),
    );
  });

  test('of random or changed bytes is malformed or means what its bytes say', () => {
    const bytes = fc.oneof(
      fc.uint8Array({ maxLength: 60 }),
      fc
        .tuple(fc.array(batchReply, { minLength: 1, maxLength: 3 }), fc.array(change))
        .map(([replies, changes]) => {
          const body = copyOf(encodeReplies(replies));
          for (const [at, byte] of changes) body[at % body.byteLength] = byte;
          return body;
        }),
    );
    fc.assert(
      fc.property(bytes, (body) => {
        const code = codeOf(() => {
          expect(copyOf(encodeReplies(decodeReplies(body)))).toEqual(body);
        });
        expect(['no error', 'BODY_MALFORMED']).toContain(code);
      }),
      { numRuns: 500 },
    );
  });

  test('of the most and longest refusals fits a frame', () => {
    const worst: Reply = { ok: false, code: 'KEY_REUSED', message: '心'.repeat(5_000) };
    const body = encodeReplies(Array.from({ length: COMMANDS_PER_FRAME_MAX }, () => worst));
    expect(body.byteLength).toBeLessThanOrEqual(FRAME_BYTES_MAX);
    const [first] = decodeReplies(body);
    expect(first).toEqual({ ...worst, message: '心'.repeat(REFUSAL_CHARS_MAX) });
  });

  test('knows every refusal', () => {
    for (const code of REFUSALS)
      expect(decodeReplies(encodeReplies([{ ok: false, code, message: '' }]))[0]).toMatchObject({
        code,
      });
  });
});
