import { describe, expect, test } from 'vitest';
import { type Commands, Ledger } from '../../../cli/demo/ledger.ts';
import { TocsinError } from '../../../src/base/errors.ts';
import { unixMillis } from '../../../src/base/ids.ts';
import type { Done } from '../../../src/statemachine/types.ts';
import { DONE } from '../commands/world.ts';

const answering = (answer: Done | Error, seen: unknown[] = []): Commands => {
  const call = (input: unknown): Promise<Done> => {
    seen.push(input);
    return answer instanceof Error ? Promise.reject(answer) : Promise.resolve(answer);
  };
  return { raise: call, clear: call, acknowledge: call };
};

const open = (commandsMax = 10): Ledger => new Ledger({ commandsMax, wall: () => 42 });
const RAISE = { dedupKey: 'a', priority: 'high', condition: 'HR:HI' } as const;

describe('Ledger', () => {
  test('writes down what is sent, with everything the caller left to be filled in', async () => {
    const seen: unknown[] = [];
    const ledger = open();
    const commands = ledger.around(answering(DONE, seen), 'demo-ward');
    expect(await commands.raise(RAISE)).toBe(DONE);
    await commands.clear({ target: { dedupKey: 'a' }, observedAt: unixMillis(7) });
    await commands.acknowledge({ target: { id: 'A1' }, actor: 'nurse-1', note: 'seen' });
    const sent = ledger.told.map(({ command }) => {
      const { type: _, ...input } = command;
      return input;
    });
    expect(sent).toEqual(seen);
    expect(
      ledger.told.map(({ command }) => [command.type, command.actor, command.observedAt]),
    ).toEqual([
      ['raise', 'demo-ward', 42],
      ['clear', 'demo-ward', 7],
      ['acknowledge', 'nurse-1', 42],
    ]);
    expect([...ledger.actors]).toEqual(['demo-ward', 'nurse-1']);
    expect(ledger.waiting).toBe(0);
  });

  test.each([
    ['a refusal', new TocsinError('ALREADY_RESOLVED', 'no'), 'none'],
    ['no leader in time', new TocsinError('UNAVAILABLE', 'no'), 'none'],
    ['an unknown outcome', new TocsinError('OUTCOME_UNKNOWN', 'perhaps'), 'unknown'],
    ['a fault without a code', new Error('what?'), 'unknown'],
  ] as const)('writes %s down for what it is, and passes it on', async (_name, error, outcome) => {
    const ledger = open();
    await expect(ledger.around(answering(error), 'x').raise(RAISE)).rejects.toBe(error);
    expect(ledger.told.map((one) => one.outcome)).toEqual([outcome]);
  });

  test('refuses what it has no room for before it is sent', async () => {
    const seen: unknown[] = [];
    const ledger = open(2);
    const commands = ledger.around(answering(DONE, seen), 'x');
    await commands.raise(RAISE);
    expect(ledger.isFull).toBe(false);
    await commands.raise(RAISE);
    expect(ledger.isFull).toBe(true);
    await expect(commands.raise(RAISE)).rejects.toMatchObject({ code: 'OVERLOADED' });
    expect(seen).toHaveLength(2);
    expect(ledger.told).toHaveLength(2);
  });

  test('knows how many callers wait', async () => {
    const ledger = open();
    const commands = ledger.around(answering(DONE), 'x');
    const waiting = [commands.raise(RAISE), commands.raise(RAISE)];
    expect(ledger.waiting).toBe(2);
    await Promise.all(waiting);
    expect(ledger.waiting).toBe(0);
  });
});
