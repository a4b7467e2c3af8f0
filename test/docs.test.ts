import { execFileSync } from 'node:child_process';
import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, test } from 'vitest';
import { DOORS } from '../scripts/layers.ts';
import { betweenMarkers, PAGES } from '../scripts/pages.ts';
import { MEANING } from '../src/base/errors.ts';
import * as limits from '../src/base/limits.ts';
import * as trendLimits from '../src/base/trend-limits.ts';
import { ROOT } from './sources.ts';

const read = (path: string): string => readFileSync(join(ROOT, path), 'utf8');

interface Manifest {
  readonly version: string;
  readonly license?: string;
  readonly dependencies: Readonly<Record<string, string>>;
  readonly devDependencies: Readonly<Record<string, string>>;
}
const manifest = JSON.parse(read('package.json')) as Manifest;
const libraries = { ...manifest.dependencies, ...manifest.devDependencies };

describe('the printed pages', () => {
  test.each([...PAGES])('%s says what the sources say (else: npm run docs)', (path, text) => {
    expect(read(path)).toBe(text);
  });

  test('leave out no limit and no error', () => {
    for (const name of Object.keys({ ...limits, ...trendLimits }))
      expect(PAGES.get('docs/limits.md')).toContain(`\`${name}\``);
    for (const code of Object.keys(MEANING))
      expect(PAGES.get('docs/errors.md')).toContain(`## ${code}\n`);
    expect(Object.keys(limits).length).toBeGreaterThan(20);
    expect(Object.keys(MEANING).length).toBeGreaterThan(20);
  });

  test('the table goes between the markers, and a text without them stays as it is', () => {
    const text =
      'a\n<!-- begin: imports, printed by `npm run docs` -->\nold\n<!-- end: imports -->\nb';

    expect(betweenMarkers(text, 'new')).toBe(text.replace('old', 'new'));
    expect(betweenMarkers('a\nb', 'new')).toBe('a\nb');
  });
});

test('the figures of the proof are those that its runs have left', () => {
  const script = join(ROOT, 'scripts', 'proof.mjs');

  expect(execFileSync(process.execPath, [script, '--check'], { encoding: 'utf8' })).toBe('');
  const page = read('docs/proof.md');
  expect(page).toMatch(/\| operations checked \| \d{2,3},\d{3}/);
  expect(page).toMatch(/\| seeds \| \d/);
  expect(page).toMatch(/\| simulated \| [\d.,]+ hours, [\d.]+ years \|/);
  expect(page).toMatch(/\| processes killed, or all at once \| [1-9]/);
  expect(page).toMatch(/\| disks and snapshots damaged, wiped or put back \| [1-9]/);
  expect(page).toMatch(/\| pairs of kinds of faults met \| \d+ of \d+ \|/);
  for (const bad of ['failed', 'acknowledged and lost', 'carried out or told twice'])
    expect(page).toContain(`| ${bad} | 0 |`);
});

test('every call that a program can make of the alerts is shown by an example', () => {
  const source = read('src/statemachine/alert-api.ts');
  const calls = [...source.matchAll(/\/\*\*((?:(?!\*\/)[\s\S])*)\*\/\n {2}(\w+)(?:<[^>]*>)?\(/g)];

  expect(calls.map(([, , name]) => name)).toEqual([
    ...['raise', 'clear', 'acknowledge', 'get', 'list', 'watch'],
    ...['care', 'keep', 'history', 'records'],
  ]);
  for (const [, comment, name] of calls) expect(comment, name).toContain('@example');
});

describe('docs/dependencies.md', () => {
  const rows = read('docs/dependencies.md')
    .split('\n')
    .filter((line) => line.startsWith('| `'))
    .map((line) => line.split('|').map((cell) => cell.trim().replaceAll('`', '')));
  const named = rows.map(([, name = '']) => name);

  test('has a row for every dependency, and for nothing else', () => {
    expect(named.toSorted()).toEqual(Object.keys(libraries).toSorted());
  });

  test.each(rows)('%s%s: its licence is as the package says', (_, name = '', licence) => {
    const installed = JSON.parse(read(`node_modules/${name}/package.json`)) as Manifest;

    expect(licence).toBe(installed.license);
    expect(installed.version).toBe(libraries[name]);
  });

  test('gives every library of the product a door that the tidy test holds', () => {
    for (const name of Object.keys(manifest.dependencies)) {
      expect(
        Object.keys(DOORS).some((door) => name === door || name.startsWith(door)),
        name,
      ).toBe(true);
    }
  });
});

describe('package.json', () => {
  test('names exact versions only', () => {
    for (const [name, version] of Object.entries(libraries)) {
      expect(version, name).toMatch(/^\d+\.\d+\.\d+$/);
    }
  });

  test('has a lockfile that every platform can install from', () => {
    const script = join(ROOT, 'scripts', 'complete-lockfile.mjs');

    expect(execFileSync(process.execPath, [script, '--check'], { encoding: 'utf8' })).toBe('');
  });
});

test('decisions are numbered without gaps, the template first', () => {
  const pages = readdirSync(join(ROOT, 'docs/decisions')).toSorted();

  expect(pages[0]).toBe('0000-template.md');
  expect(pages.length).toBeGreaterThan(1);
  for (const [number, page] of pages.entries()) {
    expect(page.slice(0, 5)).toBe(`${String(number).padStart(4, '0')}-`);
  }
});
