import { expect, test } from 'vitest';
import { unixMillis } from '../../src/base/ids.ts';
import { NOTIFICATIONS_PER_ALERT_MAX } from '../../src/base/limits.ts';
import type { NotificationId, ReportCommand } from '../../src/statemachine/beside/notifications.ts';
import type { PolicyCommand } from '../../src/statemachine/beside/policies.ts';
import { acknowledge, Bench, raise } from './commands.ts';

const asked = { actor: 'gateway', observedAt: unixMillis(1) };
const target = { dedupKey: raise().dedupKey };

const policy: PolicyCommand = {
  type: 'set-policy',
  id: 'default',
  steps: [
    { targets: ['user:anna', 'user:bob'], delaySeconds: 60 },
    { targets: ['user:carl'], delaySeconds: 60 },
  ],
  repeat: 0,
  minPriority: 'low',
  confirmSeconds: 3,
  ...asked,
};

const report = (
  notification: NotificationId,
  outcome: ReportCommand['outcome'],
): ReportCommand => ({
  type: 'report',
  notification,
  outcome,
  ...asked,
});

const targets = ({ machine }: Bench): string[] =>
  machine.records('notification').records.map((one) => one.target);

/** A machine in which anna and bob have just been told. */
function told(): Bench {
  const bench = new Bench();
  bench.do(policy);
  bench.done(raise());
  expect(targets(bench)).toEqual(['user:anna', 'user:bob']);
  return bench;
}

test('a delivery that fails after somebody accepted does not page the next step', () => {
  const bench = told();
  bench.done({ type: 'accept', target, ...asked, actor: 'anna' });
  bench.do(report('N2', 'failed'));
  expect(targets(bench)).toEqual(['user:anna', 'user:bob']);
  expect(bench.machine.get(target)?.responsibility).toMatchObject({
    state: 'accepted',
    by: 'anna',
  });
});

test('nor does one that nobody confirmed in time', () => {
  const bench = told();
  bench.done({ type: 'accept', target, ...asked, actor: 'anna' });
  for (let second = 0; second < 5; second += 1) bench.do(report('N9', 'sent'));
  expect(bench.machine.records('notification').records[1]?.state).toBe('expired');
  expect(targets(bench)).toEqual(['user:anna', 'user:bob']);
});

test('who else cannot come does not take it from whoever accepted', () => {
  const bench = told();
  bench.done({ type: 'accept', target, ...asked, actor: 'anna' });
  expect(bench.done({ type: 'reject', target, ...asked, actor: 'bob' }).effect).toBe('unchanged');
  expect(targets(bench)).toEqual(['user:anna', 'user:bob']);
  expect(bench.machine.get(target)?.responsibility).toMatchObject({ by: 'anna' });
  expect(
    bench.machine
      .records('notification')
      .records.map(({ state }) => state)
      .sort(),
  ).toEqual(['accepted', 'rejected']);
});

test('whoever accepted can give it back, and the next step follows at once', () => {
  const bench = told();
  bench.done({ type: 'accept', target, ...asked, actor: 'anna' });
  bench.done({ type: 'reject', target, ...asked, actor: 'anna' });
  bench.at(3_500);
  expect(targets(bench)).toContain('user:carl');
});

test('where nobody accepted and nobody can be reached the next step does not wait', () => {
  const bench = told();
  bench.do(report('N1', 'failed'));
  bench.do(report('N2', 'failed'));
  expect(targets(bench)).toEqual(['user:anna', 'user:bob', 'user:carl']);
});

const ownOf = (bench: Bench, key: string): string | undefined =>
  bench.machine.get({ dedupKey: key })?.condition;

test('who asks for more help than comes is told that nobody could be reached, until the alert ends', () => {
  const bench = told();
  const { alertId } = bench.done({ type: 'acknowledge', target, ...asked });
  bench.done({ type: 'escalate', target, reason: 'a second pair of hands', ...asked });
  expect(targets(bench).at(-1)).toBe('user:carl');
  bench.do(report('N3', 'failed'));
  expect(ownOf(bench, `tocsin:unanswered:${alertId}`)).toBe('ALERT:UNREACHED');
  bench.done({ type: 'clear', target, ...asked });
  expect(ownOf(bench, `tocsin:unanswered:${alertId}`)).toBeUndefined();
});

test('what has to be looked at again after it cleared is escalated again', () => {
  const bench = new Bench();
  bench.do(policy);
  bench.done(raise({ latching: true, resetAfterClear: true }));
  bench.done({ type: 'acknowledge', target, ...asked });
  expect(bench.machine.get(target)?.escalation?.dueAt).toBeUndefined();
  bench.done({ type: 'clear', target, ...asked });
  expect(bench.machine.get(target)?.escalation?.dueAt).toBeGreaterThan(bench.machine.time);
});

test('when the last one cannot be reached either, that is an alert at once', () => {
  const bench = told();
  for (const id of ['N1', 'N2', 'N3'] as const) bench.do(report(id, 'failed'));
  const { id } = bench.machine.get(target) ?? {};
  expect(ownOf(bench, `tocsin:unanswered:${id}`)).toBe('ALERT:UNANSWERED');
});

test('notifications for which there is no room have failed, and an alert says so until there is', () => {
  const bench = new Bench({ notificationsLiveMax: 3 });
  bench.do(policy);
  const keys = ['a', 'b', 'c'];
  for (const dedupKey of keys) bench.done(raise({ dedupKey }));
  const states = bench.machine.records('notification').records.map(({ state }) => state);
  expect(states.sort()).toEqual(['failed', 'failed', 'failed', 'queued', 'queued', 'queued']);
  expect(ownOf(bench, 'tocsin:quota:notifications')).toBe('STORE:NOTIFICATIONS');
  for (const dedupKey of keys) bench.done({ type: 'acknowledge', target: { dedupKey }, ...asked });
  expect(ownOf(bench, 'tocsin:quota:notifications')).toBeUndefined();
});

test('an alert that moves to a unit with a policy of its own is told of there, from the first step on (T24)', () => {
  const bench = told();
  bench.do({ ...policy, id: 'ward', steps: [{ targets: ['user:dora'], delaySeconds: 60 }] });
  const move = { type: 'transfer', target, subject: { unit: 'ward-1' }, ...asked } as const;
  bench.done({ ...move, policy: 'ward' });
  expect(targets(bench)).toEqual(['user:anna', 'user:bob', 'user:dora']);
  const states = bench.machine.records('notification').records.map(({ state }) => state);
  expect(states).toEqual(['cancelled', 'cancelled', 'queued']);
  expect(bench.machine.get(target)).toMatchObject({
    activation: 1,
    subject: { unit: 'ward-1' },
    escalation: { policy: 'ward', loop: 1, step: 1 },
    responsibility: { state: 'offered', to: ['user:dora'] },
  });
});

test('one that was acknowledged goes by that policy when it is needed again, and not before', () => {
  const bench = told();
  bench.do({ ...policy, id: 'ward', steps: [{ targets: ['user:dora'], delaySeconds: 60 }] });
  bench.done(acknowledge());
  bench.done({ type: 'transfer', target, subject: {}, policy: 'ward', ...asked });
  expect(targets(bench)).toEqual(['user:anna', 'user:bob']);
  bench.done({ type: 'unacknowledge', target, reason: 'wrong bed', ...asked });
  expect(targets(bench).at(-1)).toBe('user:dora');
  expect(bench.machine.get(target)?.escalation).toMatchObject({ loop: 1, step: 1 });
});

test('a move to a policy that is not in force is refused, and changes nothing', () => {
  const bench = told();
  const before = bench.machine.get(target);
  const move = { type: 'transfer', target, subject: { bed: '9' }, ...asked } as const;
  expect(bench.do({ ...move, policy: 'ward' })).toMatchObject({ code: 'RECORD_NOT_FOUND' });
  expect(bench.machine.get(target)).toBe(before);
});

test('what the machine says by itself goes by no policy, wherever it is moved', () => {
  const bench = new Bench();
  bench.do({ ...policy, steps: [{ targets: ['schedule:icu'], delaySeconds: 1 }] });
  bench.done(raise());
  const nobody = { dedupKey: 'tocsin:schedule:icu' };
  const move = { type: 'transfer', target: nobody, subject: {}, ...asked } as const;
  expect(bench.do({ ...move, policy: 'default' })).toMatchObject({ code: 'NOT_OWNER' });
  expect(bench.machine.get(nobody)?.escalation).toBeUndefined();
});

test('whoever escalates an alert again and again calls off the oldest notifications, and has the newest sent', () => {
  const bench = new Bench();
  bench.do({ ...policy, confirmSeconds: 86_400 });
  bench.done(raise());
  const again = { type: 'escalate', target, reason: 'still nobody', ...asked } as const;
  for (let n = 0; n < NOTIFICATIONS_PER_ALERT_MAX; n += 1) bench.done(again);
  const made = bench.machine.records('notification', 0, 1_000).records;
  const [anna, newest] = [made[0], made.at(-1)];
  expect(made.length).toBeGreaterThan(NOTIFICATIONS_PER_ALERT_MAX);
  expect([anna?.state, newest?.state]).toEqual(['cancelled', 'queued']);
  const isQueued = ({ state }: { state: string }): boolean => state === 'queued';
  expect(made.filter(isQueued)).toHaveLength(NOTIFICATIONS_PER_ALERT_MAX);
  bench.done(acknowledge());
  expect(bench.machine.records('notification', 0, 1_000).records.some(isQueued)).toBe(false);
});
