import { expect, test } from 'vitest';
import { World } from '../commands/world.ts';

test.each([
  ['with the time', false, '2026-03-01T03:04:05.000Z term 3: replica 2 leads\\n\n'],
  ['without it to the journal, which notes it', true, 'term 3: replica 2 leads\\n\n'],
])('tocsin serve says what happens a line each, %s', async (_how, isJournaled, said) => {
  const world = new World({ isJournaled });
  world.stdout.onWrite = () => {
    const [options] = world.calls[0]?.args ?? [];
    (options as { log: (line: string) => void }).log('term 3: replica 2 leads\n');
    setImmediate(() => world.interrupt());
  };

  expect((await world.run('serve', '--data', './r1')).stderr).toBe(said);
});
