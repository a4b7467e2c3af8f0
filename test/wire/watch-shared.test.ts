import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { WATCHES_PER_CONNECTION_MAX } from '../../src/base/limits.ts';
import {
  decodeShared,
  encodeShared,
  encodeWatchMessages,
  WatchItems,
  WatchReader,
} from '../../src/wire/clients/watch-messages.ts';
import { watchMessages } from './arbitraries.ts';
import { change, survives } from './damage.ts';
import { bytesOf, codeOf, join, messageOf } from './helpers.ts';

const ids = fc.array(fc.maxSafeNat(), { minLength: 2, maxLength: WATCHES_PER_CONNECTION_MAX });

describe('what is told to several watches', () => {
  test('comes back as it was, and each of them reads it as if it were told alone', () => {
    fc.assert(
      fc.property(ids, fc.array(watchMessages, { maxLength: 4 }), (watches, stream) => {
        const items = new WatchItems();
        const readers = watches.slice(0, 3).map(() => new WatchReader(items));
        for (const messages of stream) {
          const { ids: told, messages: body } = decodeShared(
            join(encodeShared(watches, encodeWatchMessages(messages))),
          );
          expect(told).toEqual(watches);
          for (const reader of readers) expect(reader.read(body)).toEqual(messages);
        }
      }),
    );
  });

  test('is read once', () => {
    const [messages = []] = fc.sample(
      watchMessages.filter((all) => all.length > 0 && all.every(({ type }) => type === 'event')),
      { numRuns: 1, seed: 3 },
    );
    const body = join(encodeWatchMessages(messages));
    const items = new WatchItems();
    const [first] = new WatchReader(items).read(body);
    const [second] = new WatchReader(items).read(body);
    expect(second).toEqual(first);
    expect(items.read(body)).toBe(items.read(body));
  });

  test('that is damaged is malformed', () => {
    fc.assert(
      fc.property(ids, fc.array(change, { minLength: 1, maxLength: 3 }), (watches, changes) => {
        survives(join(encodeShared(watches, [])), decodeShared, changes);
      }),
    );
  });

  test.each([
    ['nothing', '', /0 watches/],
    ['half a count', '0200', /0 watches/],
    ['no watch', '00000000', /0 watches/],
    ['one watch', '01000000 0100000000000000', /1 watches/],
    ['too many watches', '01010000', /257 watches/],
    ['fewer watches than announced', '02000000 0100000000000000', /2 watches in 12 bytes/],
    ['an id beyond 2⁵³', '02000000 0100000000000000 ffffffffffffffff', /safe/],
  ])('with %s is malformed', (_what, hex, why) => {
    expect(codeOf(() => decodeShared(bytesOf(hex)))).toBe('BODY_MALFORMED');
    expect(messageOf(() => decodeShared(bytesOf(hex)))).toMatch(why);
  });
});
