import { describe, expect, test } from 'vitest';
import { TocsinError } from '../../src/base/errors.ts';
import { ALERTS_GROUP, millis, replicaId } from '../../src/base/ids.ts';
import {
  CLIENT_PONG_MS,
  CLIENT_REQUESTS_IN_FLIGHT_MAX,
  CLIENT_SILENCE_MS,
} from '../../src/base/limits.ts';
import type { Client } from '../../src/client/index.ts';
import { FrameType } from '../../src/wire/frame.ts';
import { addressOf, CLUSTER_ID, type Request } from './fake-cluster.ts';
import { alarm, onStage, type Stage } from './stage.ts';

describe('connecting', () => {
  test('takes the first replica that answers; one that says nothing holds up nobody', () =>
    onStage(async (stage) => {
      stage.cluster.freeze(1);
      stage.cluster.leader = 2;
      const begin = stage.clock.monotonic();
      const client = await stage.client();
      expect(stage.clock.monotonic() - begin).toBeLessThan(200);
      await stage.clock.settle(client.raise(alarm('a')));
    }));

  test('names every endpoint and why, when none answers', () =>
    onStage(async (stage) => {
      const endpoints = [addressOf(8), addressOf(9)];
      const connecting = stage.clock.settle(stage.connecting({ endpoints }));
      await expect(connecting).rejects.toMatchObject({ code: 'UNAVAILABLE' });
      await expect(connecting).rejects.toThrow(/ \/memory\/8; .* \/memory\/9$/);
    }));

  test('gives up in time when all are silent', () =>
    onStage(async (stage) => {
      for (const replica of [1, 2, 3]) stage.cluster.freeze(replica);
      const begin = stage.clock.monotonic();
      const connecting = stage.clock.settle(stage.connecting({ timeoutMs: 3_000 }));
      await expect(connecting).rejects.toMatchObject({ code: 'UNAVAILABLE' });
      expect(stage.clock.monotonic() - begin).toBeLessThanOrEqual(4_000);
    }));

  test('waits for a slow one within its time', () =>
    onStage(async (stage) => {
      for (const replica of [1, 2, 3]) stage.cluster.freeze(replica);
      const connecting = stage.connecting();
      await stage.clock.run(2_500);
      stage.cluster.thaw();
      const client = await stage.clock.settle(connecting);
      await stage.clock.settle(client.close());
    }));

  test.each([
    ['another cluster', { clusterId: 'ab'.repeat(16) }, 'WRONG_CLUSTER'],
    ['addresses that are none', { endpoints: ['nonsense'] }, 'BAD_ADDRESS'],
    ['no endpoints', { endpoints: [] }, 'BAD_REQUEST'],
    ['a cluster id that is none', { clusterId: 'X' }, 'BAD_REQUEST'],
    ['a name that is none', { name: '' }, 'BAD_REQUEST'],
    ['a signal that was aborted', { signal: AbortSignal.abort() }, 'CANCELLED'],
  ] as const)('%s: fails with its own code', (_name, options, code) =>
    onStage(async (stage) => {
      await expect(stage.clock.settle(stage.connecting(options))).rejects.toMatchObject({ code });
    }),
  );

  test('accepts the cluster that was named', () =>
    onStage(async (stage) => {
      await stage.client({ clusterId: CLUSTER_ID });
    }));

  test('can be called off at any moment', () =>
    onStage(async (stage) => {
      for (const replica of [1, 2, 3]) stage.cluster.freeze(replica);
      const controller = new AbortController();
      const connecting = stage.connecting({ signal: controller.signal });
      await stage.clock.run(150);
      controller.abort();
      await expect(stage.clock.settle(connecting)).rejects.toMatchObject({ code: 'CANCELLED' });
    }));
});

describe('another cluster', () => {
  test('is never taken for this one, even where it was not named', () =>
    onStage(async (stage) => {
      const stranger = {
        role: 'peer',
        lane: 'client',
        clusterId: 'ee'.repeat(16),
        replicaId: undefined,
        incarnation: 1,
        agent: 'stranger',
      } as const;
      const listener = await stage.cluster.network.transport('stranger').listen(
        '/memory/9',
        { ...stranger, replicaId: replicaId(9) },
        {
          judge: () => {},
          open: () => {},
        },
      );
      const client = await stage.client({ endpoints: [addressOf(1), '/memory/9'] });
      await expect(stage.clock.settle(client.status('/memory/9'))).rejects.toMatchObject({
        code: 'WRONG_CLUSTER',
      });
      for (const replica of [1, 2, 3]) await stage.clock.settle(stage.cluster.kill(replica));
      const call = stage.clock.settle(client.raise(alarm('a'), { timeoutMs: 1_000 }));
      await expect(call).rejects.toMatchObject({ code: 'UNAVAILABLE', outcome: 'none' });
      await expect(call).rejects.toThrow('WRONG_CLUSTER');
      await stage.clock.settle(listener.close());
    }));
});

describe('the leader is found', () => {
  test('by what the first replica tells of it', () =>
    onStage(async (stage) => {
      stage.cluster.leader = 3;
      const client = await stage.client();
      await stage.clock.run(10);
      await stage.clock.settle(client.raise(alarm('a')));
      expect(stage.cluster.submitted.map(({ replica }) => replica)).toEqual([3]);
    }));

  test('by its hint, at once', () =>
    onStage(async (stage) => {
      const client = await stage.client();
      await stage.clock.settle(client.raise(alarm('a')));
      stage.cluster.leader = 3;
      const begin = stage.clock.monotonic();
      await stage.clock.settle(client.raise(alarm('b')));
      expect(stage.clock.monotonic() - begin).toBeLessThan(1);
      expect(stage.cluster.submitted.map(({ replica }) => replica)).toEqual([1, 1, 3]);
    }));

  test('by asking one after another, when nobody gives a hint', () =>
    onStage(async (stage) => {
      stage.cluster.givesHints = false;
      const client = await stage.client();
      for (const leader of [3, 1, 2, 3]) {
        stage.cluster.leader = leader;
        const begin = stage.clock.monotonic();
        await stage.clock.settle(client.raise(alarm(`with ${leader}`)));
        expect(stage.clock.monotonic() - begin).toBeLessThan(500);
      }
    }));

  test('by a client that was given one endpoint, after that one died', () =>
    onStage(async (stage) => {
      const client = await stage.client({ endpoints: [addressOf(1)] });
      await stage.clock.run(10);
      await stage.clock.settle(stage.cluster.kill(1));
      stage.cluster.leader = 2;
      await stage.clock.settle(client.raise(alarm('a')));
      expect(stage.cluster.events.length).toBe(1);
    }));

  test('when the one before is paused, with its connections open', () =>
    onStage(async (stage) => {
      const client = await stage.client();
      await stage.clock.settle(client.raise(alarm('a')));
      stage.cluster.freeze(1);
      const begin = stage.clock.monotonic();
      const call = client.raise(alarm('b'));
      await stage.clock.run(500);
      stage.cluster.leader = 2;
      await stage.clock.settle(call);
      const noticed = CLIENT_SILENCE_MS + CLIENT_PONG_MS;
      expect(stage.clock.monotonic() - begin).toBeLessThan(noticed + 200);
    }));

  test('also while the followers still take a paused one for the leader', () =>
    onStage(async (stage) => {
      const client = await stage.client();
      await stage.clock.settle(client.raise(alarm('a')));
      stage.cluster.freeze(1);
      const call = client.raise(alarm('b'));
      await stage.clock.run(3_000);
      stage.cluster.leader = 3;
      await stage.clock.settle(call);
      expect(stage.clock.monotonic()).toBeLessThan(4_500);
    }));

  test('also by calls that each give up before the silence is noticed', () =>
    onStage(async (stage) => {
      const client = await stage.client();
      await stage.clock.settle(client.raise(alarm('a')));
      stage.cluster.freeze(1);
      stage.cluster.leader = 2;
      let done = false;
      for (let at = 0; at < 10 && !done; at += 1)
        done = await stage.clock.settle(
          client.raise(alarm(`k${at}`), { timeoutMs: 300 }).then(
            () => true,
            (error: unknown) => !TocsinError.is(error),
          ),
        );
      expect(done).toBe(true);
    }));

  test('and a slow but living one is not given up', () =>
    onStage(async (stage) => {
      const client = await stage.client();
      stage.cluster.script = ({ type }) => type === FrameType.SUBMIT;
      const call = client.raise(alarm('a'), { timeoutMs: 5_000 });
      await stage.clock.run(4_000);
      expect(stage.cluster.channels.size).toBe(1);
      const [request] = stage.cluster.requests.filter(({ type }) => type === FrameType.SUBMIT);
      if (request !== undefined) stage.cluster.reply(request, stage.cluster.apply(request));
      expect(await stage.clock.settle(call)).toMatchObject({ effect: 'raised' });
    }));
});

describe('commands that are sent again', () => {
  /** Calls of two ticks, so two frames. */
  const raiseTwo = (client: Client): Promise<unknown> => {
    const first = client.raise(alarm('older'));
    return Promise.all([first, Promise.resolve().then(() => client.raise(alarm('younger')))]);
  };
  const order = ['older', 'younger'];

  test('keep their order when both were refused for now', () =>
    onStage(async (stage) => {
      const client = await stage.client();
      let refusals = 0;
      stage.cluster.script = (request) => {
        if (request.type !== FrameType.SUBMIT || refusals === 2) return false;
        refusals += 1;
        stage.cluster.fail(request, new TocsinError('OVERLOADED', 'full'));
        return true;
      };
      await stage.clock.settle(raiseTwo(client));
      expect(stage.cluster.events.map(({ alert }) => alert.dedupKey)).toEqual(order);
      expect(stage.cluster.submitted.length).toBe(4);
    }));

  test('go on when an earlier sending of them fails late', () =>
    onStage(async (stage) => {
      const { cluster, clock } = stage;
      const client = await stage.client();
      await clock.settle(client.raise(alarm('before')));
      const held: Request[] = [];
      const short = new TocsinError('DISK_FULL', 'nearly full');
      cluster.script = (request) => {
        if (request.type !== FrameType.SUBMIT || request.replica !== 1) return false;
        if (held.push(request) === 2) cluster.fail(request, short);
        if (held.length === 4) cluster.fail(held[0] as Request, short);
        return held.length <= 4;
      };
      const first = client.raise(alarm('a'));
      await clock.run(0);
      await clock.settle(Promise.all([first, client.raise(alarm('b'))]));
      expect(held.length).toBeGreaterThan(4);
    }));

  test('go to the new leader with all that the old one still owes, before what is younger', () =>
    onStage(async (stage) => {
      const client = await stage.client();
      stage.cluster.script = (request) => {
        if (request.type !== FrameType.SUBMIT || request.replica !== 1) return false;
        // Deposed with both in its queue: it denies the first and never comes to the second.
        stage.cluster.leader = 2;
        const isFirst = stage.cluster.submitted.length === 1;
        if (isFirst) stage.cluster.fail(request, stage.cluster.notLeader(1));
        return true;
      };
      const calls = raiseTwo(client);
      await stage.clock.run(20);
      const begin = stage.clock.monotonic();
      const youngest = client.raise(alarm('youngest'));
      await stage.clock.settle(Promise.all([calls, youngest]));
      expect(stage.clock.monotonic() - begin).toBeLessThan(100);
      expect(stage.cluster.events.map(({ alert }) => alert.dedupKey)).toEqual([
        ...order,
        'youngest',
      ]);
    }));

  test.each([
    ['the connection broke', (stage: Stage) => stage.cluster.reset(1)],
    [
      'the leader fell silent',
      (stage: Stage) => {
        stage.cluster.freeze(1);
        stage.cluster.leader = 2;
      },
    ],
    [
      'nobody led for a while',
      (stage: Stage) => {
        void stage.cluster.kill(1);
        stage.cluster.leader = undefined;
        stage.clock.after(millis(400), () => {
          stage.cluster.leader = 3;
        });
      },
    ],
  ])('keep their order and their keys when %s', (_name, breakIt) =>
    onStage(async (stage) => {
      const client = await stage.client();
      stage.cluster.script = ({ type }) => type === FrameType.SUBMIT;
      const calls = raiseTwo(client);
      await stage.clock.run(20);
      const keys = stage.cluster.submitted.flatMap((submitted) => submitted.keys);
      expect(new Set(keys).size).toBe(2);
      stage.cluster.script = () => false;
      breakIt(stage);
      await stage.clock.settle(calls);
      expect(stage.cluster.events.map(({ alert }) => alert.dedupKey)).toEqual(order);
      expect(stage.cluster.submitted.slice(-2).flatMap((submitted) => submitted.keys)).toEqual(
        keys,
      );
    }),
  );
});

describe('reads', () => {
  test('that must be fresh go to the leader, others to any replica', () =>
    onStage(async (stage) => {
      const client = await stage.client();
      await stage.clock.settle(client.raise(alarm('a')));
      stage.cluster.leader = 2;
      expect((await stage.clock.settle(client.get({ id: 'A1' }))).value?.id).toBe('A1');

      stage.cluster.leader = undefined;
      const local = client.get({ id: 'A1' }, { consistency: 'local' });
      expect((await stage.clock.settle(local)).value?.id).toBe('A1');
      const fresh = stage.clock.settle(client.list({}, { timeoutMs: 1_000 }));
      await expect(fresh).rejects.toMatchObject({ code: 'UNAVAILABLE', outcome: 'none' });
    }));

  test('are asked again after whatever breaks', () =>
    onStage(async (stage) => {
      const client = await stage.client();
      await stage.clock.settle(client.raise(alarm('a')));
      let asked = 0;
      stage.cluster.script = (request) => {
        if (request.type !== FrameType.GET) return false;
        asked += 1;
        if (asked === 1) stage.cluster.reset(request.replica);
        else if (asked === 2) stage.cluster.fail(request, new TocsinError('OVERLOADED', 'full'));
        else if (asked === 3) request.channel.send(FrameType.ANSWER, ALERTS_GROUP, request.id, []);
        else if (asked === 4) request.channel.close();
        else return false;
        return true;
      };
      const { value } = await stage.clock.settle(client.get({ dedupKey: 'a' }));
      expect(value?.id).toBe('A1');
      expect(asked).toBe(5);
    }));

  test('more than a connection may carry wait for their turn', () =>
    onStage(async (stage) => {
      const client = await stage.client();
      await stage.clock.settle(client.raise(alarm('a')));
      let most = 0;
      let peak = 0;
      stage.cluster.script = (request) => {
        if (request.type !== FrameType.LIST) return false;
        most += 1;
        peak = Math.max(peak, most);
        stage.clock.soon(() => {
          most -= 1;
          stage.cluster.handle(request);
        });
        return true;
      };
      const reads = Array.from({ length: 1_600 }, () => client.list());
      const answers = await stage.clock.settle(Promise.all(reads));
      expect(answers.every(({ value }) => value.alerts[0]?.id === 'A1')).toBe(true);
      expect(peak).toBe(CLIENT_REQUESTS_IN_FLIGHT_MAX);
    }));

  test('of one replica fail at once when it cannot be reached', () =>
    onStage(async (stage) => {
      const client = await stage.client();
      await stage.clock.settle(stage.cluster.kill(2));
      const begin = stage.clock.monotonic();
      const asking = stage.clock.settle(client.status(addressOf(2)));
      await expect(asking).rejects.toMatchObject({ code: 'CONNECTION_LOST' });
      expect(stage.clock.monotonic() - begin).toBeLessThan(100);
    }));
});

describe('connections', () => {
  test('that nobody uses are closed after a while, all but the leader’s', () =>
    onStage(async (stage) => {
      const client = await stage.client();
      for (const replica of [1, 2, 3]) await stage.clock.settle(client.status(addressOf(replica)));
      expect(stage.cluster.channels.size).toBe(3);
      await stage.clock.run(20_000);
      expect(stage.cluster.channels.size).toBe(1);
      await stage.clock.settle(client.raise(alarm('a')));
    }));
});
