import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { TocsinError } from '../../src/base/errors.ts';
import { ALERTS_GROUP, millis, revision } from '../../src/base/ids.ts';
import { Prng } from '../../src/base/prng.ts';
import type { AlertFilter, Client, WatchMessage, WatchOptions } from '../../src/client/index.ts';
import { encodeShared, encodeWatchMessages } from '../../src/wire/clients/watch-messages.ts';
import { FrameType } from '../../src/wire/frame.ts';
import { alarm, onStage, type Stage } from './stage.ts';

/** What one watcher was told, until it ends; `pace` is how long it takes over each message. */
async function listen(
  stage: Stage,
  client: Client,
  options: WatchOptions,
  pace: () => number = () => 0,
): Promise<WatchMessage[]> {
  const told: WatchMessage[] = [];
  for await (const message of client.watch(options)) {
    told.push(message);
    const ms = pace();
    if (ms > 0)
      await new Promise<void>((resolve) => {
        stage.clock.after(millis(ms), resolve);
      });
  }
  return told;
}

const revisionsOf = (told: readonly WatchMessage[]): number[] =>
  told.flatMap((message) => (message.type === 'event' ? [message.event.revision] : []));

/** Changes the history directly, as if other clients did. */
async function happen(stage: Stage, other: Client, count: number, from: number): Promise<void> {
  for (let at = from; at < from + count; at += 1)
    await stage.clock.settle(other.raise({ ...alarm(`k${at}`), subject: { bed: `${at % 3}` } }));
}

/** Events once each, in order, and never a progress mark that goes back or claims too much. */
function expectOrder(told: readonly WatchMessage[]): void {
  let next = 0;
  for (const message of told) {
    const at = message.type === 'event' ? message.event.revision : message.revision;
    if (message.type === 'event') expect(at).toBeGreaterThanOrEqual(next);
    else expect(at).toBeGreaterThanOrEqual(next - 1);
    next = at + 1;
  }
}

function disturb(stage: Stage, prng: Prng): { cancel(): void } {
  const { cluster, clock } = stage;
  return clock.every(millis(100), () => {
    if (prng.chance(0.2)) cluster.reset(prng.between(1, 3));
    if (prng.chance(0.05)) cluster.freeze(prng.between(1, 3));
    if (prng.chance(0.1)) cluster.thaw();
    cluster.lag.set(prng.between(1, 3), prng.pick([0, 0, 1, 4]));
    if (prng.chance(0.1)) cluster.leader = prng.between(1, 3);
  });
}

describe('a watch under interruptions', () => {
  test('tells each event once, in order, whatever breaks meanwhile', async () => {
    await fc.assert(
      fc.asyncProperty(fc.nat({ max: 2 ** 31 }), async (seed) => {
        await onStage((stage) => disturbedWatch(stage, new Prng(seed)));
      }),
      { numRuns: 10 },
    );
  });

  async function disturbedWatch(stage: Stage, prng: Prng): Promise<void> {
    const client = await stage.client({ seed: prng.between(1, 1_000) });
    const writer = await stage.client({ seed: prng.between(2_000, 3_000) });
    const telling = stage.cluster.keepTelling();
    const controller = new AbortController();
    const { signal } = controller;
    const filter: AlertFilter = { bed: '1' };
    const pace = (): number => (prng.chance(0.1) ? prng.between(0, 300) : 0);
    const watches = [
      listen(stage, client, { from: revision(1), signal }, pace),
      listen(stage, client, { from: revision(5), signal }),
      listen(stage, client, { from: revision(1), filter, signal }, pace),
      listen(stage, client, { signal }, pace),
    ];
    const disturbance = disturb(stage, prng.fork(1));
    for (let at = 0; at < 30; at += 3) {
      await happen(stage, writer, 3, at);
      await stage.clock.run(prng.between(0, 300));
    }
    disturbance.cancel();
    stage.cluster.thaw();
    stage.cluster.lag.clear();
    await stage.clock.run(8_000);
    controller.abort();
    const [all, tail, filtered, fresh] = await stage.clock.settle(Promise.all(watches));
    telling.cancel();
    const revisions = stage.cluster.events.map((event) => Number(event.revision));
    expect(revisionsOf(all ?? [])).toEqual(revisions);
    expect(revisionsOf(tail ?? [])).toEqual(revisions.slice(4));
    expect(revisionsOf(filtered ?? [])).toEqual(
      stage.cluster.events.filter(({ alert }) => alert.subject.bed === '1').map((e) => e.revision),
    );
    const [first] = fresh ?? [];
    if (first?.type !== 'progress') throw new Error('a new watch does not say where it begins');
    expect(revisionsOf(fresh ?? [])).toEqual(revisions.slice(first.revision));
    for (const told of [all, tail, filtered, fresh]) expectOrder(told ?? []);
  }
});

/** The messages of a watch, one `next` at a time. */
const iterate = (client: Client, options: WatchOptions = {}): AsyncIterator<WatchMessage> =>
  client.watch(options)[Symbol.asyncIterator]();

describe('a watch from now on', () => {
  test('begins with a progress mark, after which nothing is missed', () =>
    onStage(async (stage) => {
      const client = await stage.client();
      const writer = await stage.client();
      await happen(stage, writer, 3, 0);
      const watch = iterate(client);
      const first = await stage.clock.settle(watch.next());
      expect(first.value).toEqual({ type: 'progress', revision: 3 });

      stage.cluster.reset(1);
      await happen(stage, writer, 2, 3);
      const second = await stage.clock.settle(watch.next());
      expect(second.value).toMatchObject({ type: 'event', event: { revision: 4 } });
      await watch.return?.();
    }));
});

describe('a watch that is interrupted', () => {
  test('goes on at another replica when this one goes silent without breaking the connection', () =>
    onStage(async (stage) => {
      const client = await stage.client();
      const writer = await stage.client();
      const watch = iterate(client, { from: revision(1) });
      const first = watch.next();
      await happen(stage, writer, 1, 0);
      await stage.clock.settle(first);
      // From here on this replica answers everything but tells no watch anything.
      stage.cluster.script = ({ type, replica }) => type === FrameType.WATCH && replica === 1;
      stage.cluster.lag.set(1, 1_000);
      const begin = stage.clock.monotonic();
      const second = watch.next();
      await happen(stage, writer, 1, 1);
      expect((await stage.clock.settle(second)).value).toMatchObject({ event: { revision: 2 } });
      expect(stage.clock.monotonic() - begin).toBeLessThan(4_000);
      await watch.return?.();
    }));

  test('takes the current state when the events are no longer kept, and goes on behind it', () =>
    onStage(async (stage) => {
      const client = await stage.client();
      const writer = await stage.client();
      await happen(stage, writer, 5, 0);
      stage.cluster.keptFrom = 6;
      const watch = iterate(client, { from: revision(1) });
      const { value } = await stage.clock.settle(watch.next());
      expect(value).toMatchObject({ type: 'compacted', revision: 5 });
      await happen(stage, writer, 1, 5);
      const { value: next } = await stage.clock.settle(watch.next());
      expect(next).toMatchObject({ type: 'event', event: { revision: 6 } });
      await watch.return?.();
    }));

  test('asks again when a replica leaves something out, and gives up when they all do', () =>
    onStage(async (stage) => {
      const client = await stage.client();
      const writer = await stage.client();
      await happen(stage, writer, 3, 0);
      let asked = 0;
      stage.cluster.script = (request) => {
        if (request.type !== FrameType.WATCH) return false;
        asked += 1;
        stage.cluster.tell(request, [{ type: 'progress', revision: revision(3) }]);
        return true;
      };
      const watch = iterate(client, { from: revision(1) });
      await expect(stage.clock.settle(watch.next())).rejects.toMatchObject({
        code: 'BODY_MALFORMED',
      });
      expect(asked).toBe(3);
      expect(await watch.next()).toEqual({ value: undefined, done: true });
    }));

  test('survives malformed frames', () =>
    onStage(async (stage) => {
      const client = await stage.client();
      const writer = await stage.client();
      let isSpent = false;
      stage.cluster.script = ({ type, channel, id }) => {
        if (type !== FrameType.WATCH || isSpent) return false;
        isSpent = true;
        channel.send(FrameType.WATCH_MESSAGES, ALERTS_GROUP, id, [Uint8Array.of(9, 9, 9)]);
        return true;
      };
      const watch = iterate(client, { from: revision(1) });
      const first = watch.next();
      await happen(stage, writer, 1, 0);
      expect((await stage.clock.settle(first)).value).toMatchObject({ event: { revision: 1 } });
      await watch.return?.();
    }));
});

describe('watches that are told together', () => {
  const shared = (ids: readonly number[], upTo: number): readonly Uint8Array[] =>
    encodeShared(ids, encodeWatchMessages([{ type: 'progress', revision: revision(upTo) }]));

  test('each hear what was said to all', () =>
    onStage(async (stage) => {
      const client = await stage.client();
      const ids: number[] = [];
      stage.cluster.script = ({ type, channel, id }) => {
        if (type !== FrameType.WATCH) return false;
        ids.push(id);
        if (ids.length === 2) channel.send(FrameType.WATCH_SHARED, ALERTS_GROUP, 0, shared(ids, 4));
        return true;
      };
      const watches = [iterate(client, {}), iterate(client, {})];
      const told = await stage.clock.settle(Promise.all(watches.map((watch) => watch.next())));
      expect(told.map(({ value }) => value)).toEqual([
        { type: 'progress', revision: 4 },
        { type: 'progress', revision: 4 },
      ]);
    }));

  test.each([
    ['watches that were never begun', shared([998, 999], 4)],
    ['nobody', [Uint8Array.of(0, 0, 0, 0)]],
  ])('go on elsewhere when a replica tells %s', (_whom, body) =>
    onStage(async (stage) => {
      const client = await stage.client();
      let isSpent = false;
      stage.cluster.script = ({ type, channel }) => {
        if (type !== FrameType.WATCH || isSpent) return false;
        isSpent = true;
        return channel.send(FrameType.WATCH_SHARED, ALERTS_GROUP, 0, body);
      };
      const told = await stage.clock.settle(iterate(client, {}).next());
      expect(told.value).toEqual({ type: 'progress', revision: 0 });
    }),
  );
});

describe('a watch ends', () => {
  test('when its signal aborts, before and after it began', () =>
    onStage(async (stage) => {
      const client = await stage.client();
      const early = iterate(client, { signal: AbortSignal.abort() });
      expect(await early.next()).toEqual({ value: undefined, done: true });

      const controller = new AbortController();
      const late = iterate(client, { from: revision(1), signal: controller.signal });
      const next = late.next();
      await stage.clock.run(100);
      controller.abort();
      expect(await next).toEqual({ value: undefined, done: true });
      await stage.clock.run(100);
      expect(stage.cluster.requests.at(-1)?.type).toBe(FrameType.CANCEL);
    }));

  test('when the loop is left: the replica is told', () =>
    onStage(async (stage) => {
      const client = await stage.client();
      const loop = async (): Promise<void> => {
        for await (const message of client.watch()) {
          expect(message.type).toBe('progress');
          break;
        }
      };
      await stage.clock.settle(loop());
      await stage.clock.run(10);
      expect(stage.cluster.requests.at(-1)?.type).toBe(FrameType.CANCEL);
    }));

  test('with CLOSED when the client is closed, once', () =>
    onStage(async (stage) => {
      const client = await stage.client();
      const watch = iterate(client, { from: revision(1) });
      const next = watch.next();
      await stage.clock.run(100);
      const closing = client.close();
      await expect(next).rejects.toMatchObject({ code: 'CLOSED' });
      expect(await watch.next()).toEqual({ value: undefined, done: true });
      await expect(iterate(client).next()).rejects.toMatchObject({ code: 'CLOSED' });
      await stage.clock.settle(closing);
    }));

  test('with BAD_REQUEST, at once, for a filter or a revision that cannot be', () =>
    onStage(async (stage) => {
      const client = await stage.client();
      expect(() => client.watch({ from: revision(0) })).toThrow(TocsinError);
      expect(() => client.watch({ filter: { bed: '' } })).toThrow('bed');
    }));

  test('with what the server refuses for good', () =>
    onStage(async (stage) => {
      const client = await stage.client();
      stage.cluster.script = (request) => {
        if (request.type !== FrameType.WATCH) return false;
        stage.cluster.fail(request, new TocsinError('BAD_REQUEST', 'filter: no'));
        return true;
      };
      await expect(stage.clock.settle(iterate(client).next())).rejects.toMatchObject({
        code: 'BAD_REQUEST',
      });
    }));
});

describe('a slow consumer', () => {
  test('holds a bounded number of messages, lets the replica go, and misses nothing', () =>
    onStage(async (stage) => {
      const client = await stage.client();
      const writer = await stage.client();
      const watch = client.watch({ from: revision(1) })[Symbol.asyncIterator]();
      const first = watch.next();
      const total = 5_000;
      for (let at = 0; at < total; at += 1_000)
        await stage.clock.settle(
          Promise.all(Array.from({ length: 1_000 }, (_, i) => writer.raise(alarm(`k${at + i}`)))),
        );
      await stage.clock.run(1_000);
      const cancelled = stage.cluster.requests.filter(({ type }) => type === FrameType.CANCEL);
      expect(cancelled.length).toBe(1);

      const told = [await stage.clock.settle(first)];
      const drain = async (): Promise<void> => {
        while (told.length < total) told.push(await watch.next());
      };
      await stage.clock.settle(drain());
      const revisions = revisionsOf(told.map(({ value }) => value));
      expect(revisions).toEqual(Array.from({ length: total }, (_, at) => at + 1));
      await watch.return?.();
    }));

  test('several calls of next at a time are answered in order', () =>
    onStage(async (stage) => {
      const client = await stage.client();
      const writer = await stage.client();
      const watch = iterate(client, { from: revision(1) });
      const nexts = [watch.next(), watch.next(), watch.next()];
      await happen(stage, writer, 3, 0);
      const told = await stage.clock.settle(Promise.all(nexts));
      expect(revisionsOf(told.map(({ value }) => value))).toEqual([1, 2, 3]);
      await watch.return?.();
    }));
});
