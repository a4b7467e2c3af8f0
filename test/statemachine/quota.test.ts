import { describe, expect, test } from 'vitest';
import { QUOTA_KEY } from '../../src/statemachine/quota.ts';
import type { Priority } from '../../src/statemachine/types.ts';
import { acknowledge, Bench, clear, raise } from './commands.ts';

const bench = (): Bench => new Bench({ openAlertsMax: 20 });
const open = (one: Bench, from: number, to: number, priority: Priority = 'medium'): void => {
  for (let i = from; i < to; i += 1) one.done(raise({ dedupKey: `k${i}`, priority }));
};
const isOn = (one: Bench): boolean => one.machine.get({ dedupKey: QUOTA_KEY }) !== undefined;

describe('the quota of open alerts', () => {
  test('sounds an alarm of its own at four fifths, and ends it when there is room again', () => {
    const one = bench();
    open(one, 0, 15);
    expect(isOn(one)).toBe(false);
    open(one, 15, 16);
    expect(isOn(one)).toBe(true);
    for (let i = 0; i < 2; i += 1) one.done(clear({ target: { dedupKey: `k${i}` } }));
    expect(isOn(one)).toBe(true);
    for (let i = 2; i < 4; i += 1) one.done(clear({ target: { dedupKey: `k${i}` } }));
    expect(isOn(one)).toBe(false);
  });

  test('refuses first what can wait, then every new alert, and never what is about an open one', () => {
    const one = bench();
    open(one, 0, 17);
    expect(one.machine.openCount).toBe(18);
    const low = raise({ dedupKey: 'x', priority: 'low' });
    expect(one.do(low)).toMatchObject({ code: 'QUOTA_EXCEEDED' });
    open(one, 17, 19, 'high');
    expect(one.do(raise({ dedupKey: 'x', priority: 'high' }))).toMatchObject({
      code: 'QUOTA_EXCEEDED',
    });
    one.done(raise({ dedupKey: 'k3', priority: 'high' }));
    one.done(acknowledge({ target: { dedupKey: 'k3' } }));
    one.done(clear({ target: { dedupKey: 'k3' } }));
    one.done(raise({ dedupKey: 'x', priority: 'high' }));
  });

  test('counts what alerts weigh too', () => {
    const one = new Bench({ openBytesMax: 10_000 });
    const labels = { note: 'x'.repeat(128) };
    for (let i = 0; one.do(raise({ dedupKey: `k${i}`, labels })).ok; i += 1)
      expect(i).toBeLessThan(20);
    expect(isOn(one)).toBe(true);
    expect(one.machine.openCount).toBeLessThan(10);
  });

  test('counts what an alert comes to weigh, too, and forgets it with the alert', () => {
    const one = new Bench({ openBytesMax: 12_000 });
    for (const dedupKey of ['a', 'b', 'c', 'd']) one.done(raise({ dedupKey, text: '' }));
    expect(isOn(one)).toBe(false);
    const text = 'x'.repeat(1_024);
    for (const dedupKey of ['a', 'b', 'c', 'd']) one.done(raise({ dedupKey, text }));
    one.done(raise({ dedupKey: 'e', text }));
    expect(isOn(one)).toBe(true);
    for (const dedupKey of ['a', 'b']) one.done(clear({ target: { dedupKey } }));
    expect(isOn(one)).toBe(false);
  });

  test('takes a transaction whole or not at all', () => {
    const one = bench();
    open(one, 0, 18);
    const commands = ['x', 'y'].map((dedupKey) => raise({ dedupKey, priority: 'high' }));
    const asked = { type: 'transaction' as const, actor: 'n', observedAt: raise().observedAt };
    expect(one.do({ ...asked, guards: [], commands })).toMatchObject({ code: 'QUOTA_EXCEEDED' });
    expect(one.machine.get({ dedupKey: 'x' })).toBeUndefined();
    const [first] = commands;
    expect(one.do({ ...asked, guards: [], commands: first ? [first] : [] }).ok).toBe(true);
  });
});
