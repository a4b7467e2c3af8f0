import { describe, expect, test } from 'vitest';
import { demoCommand } from '../../../cli/demo/command.ts';
import { World } from '../commands/world.ts';

/** Runs the command line and returns what became of it, and what it printed. */
async function attempt(...argv: string[]): Promise<{ error: unknown; text: string }> {
  let text = '';
  const command = demoCommand(new World())
    .exitOverride()
    .configureOutput({
      writeOut: (part) => (text += part),
      writeErr: () => {},
      outputError: () => {},
    });
  try {
    await command.parseAsync(argv, { from: 'user' });
    return { error: undefined, text };
  } catch (error) {
    return { error, text };
  }
}

describe('tocsin demo', () => {
  test('its help begins with examples and names every option', async () => {
    const { text } = await attempt('--help');
    expect(text).toMatch(/^Examples:\n(?: {2}# .*\n)? {2}tocsin demo/);
    for (const option of ['--beds', '--seed', '--duration', '--json', '--no-color'])
      expect(text).toContain(option);
  });

  test.each([
    [['--beds', '0'], 'from 1 to 500'],
    [['--beds', '501'], 'from 1 to 500'],
    [['--beds', '2.5'], 'from 1 to 500'],
    [['--duration', '9'], 'from 10 to 3600'],
    [['--duration', '3601'], 'from 10 to 3600'],
    [['--duration', 'long'], 'from 10 to 3600'],
    [['--seed', '-1'], 'from 0'],
    [['--seed', ''], 'from 0'],
    [['--speed', '3'], 'unknown option'],
  ])('refuses %j before anything starts', async (argv, message) => {
    const { error } = await attempt(...argv);
    expect(String(error)).toContain(message);
  });
});
