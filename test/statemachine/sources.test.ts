import { expect, test } from 'vitest';
import { unixMillis } from '../../src/base/ids.ts';
import type { HeartbeatCommand } from '../../src/statemachine/sources.ts';
import { Bench, clear, raise } from './commands.ts';

const asked = { actor: 'mon42', observedAt: unixMillis(1) };
const KEY = raise().dedupKey;
const OTHER = 'phys:p7:mon42:SPO2:LO';

const beat = (present?: readonly string[]): HeartbeatCommand => ({
  type: 'heartbeat',
  source: 'mon42',
  leaseSeconds: 2,
  ...(present === undefined ? {} : { present }),
  ...asked,
});

const isStale = ({ machine }: Bench, dedupKey: string): boolean =>
  machine.get({ dedupKey })?.staleSince !== undefined;

/** A machine whose only source has an open alert and has not been heard from for longer than its lease. */
function lost(): Bench {
  const bench = new Bench();
  bench.do(beat());
  bench.done(raise({ latching: true }));
  const other = { kind: 'technical', subject: {}, dedupKey: 'other' } as const;
  for (let second = 0; second < 3; second += 1) bench.done(raise(other));
  expect(bench.machine.records('source').records[0]?.state).toBe('lost');
  expect(isStale(bench, KEY)).toBe(true);
  return bench;
}

test('what is raised while its source is lost is stale until the source is back', () => {
  const bench = lost();
  const since = bench.machine.get({ dedupKey: KEY })?.staleSince;
  bench.done(raise());
  bench.done(raise({ dedupKey: OTHER }));
  expect(bench.machine.get({ dedupKey: KEY })?.staleSince).toBe(since);
  expect(isStale(bench, OTHER)).toBe(true);
  bench.do(beat([KEY, OTHER]));
  expect([isStale(bench, KEY), isStale(bench, OTHER)]).toEqual([false, false]);
});

test('what is cleared, and stays on the list, while its source is lost is stale too', () => {
  const bench = lost();
  expect(bench.done(clear()).state).toBe('LATCHED');
  expect(isStale(bench, KEY)).toBe(true);
});

test('a raise after the source is back makes its alert live', () => {
  const bench = lost();
  bench.do(beat());
  expect(isStale(bench, KEY)).toBe(true);
  bench.done(raise());
  expect(isStale(bench, KEY)).toBe(false);
});

test('of a source taken out of service nothing is missed', () => {
  const bench = lost();
  bench.do({ type: 'retire-source', source: 'mon42', ...asked });
  bench.done(raise());
  expect(isStale(bench, KEY)).toBe(false);
});
