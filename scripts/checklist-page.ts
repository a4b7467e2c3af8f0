import { CHAPTERS, PITFALLS } from '../test/checklist/index.ts';
import type { Item, Pitfall } from '../test/checklist/table.ts';
import { pathOf } from '../test/checklist/titles.ts';

/** docs/raft-tests.md: what a Raft engine has to show, and the tests that show it. */

const cell = (text: string): string => text.replaceAll('|', '\\|').replaceAll('\n', ' ').trim();

const row = (...cells: readonly string[]): string => `| ${cells.join(' | ')} |`;

/** 'raft/votes › title' as a link to the file and the title. */
function linked(name: string): string {
  const [file = '', ...titles] = name.split(' › ');
  return `[${file}](../${pathOf(file) ?? ''}): ${cell(titles.join(': '))}`;
}

function proofOf(item: Item): string {
  if ('tests' in item) return item.tests.map(linked).join('<br>');
  return `not applicable: ${cell(item.notHere)}`;
}

function mutantOf({ mutant }: Pitfall): string {
  return typeof mutant === 'string' ? `\`${mutant}\`` : `none: ${cell(mutant.none)}`;
}

const countOf = (items: readonly Item[]): string => {
  const notHere = items.filter((item) => 'notHere' in item).length;
  return `${items.length - notHere} proven, ${notHere} not applicable`;
};

export function checklistPage(printed: string): string {
  const items = CHAPTERS.flatMap((chapter) => [...chapter.items.values()]);
  const chapters = CHAPTERS.flatMap(({ title, items: numbered }) => [
    `## ${title}`,
    [
      row('no.', 'claim', 'tests'),
      row('---:', '---', '---'),
      ...[...numbered].map(([number, item]) => row(`${number}`, cell(item.claim), proofOf(item))),
    ].join('\n'),
  ]);
  const pitfalls = PITFALLS.map((pitfall, at) =>
    row(`${at + 1}`, cell(pitfall.item.claim), proofOf(pitfall.item), mutantOf(pitfall)),
  );
  const mutants = PITFALLS.filter(({ mutant }) => typeof mutant === 'string').length;
  return [
    '# What the engine has to show, and where it shows it',
    printed,
    'The claims were collected from the tests of MIT 6.5840, etcd, TiKV, HashiCorp, openraft and TigerBeetle, and from their ' +
      'issue trackers. `test/checklist` holds them; a test makes sure that every test named here exists.',
    `${items.length} claims: ${countOf(items)}. ${PITFALLS.length} pitfalls: ${countOf(PITFALLS.map(({ item }) => item))}; ${mutants} with a mutant.`,
    ...chapters,
    '## Mistakes others made',
    'Each is put back by a mutant, a change of one place of the source; the tests named beside it must fail then ' +
      '(`npm run test:mutants`).',
    [row('no.', 'mistake', 'tests', 'mutant'), row('---:', '---', '---', '---'), ...pitfalls].join(
      '\n',
    ),
  ].join('\n\n');
}
