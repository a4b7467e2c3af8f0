import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, test } from 'vitest';
import { MAY_IMPORT, PURE } from '../scripts/layers.ts';
import { allSources, filesBelow, parseSource, ROOT, type Source } from './sources.ts';
import * as rules from './tidy-rules.ts';

const sources = allSources();
const under = (folder: string): Source[] =>
  sources.filter(({ path }) => path.startsWith(`${folder}/`));

describe('the house is in order', () => {
  test.each(Object.entries(rules))('%s', (_name, rule) => {
    expect(rule(sources).join('\n')).toBe('');
  });

  test('and all of it was looked at', () => {
    expect(under('src').length).toBeGreaterThan(10);
    expect(under('test').length).toBeGreaterThan(1);
    expect(under('scripts').length).toBeGreaterThan(1);
    expect(sources.flatMap(({ imports }) => imports).length).toBeGreaterThan(50);
    for (const folder of PURE.filter((name) => under(`src/${name}`).length > 0)) {
      expect(Object.keys(MAY_IMPORT)).toContain(folder);
    }
    expect(under('src/raft').length, 'src/raft').toBeGreaterThan(0);
    expect(under('src/statemachine').length, 'src/statemachine').toBeGreaterThan(0);
  });
});

type Case = readonly [rule: keyof typeof rules, path: string, text: string];

/** What each rule must find: path and text of a file that breaks it, alone. */
const BROKEN: readonly Case[] = [
  ['importsPointDown', 'src/base/a.ts', `import { b } from '../raft/b.ts'; b();`],
  [
    'importsPointDown',
    'src/raft/a.ts',
    `import type { B } from '../wire/b.ts'; export type C = B;`,
  ],
  ['importsPointDown', 'src/client/a.ts', `export { b } from '../storage/b.ts';`],
  ['importsPointDown', 'src/client/a.ts', `export * from '../replica/b.ts';`],
  ['importsPointDown', 'src/client/a.ts', `export type B = import('../replica/b.ts').B;`],
  ['importsPointDown', 'src/client/a.ts', `const b = await import('../replica/b.ts'); b;`],
  ['importsPointDown', 'src/client/a.ts', `import { b } from '../index.ts'; b;`],
  ['importsPointDown', 'src/news/a.ts', `export const a: number = 1;`],
  ['foldersKeepApart', 'src/client/a.ts', `import { b } from '../../cli/b.ts'; b;`],
  ['foldersKeepApart', 'cli/a.ts', `import { b } from '../test/b.ts'; b;`],
  ['someTakeTypesOnly', 'src/wire/a.ts', `import { b } from '../raft/b.ts'; b;`],
  ['someTakeTypesOnly', 'src/wire/a.ts', `import { type B, c } from '../raft/b.ts'; c;`],
  ['someTakeTypesOnly', 'src/wire/a.ts', `import '../raft/b.ts';`],
  ['eachLibraryHasOneDoor', 'src/replica/a.ts', `import { Level } from 'level'; Level;`],
  ['eachLibraryHasOneDoor', 'src/client/a.ts', `import { unpack } from 'msgpackr/unpack'; unpack;`],
  [
    'eachLibraryHasOneDoor',
    'src/client/a.ts',
    `import type { A } from '@libp2p/new'; export type B = A;`,
  ],
  ['eachLibraryHasOneDoor', 'cli/a.ts', `import left from 'left-pad'; left;`],
  ['limitsStandTogether', 'src/raft/a.ts', `const QUEUE_MAX = 16 * 4;`],
  ['limitsStandTogether', 'src/client/a.ts', `export const WAIT_MS: number = 500;`],
  ['importsAreWritten', 'src/client/a.ts', `const a = (n: string): unknown => import(n); a;`],
  ['importsLeadSomewhere', 'src/client/a.ts', `import { b } from './b.ts'; b;`],
  ['thePureOnlyCompute', 'src/raft/a.ts', `import { readFileSync } from 'node:fs'; readFileSync;`],
  ['thePureOnlyCompute', 'src/trend/a.ts', `export const now = (): number => Date.now();`],
  ['thePureOnlyCompute', 'src/trend/a.ts', `export const now = (): Date => new Date();`],
  ['thePureOnlyCompute', 'src/trend/a.ts', `export const a = { at: performance.now() };`],
  ['thePureOnlyCompute', 'src/raft/a.ts', `setTimeout(() => {}, 1);`],
  ['thePureOnlyCompute', 'src/raft/a.ts', `export const a = (): unknown => globalThis['Date'];`],
  [
    'thePureOnlyCompute',
    'src/analytics/a.ts',
    `export const a = (): Promise<void> => b(async () => {});`,
  ],
  ['thePureOnlyCompute', 'src/analytics/a.ts', `await b;`],
  ['nobodyRollsDice', 'src/replica/a.ts', `export const a: number = Math.random();`],
  ['onlyTheClockKnowsTheTime', 'src/replica/a.ts', `const a = setInterval(() => {}, 9); a;`],
  ['functionsFitAScreen', 'src/a/a.ts', `function a() {${'\n'.repeat(70)}}`],
  ['functionsFitAScreen', 'src/a/a.ts', `class A { b() {${'\n'.repeat(70)}} }`],
  ['filesHaveOneSubject', 'src/a/a.ts', '\n'.repeat(401)],
  ['nobodyIsForgotten', 'src/a/a.ts', `export const a = 1;`],
  ['nothingIsLeftToDo', 'src/a/a.ts', `// ${'TO'}${'DO'} later`],
  ['nothingIsLeftToDo', 'src/a/a.ts', `// ${'FIX'}${'ME'}: now`],
  ['everyTestRuns', 'test/a.test.ts', `test.only('a', () => {});`],
  ['everyTestRuns', 'test/a.test.ts', `describe.skip('a', () => {});`],
];

/** What looks like a breach and is none. */
const SOUND: readonly Case[] = [
  [
    'importsPointDown',
    'src/raft/a.ts',
    `import { b } from '../base/b.ts'; import { c } from './c.ts'; b(c);`,
  ],
  [
    'importsPointDown',
    'src/raft/a.ts',
    `// import { b } from '../wire/b.ts'\nexport const a = "from '../wire/b.ts'";`,
  ],
  ['importsPointDown', 'src/index.ts', `export { b } from './replica/b.ts';`],
  [
    'someTakeTypesOnly',
    'src/wire/a.ts',
    `import type { B } from '../raft/b.ts'; export type C = B;`,
  ],
  [
    'someTakeTypesOnly',
    'src/wire/a.ts',
    `import { type B } from '../raft/b.ts'; export type C = B;`,
  ],
  ['eachLibraryHasOneDoor', 'src/wire/a.ts', `import { pack } from 'msgpackr/pack'; pack;`],
  ['eachLibraryHasOneDoor', 'examples/a.ts', `import { connect } from 'tocsin/client'; connect;`],
  ['thePureOnlyCompute', 'src/raft/a.ts', `export interface A { process: number; Date: string }`],
  [
    'thePureOnlyCompute',
    'src/raft/a.ts',
    `export const a = (b: { process(): void }): void => b.process();`,
  ],
  ['thePureOnlyCompute', 'src/raft/a.ts', `export const a = { process: 1 };`],
  ['nobodyRollsDice', 'src/raft/a.ts', `// Math.random is not used here`],
  ['functionsFitAScreen', 'test/a.test.ts', `describe('a', () => {${'\n'.repeat(90)}});`],
  [
    'functionsFitAScreen',
    'test/a.test.ts',
    `function contract() { describe.each([1])('a', b);${'\n'.repeat(90)}}`,
  ],
  ['everyTestRuns', 'test/a.test.ts', `test.skipIf(true)('a', () => {}); alerts.only('b');`],
];

/** With the text once more, short enough for the name of a test. */
const shown = ([name, path, text]: Case): readonly [keyof typeof rules, string, string, string] => [
  name,
  path,
  JSON.stringify(text.replaceAll(/\n+/g, '\n').slice(0, 90)),
  text,
];

describe('each rule finds what it is there for', () => {
  test.each(BROKEN.map(shown))('%s in %s: %s', (name, path, _shown, text) => {
    expect(rules[name]([parseSource(path, text)])).toHaveLength(1);
  });

  test.each(SOUND.map(shown))('%s lets %s be: %s', (name, path, _shown, text) => {
    expect(rules[name]([parseSource(path, text)])).toEqual([]);
  });

  test('and every rule is shown something', () => {
    expect(Object.keys(rules).filter((name) => !BROKEN.some(([rule]) => rule === name))).toEqual(
      [],
    );
  });
});

/** Built from parts, so that this file does not hold what it looks for. */
const SECRET_PLACES: readonly RegExp[] = [
  new RegExp(`(^|[\\s'"\`(:=])/(${['work', 'root', 'home', 'Users'].join('|')})/[a-z]`, 'm'),
  new RegExp(`registry\\.${'npmjs'}|npm\\.pkg\\.${'github'}|"${'resolved'}": "`),
  new RegExp(`[A-Z]:\\\\${'Users'}`),
];

test('no file names a machine or a package registry', () => {
  const texts = filesBelow(
    '',
    ['.ts', '.mjs', '.js', '.json', '.md', '.npmrc', 'run', '.yaml'],
    ROOT,
  );
  const found = texts.flatMap((path) => {
    const text = readFileSync(join(ROOT, path), 'utf8');
    return SECRET_PLACES.filter((place) => place.test(text)).map((place) => `${path}: ${place}`);
  });

  expect(texts.length).toBeGreaterThan(30);
  expect(texts).toContain('package-lock.json');
  expect(found.join('\n')).toBe('');
});
