import fc from 'fast-check';
import { expect, test } from 'vitest';
import { TocsinError } from '../../src/base/errors.ts';
import { replicaId } from '../../src/base/ids.ts';
import { type Client, connect } from '../../src/client/client.ts';
import { connectTrends } from '../../src/client/trend/trend-client.ts';
import { alarm, onStage } from './stage.ts';

const CHANGE = { op: 'remove', id: replicaId(3) } as const;

/** As somebody gives them who writes JavaScript: whatever it is, and so `never`. */
const CALLS: readonly (readonly [string, (client: Client, options: never) => unknown])[] = [
  ['raise', (client, options) => client.raise(alarm('a'), options)],
  ['batch', (client, options) => client.batch([{ type: 'raise', ...alarm('a') }], options)],
  ['get', (client, options) => client.get({ id: 'A1' }, options)],
  ['list', (client, options) => client.list({}, options)],
  ['history', (client, options) => client.history('A1', options)],
  ['records', (client, options) => client.records('schedule', options)],
  ['status', (client, options) => client.status(undefined, options)],
  ['operator.change', ({ operator }, options) => operator.change(CHANGE, options)],
  ['operator.transfer', ({ operator }, options) => operator.transfer(undefined, options)],
  ['operator.drain', ({ operator }, options) => operator.drain('/memory/1', options)],
  ['operator.snapshot', ({ operator }, options) => operator.snapshot('/memory/1', options)],
  ['watch', (client, options) => client.watch(options)],
  ['events', (client, options) => client.events(options)],
];

const bad = fc.oneof(
  fc.constantFrom<unknown>(null, 5, 'soon', [], { timeoutMS: 5 }, { timout: 5 }, { key: 'k' }),
  fc
    .constantFrom<unknown>(null, 'x', {}, { aborted: true }, Symbol('s'), new EventTarget())
    .map((signal) => ({ signal })),
  fc
    .constantFrom<unknown>(null, Number.NaN, 0, -1, 1.5, '5', 1e15, Number.POSITIVE_INFINITY, 5n)
    .map((timeoutMs) => ({ timeoutMs })),
);

test.each(CALLS)(
  'options of %s that are not well formed are refused by name, and nothing is sent',
  (_name, call) =>
    onStage(async (stage) => {
      const client = await stage.client();
      const attempt = async (options: unknown): Promise<unknown> =>
        await call(client, options as never);
      await fc.assert(
        fc.asyncProperty(bad, async (options) => {
          const error: unknown = await attempt(options).catch((thrown: unknown) => thrown);
          expect(TocsinError.is(error) && error.code).toBe('BAD_REQUEST');
          expect(String(error)).toMatch(/options|signal|timeoutMs/);
        }),
      );
      await stage.clock.settle(client.get({ id: 'A1' }));
      expect(stage.cluster.events).toEqual([]);
    }),
);

test.each([
  ['connect', connect],
  ['connectTrends', connectTrends],
])('options of %s too, before anybody is dialled', async (_name, open) => {
  const endpoints = ['/ip4/127.0.0.1/tcp/1'];
  await fc.assert(
    fc.asyncProperty(bad, async (options) => {
      const given: unknown =
        typeof options === 'object' && options !== null && !Array.isArray(options)
          ? { endpoints, ...options }
          : options;
      const error: unknown = await open(given as never).catch((thrown: unknown) => thrown);
      expect(TocsinError.is(error) && error.code).toBe('BAD_REQUEST');
    }),
  );
});
