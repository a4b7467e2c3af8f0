import { expect, test } from 'vitest';
import { escalationWorkload } from '../../jepsen-lite/workloads/escalation.ts';
import type { AlertEvent } from '../../src/statemachine/types.ts';
import { Recorder } from '../../src/testing/workload/recorder.ts';

test('of what happens to an alert under a policy its account explains what the policy does, and nothing else', () => {
  const parts = { recorder: new Recorder(), now: () => 0, timeoutMs: 1, namespace: 'here:' };
  const { account } = escalationWorkload.open(parts);
  const explains = (effect: string, actor: string, dedupKey = 'here:1'): boolean | undefined => {
    const alert = { id: 'A1', dedupKey, escalation: { loop: 0, step: 1 } };
    const event = { alert, effect, actor, revision: 1, time: 0 } as unknown as AlertEvent;
    return account?.take(event, 0);
  };
  expect(
    ['notified', 'unanswered', 'exhausted'].map((effect) => explains(effect, 'tocsin')),
  ).toEqual([true, true, true]);
  expect(['cleared', 'raised'].map((effect) => explains(effect, 'tocsin'))).toEqual([false, false]);
  expect(explains('notified', 'c1.1')).toBe(false);
  expect(explains('notified', 'tocsin', 'there:1')).toBe(false);
  expect(explains('raised', 'tocsin', 'tocsin:unanswered:A1')).toBe(true);
  expect(explains('raised', 'tocsin', 'tocsin:unanswered:A2')).toBe(false);
});
