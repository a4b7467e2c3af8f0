import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { TocsinError } from '../../src/base/errors.ts';
import { millis } from '../../src/base/ids.ts';
import { Prng } from '../../src/base/prng.ts';
import type { Client, Done } from '../../src/client/index.ts';
import { FrameType } from '../../src/wire/frame.ts';
import { addressOf } from './fake-cluster.ts';
import { beUnlucky, FAULTS, shortOfRoom } from './faults.ts';
import { alarm, onStage, type Stage } from './stage.ts';

interface Told {
  readonly dedupKey: string;
  readonly outcome: Done | TocsinError;
  /** How long it took, and how long it was allowed to. */
  readonly tookMs: number;
  readonly timeoutMs: number;
}

/** Makes a call, and notes what its caller is told and when. */
async function call(
  stage: Stage,
  client: Client,
  dedupKey: string,
  options: { timeoutMs: number; signal?: AbortSignal },
): Promise<Told> {
  const begin = stage.clock.monotonic();
  const outcome = await client.raise(alarm(dedupKey), options).catch((error: unknown) => {
    if (!TocsinError.is(error)) throw error;
    return error;
  });
  const tookMs = stage.clock.monotonic() - begin;
  return { dedupKey, outcome, tookMs, timeoutMs: options.timeoutMs };
}

/** What the history says must not contradict what the caller was told. */
function expectTruth(stage: Stage, { dedupKey, outcome, tookMs, timeoutMs }: Told): void {
  const events = stage.cluster.events.filter(({ alert }) => alert.dedupKey === dedupKey);
  expect(tookMs, `${dedupKey} settled late`).toBeLessThanOrEqual(timeoutMs);
  if (outcome instanceof TocsinError) {
    const most = outcome.outcome === 'none' ? 0 : 1;
    expect(events.length, `${dedupKey}: ${outcome.code}`).toBeLessThanOrEqual(most);
    return;
  }
  expect(events.map((event) => event.revision)).toEqual([outcome.revision]);
  expect(outcome.effect).toBe('raised');
}

/** Leaders change, replicas freeze, connections break, at random. */
function disturb(stage: Stage, prng: Prng): { cancel(): void } {
  const { cluster, clock } = stage;
  return clock.every(millis(150), () => {
    if (prng.chance(0.15)) cluster.leader = prng.between(1, 3);
    else if (prng.chance(0.05)) cluster.leader = undefined;
    if (prng.chance(0.05)) cluster.freeze(prng.between(1, 3));
    if (prng.chance(0.1)) cluster.thaw();
    if (prng.chance(0.05)) cluster.reset(prng.between(1, 3));
    cluster.givesHints = prng.chance(0.7);
  });
}

async function story(stage: Stage, seed: number, isShort: boolean): Promise<Told[]> {
  const prng = new Prng(seed);
  const faults = Object.values(FAULTS);
  const short = Array.from(faults, () => shortOfRoom(prng.fork(3)));
  const client = await stage.client({ seed });
  const probability = prng.pick([0.1, 0.4, 0.8]);
  beUnlucky(stage.cluster, prng.fork(1), probability, isShort ? [...faults, ...short] : faults);
  const disturbance = disturb(stage, prng.fork(2));
  const calls: Promise<Told>[] = [];
  for (let at = 0; at < 40; at += 1) {
    const timeoutMs = prng.pick([50, 400, 3_000, 8_000]);
    const controller = new AbortController();
    if (prng.chance(0.2)) stage.clock.after(millis(prng.between(0, 500)), () => controller.abort());
    calls.push(call(stage, client, `k${at}`, { timeoutMs, signal: controller.signal }));
    if (prng.chance(0.4)) await stage.clock.run(prng.between(0, 60));
  }
  if (prng.chance(0.2)) {
    await stage.clock.run(prng.between(0, 500));
    await stage.clock.settle(client.close());
  }
  const told = await stage.clock.settle(Promise.all(calls));
  disturbance.cancel();
  await stage.clock.run(2_000); // What was still on its way is applied by now.
  return told;
}

describe('what a caller is told is true', () => {
  const allTrue = (isShort: boolean): Promise<void> =>
    fc.assert(
      fc.asyncProperty(fc.nat({ max: 2 ** 31 }), async (seed) => {
        await onStage(async (stage) => {
          const told = await story(stage, seed, isShort);
          for (const one of told) expectTruth(stage, one);
        });
      }),
      { numRuns: 12 },
    );

  test('done: applied once; outcome none: never applied; always in time', () => allTrue(false));

  test('so it is where there is room for some alone of what is sent together', () => allTrue(true));

  test.each(Object.entries(FAULTS))(
    '%s, once: the calls are done in the end, under the same keys',
    (name, fault) =>
      onStage(async (stage) => {
        const client = await stage.client();
        let isSpent = false;
        stage.cluster.script = (request) => {
          if (isSpent || request.type !== FrameType.SUBMIT) return false;
          isSpent = true;
          fault(stage.cluster, request);
          return true;
        };
        const calls = ['a', 'b', 'c'].map((key) => call(stage, client, key, { timeoutMs: 8_000 }));
        const told = await stage.clock.settle(Promise.all(calls));
        await stage.clock.run(1_000);
        for (const one of told) {
          expectTruth(stage, one);
          // A replica that is alive and forgets a request leaves its client nothing but to wait.
          const end = name.startsWith('silence') ? { code: 'OUTCOME_UNKNOWN' } : { ok: true };
          expect(one.outcome).toMatchObject(end);
        }
        expect(new Set(stage.cluster.submitted.map(({ keys }) => keys.join())).size).toBe(1);
      }),
  );

  test.each(Object.entries(FAULTS))(
    '%s, always: the call ends in time, and truly',
    (_name, fault) =>
      onStage(async (stage) => {
        const client = await stage.client();
        stage.cluster.script = (request) => {
          if (request.type !== FrameType.SUBMIT || request.replica !== stage.cluster.leader)
            return false;
          fault(stage.cluster, request);
          return true;
        };
        const told = await stage.clock.settle(call(stage, client, 'a', { timeoutMs: 2_500 }));
        await stage.clock.run(2_000);
        expectTruth(stage, told);
      }),
  );

  test('nobody there: UNAVAILABLE, nothing written, and every cause in the message', () =>
    onStage(async (stage) => {
      const client = await stage.client();
      for (const replica of [1, 2, 3]) await stage.clock.settle(stage.cluster.kill(replica));
      const told = await stage.clock.settle(call(stage, client, 'a', { timeoutMs: 1_000 }));
      expect(told.outcome).toMatchObject({ code: 'UNAVAILABLE', outcome: 'none' });
      for (const replica of [1, 2, 3])
        expect((told.outcome as TocsinError).message).toContain(addressOf(replica));
    }));
});
