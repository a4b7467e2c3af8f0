import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { ALERTS_GROUP, revision } from '../../src/base/ids.ts';
import { CLIENT_READS_MAX, GETS_PER_FRAME_MAX } from '../../src/base/limits.ts';
import type { Client, ReadOptions } from '../../src/client/index.ts';
import { encodeGetAnswer } from '../../src/wire/clients/answers.ts';
import { decodeGet } from '../../src/wire/clients/client-messages.ts';
import { decodeTime } from '../../src/wire/clients/deadline.ts';
import { FrameType } from '../../src/wire/frame.ts';
import type { Request } from './fake-cluster.ts';
import { alarm, onStage, type Stage } from './stage.ts';

const KEYS = ['a', 'b', 'c'] as const;

/** Raises an alert for each of `KEYS`, and writes down what GETs ask after from then on. */
async function withAlerts(stage: Stage): Promise<{ client: Client; asked: number[] }> {
  const client = await stage.client();
  for (const key of KEYS) await stage.clock.settle(client.raise(alarm(key)));
  const asked: number[] = [];
  stage.cluster.script = (request) => {
    if (request.type === FrameType.GET) asked.push(refsOf(request).length);
    return false;
  };
  return { client, asked };
}

const refsOf = ({ body }: Request) => decodeGet(decodeTime(body).request).refs;

const keysGot = async (stage: Stage, gets: readonly ReturnType<Client['get']>[]) => {
  const answers = await stage.clock.settle(Promise.all(gets));
  return answers.map(({ value }) => value?.dedupKey);
};

const aKey = fc.constantFrom(...KEYS, 'unknown');
const known = (key: string): string | undefined => (key === 'unknown' ? undefined : key);

describe('the gets of one tick', () => {
  test('are one request, and each is answered what it asked, however little fits an answer', async () => {
    const keys = fc.array(aKey, { minLength: 1, maxLength: 20 });
    await fc.assert(
      fc.asyncProperty(keys, fc.array(fc.integer({ min: 1, max: 9 })), (wanted, fits) =>
        onStage(async (stage) => {
          const { client, asked } = await withAlerts(stage);
          const [told, budget] = [[...fits], [...fits]];
          const count = stage.cluster.script;
          stage.cluster.script = (request) => {
            if (count(request) || request.type !== FrameType.GET) return false;
            const refs = refsOf(request).slice(0, told.shift() ?? 99);
            const { machine } = stage.cluster;
            const value = refs.map((ref) => machine.get(ref));
            const answer = encodeGetAnswer({ value, revision: machine.revision });
            return request.channel.send(FrameType.ANSWER, ALERTS_GROUP, request.id, [answer]);
          };
          const gets = wanted.map((dedupKey) => client.get({ dedupKey }));
          expect(await keysGot(stage, gets)).toEqual(wanted.map(known));

          const expected: number[] = [];
          for (let left = wanted.length; left > 0; left -= budget.shift() ?? 99)
            expected.push(left);
          expect(asked).toEqual(expected);
        }),
      ),
      { numRuns: 40 },
    );
  });

  test('travel apart where they ask for another level, another time or by another signal', () =>
    onStage(async (stage) => {
      const { client, asked } = await withAlerts(stage);
      const signal = new AbortController().signal;
      const ways: readonly ReadOptions[] = [
        {},
        { consistency: 'local' },
        { consistency: { maxAgeMs: 5 } },
        { consistency: { maxAgeMs: 6 } },
        { timeoutMs: 900 },
        { signal },
      ];
      const gets = ways.flatMap((options) => [
        client.get({ dedupKey: 'a' }, options),
        client.get({ id: 'A2' }, options),
      ]);
      expect(await keysGot(stage, gets)).toEqual(ways.flatMap(() => ['a', 'b']));
      expect(asked).toEqual(ways.map(() => 2));
    }));

  test('are as many requests as it takes', () =>
    onStage(async (stage) => {
      const { client, asked } = await withAlerts(stage);
      const gets = Array.from({ length: GETS_PER_FRAME_MAX + 1 }, () => client.get({ id: 'A1' }));
      expect(new Set(await keysGot(stage, gets))).toEqual(new Set(['a']));
      expect(asked).toEqual([GETS_PER_FRAME_MAX, 1]);
    }));

  test('end together when the signal that they share aborts, and others go on', () =>
    onStage(async (stage) => {
      const { client } = await withAlerts(stage);
      const held: Request[] = [];
      stage.cluster.script = (request) => request.type === FrameType.GET && !!held.push(request);
      const controller = new AbortController();
      const { signal } = controller;
      const given = KEYS.map((dedupKey) => client.get({ dedupKey }, { signal }));
      const kept = client.get({ dedupKey: 'c' });
      await stage.clock.run(10);
      controller.abort();
      const ends = await stage.clock.settle(Promise.allSettled(given));
      for (const end of ends)
        expect(end).toMatchObject({ status: 'rejected', reason: { code: 'CANCELLED' } });
      for (const request of held) stage.cluster.handle(request);
      expect(await keysGot(stage, [kept])).toEqual(['c']);
    }));

  test('with an answer of too many alerts, or none, are asked again', () =>
    onStage(async (stage) => {
      const { client } = await withAlerts(stage);
      const wrong = [[], [undefined, undefined]];
      stage.cluster.script = ({ type, channel, id }) => {
        const value = type === FrameType.GET ? wrong.shift() : undefined;
        if (value === undefined) return false;
        const answer = encodeGetAnswer({ value, revision: revision(3) });
        return channel.send(FrameType.ANSWER, ALERTS_GROUP, id, [answer]);
      };
      expect(await keysGot(stage, [client.get({ dedupKey: 'b' })])).toEqual(['b']);
      expect(wrong).toEqual([]);
    }));

  test('over the limit are refused at once; there is room again when others have ended', () =>
    onStage(async (stage) => {
      const { client } = await withAlerts(stage);
      stage.cluster.script = ({ type }) => type === FrameType.GET;
      const gets = Array.from({ length: CLIENT_READS_MAX + 1 }, () =>
        client.get({ id: 'A1' }, { timeoutMs: 100 }),
      );
      const ends = stage.clock.settle(Promise.allSettled(gets));
      const codes = new Map<string, number>();
      for (const end of await ends)
        if (end.status === 'rejected')
          codes.set(end.reason.code, (codes.get(end.reason.code) ?? 0) + 1);
      expect(codes.get('OVERLOADED')).toBe(1);
      stage.cluster.script = () => false;
      expect(await keysGot(stage, [client.get({ id: 'A1' })])).toEqual(['a']);
    }));
});
