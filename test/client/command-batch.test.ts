import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { TocsinError } from '../../src/base/errors.ts';
import { millis, unixMillis } from '../../src/base/ids.ts';
import { CLIENT_COMMANDS_MAX, COMMANDS_PER_FRAME_MAX } from '../../src/base/limits.ts';
import { Prng } from '../../src/base/prng.ts';
import type { BatchedCommand, BatchReply, Client } from '../../src/client/index.ts';
import { beUnlucky, FAULTS, shortOfRoom } from './faults.ts';
import { alarm, onStage, type Stage } from './stage.ts';

const raising = (dedupKey: string): BatchedCommand => ({ type: 'raise', ...alarm(dedupKey) });

interface Told {
  readonly keys: readonly string[];
  readonly outcome: readonly BatchReply[] | TocsinError;
}

async function send(client: Client, keys: readonly string[], timeoutMs: number): Promise<Told> {
  const outcome = await client.batch(keys.map(raising), { timeoutMs }).catch((error: unknown) => {
    if (!TocsinError.is(error)) throw error;
    return error;
  });
  return { keys, outcome };
}

/** Batches while leaders change and messages are lost; all of it is over when this resolves. */
async function story(stage: Stage, seed: number, isShort: boolean): Promise<readonly Told[]> {
  const { clock, cluster } = stage;
  const prng = new Prng(seed);
  const client = await stage.client({ seed });
  const faults = Object.values(FAULTS);
  const short = isShort ? Array.from(faults, () => shortOfRoom(prng.fork(3))) : [];
  beUnlucky(cluster, prng.fork(1), prng.pick([0.2, 0.6]), [...faults, ...short]);
  const disturbance = clock.every(millis(200), () => {
    if (prng.chance(0.3)) cluster.leader = prng.between(1, 3);
    if (prng.chance(0.1)) cluster.reset(prng.between(1, 3));
  });
  const sent: Promise<Told>[] = [];
  for (let at = 0; at < 20; at += 1) {
    const keys = Array.from({ length: prng.between(1, 5) }, (_, n) => `${at}/${n}`);
    sent.push(send(client, keys, prng.pick([60, 500, 8_000])));
    if (prng.chance(0.4)) await clock.run(prng.between(0, 60));
  }
  const told = await clock.settle(Promise.all(sent));
  disturbance.cancel();
  await clock.run(2_000);
  return told;
}

test('whatever goes wrong, a batch is carried out once, as a whole and in order, or its caller knows that he does not know', async () => {
  await fc.assert(
    fc.asyncProperty(fc.nat({ max: 2 ** 31 }), async (seed) => {
      await onStage(async (stage) => {
        for (const { keys, outcome } of await story(stage, seed, false)) {
          const events = stage.cluster.events.filter(({ alert }) => keys.includes(alert.dedupKey));
          if (outcome instanceof TocsinError) {
            // All of it or nothing; and nothing, if that is what the caller was told.
            const possible = outcome.outcome === 'none' ? [0] : [0, keys.length];
            expect(possible, `${keys[0]}: ${outcome.code}`).toContain(events.length);
            continue;
          }
          expect(events.map(({ alert }) => alert.dedupKey)).toEqual(keys);
          expect(outcome).toMatchObject(events.map(({ revision }) => ({ ok: true, revision })));
        }
      });
    }),
    { numRuns: 12 },
  );
});

test('whatever goes wrong while there is room for some commands alone, each is carried out once, or its caller knows that it was not, or that he does not know', async () => {
  await fc.assert(
    fc.asyncProperty(fc.nat({ max: 2 ** 31 }), async (seed) => {
      await onStage(async (stage) => {
        for (const { keys, outcome } of await story(stage, seed, true)) {
          const events = stage.cluster.events.filter(({ alert }) => keys.includes(alert.dedupKey));
          const done = events.map(({ alert }) => alert.dedupKey);
          if (outcome instanceof TocsinError) {
            expect(new Set(done).size, 'none twice').toBe(done.length);
            if (outcome.outcome === 'none') expect(done, outcome.code).toEqual([]);
            continue;
          }
          // What was not taken the first time is passed by what was.
          expect(done.sort()).toEqual(keys.filter((_, at) => outcome[at]?.ok));
          for (const reply of outcome)
            if (!reply.ok) expect(reply).toMatchObject({ code: 'DISK_FULL' });
        }
      });
    }),
    { numRuns: 12 },
  );
});

describe('a batch', () => {
  test('is one message, and each of its commands has its reply, refusals among them', () =>
    onStage(async (stage) => {
      const client = await stage.client();
      const target = { dedupKey: 'a' };
      const sending = client.batch([
        raising('a'),
        { type: 'clear', target: { dedupKey: 'nothing' } },
        { type: 'acknowledge', target },
        { type: 'clear', target },
      ]);
      const replies = await stage.clock.settle(sending);
      expect(replies).toMatchObject([
        { ok: true, effect: 'raised' },
        { ok: false, code: 'ALERT_NOT_FOUND' },
        { ok: true, effect: 'acknowledged' },
        { ok: true, effect: 'cleared' },
      ]);
      expect(stage.cluster.submitted.map(({ request }) => request.count)).toEqual([4]);
    }));

  test('may be sent again under its key: the first replies stand', () =>
    onStage(async (stage) => {
      const client = await stage.client();
      const commands = ['a', 'b'].map((key) => ({ ...raising(key), observedAt: unixMillis(1) }));
      const options = { idempotencyKey: 'of yesterday' };
      const first = await stage.clock.settle(client.batch(commands, options));
      const again = await stage.clock.settle(client.batch(commands, options));
      expect(again).toEqual(first);
      expect(stage.cluster.events.length).toBe(2);
      const [other] = await stage.clock.settle(client.batch([raising('c')], options));
      expect(other).toMatchObject({ ok: false, code: 'KEY_REUSED' });
    }));

  test('shares a message with the other calls of its tick, in their order', () =>
    onStage(async (stage) => {
      const client = await stage.client();
      const calls = [
        client.raise(alarm('a')),
        client.batch([raising('b'), raising('c')]),
        client.raise(alarm('d')),
      ];
      await stage.clock.settle(Promise.all(calls));
      expect(stage.cluster.submitted.map(({ request }) => request.count)).toEqual([4]);
      expect(stage.cluster.events.map(({ alert }) => alert.dedupKey)).toEqual([...'abcd']);
    }));

  test('counts towards what a session read must see', () =>
    onStage(async (stage) => {
      const client = await stage.client();
      await stage.clock.settle(client.batch([raising('a'), raising('b')]));
      const reading = client.get({ dedupKey: 'b' }, { consistency: 'session' });
      expect((await stage.clock.settle(reading)).revision).toBe(2);
    }));
});

const many = (count: number): BatchedCommand[] => Array.from({ length: count }, () => raising('a'));
const text = 'ü'.repeat(1_000);
const wrong: readonly (readonly [string, readonly unknown[], string])[] = [
  ['none at all', [], 'commands'],
  ['too many', many(COMMANDS_PER_FRAME_MAX + 1), `${COMMANDS_PER_FRAME_MAX}`],
  ['too long together', many(500).map((one) => ({ ...one, text })), 'bytes'],
  ['one of no type', [raising('a'), alarm('b')], 'command 1: type'],
  ['one that is no object', [raising('a'), 7], 'command 1'],
  ['a hole', Object.assign([raising('a')], { 2: raising('b') }), 'command 1'],
  [
    'one with a wrong field',
    [raising('a'), { ...raising('b'), priority: 'x' }],
    'command 1: priority',
  ],
];
test.each(wrong)('a batch of %s is refused, and nothing is sent', (_name, commands, says) =>
  onStage(async (stage) => {
    const client = await stage.client();
    const sending = client.batch(commands as BatchedCommand[]);
    await expect(stage.clock.settle(sending)).rejects.toMatchObject({
      code: 'BAD_REQUEST',
      outcome: 'none',
      message: expect.stringContaining(says),
    });
    expect(stage.cluster.submitted).toEqual([]);
  }),
);

test('batches beyond what a client may hold are refused whole', () =>
  onStage(async (stage) => {
    const client = await stage.client();
    stage.cluster.script = () => true; // Nobody is answered.
    const full = many(COMMANDS_PER_FRAME_MAX / 2);
    const held = Array.from({ length: (2 * CLIENT_COMMANDS_MAX) / COMMANDS_PER_FRAME_MAX }, () =>
      client.batch(full, { timeoutMs: 1_000 }).catch(() => 'not answered'),
    );
    await expect(stage.clock.settle(client.batch([raising('b')]))).rejects.toMatchObject({
      code: 'OVERLOADED',
    });
    await stage.clock.settle(Promise.all(held));
  }));
