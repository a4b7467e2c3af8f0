import { describe, expect, test } from 'vitest';
import { TocsinError } from '../../src/base/errors.ts';
import { millis, unixMillis } from '../../src/base/ids.ts';
import { CLIENT_COMMAND_BYTES_MAX, COMMANDS_PER_FRAME_MAX } from '../../src/base/limits.ts';
import { decodeTime } from '../../src/wire/clients/deadline.ts';
import { FrameType } from '../../src/wire/frame.ts';
import { addressOf } from './fake-cluster.ts';
import { alarm, onStage } from './stage.ts';

describe('a client of a healthy cluster', () => {
  test('raises, acknowledges, clears, gets, lists and tells the status', () =>
    onStage(async (stage) => {
      const client = await stage.client();
      const { clock } = stage;
      const target = { dedupKey: 'a' };
      const raised = await clock.settle(client.raise(alarm('a')));
      expect(raised).toMatchObject({ effect: 'raised', alertId: 'A1', state: 'ACTIVE_UNACK' });
      const acknowledged = await clock.settle(client.acknowledge({ target, note: 'seen' }));
      expect(acknowledged).toMatchObject({ effect: 'acknowledged', state: 'ACTIVE_ACK' });
      const cleared = await clock.settle(client.clear({ target }));
      expect(cleared).toMatchObject({ effect: 'cleared', state: 'RESOLVED', revision: 3 });

      const got = await clock.settle(client.get({ id: 'A1' }));
      expect(got).toMatchObject({ revision: 3, value: { dedupKey: 'a', text: 'HR:HI' } });
      expect((await clock.settle(client.get({ id: 'A2' }))).value).toBeUndefined();
      const page = await clock.settle(client.list({ open: false }, { limit: 10 }));
      expect(page.value.alerts.map(({ id }) => id)).toEqual(['A1']);
      expect(await clock.settle(client.status())).toMatchObject({ replicaId: 1, role: 'leader' });
      expect(await clock.settle(client.status(addressOf(3)))).toMatchObject({ replicaId: 3 });
    }));

  test('says who asks and when, unless the caller does', () =>
    onStage(async (stage) => {
      const client = await stage.client({ name: 'bed-7' });
      await stage.clock.settle(client.raise(alarm('a')));
      await stage.clock.settle(client.raise({ ...alarm('b'), observedAt: unixMillis(7) }));
      const [first, second] = stage.cluster.events;
      expect(first).toMatchObject({ actor: 'bed-7', observedAt: stage.clock.wall() });
      expect(second).toMatchObject({ observedAt: 7 });
    }));

  test('rejects with the code of a refusal, and nothing is written', () =>
    onStage(async (stage) => {
      const client = await stage.client();
      const clearing = client.clear({ target: { dedupKey: 'nothing' } });
      await expect(stage.clock.settle(clearing)).rejects.toMatchObject({
        code: 'ALERT_NOT_FOUND',
        outcome: 'none',
      });
    }));

  test('gives the first reply again under the same idempotency key', () =>
    onStage(async (stage) => {
      const client = await stage.client();
      const input = { ...alarm('a'), observedAt: unixMillis(1) };
      const first = await stage.clock.settle(client.raise(input, { idempotencyKey: 'k' }));
      const again = await stage.clock.settle(client.raise(input, { idempotencyKey: 'k' }));
      expect(again).toEqual(first);
      expect(stage.cluster.events.length).toBe(1);
      const other = client.raise(alarm('b'), { idempotencyKey: 'k' });
      await expect(stage.clock.settle(other)).rejects.toMatchObject({ code: 'KEY_REUSED' });
    }));
});

describe('what is wrong is refused before anything is sent', () => {
  const wrong: readonly (readonly [string, unknown, unknown, string])[] = [
    ['no input', undefined, {}, 'raise'],
    ['an array', [], {}, 'raise'],
    ['no dedup key', { ...alarm('a'), dedupKey: undefined }, {}, 'dedupKey'],
    ['an unknown priority', { ...alarm('a'), priority: 'urgent' }, {}, 'priority'],
    ['an unknown field', { ...alarm('a'), colour: 'red' }, {}, 'colour'],
    ['half a surrogate pair', { ...alarm('a'), text: '\ud800' }, {}, 'text'],
    ['another type', { ...alarm('a'), type: 'clear' }, {}, 'type'],
    ['a time-out of nothing', alarm('a'), { timeoutMs: 0 }, 'timeoutMs'],
    ['an endless time-out', alarm('a'), { timeoutMs: Number.POSITIVE_INFINITY }, 'timeoutMs'],
    ['an empty key', alarm('a'), { idempotencyKey: '' }, 'idempotencyKey'],
  ];
  test.each(wrong)('%s', (_name, input, options, field) =>
    onStage(async (stage) => {
      const client = await stage.client();
      const raising = client.raise(input as never, options as never);
      await expect(raising).rejects.toMatchObject({ code: 'BAD_REQUEST' });
      await expect(raising).rejects.toThrow(field);
      await stage.clock.run(100);
      expect(stage.cluster.submitted).toEqual([]);
    }),
  );

  test('reads too', () =>
    onStage(async (stage) => {
      const client = await stage.client();
      const wrongs = [
        client.get({} as never),
        client.get({ id: 'A1' }, { consistency: 'strong' as never }),
        client.list({ bed: 3 as never }),
        client.list({ raisedFrom: unixMillis(7), raisedUntil: unixMillis(6) }),
        client.list({}, { limit: 0 }),
        client.list({}, { after: 'x' as never }),
      ];
      for (const one of wrongs) await expect(one).rejects.toMatchObject({ code: 'BAD_REQUEST' });
    }));
});

describe('what a replica refuses for good', () => {
  test('is not asked again', () =>
    onStage(async (stage) => {
      const client = await stage.client();
      let asked = 0;
      stage.cluster.script = (request) => {
        if (request.type === FrameType.STATUS) return false;
        asked += 1;
        stage.cluster.fail(request, new TocsinError('BAD_REQUEST', 'text: too long for me'));
        return true;
      };
      const calls = [client.raise(alarm('a')), client.raise(alarm('b')), client.list()];
      const reason = { code: 'BAD_REQUEST', message: 'text: too long for me' };
      expect(await stage.clock.settle(Promise.allSettled<unknown>(calls))).toMatchObject(
        calls.map(() => ({ status: 'rejected', reason })),
      );
      expect(asked).toBe(2);
    }));

  test('after an attempt that may have happened leaves the outcome unknown', () =>
    onStage(async (stage) => {
      const client = await stage.client();
      stage.cluster.script = (request) => {
        if (request.type !== FrameType.SUBMIT) return false;
        if (stage.cluster.submitted.length === 1) stage.cluster.reset(request.replica);
        else stage.cluster.fail(request, new TocsinError('BAD_REQUEST', 'no'));
        return true;
      };
      await expect(stage.clock.settle(client.raise(alarm('a')))).rejects.toMatchObject({
        code: 'OUTCOME_UNKNOWN',
        cause: { code: 'BAD_REQUEST' },
      });
    }));
});

describe('calls travel together', () => {
  test('those of one tick in one frame, in order, with the time that is left', () =>
    onStage(async (stage) => {
      const client = await stage.client();
      const keys = ['a', 'b', 'c'];
      await stage.clock.settle(
        Promise.all(keys.map((key) => client.raise(alarm(key), { timeoutMs: 1_000 }))),
      );
      expect(stage.cluster.submitted.map(({ request }) => request.count)).toEqual([3]);
      expect(stage.cluster.events.map(({ alert }) => alert.dedupKey)).toEqual(keys);
      const timeoutMs = stage.cluster.submitted[0]?.request.timeoutMs ?? 0;
      expect(timeoutMs).toBeGreaterThan(900);
      expect(timeoutMs).toBeLessThanOrEqual(1_000);
    }));

  test('a question asked again says how much of its time is left', () =>
    onStage(async (stage) => {
      const client = await stage.client();
      stage.cluster.script = (request) => {
        if (request.type !== FrameType.GET || stage.clock.monotonic() > 2_000) return false;
        stage.cluster.fail(request, new TocsinError('UNAVAILABLE', 'not now'));
        return true;
      };
      await stage.clock.settle(client.get({ id: 'A1' }, { timeoutMs: 9_000 }));
      const left = stage.cluster.requests
        .filter(({ type }) => type === FrameType.GET)
        .map(({ body }) => decodeTime(body).timeoutMs);
      expect(left.length).toBeGreaterThan(2);
      expect(left[0]).toBe(9_000);
      expect(left.at(-1)).toBeLessThan(7_100);
      expect(left).toEqual([...left].sort((a, b) => b - a));
    }));

  test('at most as many as a frame may hold, and each is answered with its own', () =>
    onStage(async (stage) => {
      const client = await stage.client();
      const count = COMMANDS_PER_FRAME_MAX + 10;
      const calls = Array.from({ length: count }, (_, at) => client.raise(alarm(`k${at}`)));
      const done = await stage.clock.settle(Promise.all(calls));
      expect(done.map(({ alertId }) => alertId)).toEqual(done.map((_, at) => `A${at + 1}`));
      expect(stage.cluster.submitted.map(({ request }) => request.count)).toEqual([
        COMMANDS_PER_FRAME_MAX,
        10,
      ]);
    }));

  test('many frames at a time, all answered though only some fit the connection', () =>
    onStage(async (stage) => {
      const client = await stage.client();
      const calls: Promise<unknown>[] = [];
      stage.cluster.freeze(1);
      for (let at = 0; at < 900; at += 1) {
        calls.push(client.raise(alarm(`k${at}`)));
        await Promise.resolve();
        await Promise.resolve();
      }
      stage.clock.after(millis(200), () => stage.cluster.thaw());
      await stage.clock.settle(Promise.all(calls));
      expect(stage.cluster.events.map(({ alert }) => alert.dedupKey)).toEqual(
        calls.map((_, at) => `k${at}`),
      );
    }));

  test('more than the limit are refused at once, and nothing of those is written', () =>
    onStage(async (stage) => {
      const client = await stage.client();
      stage.cluster.network.cut('client', 'replica-1');
      const name = '\u6025'.repeat(120);
      const labels = Object.fromEntries(
        Array.from({ length: 32 }, (_, at) => [`${at}${name}`, name]),
      );
      const calls: Promise<unknown>[] = [];
      const refused = (): boolean => calls.length * 20_000 > CLIENT_COMMAND_BYTES_MAX;
      while (!refused()) calls.push(client.raise({ ...alarm('big'), labels }, { timeoutMs: 500 }));
      const ends = await stage.clock.settle(Promise.allSettled(calls));
      const codes = ends.map((end) => (end.status === 'rejected' ? end.reason.code : 'done'));
      // What fits waits for its reply, or for its turn to be sent; all that comes after is refused.
      const isRefused = codes.map((code) => code === 'OVERLOADED');
      expect(codes[0]).toBe('OUTCOME_UNKNOWN');
      expect(codes).not.toContain('done');
      expect(isRefused.lastIndexOf(false)).toBe(isRefused.indexOf(true) - 1);

      stage.cluster.reset(1);
      stage.cluster.network.heal('client', 'replica-1');
      await stage.clock.settle(client.raise(alarm('now there is room')));
      expect(stage.cluster.events.length).toBe(1);
    }));
});

describe('an abort', () => {
  test('before anything was sent is CANCELLED, and nothing is written', () =>
    onStage(async (stage) => {
      const client = await stage.client();
      const early = client.raise(alarm('a'), { signal: AbortSignal.abort('why') });
      await expect(early).rejects.toMatchObject({ code: 'CANCELLED', cause: 'why' });

      const controller = new AbortController();
      const same = client.raise(alarm('b'), { signal: controller.signal });
      const mate = client.raise(alarm('c'));
      controller.abort();
      await expect(same).rejects.toMatchObject({ code: 'CANCELLED', outcome: 'none' });
      await stage.clock.settle(mate);
      expect(stage.cluster.events.map(({ alert }) => alert.dedupKey)).toEqual(['c']);
    }));

  test('while a reply is owed is OUTCOME_UNKNOWN', () =>
    onStage(async (stage) => {
      const client = await stage.client();
      stage.cluster.script = ({ type }) => type === FrameType.SUBMIT;
      const controller = new AbortController();
      const call = client.raise(alarm('a'), { signal: controller.signal });
      await stage.clock.run(50);
      controller.abort();
      await expect(call).rejects.toMatchObject({ code: 'OUTCOME_UNKNOWN', outcome: 'unknown' });
    }));

  test('after a certain no is CANCELLED, and the command is not sent again', () =>
    onStage(async (stage) => {
      const client = await stage.client();
      stage.cluster.script = (request) => {
        if (request.type !== FrameType.SUBMIT) return false;
        stage.cluster.fail(request, new TocsinError('OVERLOADED', 'full'));
        return true;
      };
      const controller = new AbortController();
      const call = client.raise(alarm('a'), { signal: controller.signal });
      await stage.clock.run(0);
      while (stage.cluster.submitted.length < 5) await stage.clock.run(1);
      await stage.clock.run(0);
      controller.abort();
      await expect(call).rejects.toMatchObject({ code: 'CANCELLED' });
      stage.cluster.script = () => false;
      await stage.clock.run(5_000);
      expect(stage.cluster.events).toEqual([]);
    }));

  test('ends a read', () =>
    onStage(async (stage) => {
      const client = await stage.client();
      stage.cluster.freeze(1);
      const controller = new AbortController();
      const reading = client.get({ id: 'A1' }, { signal: controller.signal });
      await stage.clock.run(50);
      controller.abort();
      await expect(reading).rejects.toMatchObject({ code: 'CANCELLED' });
    }));
});

describe('close', () => {
  test('ends what waits: unknown if it was sent, else nothing was written', () =>
    onStage(async (stage) => {
      const client = await stage.client();
      stage.cluster.script = ({ type }) => type !== FrameType.STATUS;
      const sent = client.raise(alarm('a'));
      const reading = client.get({ id: 'A1' });
      await stage.clock.run(10);
      const unsent = client.raise(alarm('b'));
      const closing = client.close();
      await expect(sent).rejects.toMatchObject({ code: 'OUTCOME_UNKNOWN' });
      await expect(unsent).rejects.toMatchObject({ code: 'CLOSED', outcome: 'none' });
      await expect(reading).rejects.toMatchObject({ code: 'CLOSED' });
      await stage.clock.settle(closing);
    }));

  test('is the end: every later call is rejected with CLOSED, closing again is harmless', () =>
    onStage(async (stage) => {
      const client = await stage.client();
      await stage.clock.settle(client.close());
      await expect(client.raise(alarm('a'))).rejects.toMatchObject({ code: 'CLOSED' });
      await expect(client.list()).rejects.toMatchObject({ code: 'CLOSED' });
      await expect(client.status(addressOf(2))).rejects.toMatchObject({ code: 'CLOSED' });
      await stage.clock.settle(client.close());
      await stage.clock.settle(client[Symbol.asyncDispose]());
    }));

  test('does not wait for a replica that says nothing', () =>
    onStage(async (stage) => {
      const client = await stage.client();
      for (const replica of [1, 2, 3]) stage.cluster.freeze(replica);
      const calls = [client.get({ id: 'A1' }), client.status(addressOf(2))];
      await stage.clock.run(50);
      const begin = stage.clock.monotonic();
      const closing = client.close();
      for (const call of calls) await expect(call).rejects.toMatchObject({ code: 'CLOSED' });
      await stage.clock.settle(closing);
      expect(stage.clock.monotonic() - begin).toBeLessThanOrEqual(1_000);
    }));
});
