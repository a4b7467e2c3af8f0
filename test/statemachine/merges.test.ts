import { expect, test } from 'vitest';
import { unixMillis } from '../../src/base/ids.ts';
import type { Acknowledgement } from '../../src/statemachine/types.ts';
import { acknowledge, Bench, clear, raise } from './commands.ts';

const asked = { actor: 'edge-1', observedAt: unixMillis(1) };
const target = { dedupKey: raise().dedupKey };

const merge = (...acknowledgements: Acknowledgement[]) =>
  ({ type: 'merge', target, raisedAt: unixMillis(1_000), acknowledgements, ...asked }) as const;

const unacknowledge = { type: 'unacknowledge', target, reason: 'too early', ...asked } as const;

test('an acknowledgement that was taken back does not come back by a late merge', () => {
  const bench = new Bench();
  bench.done(raise());
  const known = bench.alert(bench.done(acknowledge())).acknowledgements;
  bench.done(unacknowledge);
  expect(bench.done(merge(...known)).state).toBe('ACTIVE_UNACK');
});

test('nor does it end an alert whose condition is over', () => {
  const bench = new Bench();
  bench.done(raise({ latching: true }));
  const known = bench.alert(bench.done(acknowledge())).acknowledgements;
  bench.done(unacknowledge);
  bench.done(clear());
  expect(bench.done(merge(...known)).state).toBe('LATCHED');
});

test('an acknowledgement that nobody knew of yet acknowledges, beside those that are known', () => {
  const bench = new Bench();
  bench.done(raise());
  const known = bench.alert(bench.done(acknowledge())).acknowledgements;
  bench.done(unacknowledge);
  const other = { by: 'nurse-2', at: unixMillis(3_500), activation: 1 };
  const alert = bench.alert(bench.done(merge(...known, other)));
  expect(alert).toMatchObject({ acknowledged: true, acknowledgements: [...known, other] });
});

test('a late acknowledgement of an old activation does not push out who took charge of this one', () => {
  const bench = new Bench({ acknowledgementsMax: 3 });
  bench.done(raise({ priority: 'low' }));
  bench.done(acknowledge({ actor: 'nurse-1' }));
  bench.done(raise({ priority: 'high' }));
  bench.done(acknowledge({ actor: 'nurse-2' }));
  bench.done(acknowledge({ actor: 'nurse-3' }));
  const late = { by: 'nurse-4', at: unixMillis(2_500), activation: 1 };
  const { acknowledgements } = bench.alert(bench.done(merge(late)));
  expect(acknowledgements.map(({ by }) => by)).toEqual(['nurse-1', 'nurse-2', 'nurse-4']);
});
