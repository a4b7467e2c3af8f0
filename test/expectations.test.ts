import { existsSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { EXPECTATIONS } from '../scripts/expectations.ts';
import { ROOT } from './sources.ts';

const COUNT = 69;

/** Whether the file declares a test of this name. */
function declares(file: string, name: string): boolean {
  const path = join(ROOT, file);
  if (!/^test\/.*\.test\.ts$/.test(file) || !existsSync(path)) return false;
  const quoted = name.replace(/[.*+?^${}()|[\]\\]/g, '\\$&').replaceAll("'", "\\\\?'");
  return new RegExp(`(?:\\btest\\b|\\)\\(|>\\()[^'"\`]*['"\`]${quoted}['"\`]`).test(
    readFileSync(path, 'utf8'),
  );
}

test('each expectation says where it stands, and the numbers stay what they are', () => {
  expect(EXPECTATIONS.length).toBe(COUNT);
  expect(new Set(EXPECTATIONS.map(({ says }) => says)).size).toBe(COUNT);
});

test('what is called done names tests that are there', () => {
  const named = EXPECTATIONS.flatMap(({ standing }) =>
    standing.is === 'done' ? standing.tests : [],
  );

  expect(named.length).toBeGreaterThan(15);
  expect(named.filter(([file, name]) => !declares(file, name))).toEqual([]);
});

test('a name that no test has is found out', () => {
  expect(declares('test/expectations.test.ts', 'a name that no test has is found out')).toBe(true);
  expect(declares('test/expectations.test.ts', 'a name that no test has')).toBe(false);
  expect(declares('test/nowhere.test.ts', 'a name that no test has is found out')).toBe(false);
});
