import fc from 'fast-check';
import { expect, test } from 'vitest';
import { must } from '../../src/base/assert.ts';
import { logIndex, unixMillis } from '../../src/base/ids.ts';
import { EFFORT_PER_ENTRY_MAX } from '../../src/base/limits.ts';
import type { HeartbeatCommand } from '../../src/statemachine/beside/sources.ts';
import type { Command } from '../../src/statemachine/commands.ts';
import type { Alert } from '../../src/statemachine/types.ts';
import { acknowledge, Bench, clear, raise } from './commands.ts';
import { ReferenceModel } from './reference-model.ts';
import { SMALL_LIMITS, submit } from './stories.ts';

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

const isOpen = ({ resolution }: Alert): boolean => resolution === undefined;

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

test('what an alert of a lost source explained is heard of again, and stale like the other', () => {
  const bench = new Bench();
  bench.do({ ...beat(), leaseSeconds: 60 });
  bench.done(raise({ condition: 'PROBE:OFF' }));
  bench.done(raise({ dedupKey: OTHER, condition: 'SPO2:LO' }));
  expect(bench.machine.badgesOf(must(bench.machine.get({ dedupKey: OTHER }), OTHER))).toBeDefined();
  bench.at(100_000);
  expect([isStale(bench, KEY), isStale(bench, OTHER)]).toEqual([true, true]);
});

const KEYS = ['phys:m1', 'phys:m2', 'tech:m1'];
const DEVICES = ['m1', 'm2'];
const key = fc.constantFrom(...KEYS);
const device = fc.constantFrom(...DEVICES);
const comesAndGoes: fc.Arbitrary<Command> = fc.oneof(
  fc.record({ source: device, present: fc.option(fc.subarray(KEYS), { nil: undefined }) }).map(
    ({ source, present }): Command => ({
      type: 'heartbeat',
      source,
      leaseSeconds: 2,
      ...(present === undefined ? {} : { present }),
      ...asked,
    }),
  ),
  fc.record({ dedupKey: key, at: device, latching: fc.boolean() }).map(
    ({ dedupKey, at, latching }): Command =>
      raise({
        dedupKey,
        subject: { device: at },
        latching,
        kind: dedupKey.startsWith('tech') ? 'technical' : 'physiological',
      }),
  ),
  key.map((dedupKey): Command => clear({ target: { dedupKey } })),
  fc.record({ dedupKey: key, to: device }).map(
    ({ dedupKey, to }): Command => ({
      type: 'transfer',
      target: { dedupKey },
      subject: { device: to },
      ...asked,
    }),
  ),
  device.map((source): Command => ({ type: 'retire-source', source, ...asked })),
);

test('what is measured by a source that was missed and is not back is stale, whatever is done with it', () => {
  const step = fc.record({ command: comesAndGoes, seconds: fc.constantFrom(0, 1, 5) });
  fc.assert(
    fc.property(fc.array(step, { maxLength: 30, size: 'max' }), (steps) => {
      const bench = new Bench(SMALL_LIMITS);
      const { machine } = bench;
      const model = new ReferenceModel(SMALL_LIMITS);
      let time = 1_000;
      for (const [place, { command, seconds }] of steps.entries()) {
        time += seconds * 1_000;
        const begin = { index: logIndex(place + 1), time: unixMillis(time) };
        const submission = submit(`${place}`.padStart(32, '0'), command);
        machine.apply({ ...begin, submissions: [submission] }, bench.out);
        model.begin(begin);
        model.submit(submission);
        const { alerts } = machine.list({}, { limit: 1_000 });
        expect(alerts).toEqual(model.all());
        const lost = model.sources.filter(({ state }) => state === 'lost').map(({ id }) => id);
        const measured = alerts.filter(
          ({ kind, subject }) => kind === 'physiological' && lost.includes(`${subject.device}`),
        );
        expect(measured.filter(isOpen).filter(({ staleSince }) => !staleSince)).toEqual([]);
      }
    }),
    { numRuns: 300 },
  );
});

test('what is transferred to a device that is lost is stale at once, until that one is back', () => {
  const bench = lost();
  const target = { dedupKey: OTHER };
  bench.done(raise({ dedupKey: OTHER, subject: { device: 'mon7' } }));
  const before = bench.out.events.length;
  const told = bench.done({ type: 'transfer', target, subject: { device: 'mon42' }, ...asked });
  expect(bench.out.events.slice(before)).toMatchObject([
    { effect: 'transferred', revision: told.revision, alert: { staleSince: bench.machine.time } },
  ]);
  expect(bench.machine.list({ stale: true }).alerts.map(({ dedupKey }) => dedupKey)).toContain(
    OTHER,
  );
  bench.do(beat());
  expect(isStale(bench, OTHER)).toBe(true);
  bench.do(beat([OTHER]));
  expect(isStale(bench, OTHER)).toBe(false);
});

test('what is transferred away from a device that is lost is stale still: nobody there has said how it is', () => {
  const bench = lost();
  const since = bench.machine.get({ dedupKey: KEY })?.staleSince;
  const target = { dedupKey: KEY };
  bench.done({ type: 'transfer', target, subject: { device: 'mon7' }, ...asked });
  expect(bench.machine.get(target)?.staleSince).toBe(since);
});

test('a technical alert about a device that is lost is not stale, however it comes there', () => {
  const bench = lost();
  const target = { dedupKey: 'other' };
  bench.done({ type: 'transfer', target, subject: { device: 'mon42' }, ...asked });
  expect(isStale(bench, 'other')).toBe(false);
});

test('what is transferred to a device that is lost explains nothing there', () => {
  const bench = lost();
  const target = { dedupKey: 'off' };
  const off = { kind: 'physiological', condition: 'ECG:LEADS_OFF', subject: {} } as const;
  bench.done(raise({ dedupKey: 'off', ...off }));
  const before = bench.out.events.length;
  bench.done({ type: 'transfer', target, subject: { device: 'mon42' }, ...asked });
  expect(bench.machine.badgesOf(must(bench.machine.get({ dedupKey: KEY }), KEY))).toBeUndefined();
  expect(bench.out.events.slice(before).map(({ effect }) => effect)).toEqual(['transferred']);
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

test('however many open alerts a heartbeat names, those that it does not name are cleared', () => {
  const bench = new Bench();
  const keys = Array.from({ length: 300 }, (_, place) => `phys:p7:mon42:${place}`);
  for (const dedupKey of keys) bench.done(raise({ dedupKey }));
  bench.do(beat(keys.slice(0, 256)));
  expect(bench.machine.list({}, { limit: 1_000 }).alerts.filter(isOpen)).toHaveLength(256);
});

test('alerts that stay on the list after their conditions are over keep no others from being cleared', () => {
  const bench = new Bench();
  const keys = Array.from({ length: 300 }, (_, place) => `phys:p7:mon42:${place}`);
  for (const dedupKey of keys) bench.done(raise({ dedupKey, latching: true }));
  for (let beats = 0; beats < 2; beats += 1) bench.do(beat([]));
  const { alerts } = bench.machine.list({}, { limit: 1_000 });
  expect(alerts.filter(({ presence }) => presence === 'present')).toEqual([]);
});

test('a heartbeat that names a condition that had cleared annunciates it again (T23, T5)', () => {
  const bench = new Bench();
  bench.done(raise({ latching: true }));
  bench.done(clear());
  bench.do(beat([KEY]));
  const { alert, effect } = bench.out.events.at(-1) ?? {};
  expect(effect).toBe('reactivated');
  expect(alert).toMatchObject({ presence: 'present', activation: 2, cause: undefined });
});

test('what cleared and was stale is live when its source is back and does not name it', () => {
  const bench = lost();
  bench.done(clear());
  bench.do(beat([]));
  expect(bench.machine.get({ dedupKey: KEY })).toMatchObject({ presence: 'cleared' });
  expect(isStale(bench, KEY)).toBe(false);
});

test('of a lost source no entry marks more than its share, and none stays unmarked', () => {
  const effortPerEntryMax = 64;
  const bench = new Bench({ effortPerEntryMax });
  bench.do(beat());
  const count = effortPerEntryMax * 2 + 10;
  const index = logIndex(bench.machine.applied + 1);
  const submissions = Array.from({ length: count }, (_, place) =>
    submit(`b${place}`.padStart(32, '0'), raise({ dedupKey: `phys:p7:mon42:${place}` })),
  );
  bench.machine.apply({ index, time: unixMillis(1_500), submissions }, bench.out);
  for (let at = 10_000; bench.machine.nextDue <= at + 1; at += 1) {
    const events = bench.out.events.length;
    bench.at(at);
    const marked = bench.out.events.slice(events).filter(({ effect }) => effect === 'stale');
    expect(marked.length).toBeLessThanOrEqual(effortPerEntryMax);
    expect(bench.machine.records('source').records[0]?.state).toBe('lost');
  }
  const { alerts } = bench.machine.list({ stale: true }, { limit: 1_000 });
  expect(alerts).toHaveLength(count);
  expect(bench.out.events.filter(({ effect }) => effect === 'raised')).toHaveLength(count + 1);
});

test('a heartbeat that comes too late is of a source that was lost, also where much else is due', () => {
  const bench = new Bench();
  const late = { acknowledgementSeconds: 1 };
  for (let place = 0; place <= EFFORT_PER_ENTRY_MAX; place += 1) {
    bench.do(raise({ dedupKey: `${place}`, subject: {}, ...late }));
  }
  const time = bench.machine.time;
  const acks = Array.from({ length: EFFORT_PER_ENTRY_MAX + 1 }, (_, place) =>
    submit(`a${place}`.padStart(32, '0'), acknowledge({ target: { dedupKey: `${place}` } })),
  );
  const beats = submit('b'.padStart(32, '0'), beat());
  const index = logIndex(bench.machine.applied + 1);
  bench.machine.apply({ index, time, submissions: [...acks, beats] }, bench.out);
  const again = submit('c'.padStart(32, '0'), beat());
  const later = unixMillis(time + 60_000);
  bench.machine.apply({ index: logIndex(index + 1), time: later, submissions: [again] }, bench.out);
  const told = bench.out.events.filter(({ alert }) => alert.condition === 'SOURCE:LOST');
  expect(told.map(({ effect }) => effect)).toEqual(['raised', 'cleared']);
  expect(bench.machine.records('source').records[0]?.state).toBe('live');
});
