import { expect, test } from 'vitest';
import { type UnixMillis, unixMillis } from '../../src/base/ids.ts';
import { UNIX_MILLIS_MAX } from '../../src/base/limits.ts';
import type { Command } from '../../src/statemachine/commands.ts';
import { acknowledge, Bench, raise } from './commands.ts';
import { submit } from './stories.ts';

/** The last moment that a Date can hold: what would end later ends then, and time stays there. */

const LAST = unixMillis(UNIX_MILLIS_MAX);

/** A bench whose log has come so close to the end, with an alert that is acknowledged for an hour. */
function benchAt(time: UnixMillis): { bench: Bench; does: (command: Command) => void } {
  const bench = new Bench();
  bench.at(time);
  let keys = 0;
  const does = (command: Command): void => {
    keys += 1;
    const reply = bench.submit(submit(`${keys}`.padStart(32, 'e'), command));
    expect(reply).toMatchObject({ ok: true });
  };
  does(raise({ acknowledgementSeconds: 3_600 }));
  does(acknowledge());
  return { bench, does };
}

const said = { actor: 'nurse-1', observedAt: unixMillis(3) };
const silence: Command = {
  type: 'silence',
  ...said,
  matchers: [{ field: 'bed', values: ['12'] }],
  seconds: 3_600,
  reason: 'suction',
};

test('what would end after it ends with it, and annunciates again', () => {
  const { bench, does } = benchAt(unixMillis(LAST - 10_000));
  does(silence);
  expect(bench.machine.records('silence').records).toMatchObject([{ until: LAST, dueAt: LAST }]);
  expect(bench.machine.get({ id: 'A1' })).toMatchObject({ acknowledgedUntil: LAST });
  bench.at(LAST - 1);
  expect(bench.machine.get({ id: 'A1' })).toMatchObject({ acknowledged: true });
  bench.at(LAST);
  expect(bench.machine.get({ id: 'A1' })).toMatchObject({ acknowledged: false });
  expect(bench.machine.records('silence').records).toMatchObject([{ endedAt: LAST }]);
  expect(bench.machine.nextDue).toBe(Number.POSITIVE_INFINITY);
});

test('at that moment itself what has an end is over at once, and later ones are that one', () => {
  const { bench, does } = benchAt(LAST);
  does(silence);
  bench.at(LAST + 86_400_000);
  expect(bench.machine.time).toBe(LAST);
  expect(bench.machine.get({ id: 'A1' })).toMatchObject({ acknowledged: false });
  expect(bench.machine.records('silence').records).toMatchObject([{ endedAt: LAST }]);
  expect(bench.machine.nextDue).toBe(Number.POSITIVE_INFINITY);
});
