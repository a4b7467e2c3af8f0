import { describe, expect, test } from 'vitest';
import { unixMillis } from '../../src/base/ids.ts';
import type { CareCommand } from '../../src/statemachine/care-commands.ts';
import type { RaiseCommand } from '../../src/statemachine/types.ts';
import { Bench, clear, raise } from './commands.ts';

const target = { dedupKey: raise().dedupKey };
const asked = { target, actor: 'nurse-1', reason: 'artefact', observedAt: unixMillis(4) };

const ENDS: readonly (CareCommand & { readonly type: 'resolve' | 'void' })[] = [
  { type: 'resolve', force: true, ...asked },
  { type: 'void', ...asked },
];

describe.each(ENDS)('what one person alone cannot do: $type', (end) => {
  /** What becomes of it when a condition like this is present. */
  const outcome = (about: Partial<RaiseCommand>, more: { readonly confirmedBy?: string }) => {
    const bench = new Bench();
    bench.done(raise(about));
    const reply = bench.do({ ...end, ...more });
    return { reply, kept: bench.machine.get({ id: 'A1' })?.resolution };
  };

  test.each([
    [{}, 'confirmedBy has to name a second person'],
    [{ confirmedBy: 'nurse-1' }, 'confirmedBy names nurse-1, who asks for it, not a second person'],
  ] as const)(
    'a high alarm about the patient stays, with %j, and the reply names the field',
    (more, says) => {
      const { reply, kept } = outcome({ priority: 'high' }, more);
      expect(reply).toMatchObject({ ok: false, code: 'CONFIRMATION_REQUIRED' });
      expect(reply).toHaveProperty('message', expect.stringContaining(says));
      expect(kept).toBeUndefined();
    },
  );

  test('with a second person it ends, and the record names both', () => {
    const { kept } = outcome({ priority: 'high' }, { confirmedBy: 'nurse-2' });
    expect(kept).toMatchObject({ by: 'nurse-1', reason: 'artefact', confirmedBy: 'nurse-2' });
  });

  test.each([{ priority: 'medium' }, { priority: 'high', kind: 'technical' }] as const)(
    'of %j one is enough',
    (about) => {
      expect(outcome(about, {}).reply.ok).toBe(true);
    },
  );

  test('nor is a second one needed once the condition is gone', () => {
    const bench = new Bench();
    bench.done(raise({ priority: 'high', latching: true }));
    bench.done(clear());
    expect(bench.do(end).ok).toBe(true);
  });

  test('in a transaction the same holds', () => {
    const bench = new Bench();
    bench.done(raise({ priority: 'high' }));
    const { actor, observedAt } = asked;
    const reply = bench.do({ type: 'transaction', actor, observedAt, guards: [], commands: [end] });
    expect(reply).toMatchObject({ ok: false, code: 'CONFIRMATION_REQUIRED' });
  });
});

test('what has ended is voided by one person', () => {
  const bench = new Bench();
  const { alertId: id } = bench.done(raise({ priority: 'high' }));
  bench.done(clear());
  expect(bench.do({ type: 'void', ...asked, target: { id } })).toMatchObject({ effect: 'voided' });
});
