import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { logIndex, unixMillis } from '../../src/base/ids.ts';
import type { Command } from '../../src/statemachine/commands.ts';
import { AlertMachine } from '../../src/statemachine/machine.ts';
import { takesRoom } from '../../src/wire/commands/admission.ts';
import { checkCommands, encodeCommand } from '../../src/wire/commands/commands.ts';
import { command } from './arbitraries.ts';

const KEY = new Uint8Array(16).fill(9);
const parts = { actor: 'nurse-1', observedAt: unixMillis(1_790_000_000_000) };

const acknowledge = { ...parts, type: 'acknowledge', target: { dedupKey: 'k' } } as const;
const raise = {
  ...parts,
  type: 'raise',
  dedupKey: 'k',
  kind: 'physiological',
  priority: 'high',
  condition: 'HR:HI',
  text: '',
  subject: {},
  latching: false,
  acknowledgementRequired: true,
  labels: {},
} as const;

describe('room on the disk', () => {
  const transaction = { ...parts, type: 'transaction', guards: [] } as const;
  const incident = { ...parts, type: 'change-incident', id: 'C1' } as const;
  const matchers = [{ field: 'bed', values: ['12'] }] as const;
  const silence = { ...parts, type: 'silence', matchers, seconds: 60, reason: 'r' } as const;
  test.each<readonly [string, Command, boolean]>([
    ['a raise', raise, true],
    ['an acknowledgement', acknowledge, false],
    ['a raise within a transaction', { ...transaction, commands: [acknowledge, raise] }, true],
    ['a transaction that only ends something', { ...transaction, commands: [acknowledge] }, false],
    ['a note on an incident', { ...incident, note: 'seen' }, true],
    ['the close of an incident', { ...incident, close: true }, false],
    ['a heartbeat', { ...parts, type: 'heartbeat', source: 'm1', leaseSeconds: 9 }, false],
    ['a silence', silence, false],
    [
      'the opening of a session',
      { ...parts, type: 'open-session', leaseSeconds: 9, window: 1 },
      false,
    ],
  ])('%s: whether it takes some is told before it is queued', (_, asked, takes) => {
    expect(takesRoom(asked)).toBe(takes);
    expect(checkCommands(encodeCommand(asked, KEY)).takesRoom).toBe(takes);
  });

  test('is taken by whatever opens an alert', () => {
    fc.assert(
      fc.property(command, (asked) => {
        const machine = new AlertMachine();
        const submissions = [{ key: 'a', fingerprint: 1, command: asked }];
        machine.apply(
          { index: logIndex(1), time: parts.observedAt, submissions },
          { replies: [], events: [] },
        );
        if (machine.openCount > 0) expect(takesRoom(asked)).toBe(true);
      }),
    );
  });
});
