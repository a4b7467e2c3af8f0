import { describe, expect, test } from 'vitest';
import { RULES_PER_SET_MAX } from '../../src/base/limits.ts';
import type { ListedRule } from '../../src/base/rules/listed-rules.ts';
import type { RuleCommand } from '../../src/statemachine/beside/rule-book.ts';
import { HR_HIGH } from '../hr-high.ts';
import { Bench } from './commands.ts';

const AT = { actor: 'anna', observedAt: 0 as never };
const HIGH: ListedRule = {
  list: 'rules',
  ...HR_HIGH,
};
const NEWS2: ListedRule = {
  list: 'scores',
  id: 'news2',
  kind: 'news2',
  limit: 7,
  startAfterSeconds: 0,
  endAfterSeconds: 60,
  validMinutes: 60,
  priority: 'high',
};
const set = (rule: ListedRule): RuleCommand => ({ type: 'set-rule', rule, ...AT });
const remove = (id: string): RuleCommand => ({ type: 'remove-rule', id, ...AT });

function bench(...commands: readonly RuleCommand[]) {
  const one = new Bench();
  const replies = commands.map((command, at) =>
    one.submit({ key: `k${at}`, fingerprint: at, command }),
  );
  return { machine: one.machine, last: replies.at(-1) };
}

describe('rules in force', () => {
  test('have versions that rise over all of them, also when one comes back', () => {
    const { machine } = bench(set(HIGH), set(NEWS2), remove('hr-high'), set(HIGH));
    expect(machine.rules.map(({ id, version }) => [id, version])).toEqual([
      ['news2', 2],
      ['hr-high', 4],
    ]);
    expect(machine.rulesVersion).toBe(4);
  });

  test.each<readonly [string, readonly RuleCommand[], RegExp]>([
    ['a limit that no patient can reach', [set({ ...HIGH, limit: 1_310 })], /limit: 1310/],
    ['half a sample', [set({ ...HIGH, startAfter: 1.5 })], /startAfter: 1.5/],
    ['a score above its greatest', [set({ ...NEWS2, limit: 21 })], /limit: 21/],
    [
      'a second rule about the same condition',
      [set(HIGH), set({ ...HIGH, id: 'other' })],
      /another rule is about HR:HI/,
    ],
    [
      'limits that every value violates',
      [set(HIGH), set({ ...HIGH, id: 'hr-low', side: 'LO', limit: 131 })],
      /not below the high limit/,
    ],
    [
      'a profile of a rule that is not there',
      [set({ list: 'profiles', name: 'copd', limits: { nothing: 1 }, patients: [] })],
      /no limit rule has the id nothing/,
    ],
    [
      'taking away a rule that a profile names',
      [
        set(HIGH),
        set({ list: 'profiles', name: 'copd', limits: { 'hr-high': 150 }, patients: ['p'] }),
        remove('hr-high'),
      ],
      /no limit rule has the id hr-high/,
    ],
  ])('refuse %s, and stay as they were', (_what, commands, message) => {
    const { machine, last } = bench(...commands);
    expect(last).toMatchObject({ ok: false, code: 'BAD_REQUEST' });
    expect(last).toHaveProperty('message', expect.stringMatching(message));
    expect(machine.rules.length).toBe(commands.length - 1);
  });

  test('are refused beyond their number, and what is not there cannot be removed', () => {
    const many = Array.from({ length: RULES_PER_SET_MAX + 1 }, (_, at) =>
      set({ ...HIGH, id: `r${at}`, instance: `i${at}` }),
    );
    expect(bench(...many).last).toMatchObject({ ok: false, code: 'BAD_REQUEST' });
    expect(bench(remove('nothing')).last).toMatchObject({ code: 'RECORD_NOT_FOUND' });
  });
});
