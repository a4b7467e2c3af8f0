import { expect, test } from 'vitest';
import { displayState } from '../../src/statemachine/alerts/display.ts';
import type { AlertFilter } from '../../src/statemachine/types.ts';
import { Bench, raise } from './commands.ts';

test('a silenced alert stays in every list, and says by what it is silenced', () => {
  const bench = new Bench();
  const alert = bench.alert(bench.done(raise()));
  const silence = bench.do({
    type: 'silence',
    actor: 'nurse-kim',
    observedAt: alert.observedAt,
    matchers: [{ field: 'alert', values: [alert.id] }],
    seconds: 60,
    reason: 'suction',
  });
  expect(silence).toMatchObject({ ok: true, id: 'S1' });
  const filters: AlertFilter[] = [
    {},
    { open: true },
    { states: [displayState(alert)] },
    { priorities: [alert.priority] },
    { kinds: [alert.kind] },
    { dedupKey: alert.dedupKey },
    { text: alert.text },
  ];
  for (const filter of filters)
    expect(bench.machine.list(filter).alerts.map(({ id }) => id)).toEqual([alert.id]);
  const found = bench.machine.get({ id: alert.id });
  expect(found && bench.machine.badgesOf(found)).toMatchObject({ silencedBy: ['S1'] });
});
