import fc from 'fast-check';
import { expect, test } from 'vitest';
import { logIndex, unixMillis } from '../../src/base/ids.ts';
import { UNIX_MILLIS_MAX } from '../../src/base/limits.ts';
import type { Command } from '../../src/statemachine/commands.ts';
import { AlertMachine, type Applied } from '../../src/statemachine/machine.ts';
import { decodeSubmissions, encodeCommand, keyFromText } from '../../src/wire/commands/commands.ts';
import { command, key } from './arbitraries.ts';
import { join } from './helpers.ts';

/** From commands as callers send them, over their bytes, to what a replica makes of them. */

/** A replica's machine that takes commands as the bytes of an entry. */
class Log {
  readonly machine: AlertMachine = new AlertMachine();
  readonly out: Applied = { replies: [], events: [] };

  append(...pairs: readonly (readonly [Command, Uint8Array])[]): void {
    const body = join(pairs.map(([one, itsKey]) => encodeCommand(one, itsKey)));
    const index = logIndex(this.machine.applied + 1);
    const time = unixMillis(index * 1_000);
    this.machine.apply({ index, time, submissions: decodeSubmissions(body) }, this.out);
  }
}

const instant = fc.nat({ max: UNIX_MILLIS_MAX }).map(unixMillis);
const KEY = keyFromText('k');
const raise: Command = {
  type: 'raise',
  actor: 'mon-3',
  observedAt: unixMillis(1_000),
  dedupKey: 'bed:B12:HR:HI',
  kind: 'physiological',
  priority: 'high',
  condition: 'HR:HI',
  text: 'Heart rate high',
  subject: { bed: 'B12' },
  latching: false,
  acknowledgementRequired: false,
};

test('any command under the same key at another time gets the first reply and does nothing', () => {
  fc.assert(
    fc.property(command, key, instant, fc.boolean(), (one, itsKey, observedAt, isOneEntry) => {
      const again: Command = { ...one, observedAt };
      const [log, once] = [new Log(), new Log()];
      if (isOneEntry) log.append([one, itsKey], [again, itsKey]);
      else {
        log.append([one, itsKey]);
        log.append([again, itsKey]);
      }
      once.append([one, itsKey]);
      // Time alone does something too: the lease of a source can end between the two.
      if (!isOneEntry) once.append();
      expect(log.out.replies).toEqual([once.out.replies[0], once.out.replies[0]]);
      expect(log.out.replies[1]).toStrictEqual(log.out.replies[0]);
      expect(log.out.events).toEqual(once.out.events);
    }),
  );
});

test('a repetition leaves the first time of observation in the record and in the history', () => {
  const log = new Log();
  log.append([raise, KEY]);
  log.append([{ ...raise, observedAt: unixMillis(9_000) }, KEY]);
  expect(log.out.replies[1]).toMatchObject({ ok: true, effect: 'raised', alertId: 'A1' });
  expect(log.machine.get({ id: 'A1' })).toMatchObject({ observedAt: 1_000, count: 1 });
  expect(log.out.events.map(({ observedAt }) => observedAt)).toEqual([1_000]);
});

test('the same key for something else is refused, at the same time too', () => {
  const log = new Log();
  log.append([raise, KEY], [{ ...raise, text: 'Heart rate very high' }, KEY]);
  log.append([{ ...raise, actor: 'mon-4', observedAt: unixMillis(9_000) }, KEY]);
  expect(log.out.replies.map((reply) => (reply.ok ? reply.effect : reply.code))).toEqual([
    'raised',
    'KEY_REUSED',
    'KEY_REUSED',
  ]);
});

test('another time of observation shows in the digest, whatever became of the command', () => {
  fc.assert(
    fc.property(command, key, instant, (one, itsKey, observedAt) => {
      fc.pre(one.observedAt !== observedAt);
      const digestOf = (...sent: readonly Command[]): number => {
        const log = new Log();
        log.append(...sent.map((each) => [each, itsKey] as const));
        return log.machine.digest;
      };
      const other: Command = { ...one, observedAt };
      const digests = [digestOf(one), digestOf(other), digestOf(one, one), digestOf(one, other)];
      expect(new Set(digests).size).toBe(digests.length);
    }),
  );
});
