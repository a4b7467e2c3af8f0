import fc from 'fast-check';
import { expect, test } from 'vitest';
import { wrapLine } from '../../../cli/output/wrap.ts';
import { runIn } from '../commands/world.ts';

const texts = fc
  .array(fc.stringMatching(/^[a-z]{1,12}$/), { minLength: 1, maxLength: 30 })
  .map((words) => words.join(' '));

test('no line is wider than the terminal, none is broken without need, and every word is there', () => {
  fc.assert(
    fc.property(texts, fc.integer({ min: 14, max: 120 }), (text, width) => {
      const lines = wrapLine(text, width).split('\n');

      expect(lines.map((line) => line.trim()).join(' ')).toBe(text);
      for (const [at, line] of lines.entries()) {
        expect(line.length).toBeLessThanOrEqual(width);
        const [next] = lines[at + 1]?.trim().split(' ') ?? [];
        if (next !== undefined) expect(line.length + 1 + next.length).toBeGreaterThan(width);
      }
    }),
  );
  expect(wrapLine('as long as it is', undefined)).toBe('as long as it is');
});

test('what went wrong is broken at words on a terminal, and what to type next is not broken', async () => {
  const { stderr } = await runIn({ columns: 40, isTTY: true }, 'errors', 'NOPE', '-o', 'table');
  expect(stderr).toBe('tocsin: USAGE: there is no code NOPE\n  tocsin errors lists them all\n');

  const bench = await runIn({ columns: 40 }, 'bench');
  const [, ...rest] = bench.stderr.trimEnd().split('\n');
  expect(rest.at(-1)).toMatch(/^ {2}to do it without being asked: --confirm [0-9a-f]{32}$/);
  for (const line of rest.slice(0, -1)) expect(line).toMatch(/^ {2}\S.{0,37}$/);
});
