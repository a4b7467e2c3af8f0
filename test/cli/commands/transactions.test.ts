import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, test } from 'vitest';
import type { TransactionCommand } from '../../../src/statemachine/transaction.ts';
import { parseCommand } from '../../../src/wire/commands/parse.ts';
import { runIn } from './world.ts';

const example = (name: string): string =>
  readFileSync(join(import.meta.dirname, '../../../examples', name), 'utf8');

const kept = ({ calls }: Awaited<ReturnType<typeof runIn>>): TransactionCommand =>
  calls.find(({ method }) => method === 'keep')?.args[0] as TransactionCommand;

const run = (text: string) =>
  runIn({ disk: { 'file.yaml': text } }, 'alert', 'transaction', '-f', 'file.yaml');

describe('alert transaction', () => {
  test('does the guards and commands of a file together, for whoever asks', async () => {
    const result = await run(example('handover.yaml'));
    expect(result.stderr).toBe('');
    expect(result.status).toBe(0);
    expect(result.stdout).toBe('done, all together: acknowledge, raise\n');
    const command = kept(result);
    expect(command.guards).toEqual([
      { target: { dedupKey: 'bed:B12:HR:HI' }, state: 'ACTIVE_UNACK' },
    ]);
    expect(command.commands.map(({ type, actor }) => [type, actor])).toEqual([
      ['acknowledge', command.actor],
      ['raise', command.actor],
    ]);
    expect(parseCommand('transaction', command)).toMatchObject({ type: 'transaction' });
  });

  test('does what is done with patients and devices too', async () => {
    const command = kept(await run(example('swap-beds.yaml')));
    expect(parseCommand('transaction', command)).toMatchObject({
      guards: [{ record: 'bed', id: 'icu-2/7', version: 2 }],
      commands: [
        { type: 'move-patient', patient: 'pt-7f3', bed: '8' },
        { type: 'move-patient', patient: 'pt-c41', bed: '7' },
      ],
    });
  });

  test('takes JSON, and commands of every kind', async () => {
    const commands = [{ type: 'pause', target: { id: 'A7' }, seconds: 60, actor: 'anna' }];
    const command = kept(await run(JSON.stringify({ commands })));
    expect(command).toMatchObject({ guards: [], commands });
    expect(parseCommand('transaction', command)).toMatchObject({ commands });
  });

  test.each([
    ['commands: [', /flow collection|Flow/i],
    ['guards: []', /field commands: is missing, such as commands: /],
    ['commands: [{ target: { id: A1 } }]', /field commands\.0\.type/],
    ['comands: []', /comands|commands/],
    ['- a list', /file: /],
  ])('says what is wrong in %j', async (text, why) => {
    const { status, stderr } = await run(text);
    expect(status).toBe(2);
    expect(stderr).toMatch(/file\.yaml: /);
    expect(stderr).toMatch(why);
    expect(stderr).not.toMatch(/:$/m);
  });
});

test('what is wrong with one of many is said of that one', async () => {
  const commands = [{ type: 'pause', target: { id: 'A7' }, seconds: 60 }, { type: 'raise' }];
  const command = kept(await run(JSON.stringify({ commands })));
  expect(() => parseCommand('transaction', command)).toThrow(/^commands\[1\]: dedupKey: must be/);
  const steps = [
    { targets: ['user:anna'], delaySeconds: 30 },
    { targets: ['user:anna', 'Anna'], delaySeconds: 30 },
  ];
  const policy = { id: 'icu', steps, repeat: 0, minPriority: 'low', confirmSeconds: 30 };
  const said = { ...policy, actor: 'a', observedAt: 1 };
  expect(() => parseCommand('set-policy', said)).toThrow(
    /^steps\[1\]: targets\[1\]: must be a kind and a name/,
  );
});
