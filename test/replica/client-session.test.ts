import fc from 'fast-check';
import { expect, test } from 'vitest';
import { TocsinError } from '../../src/base/errors.ts';
import { ALERTS_GROUP, groupId, type Revision, revision, unixMillis } from '../../src/base/ids.ts';
import {
  COMMANDS_PER_FRAME_MAX,
  REQUESTS_PER_CONNECTION_MAX,
  SUBMIT_BYTES_MAX,
  WATCHES_PER_CONNECTION_MAX,
} from '../../src/base/limits.ts';
import type { Command } from '../../src/statemachine/commands.ts';
import type { AlertId } from '../../src/statemachine/types.ts';
import { encodeAdminRequest } from '../../src/wire/clients/admin-messages.ts';
import { decodeListAnswer } from '../../src/wire/clients/answers.ts';
import {
  decodeFail,
  encodeGet,
  encodeList,
  encodeSubmit,
  encodeWatch,
} from '../../src/wire/clients/client-messages.ts';
import { encodeTime } from '../../src/wire/clients/deadline.ts';
import { decodeHistoryAnswer, encodeHistory } from '../../src/wire/clients/history-query.ts';
import { encodeRecords } from '../../src/wire/clients/record-queries.ts';
import { FrameType } from '../../src/wire/frame.ts';
import { raiseOf, raiseRecord } from './scripted.ts';

import { SessionStage } from './session-stage.ts';

const clearOf = (dedupKey: string): Command => ({
  type: 'clear',
  target: { dedupKey },
  actor: 'm',
  observedAt: unixMillis(1),
});

const timed = (request: Uint8Array): Uint8Array => Buffer.concat([encodeTime(1_000), request]);
const GET = timed(encodeGet({ refs: [{ id: 'A1' }], consistency: 'linearizable' }));
const GET_LOCAL = timed(encodeGet({ refs: [{ id: 'A1' }], consistency: 'local' }));
const LIST = timed(
  encodeList({ filter: {}, consistency: 'linearizable', limit: 5, after: undefined }),
);
const RECORDS = timed(encodeRecords({ kind: 'policy', after: 0, limit: 5, consistency: 'local' }));
const WATCH = encodeWatch({ from: undefined, filter: { unit: 'icu' } });
const SUBMIT = Buffer.concat([...encodeSubmit(1_000, [raiseRecord('k1'), raiseRecord('k2')])]);

const aType = fc.constantFrom(
  FrameType.SUBMIT,
  FrameType.GET,
  FrameType.LIST,
  FrameType.WATCH,
  FrameType.STATUS,
  FrameType.CANCEL,
  FrameType.PONG,
);
/** Random bytes, and right bodies with a few bytes changed, cut off or added. */
const aBody = fc.oneof(
  fc.uint8Array({ maxLength: 200 }),
  fc
    .tuple(
      fc.constantFrom(SUBMIT, GET, GET_LOCAL, LIST, WATCH),
      fc.array(fc.tuple(fc.nat(300), fc.nat(255)), { maxLength: 3 }),
      fc.integer({ min: -3, max: 3 }),
    )
    .map(([right, changes, grow]) => {
      const body = Buffer.alloc(Math.max(0, right.byteLength + Math.min(grow, 3)));
      body.set(right.subarray(0, body.byteLength));
      for (const [at, value] of changes) if (at < body.byteLength) body[at] = value;
      return new Uint8Array(body);
    }),
);

test('whatever a client sends, each request is answered exactly once and nothing is left behind', async () => {
  await fc.assert(
    fc.asyncProperty(
      fc.array(fc.tuple(aType, aBody, fc.boolean()), { maxLength: 40 }),
      async (frames) => {
        const stage = new SessionStage();
        for (const [at, [type, body, answerNow]] of frames.entries()) {
          stage.channel.take(type, at, body);
          if (answerNow) stage.answerAll();
        }
        stage.answerAll();
        await stage.clock.run(0);
        for (const [at, [type]] of frames.entries()) {
          const answers = stage.answers(at);
          if (type === FrameType.PONG) expect(answers).toEqual([]);
          else if (type === FrameType.WATCH || type === FrameType.CANCEL)
            expect(answers.length).toBeLessThanOrEqual(1);
          else expect(answers).toHaveLength(1);
        }
        // All its requests are free again.
        for (let n = 0; n < REQUESTS_PER_CONNECTION_MAX; n += 1)
          stage.channel.take(FrameType.GET, 1_000 + n, GET);
        expect(stage.reads).toHaveLength(REQUESTS_PER_CONNECTION_MAX);
        stage.channel.close();
        await stage.clock.run(0);
        expect(stage.watches.countOf(stage.channel)).toBe(0);
        stage.watches.close();
        expect(stage.clock.pending).toBe(0);
      },
    ),
    { numRuns: 60 },
  );
});

test('of requests without end only so many wait; the others are told at once, and later ones served', () => {
  const stage = new SessionStage();
  for (let id = 1; id <= 10_000; id += 1)
    stage.channel.take(
      id % 2 === 0 ? FrameType.GET : FrameType.SUBMIT,
      id,
      id % 2 === 0 ? GET : SUBMIT,
    );
  expect(stage.reads.length + stage.proposals.length).toBe(REQUESTS_PER_CONNECTION_MAX);
  expect(stage.channel.sent).toHaveLength(10_000 - REQUESTS_PER_CONNECTION_MAX);
  expect(stage.answers(10_000)).toEqual(['OVERLOADED']);
  stage.answerAll();
  expect(stage.channel.sent).toHaveLength(10_000);
  stage.channel.take(FrameType.GET, 10_001, GET);
  stage.answerAll();
  expect(stage.answers(10_001)).toEqual([`${FrameType.ANSWER}`]);
  stage.watches.close();
});

test('more commands than an entry can hold are refused, and the replica lives', () => {
  const stage = new SessionStage();
  const record = raiseRecord('k', 'x'.repeat(1_000));
  const fits = Math.floor(SUBMIT_BYTES_MAX / record.byteLength);
  stage.channel.take(FrameType.SUBMIT, 1, encodeSubmit(1_000, Array(fits).fill(record)));
  stage.channel.take(FrameType.SUBMIT, 2, encodeSubmit(1_000, Array(fits + 1).fill(record)));
  stage.channel.take(
    FrameType.SUBMIT,
    3,
    encodeSubmit(1_000, Array(COMMANDS_PER_FRAME_MAX).fill(record)),
  );
  expect(stage.proposals).toHaveLength(1);
  expect([stage.answers(2), stage.answers(3)]).toEqual([['BAD_REQUEST'], ['BAD_REQUEST']]);
  const [fail] = stage.channel.sent;
  expect(decodeFail(fail?.body ?? new Uint8Array()).message).toContain(`${SUBMIT_BYTES_MAX}`);
  stage.watches.close();
});

test('after a large command of a frame it is looked whether the turn is over', () => {
  const looksFor = (text: string): number => {
    const stage = new SessionStage();
    let looks = 0;
    const now = stage.clock.monotonic();
    stage.clock.monotonic = () => {
      looks += 1;
      return now;
    };
    const records = Array.from({ length: 40 }, (_, n) => raiseRecord(`k${n}`, text));
    stage.channel.take(FrameType.SUBMIT, 1, encodeSubmit(1_000, records));
    expect(stage.proposals).toHaveLength(1);
    stage.watches.close();
    return looks;
  };
  expect(looksFor('x'.repeat(1_024))).toBeGreaterThanOrEqual(looksFor('x') + 25);
});

test('a watch under the name of another ends both, and the name is free again', () => {
  const stage = new SessionStage();
  stage.channel.take(FrameType.WATCH, 7, WATCH);
  stage.channel.take(FrameType.WATCH, 7, WATCH);
  expect(stage.answers(7)).toEqual(['BAD_REQUEST']);
  expect(stage.watches.countOf(stage.channel)).toBe(0);
  stage.channel.take(FrameType.WATCH, 7, WATCH);
  expect(stage.watches.countOf(stage.channel)).toBe(1);
  stage.watches.close();
});

test('watches of one connection are bounded, and a cancelled one makes room', () => {
  const stage = new SessionStage();
  for (let id = 1; id <= 2_000; id += 1) stage.channel.take(FrameType.WATCH, id, WATCH);
  expect(stage.watches.countOf(stage.channel)).toBe(WATCHES_PER_CONNECTION_MAX);
  expect(stage.answers(2_000)).toEqual(['OVERLOADED']);
  stage.channel.take(FrameType.CANCEL, 1);
  stage.channel.take(FrameType.CANCEL, 999_999);
  stage.channel.take(FrameType.WATCH, 3_000, WATCH);
  expect(stage.answers(3_000)).toEqual([]);
  stage.watches.close();
});

test('a read that cannot be answered fails alone', async () => {
  const stage = new SessionStage();
  stage.channel.take(FrameType.STATUS, 1);
  stage.channel.isSlow = true;
  stage.channel.sendBytesMax = 150;
  for (let id = 2; id <= 3; id += 1) stage.channel.take(FrameType.STATUS, id);
  expect(stage.channel.isClosed).toBe(true);
  const other = new SessionStage();
  other.machine.list = () => {
    throw new TocsinError('BAD_REQUEST', 'no');
  };
  other.channel.take(FrameType.LIST, 1, LIST);
  expect(() => other.answerAll()).not.toThrow();
  await other.clock.run(0);
  expect(other.answers(1)).toEqual(['BAD_REQUEST']);
  stage.watches.close();
  other.watches.close();
});

test('an answer that comes after the time the caller allowed is not built', async () => {
  const stage = new SessionStage();
  for (const [id, body] of [GET, LIST].entries())
    stage.channel.take(id === 0 ? FrameType.GET : FrameType.LIST, id, body);
  await stage.clock.run(1_001);
  stage.machine.get = stage.machine.list = () => expect.fail('an answer was built');
  stage.answerAll();
  expect([stage.answers(0), stage.answers(1)]).toEqual([
    ['DEADLINE_EXCEEDED'],
    ['DEADLINE_EXCEEDED'],
  ]);
  stage.watches.close();
});

test('frames of a type that no client or no peer sends end the connection', () => {
  for (const type of [
    FrameType.APPEND_REQUEST,
    FrameType.VOTE_REQUEST,
    FrameType.HEARTBEAT,
    FrameType.TIMEOUT_NOW,
    FrameType.ANSWER,
    FrameType.WATCH_MESSAGES,
  ]) {
    const stage = new SessionStage();
    stage.channel.take(type, 1, new Uint8Array(16));
    expect(stage.channel.reason).toMatchObject({ code: 'FRAME_UNKNOWN_TYPE' });
    stage.watches.close();
  }
});

test('a request to a group that is not here is refused', () => {
  const stage = new SessionStage();
  stage.channel.onFrame(FrameType.GET, groupId(3), 1, GET);
  expect(stage.answers(1)).toEqual(['BAD_REQUEST']);
  expect(stage.reads).toEqual([]);
  stage.watches.close();
});

test.each([
  ['SUBMIT', SUBMIT, true],
  ['GET', GET_LOCAL, true],
  ['LIST', LIST, true],
  ['RECORDS', RECORDS, true],
  ['WATCH', WATCH, true],
  ['STATUS', [], false],
  ['ADMIN', timed(encodeAdminRequest({ act: 'snapshot' })), false],
] as const)('while the state is in doubt, %s is refused if it asks for it', (name, body, asks) => {
  const stage = new SessionStage();
  stage.problem = new TocsinError('UNAVAILABLE', 'the state is being rebuilt');
  stage.channel.take(FrameType[name], 1, body);
  expect(stage.answers(1)).toEqual([asks ? 'UNAVAILABLE' : `${FrameType.ANSWER}`]);
  expect(stage.proposals.length + stage.reads.length).toBe(0);
  stage.watches.close();
});

test('answers that come after the client has gone go nowhere', async () => {
  const stage = new SessionStage();
  stage.channel.take(FrameType.SUBMIT, 1, SUBMIT);
  stage.channel.take(FrameType.GET, 2, GET);
  stage.channel.take(FrameType.WATCH, 3, WATCH);
  stage.channel.close();
  await stage.clock.run(0);
  stage.answerAll();
  expect(stage.answers(1)).toEqual([]);
  expect(stage.watches.countOf(stage.channel)).toBe(0);
  stage.watches.close();
});

test('the pages of one list are of one state, until the history no longer reaches back to it', async () => {
  const stage = new SessionStage(4);
  const page = (id: number, place: { after?: AlertId; at?: Revision }): Promise<void> => {
    const asked = { filter: { open: true }, consistency: 'local', limit: 2 } as const;
    const body = timed(encodeList({ ...asked, after: place.after, ...place }));
    stage.channel.onFrame(FrameType.LIST, ALERTS_GROUP, id, body);
    return stage.clock.run(0);
  };
  const toldTo = (id: number): string[] => {
    const frame = stage.channel.sent.find((one) => one.id === id);
    const { value, revision: at } = decodeListAnswer(frame?.body ?? new Uint8Array(0));
    return [...value.alerts.map((one) => one.id), `${value.next}`, `${at}`];
  };
  stage.apply(raiseOf('a'), raiseOf('b'), raiseOf('c'));
  await page(1, {});
  expect(toldTo(1)).toEqual(['A1', 'A2', 'A2@3', '3']);
  stage.apply(raiseOf('d'), clearOf('c'));
  await page(2, { after: 'A2', at: revision(3) });
  expect(toldTo(2)).toEqual(['A3', 'undefined', '3']);
  await page(3, { after: 'A2' });
  expect(toldTo(3)).toEqual(['A4', 'undefined', '5']);
  await page(4, { after: 'A2', at: revision(9) });
  stage.answerAll();
  await stage.clock.run(0);
  for (const key of ['e', 'f', 'g', 'h']) stage.apply(raiseOf(key));
  await page(5, { after: 'A2', at: revision(4) });
  expect([...stage.answers(4), ...stage.answers(5)]).toEqual(['BAD_REQUEST', 'CURSOR_EXPIRED']);
  stage.watches.close();
});

test('what happened to an alert is told, as far as it is kept', () => {
  const stage = new SessionStage(2);
  stage.apply(raiseOf('a'), raiseOf('a'), clearOf('a'));
  for (const [id, alert] of [
    [1, 'A1'],
    [2, 'A7'],
  ] as const) {
    const body = timed(encodeHistory({ id: alert, limit: 9, consistency: 'local' }));
    stage.channel.onFrame(FrameType.HISTORY, ALERTS_GROUP, id, body);
  }
  const [known, unknown] = stage.channel.sent.map(({ body }) => decodeHistoryAnswer(body).value);
  expect(known?.events.map(({ effect }) => effect)).toEqual(['continued', 'cleared']);
  expect(known?.isCompacted).toBe(true);
  expect(unknown).toBeUndefined();
  stage.watches.close();
});
