import fc from 'fast-check';
import { expect, test } from 'vitest';
import { CLIENT_RECENT_BYTES_MAX, CLIENT_RECENT_EVENTS_MAX } from '../../src/base/limits.ts';
import type { AlertEvent } from '../../src/statemachine/types.ts';
import { Recent } from '../../src/wire/clients/recent.ts';
import {
  encodeEvent,
  encodeWatchMessages,
  WatchItems,
  WatchReader,
} from '../../src/wire/clients/watch-messages.ts';
import { event, watchMessages } from './arbitraries.ts';

const newEvents = (): Recent<AlertEvent> => new Recent(CLIENT_RECENT_EVENTS_MAX);

test('watches that share what they have read are told the same as those that read for themselves', () => {
  fc.assert(
    fc.property(
      fc.array(watchMessages, { maxLength: 6 }),
      fc.array(fc.nat(5)),
      (streams, order) => {
        const cache = newEvents();
        for (const at of order) {
          const messages = streams[at];
          if (messages === undefined) continue;
          const body = Buffer.concat(encodeWatchMessages(messages));
          expect(new WatchReader(new WatchItems(cache)).read(body)).toEqual(messages);
          // Whoever reads into the same memory again changes nothing that is remembered.
          body.fill(0xff);
        }
      },
    ),
  );
});

const [one] = fc.sample(event, { numRuns: 1, seed: 7 }) as [AlertEvent];
const withActor = (actor: string): AlertEvent => ({ ...one, actor });
const read = (cache: Recent<AlertEvent>, bytes: Uint8Array): AlertEvent | undefined => {
  const [message] = new WatchReader(new WatchItems(cache)).read(bytes);
  return message?.type === 'event' ? message.event : undefined;
};

test('the same bytes are read once, and others for themselves', () => {
  const cache = newEvents();
  const bytes = encodeEvent(withActor('a'));
  const first = read(cache, bytes);
  expect(read(cache, Uint8Array.from(bytes))).toBe(first);
  expect(read(cache, encodeEvent(withActor('b')))).not.toBe(first);
});

test('of many events the newest are remembered, and of a long one nothing', () => {
  const cache = newEvents();
  for (let n = 0; n < CLIENT_RECENT_EVENTS_MAX + 10; n += 1)
    read(cache, encodeEvent(withActor(`actor ${n}`)));
  expect(cache.size).toBe(CLIENT_RECENT_EVENTS_MAX);
  const newest = encodeEvent(withActor(`actor ${CLIENT_RECENT_EVENTS_MAX + 9}`));
  expect(read(cache, newest)).toBe(read(cache, newest));
  const long = Buffer.alloc(CLIENT_RECENT_BYTES_MAX + 1);
  let reads = 0;
  const reading = (): AlertEvent => {
    reads += 1;
    return one;
  };
  for (let n = 0; n < 2; n += 1) cache.get(long, 0, long.byteLength, reading);
  expect(reads).toBe(2);
});
