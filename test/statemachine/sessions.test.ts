import fc from 'fast-check';
import { expect, test, vi } from 'vitest';
import { logIndex, unixMillis } from '../../src/base/ids.ts';
import { SESSION_REPLIES_MAX, SESSION_WINDOW_MAX } from '../../src/base/limits.ts';
import type { Command, Submission } from '../../src/statemachine/commands.ts';
import { AlertMachine, type Applied } from '../../src/statemachine/machine.ts';
import { MachineRestorer } from '../../src/statemachine/snapshot/restore.ts';
import { Bench, clear, raise } from './commands.ts';
import { ReferenceModel } from './reference-model.ts';
import { bare, SMALL_LIMITS, submit } from './stories.ts';

const asked = { actor: 'gateway', observedAt: unixMillis(1) };
const open = (leaseSeconds: number, window: number): Command => ({
  type: 'open-session',
  leaseSeconds,
  window,
  ...asked,
});

type Step =
  | { do: 'open'; leaseSeconds: number; window: number }
  | { do: 'in'; session: number; ahead: number; what: number }
  | { do: 'keep'; session: number; more: number }
  | { do: 'end'; session: number }
  | { do: 'wait'; ms: number }
  | { do: 'restart' };

const session = fc.nat(2);
const step: fc.Arbitrary<Step> = fc.oneof(
  {
    weight: 2,
    arbitrary: fc.record({
      do: fc.constant('open' as const),
      leaseSeconds: fc.constantFrom(1, 5, 60),
      window: fc.integer({ min: 1, max: 5 }),
    }),
  },
  {
    weight: 14,
    arbitrary: fc.record({
      do: fc.constant('in' as const),
      session,
      // Mostly the next one; a repetition, one that was left out, or one too far.
      ahead: fc.constantFrom(1, 1, 1, 1, 0, -1, -3, 2, 6),
      what: fc.nat(6),
    }),
  },
  {
    weight: 2,
    arbitrary: fc.record({ do: fc.constant('keep' as const), session, more: fc.nat(4) }),
  },
  { weight: 1, arbitrary: fc.record({ do: fc.constant('end' as const), session }) },
  {
    weight: 3,
    arbitrary: fc.record({ do: fc.constant('wait' as const), ms: fc.constantFrom(10, 999, 6_000) }),
  },
  { weight: 2, arbitrary: fc.constant({ do: 'restart' as const }) },
);

function commandOf(what: number, id: string): Command {
  const dedupKey = `k${what % 2}`;
  if (what < 2) return raise({ dedupKey });
  if (what < 4) return clear({ target: { dedupKey } });
  if (what === 4) return { type: 'keep-session', id: id as 'X1', floor: 2, ...asked };
  if (what === 5) return { type: 'end-session', id: id as 'X1', ...asked };
  return { type: 'acknowledge', target: { dedupKey }, ...asked };
}

function restarted(machine: AlertMachine): AlertMachine {
  const restorer = new MachineRestorer(SMALL_LIMITS);
  for (const item of machine.capture().items()) restorer.add(item);
  return restorer.finish();
}

test('each command of a session is carried out once, whatever is repeated, left out, given up or restored', () => {
  const seen = new Map<string, number>();
  fc.assert(
    fc.property(fc.array(step, { maxLength: 60, size: 'max' }), (steps) => {
      let machine = new AlertMachine(SMALL_LIMITS);
      const model = new ReferenceModel(SMALL_LIMITS);
      const newest = new Map<string, number>();
      let time = 1_000;
      for (const [at, one] of steps.entries()) {
        if (one.do === 'wait') time += one.ms;
        if (one.do === 'restart') machine = restarted(machine);
        const { id = 'X999' } = ('session' in one && model.sessions.at(-1 - one.session)) || {};
        const submission = ((): Submission | undefined => {
          const key = `${at}`.padStart(32, '0');
          switch (one.do) {
            case 'open':
              return submit(key, open(one.leaseSeconds, one.window));
            case 'keep': {
              const floor = (newest.get(id) ?? 0) + one.more - 2;
              return submit(key, { type: 'keep-session', id, floor: Math.max(0, floor), ...asked });
            }
            case 'end':
              return submit(key, { type: 'end-session', id, ...asked });
            case 'in': {
              const sequence = Math.max(1, (newest.get(id) ?? 0) + one.ahead);
              newest.set(id, Math.max(sequence, newest.get(id) ?? 0));
              const place = { session: Number(id.slice(1)), sequence };
              return { ...submit(`${id}.${sequence}`, commandOf(one.what, id)), place };
            }
            default:
              return undefined;
          }
        })();
        const submissions = submission === undefined ? [] : [submission];
        const batch = { index: logIndex(at + 1), time: unixMillis(time), submissions };
        const out: Applied = { replies: [], events: [] };
        const had = model.events.length;
        machine.apply(batch, out);
        model.begin(batch);
        const expected = submissions.map((each) => model.submit(each));
        expect(out.replies.map(bare)).toEqual(expected);
        expect(out.events).toEqual(model.events.slice(had));
        expect(machine.records('session').records).toEqual(model.sessions);
        for (const reply of expected)
          seen.set(reply.ok ? 'ok' : reply.code, (seen.get(reply.ok ? 'ok' : reply.code) ?? 0) + 1);
      }
    }),
    { numRuns: 500 },
  );
  for (const code of ['ok', 'SESSION_EXPIRED', 'REPLY_FORGOTTEN', 'KEY_REUSED', 'OVER_LIMIT'])
    expect(seen.get(code), code).toBeGreaterThan(0);
});

test('the replies that all sessions may keep are bounded by what each has reserved', () => {
  const bench = new Bench();
  const most = SESSION_REPLIES_MAX / SESSION_WINDOW_MAX;
  for (let n = 0; n < most; n += 1)
    expect(bench.do(open(60, SESSION_WINDOW_MAX))).toMatchObject({ effect: 'kept' });
  expect(bench.do(open(60, 1))).toMatchObject({ code: 'OVER_LIMIT' });
  expect(bench.do({ type: 'end-session', id: 'X1', ...asked })).toMatchObject({
    effect: 'removed',
  });
  expect(bench.do(open(60, 1))).toMatchObject({ effect: 'kept' });
});

test('a session that is heard from does not expire, by any of its commands', () => {
  const bench = new Bench();
  bench.do(open(5, 4));
  for (let sequence = 1; sequence <= 20; sequence += 1) {
    const place = { session: 1, sequence };
    const reply = bench.submit({ ...submit(`X1.${sequence}`, raise()), place });
    expect(reply).toMatchObject({ ok: true });
  }
  bench.at(60_000);
  expect(bench.machine.records('session').records).toEqual([]);
});

test('a session ends by the time in the log, whatever the clock of whoever applies it shows', () => {
  const HEARD = 4_000;
  const stories = [0, HEARD, Date.UTC(2100, 0)].map((clock) => {
    vi.setSystemTime(clock);
    try {
      const bench = new Bench();
      bench.do(open(5, 4));
      for (let n = 2; n * 1_000 <= HEARD; n += 1)
        bench.do({ type: 'keep-session', id: 'X1', floor: 0, ...asked });
      // It is looked at when it would have ended, had nobody been heard.
      return [HEARD + 3_000, HEARD + 4_999, HEARD + 5_000].map((time) => {
        bench.at(time);
        const { records } = bench.machine.records('session');
        return { sessions: records.length, digest: bench.machine.digest };
      });
    } finally {
      vi.useRealTimers();
    }
  });
  expect(stories[0]?.map(({ sessions }) => sessions)).toEqual([1, 1, 0]);
  for (const story of stories) expect(story).toEqual(stories[0]);
});
