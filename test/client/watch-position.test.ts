import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { type Revision, revision } from '../../src/base/ids.ts';
import type { Alert, WatchMessage } from '../../src/client/index.ts';
import { WatchPosition } from '../../src/client/watch/watch-position.ts';

const event = (at: number): WatchMessage =>
  ({ type: 'event', event: { revision: revision(at) } }) as WatchMessage;
const progress = (at: number): WatchMessage => ({ type: 'progress', revision: revision(at) });
const NO_ALERTS: readonly Alert[] = [];
const compacted = (at: number): WatchMessage => ({
  type: 'compacted',
  revision: revision(at),
  alerts: NO_ALERTS,
});
const from = (at: number): Revision => revision(at);

/** Which of the messages pass, as `e5 p7 c9`; `!` where one is an error. */
function pass(position: WatchPosition, messages: readonly WatchMessage[]): string {
  const passed: string[] = [];
  for (const message of messages)
    try {
      const at = message.type === 'event' ? message.event.revision : message.revision;
      if (position.take(message)) passed.push(`${message.type[0]}${at}`);
    } catch {
      passed.push('!');
    }
  return passed.join(' ');
}

const HISTORY = 20;

/** What a replica may tell to who asks from `next`, starting earlier than it had to, and as far as it got. */
const replay = fc.record({
  early: fc.nat({ max: 5 }),
  count: fc.nat({ max: 8 }),
  lag: fc.nat({ max: 3 }),
});

describe('the position of a watch', () => {
  test('lets each event pass once and in order, however often streams begin again', () => {
    fc.assert(
      fc.property(fc.array(replay, { maxLength: 30 }), (replays) => {
        const position = new WatchPosition(from(1), false);
        const told: number[] = [];
        for (const { early, count, lag } of replays) {
          const begin = Math.max(1, (position.next ?? 1) - early);
          const end = Math.min(HISTORY, begin + count - 1);
          for (let at = begin; at <= end; at += 1) if (position.take(event(at))) told.push(at);
          const before = position.next ?? 1;
          position.take(progress(Math.max(0, end - lag)));
          expect(position.next).toBeGreaterThanOrEqual(before);
        }
        expect(told).toEqual(told.map((_, at) => at + 1));
      }),
    );
  });

  test.each([
    ['what was told before is dropped', 3, [event(1), event(2), event(3), event(3)], 'e3'],
    ['a hole is an error', 3, [event(3), event(5)], 'e3 !'],
    ['a mark over a hole is an error', 3, [event(3), progress(4)], 'e3 !'],
    ['a mark of what is known passes, as a sign of life', 3, [progress(2), progress(2)], 'p2 p2'],
    ['a mark that goes back is dropped', 3, [event(3), progress(1), progress(3)], 'e3 p3'],
    ['a state takes the place of what is left out', 3, [compacted(9), event(10)], 'c9 e10'],
    ['a state as of what is known is dropped', 9, [compacted(8), event(9)], 'e9'],
    ['events in a state are dropped', 3, [compacted(9), event(9), event(10)], 'c9 e10'],
  ])('%s', (_claim, next, messages, expected) => {
    expect(pass(new WatchPosition(from(next), false), messages)).toBe(expected);
  });

  test('with a filter, revisions may be left out, and nothing else', () => {
    const position = new WatchPosition(from(3), true);
    const messages = [event(5), progress(8), event(8), event(12), progress(11), progress(12)];
    expect(pass(position, messages)).toBe('e5 p8 e12 p12');
  });

  test('from now on, the first mark says where that is; an event before it is an error', () => {
    expect(pass(new WatchPosition(undefined, false), [progress(7), event(7), event(8)])).toBe(
      'p7 e8',
    );
    expect(pass(new WatchPosition(undefined, false), [event(7)])).toBe('!');
  });
});
