import { expect, test } from 'vitest';
import type { Rule } from '../../../src/testing/checkers/rules.ts';
import { drawScenario, type Scenario } from '../../../src/testing/sim/scenario.ts';
import { kindOf, shrink } from '../../../src/testing/sim/shrink.ts';

const failing = (why: string, rules: readonly Rule[] = []) => ({
  ok: false,
  why,
  findings: rules.map((rule) => ({ rule, says: '' })),
  virtualMs: 5_000,
});

test('only what fails in the same way is smaller', async () => {
  const scenario: Scenario = { ...drawScenario(1), replicas: 5, faults: ['kill', 'pause', 'ring'] };
  // Needs `pause`; whatever is left of the faults without it breaks something else.
  const run = async ({ faults, replicas }: Scenario) =>
    faults.includes('pause')
      ? failing(`liveness: term 9: ${replicas} and 1 lead`)
      : failing('safety: replica 1: term fell from 9 to 8');
  const small = await shrink(scenario, failing('safety: term 4: 5 and 2 lead'), run);
  expect(small).toMatchObject({ faults: ['pause'], replicas: 3, callers: 1, watchers: 0 });
});

test.each([
  ['safety: replica 1: term fell from 9 to 8', 'liveness: replica 3: term fell from 2 to 1', true],
  [
    'safety: the log leads to 0a1b, the replicas came to 1',
    'checking: the log leads to ff09, the replicas came to 2',
    true,
  ],
  ['safety: replica 1: term fell from 9 to 8', 'safety: replica 1: term on disk fell', false],
  ['safety: leader 1 of term 2 ends at 3', 'safety: leader 1 of term 2 committed 3', false],
])('%s and %s are one kind: %s', (one, other, isSame) => {
  expect(kindOf(failing(one)) === kindOf(failing(other))).toBe(isSame);
});

test('histories are told apart by the rule that they broke', () => {
  const why = 'the history is not what it may be';
  expect(kindOf(failing(why, ['lost']))).not.toBe(kindOf(failing(why, ['linearizable'])));
});
