import { mkdir, mkdtemp, rm, utimes, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { pathToFileURL } from 'node:url';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { programPath } from '../../../cli/local/program.ts';

let root = '';
const at = (...names: string[]): string => join(root, ...names);
const here = (...names: string[]): string => pathToFileURL(at(...names)).href;
const sources = (): string => programPath(here('cli', 'local', 'program.ts'));

async function put(path: string, seconds: number): Promise<void> {
  await mkdir(join(path, '..'), { recursive: true });
  await writeFile(path, '');
  await utimes(path, seconds, seconds);
}

beforeEach(async () => {
  root = await mkdtemp(join(tmpdir(), 'tocsin-test-'));
  await put(at('src', 'base', 'ids.ts'), 1_000);
  await put(at('cli', 'main.ts'), 1_000);
});
afterEach(() => rm(root, { recursive: true, force: true }));

test('compiled code takes the program beside it', () => {
  expect(programPath(here('dist', 'cli', 'local', 'program.js'))).toBe(
    at('dist', 'cli', 'main.js'),
  );
});

test('sources take the program in dist when it is newer than they are', async () => {
  await put(at('dist', 'cli', 'main.js'), 1_500);
  await put(at('dist', '.stamp'), 2_000);
  expect(sources()).toBe(at('dist', 'cli', 'main.js'));
});

test('sources say what to do when dist is missing or older than they are', async () => {
  expect(sources).toThrow(/is missing: run npm run build/);
  await put(at('dist', 'cli', 'main.js'), 1_500);
  expect(sources).toThrow(/is missing: run npm run build/);
  await put(at('dist', '.stamp'), 2_000);
  await put(at('src', 'raft', 'core.ts'), 3_000);
  expect(sources).toThrow('src/raft/core.ts is newer than dist/: run npm run build');
});
