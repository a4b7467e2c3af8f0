import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { AlertSender, keyOf, type Settled } from '../../../cli/pipeline/alert-sender.ts';
import type { AlertRequest } from '../../../src/analytics/alerts.ts';
import { TocsinError } from '../../../src/base/errors.ts';
import { revision, unixMillis } from '../../../src/base/ids.ts';
import type { AlertApi, WriteOptions } from '../../../src/statemachine/alert-api.ts';
import type { Done } from '../../../src/statemachine/types.ts';

const raise = (dedupKey: string, at: number): AlertRequest => ({
  type: 'raise',
  input: {
    dedupKey,
    kind: 'physiological',
    priority: 'high',
    condition: 'HR:HI',
    text: 'HR high',
    subject: { patient: 'p', device: 'd' },
    cause: { metric: 'HR', value: 140, unit: '/min', rule: 'hr-high@1' },
    latching: false,
    acknowledgementRequired: false,
    observedAt: unixMillis(at),
  },
});

const clear = (dedupKey: string, at: number): AlertRequest => ({
  type: 'clear',
  input: { target: { dedupKey }, observedAt: unixMillis(at) },
});

const done: Done = {
  ok: true,
  effect: 'raised',
  alertId: 'A1',
  activation: 1,
  revision: revision(1),
  state: 'ACTIVE_UNACK',
};

interface Call {
  readonly key: string;
  readonly at: number;
  readonly idempotencyKey: string | undefined;
  readonly settle: (outcome: Done | Error) => void;
}

/** An api whose calls end when the test says so. */
class ManualApi {
  readonly calls: Call[] = [];
  readonly open: Call[] = [];
  readonly api: AlertApi;

  constructor() {
    const take = (key: string, at: number, options: WriteOptions = {}): Promise<Done> =>
      new Promise((resolve, reject) => {
        const call: Call = {
          key,
          at,
          idempotencyKey: options.idempotencyKey,
          settle: (outcome) => {
            this.open.splice(this.open.indexOf(call), 1);
            if (outcome instanceof Error) reject(outcome);
            else resolve(outcome);
          },
        };
        options.signal?.addEventListener('abort', () =>
          call.settle(new TocsinError('OUTCOME_UNKNOWN', 'aborted')),
        );
        this.calls.push(call);
        this.open.push(call);
      });
    const unused = (): never => {
      throw new Error('not used here');
    };
    this.api = {
      raise: (input, options) => take(input.dedupKey, Number(input.observedAt), options),
      clear: (input, options) =>
        take(
          'dedupKey' in input.target ? input.target.dedupKey : '',
          Number(input.observedAt),
          options,
        ),
      acknowledge: unused,
      get: unused,
      list: unused,
      watch: unused,
    };
  }
}

const turn = (): Promise<void> => new Promise((resolve) => setImmediate(resolve));

const isSettled = async (promise: Promise<void>): Promise<boolean> => {
  let settled = false;
  void promise.then(() => {
    settled = true;
  });
  await turn();
  return settled;
};

describe('AlertSender', () => {
  test('whatever ends when and how: one command of a key under way, in order, each told once', async () => {
    await fc.assert(
      fc.asyncProperty(
        fc.array(fc.integer({ min: 0, max: 4 }), { maxLength: 60 }),
        fc.array(fc.tuple(fc.nat(), fc.constantFrom('done', 'none', 'unknown', 'bug')), {
          minLength: 1,
          maxLength: 60,
        }),
        fc.integer({ min: 1, max: 4 }),
        fc.integer({ min: 1, max: 8 }),
        async (keys, endings, underWayMax, heldMax) => {
          const manual = new ManualApi();
          const settled: Settled[] = [];
          const sender = new AlertSender({
            api: manual.api,
            runId: 'run',
            underWayMax,
            heldMax,
            onSettled: (one) => settled.push(one),
          });
          const requests = keys.map((key, at) =>
            at % 2 === 0 ? raise(`k${key}`, at) : clear(`k${key}`, at),
          );
          let heldAtMost = 0;
          const bring = (async () => {
            for (const request of requests) {
              await sender.send(request);
              heldAtMost = Math.max(heldAtMost, sender.counts.held);
            }
            await sender.drain();
          })();
          let step = 0;
          while (!(await isSettled(bring))) {
            expect(manual.open.length).toBeLessThanOrEqual(underWayMax);
            expect(new Set(manual.open.map(({ key }) => key)).size).toBe(manual.open.length);
            const [draw, how] = endings[step % endings.length]!;
            step += 1;
            const call = manual.open[draw % manual.open.length]!;
            if (how === 'done') call.settle(done);
            else if (how === 'none') call.settle(new TocsinError('ALERT_NOT_FOUND', 'no'));
            else if (how === 'unknown') call.settle(new TocsinError('OUTCOME_UNKNOWN', '?'));
            else call.settle(new Error('a bug'));
          }
          expect(heldAtMost).toBeLessThanOrEqual(heldMax);
          expect(settled).toHaveLength(requests.length);
          for (const key of new Set(keys))
            expect(manual.calls.filter((one) => one.key === `k${key}`).map(({ at }) => at)).toEqual(
              requests.filter((one) => keyOf(one) === `k${key}`).map((one) => one.input.observedAt),
            );
          const { held, done: ok, failed, unknown } = sender.counts;
          expect({ held, total: ok + failed + unknown }).toEqual({
            held: 0,
            total: requests.length,
          });
          expect(sender.failures).toHaveLength(failed + unknown);
          expect(ok).toBe(settled.filter(({ told }) => !(told instanceof Error)).length);
        },
      ),
      { numRuns: 150 },
    );
  });

  test('a clear waits for its raise, another key does not', async () => {
    const manual = new ManualApi();
    const sender = new AlertSender({ api: manual.api, runId: 'run' });
    await sender.send(raise('a', 1));
    await sender.send(clear('a', 2));
    await sender.send(raise('b', 1));
    expect(manual.open.map(({ key, at }) => [key, at])).toEqual([
      ['a', 1],
      ['b', 1],
    ]);
    manual.open[0]!.settle(done);
    await turn();
    expect(manual.open.map(({ key, at }) => [key, at])).toEqual([
      ['b', 1],
      ['a', 2],
    ]);
    for (const call of [...manual.open]) call.settle(done);
    await sender.drain();
  });

  test('who brings more than is held waits until something has ended', async () => {
    const manual = new ManualApi();
    const sender = new AlertSender({ api: manual.api, runId: 'run', heldMax: 2 });
    expect(await isSettled(sender.send(raise('a', 1)))).toBe(true);
    const second = sender.send(raise('b', 1));
    expect(await isSettled(second)).toBe(false);
    manual.open[0]!.settle(done);
    await second;
    manual.open[0]!.settle(done);
    await sender.drain();
  });

  test('the same stream has the same idempotency keys, and no two commands share one', async () => {
    const keysOf = async (runId: string): Promise<(string | undefined)[]> => {
      const manual = new ManualApi();
      const sender = new AlertSender({ api: manual.api, runId });
      for (const request of [raise('a', 1), raise('b', 1), clear('a', 1), raise('a', 2)])
        void sender.send(request);
      for (; manual.open.length > 0; await turn()) manual.open[0]!.settle(done);
      return manual.calls.map(({ idempotencyKey }) => idempotencyKey).sort();
    };
    const first = await keysOf('run-1');
    expect(new Set(first).size).toBe(4);
    expect(await keysOf('run-1')).toEqual(first);
    expect((await keysOf('run-2')).filter((key) => first.includes(key))).toEqual([]);
  });

  test('what an aborted sender holds is reported, not sent', async () => {
    const manual = new ManualApi();
    const stop = new AbortController();
    const sender = new AlertSender({ api: manual.api, runId: 'run', signal: stop.signal });
    for (const request of [raise('a', 1), clear('a', 2), clear('a', 3)]) void sender.send(request);
    stop.abort();
    await sender.drain();
    expect(manual.calls).toHaveLength(1);
    expect(sender.counts).toEqual({ held: 0, done: 0, failed: 2, unknown: 1 });
    expect(sender.failures.map(({ error }) => error.code)).toEqual([
      'OUTCOME_UNKNOWN',
      'CANCELLED',
      'CANCELLED',
    ]);
  });
});
