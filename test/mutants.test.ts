import { spawnSync } from 'node:child_process';
import { existsSync, mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { buildMutant, compileMutant } from './mutants/build.ts';
import { applyMutant, type Mutant } from './mutants/mutant.ts';
import { mutating } from './mutants/plugin.ts';
import { verdictOf } from './mutants/runner.ts';
import { MUTANTS, mutantNamed } from './mutants/table.ts';

const ROOT = join(import.meta.dirname, '..');
const sourceOf = ({ file }: Mutant): string => readFileSync(join(ROOT, file), 'utf8');

test.each(MUTANTS.map((mutant) => [mutant.name, mutant] as const))(
  'mutant %s fits the sources of today, leaves a program, and names tests that exist',
  async (_name, mutant) => {
    const text = sourceOf(mutant);
    expect(applyMutant(mutant, text)).not.toBe(text);
    await compileMutant(mutant, text);
    expect(mutantNamed(mutant.name)).toBe(mutant);
    for (const path of mutant.killedBy) expect(existsSync(join(ROOT, path)), path).toBe(true);
  },
);

const EXAMPLE: Mutant = {
  name: 'example',
  claim: 'one is one',
  file: 'src/base/one.ts',
  find: 'one',
  replace: '$& two',
  killedBy: ['test'],
};

test('a mutant is applied literally, and only where it fits exactly once', () => {
  expect(applyMutant(EXAMPLE, 'this one here')).toBe('this $& two here');
  expect(() => applyMutant(EXAMPLE, 'zero')).toThrow('mutant example is stale');
  expect(() => applyMutant(EXAMPLE, 'one or one')).toThrow('stands 2 times');
});

test('a mutant that leaves no program is found before any test is tried against it', async () => {
  const mutant = { ...EXAMPLE, replace: '' };
  await expect(compileMutant(mutant, 'if (two) one\nelse three();')).rejects.toThrow();
  expect(
    await compileMutant({ ...mutant, replace: '{}' }, 'if (two) one\nelse three();'),
  ).toContain('else');
});

test('the plugin changes the one file and no other', () => {
  const [mutant] = MUTANTS;
  if (mutant === undefined) throw new Error('there are no mutants');
  const { transform } = mutating(mutant.name, ROOT);
  expect(transform(mutant.find, join(ROOT, mutant.file))).toBe(mutant.replace);
  expect(transform(mutant.find, `${join(ROOT, mutant.file)}?v=1`)).toBe(mutant.replace);
  expect(transform(mutant.find, join(ROOT, 'src/base/ids.ts'))).toBeUndefined();
  expect(() => transform('something else', join(ROOT, mutant.file))).toThrow('is stale');
  expect(() => mutating('no-such', ROOT)).toThrow('there is no mutant no-such');
});

test('only a test that ran and failed kills a mutant', () => {
  const result = (status: string, ...assertions: string[]) => ({
    testResults: [
      {
        status,
        message: 'why\nwhere',
        assertionResults: assertions.map((each) => ({ status: each, fullName: 'a claim' })),
      },
    ],
  });
  expect(verdictOf(result('failed', 'passed', 'failed'))).toEqual({
    verdict: 'killed',
    by: 'a claim',
  });
  expect(verdictOf(result('failed'))).toEqual({ verdict: 'BROKEN', by: 'why' });
  expect(verdictOf({})).toMatchObject({ verdict: 'BROKEN' });
  expect(verdictOf(result('passed', 'passed'))).toMatchObject({ verdict: 'SURVIVED' });
});

test('a build with a mutant is a program that runs, and holds the bug', {
  timeout: 120_000,
}, async () => {
  const folder = mkdtempSync(join(tmpdir(), 'tocsin-mutant-'));
  try {
    const mutant: Mutant = {
      ...EXAMPLE,
      file: 'src/base/errors.ts',
      find: 'export const MEANING',
      replace: "process.stdout.write('mutated\\n');\nexport const MEANING",
    };
    const dist = await buildMutant(mutant, ROOT, folder);
    const main = join(dist, 'cli', 'main.js');
    const { stdout, status } = spawnSync(process.execPath, [main, '--version'], {
      encoding: 'utf8',
    });
    expect({ said: stdout.includes('mutated'), status }).toEqual({ said: true, status: 0 });
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
});
