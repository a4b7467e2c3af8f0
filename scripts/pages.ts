import { existsSync, mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { type Code, MEANING, type Meaning } from '../src/base/errors.ts';
import * as limits from '../src/base/limits.ts';
import * as trendLimits from '../src/base/trend-limits.ts';
import { RULES } from '../src/testing/checkers/rules.ts';
import { benchmarkPages } from './benchmarks-page.ts';
import { checklistPage } from './checklist-page.ts';
import { cliPage } from './cli-page.ts';
import { EXPECTATIONS, type Standing } from './expectations.ts';
import { MAY_IMPORT } from './layers.ts';
import { lifecyclePage } from './lifecycle.ts';

/** The printed pages: each is made from the sources, so that it cannot say what they do not. */

const ROOT: string = join(import.meta.dirname, '..');
const PRINTED = '<!-- Printed by `npm run docs`. Change the source, not this text. -->';

const table = (head: readonly string[], rows: readonly (readonly string[])[]): string =>
  [head, head.map(() => '---'), ...rows].map((cells) => `| ${cells.join(' | ')} |`).join('\n');

const escaped = (text: string): string => text.replaceAll('|', '\\|').replaceAll('\n', ' ').trim();

/** A number as people read it: 4 MiB, 5,000. Bytes are told by the name. */
function readable(name: string, value: number): string {
  const plain = value.toLocaleString('en-US');
  if (!name.includes('BYTES') || value < 1024 || value % 1024 !== 0) return plain;
  const kibibytes = value / 1024;
  return kibibytes % 1024 === 0 ? `${kibibytes / 1024} MiB` : `${kibibytes} KiB`;
}

interface Group {
  readonly title: string;
  readonly rows: string[][];
}

/** The limits in the order of the file; a comment that stands alone begins a group, one above a limit explains it. */
function groupsOf(source: string): Group[] {
  const values = new Map(Object.entries({ ...limits, ...trendLimits }));
  const groups: Group[] = [];
  let says = '';
  for (const line of source.split('\n')) {
    const heading = /^\/\/ (.*)$/.exec(line)?.[1];
    const comment = /^(?:\/\*\*| \*) ?(.*?)(?:\*\/)?$/.exec(line)?.[1];
    const name = /^export const (\w+)/.exec(line)?.[1];
    if (heading !== undefined) groups.push({ title: heading, rows: [] });
    else if (comment !== undefined && comment !== '/') says = `${says} ${comment}`.trim();
    if (name !== undefined) {
      const value = values.get(name);
      if (typeof value !== 'number') throw new Error(`limits.ts: ${name} is not a number`);
      if (groups.length === 0) groups.push({ title: 'General.', rows: [] });
      groups.at(-1)?.rows.push([`\`${name}\``, readable(name, value), escaped(says)]);
      says = '';
    }
    if (line === '') says = '';
  }
  return groups;
}

/** The relations between limits: what the asserts of the file state. */
const relationsOf = (source: string): string[][] =>
  [...source.matchAll(/^assert\(\s*([\s\S]*?),\s*['"`](.*?)['"`],?\s*\);$/gm)].map(
    ([, relation = '', reason = '']) => [`\`${escaped(relation)}\``, escaped(reason)],
  );

const LIMIT_FILES = ['src/base/limits.ts', 'src/base/trend-limits.ts'];

function limitsPage(): string {
  const source = LIMIT_FILES.map((path) => readFileSync(join(ROOT, path), 'utf8')).join('\n');
  const groups = groupsOf(source);
  const relations = relationsOf(source);
  if (relations.length === 0) throw new Error('limits.ts: no relation found');
  const sections = groups.map(
    ({ title, rows }) =>
      `## ${title.replace(/\.$/, '')}\n\n${table(['limit', 'value', 'meaning'], rows)}`,
  );
  return [
    '# Limits',
    PRINTED,
    'Every queue, frame, cache and batch has a limit, and all of them stand in `src/base/limits.ts` and `src/base/trend-limits.ts`. The relations at the end ' +
      'are checked whenever the program starts.',
    ...sections,
    `## What must hold between them\n\n${table(['relation', 'because'], relations)}`,
  ].join('\n\n');
}

const OUTCOME: Readonly<Record<Meaning['outcome'], string>> = {
  none: 'nothing was written',
  applied: 'was carried out, once',
  unknown: 'may or may not have happened',
};

const RETRY = {
  now: 'at once',
  later: 'after a pause',
  never: 'only after a change',
} as const;

function errorsPage(): string {
  const sections = Object.entries(MEANING).map(([code, meaning]) => {
    const outcome = OUTCOME[meaning.outcome];
    return [
      `## ${code satisfies string as Code}`,
      meaning.says,
      `A write that ends so: ${outcome}. Asking again helps: ${RETRY[meaning.retry]}. Exit status: ${meaning.exit}.`,
    ].join('\n\n');
  });
  return [
    '# Errors',
    PRINTED,
    'Every error a caller can meet carries one of these codes. Programs branch on the code; the message is for people and ' +
      'may change.',
    ...sections,
  ].join('\n\n');
}

const standingOf = (standing: Standing): string => {
  switch (standing.is) {
    case 'done':
      return `done: ${standing.tests.map(([file, name]) => `${file}, "${name}"`).join('; ')}`;
    case 'planned':
      return `planned, with ${standing.where}`;
    case 'declined':
      return `declined: ${standing.because}`;
  }
};

function expectationsPage(): string {
  const count = (is: Standing['is']): number =>
    EXPECTATIONS.filter(({ standing }) => standing.is === is).length;
  const rows = EXPECTATIONS.map(({ says, seenIn, standing }, at) => [
    `${at + 1}`,
    escaped(says),
    escaped(seenIn),
    escaped(standingOf(standing)),
  ]);
  return [
    '# Expectations',
    PRINTED,
    'What people who know the good tools of the field expect, who has it, and where Tocsin stands: done, with a test that ' +
      `shows it; planned; or declined, with the reason. Of ${EXPECTATIONS.length}: ${count('done')} done, ${count('planned')} ` +
      `planned, ${count('declined')} declined.`,
    table(['#', 'expectation', 'seen in', 'here'], rows),
  ].join('\n\n');
}

function layersTable(): string {
  const rows = Object.entries(MAY_IMPORT).map(([folder, allowed]) => [
    `\`src/${folder}\``,
    allowed.length === 0 ? 'nothing' : allowed.map((name) => `\`${name}\``).join(' '),
  ]);
  return table(['folder', 'may import'], rows);
}

/** `text` with what stands between the markers of this name replaced; as it is where there are none. */
export function betweenMarkers(text: string, content: string, name = 'imports'): string {
  const begin = `<!-- begin: ${name}, printed by \`npm run docs\` -->`;
  const [from, to] = [text.indexOf(begin), text.indexOf(`<!-- end: ${name} -->`)];
  if (from < 0 || to < from) return text;
  return `${text.slice(0, from + begin.length)}\n${content}\n${text.slice(to)}`;
}

/** What the checkers hold every run against. */
const rulesTable = (): string =>
  table(
    ['rule', 'what it means when it is broken'],
    Object.entries(RULES).map(([rule, means]) => [`\`${rule}\``, means]),
  );

async function printedPages(): Promise<ReadonlyMap<string, string>> {
  const pages = new Map([
    ['docs/limits.md', `${limitsPage()}\n`],
    ['docs/errors.md', `${errorsPage()}\n`],
    ['docs/lifecycle.md', `${lifecyclePage(PRINTED)}\n`],
    ['docs/raft-tests.md', `${checklistPage(PRINTED)}\n`],
    ['docs/expectations.md', `${expectationsPage()}\n`],
    ['docs/cli.md', `${[`# Command line`, PRINTED, await cliPage()].join('\n\n')}\n`],
  ]);
  for (const [path, text] of benchmarkPages(PRINTED)) pages.set(path, text);
  const architecture = join(ROOT, 'ARCHITECTURE.md');
  if (existsSync(architecture)) {
    pages.set('ARCHITECTURE.md', betweenMarkers(readFileSync(architecture, 'utf8'), layersTable()));
  }
  const guide = join(ROOT, 'docs', 'jepsen-lite.md');
  const text = readFileSync(guide, 'utf8');
  pages.set('docs/jepsen-lite.md', betweenMarkers(text, rulesTable(), 'rules'));
  return pages;
}

/** Each printed page by its path, as it should be. Made while this is loaded: docs.mjs loads nothing afterwards. */
export const PAGES: ReadonlyMap<string, string> = await printedPages();

const isFresh = (path: string, text: string): boolean =>
  existsSync(join(ROOT, path)) && readFileSync(join(ROOT, path), 'utf8') === text;

/** Writes the stale pages, or only names them. Returns the exit status. */
export function updatePages(options: { readonly check: boolean }): 0 | 1 {
  const stale = [...PAGES].filter(([path, text]) => !isFresh(path, text));
  for (const [path, text] of stale) {
    if (!options.check) {
      mkdirSync(dirname(join(ROOT, path)), { recursive: true });
      writeFileSync(join(ROOT, path), text);
    }
    console.log(options.check ? `${path} is stale: run npm run docs` : `${path} written`);
  }
  return options.check && stale.length > 0 ? 1 : 0;
}
