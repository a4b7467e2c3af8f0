import { describe, expect, test } from 'vitest';
import { TocsinError } from '../../src/base/errors.ts';
import { ALERTS_GROUP, unixMillis } from '../../src/base/ids.ts';
import type { Command } from '../../src/statemachine/commands.ts';
import { decodeGetAnswer } from '../../src/wire/clients/answers.ts';
import { encodeGet } from '../../src/wire/clients/client-messages.ts';
import { encodeTime } from '../../src/wire/clients/deadline.ts';
import { decodeHistoryAnswer, encodeHistory } from '../../src/wire/clients/history-query.ts';
import { decodeRecordsAnswer, encodeRecords } from '../../src/wire/clients/record-queries.ts';
import { FrameType } from '../../src/wire/frame.ts';
import { raiseOf } from './scripted.ts';

import { SessionStage } from './session-stage.ts';

const clearOf = (dedupKey: string): Command => ({
  type: 'clear',
  target: { dedupKey },
  actor: 'm',
  observedAt: unixMillis(1),
});

const timed = (request: Uint8Array): Uint8Array => Buffer.concat([encodeTime(1_000), request]);

describe('an answer that a turn has no time for', () => {
  const beds = (count: number): Command[] =>
    Array.from({ length: count }, (_, n) => ({
      type: 'set-bed',
      unit: 'icu',
      bed: `b${n}`,
      actor: 'm',
      observedAt: unixMillis(1),
    }));
  const alerts = (count: number): Command[] =>
    Array.from({ length: count }, (_, n) => raiseOf(`k${n}`));
  const ask = (stage: SessionStage, type: FrameType, request: Uint8Array): void =>
    stage.channel.onFrame(type, ALERTS_GROUP, 1, timed(request));

  test('of records is made in several, and is of one state', async () => {
    const stage = new SessionStage(100, 5);
    stage.apply(...beds(30));
    ask(
      stage,
      FrameType.RECORDS,
      encodeRecords({ kind: 'bed', after: 3, limit: 20, consistency: 'local' }),
    );
    expect(stage.channel.sent).toEqual([]);
    stage.apply(raiseOf('meanwhile'));
    await stage.clock.run(0);
    const [sent] = stage.channel.sent;
    const { value, revision: at } = decodeRecordsAnswer('bed', sent?.body ?? new Uint8Array());
    expect(value.records.map(({ bed }) => bed)).toEqual(
      Array.from({ length: 20 }, (_, n) => `b${n + 3}`),
    );
    expect([value.next, at]).toEqual([23, 0]);
    stage.watches.close();
  });

  test('of a history is made in several, and tells its steps in order', async () => {
    const stage = new SessionStage(100, 5);
    stage.apply(...Array.from({ length: 20 }, () => raiseOf('a')));
    ask(stage, FrameType.HISTORY, encodeHistory({ id: 'A1', limit: 15, consistency: 'local' }));
    expect(stage.channel.sent).toEqual([]);
    await stage.clock.run(0);
    const [sent] = stage.channel.sent;
    const { value } = decodeHistoryAnswer(sent?.body ?? new Uint8Array());
    expect(value?.events.map(({ revision: at }) => at)).toEqual(
      Array.from({ length: 15 }, (_, n) => n + 6),
    );
    expect(value?.next).toBe(5);
    stage.watches.close();
  });

  test('says of alerts what was so when they were looked up', async () => {
    const stage = new SessionStage(100, 5);
    const refs = Array.from({ length: 30 }, (_, n) => ({ dedupKey: `k${n}` }));
    const subject = { unit: 'icu', bed: 'b1' };
    stage.apply(...refs.map(({ dedupKey }) => ({ ...raiseOf(dedupKey), subject })));
    ask(stage, FrameType.GET, encodeGet({ refs, consistency: 'local' }));
    expect(stage.channel.sent).toEqual([]);
    stage.apply({
      type: 'silence',
      matchers: [{ field: 'bed', values: ['b1'] }],
      seconds: 60,
      reason: 'test',
      actor: 'm',
      observedAt: unixMillis(1),
    });
    expect(stage.machine.list({}).alerts.every((alert) => stage.machine.badgesOf(alert))).toBe(
      true,
    );
    await stage.clock.run(0);
    const { value } = decodeGetAnswer(stage.channel.sent[0]?.body ?? new Uint8Array());
    expect(value.map((alert) => alert?.badges)).toEqual(value.map(() => undefined));
    stage.watches.close();
  });

  test.each([
    ['GET', FrameType.GET, encodeGet({ refs: [{ id: 'A1' }, { id: 'A2' }], consistency: 'local' })],
    [
      'RECORDS',
      FrameType.RECORDS,
      encodeRecords({ kind: 'bed', after: 0, limit: 20, consistency: 'local' }),
    ],
    ['HISTORY', FrameType.HISTORY, encodeHistory({ id: 'A1', limit: 9, consistency: 'local' })],
  ] as const)('is given to nobody once the state is in doubt: %s', async (_, type, request) => {
    const stage = new SessionStage(100, 1);
    stage.apply(...beds(9), ...alerts(9));
    ask(stage, type, request);
    expect(stage.channel.sent).toEqual([]);
    stage.problem = new TocsinError('STATE_DIVERGED', 'in doubt');
    await stage.clock.run(0);
    expect(stage.answers(1)).toEqual(['STATE_DIVERGED']);
    stage.watches.close();
  });

  test('of alerts ends early, and all that are in it are of one state', async () => {
    const stage = new SessionStage(100, 5);
    stage.apply(...alerts(30));
    const refs = Array.from({ length: 30 }, (_, n) => ({ dedupKey: `k${n}` }));
    ask(stage, FrameType.GET, encodeGet({ refs, consistency: 'local' }));
    expect(stage.channel.sent).toEqual([]);
    stage.apply(...refs.map(({ dedupKey }) => clearOf(dedupKey)));
    await stage.clock.run(0);
    const [sent] = stage.channel.sent;
    const { value, revision: at } = decodeGetAnswer(sent?.body ?? new Uint8Array());
    expect(value.length).toBeGreaterThan(0);
    expect(value.length).toBeLessThan(30);
    expect(value.map((alert) => alert?.presence)).toEqual(value.map(() => 'present'));
    expect(at).toBe(30);
    stage.watches.close();
  });
});
