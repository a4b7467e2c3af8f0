import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { shellQuote } from '../../../cli/commands/shell-quote.ts';
import { wordsOf } from '../../../cli/shell/words.ts';
import { type Result, World, type WorldOptions } from '../commands/world.ts';

const session = (typed: readonly string[], options: WorldOptions = {}): Promise<Result> =>
  new World({ ...options, typed }).run('shell');

describe('the words of a line', () => {
  test('are those that were quoted, whatever is in them', () => {
    fc.assert(
      fc.property(fc.array(fc.string()), (words) => {
        expect(wordsOf(words.map(shellQuote).join(' '))).toEqual(words);
      }),
    );
  });

  test.each([
    ['a  b\tc', ['a', 'b', 'c']],
    [`a'b c'd`, ['ab cd']],
    [`"it's"`, [`it's`]],
    ['a\\ b', ['a b']],
    [`''`, ['']],
    ['', []],
  ])('%j are %j', (line, words) => {
    expect(wordsOf(line)).toEqual(words);
  });

  test.each([`'a`, `"a`, 'a\\'])('%j are not complete', (line) => {
    expect(() => wordsOf(line)).toThrow();
  });
});

describe('a session', () => {
  test('runs command after command over one connection, which it closes', async () => {
    const { calls, status } = await session([
      'alert list',
      'tocsin alert get A1042 --consistency local',
      '# a remark',
      '',
      "alert ack A1042 --note 'at the bed'",
    ]);
    const methods = calls.map(({ method }) => method);

    expect(methods).toEqual(['connect', 'list', 'get', 'close', 'closeLines']);
    expect(status).toBe(3); // There is no A1042 in this world, and a script ends at what fails.
  });

  test('goes on after a failure where somebody types', async () => {
    const { calls, status, stderr } = await session(
      ['alert get A9', 'alert lst', "alert 'list", 'alert list', '.exit', 'alert list'],
      { isTTY: true },
    );

    expect(status).toBe(0);
    expect(stderr).toContain('ALERT_NOT_FOUND');
    expect(stderr).toContain('(did you mean "list"?)');
    expect(stderr).toContain("there is no second '");
    expect(calls.map(({ method }) => method)).toEqual([
      ...['connect', 'get', 'list', 'close', 'closeLines'],
    ]);
  });

  test('has settings of its own, which reach every command that follows', async () => {
    const { calls, stdout } = await session([
      '.consistency local',
      '.output json',
      '.set timeout 2s',
      'alert list',
      '.set output',
      'alert list --consistency linearizable',
    ]);
    const lists = calls.filter(({ method }) => method === 'list');

    expect(lists[0]?.args[1]).toMatchObject({ consistency: 'local', timeoutMs: 2_000 });
    expect(lists[1]?.args[1]).toMatchObject({ consistency: 'linearizable' });
    expect(stdout).toMatch(/^\{\n {2}"revision": 1042/);
    expect(stdout).toMatch(/no alerts match at revision 1042\n$/);
  });

  test('tells how long a command took when it is asked to', async () => {
    const { stderr } = await session(['.timer on', 'alert list', '.timer off', 'alert list']);

    expect(stderr).toMatch(/^[\d.]+ ms\n$/);
  });

  test.each(['.tmer on', '.timer', '.set', 'shell', '.output jsn', '.consistency eventual'])(
    '%s is refused',
    async (line) => {
      const { status, stderr } = await session([line]);

      expect(status).toBe(2);
      expect(stderr).toMatch(/^tocsin: USAGE: /);
    },
  );

  test('remembers its lines for the next one', async () => {
    const env = { HOME: '/u/nurse' };
    const world = new World({ env, isTTY: true, typed: ['.exit'] });
    await world.run('shell');

    expect(world.disk.get('/u/nurse/.local/state/tocsin/history')).toBe('alert list\n');
  });
});
